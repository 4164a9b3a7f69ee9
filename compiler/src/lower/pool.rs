//! Pools: how their replicas are found and picked.

use waypost_policies::plan::draft;

use super::expressions::Expressions;
use crate::Program;
use crate::program::{Engine, Place, Pool, PoolSource};

/// The label that KAITO gives the pods of a workspace.
const KAITO_LABEL: &str = "kaito.sh/workspace";
/// Where KAITO's pods are when no file says where things are deployed.
const DEFAULT_NAMESPACE: &str = "default";

pub(crate) fn lower(program: &Program, expressions: &mut Expressions<'_>) -> Vec<draft::Pool> {
    let deploy = program.deploy.as_ref();
    let namespace = deploy.map_or(DEFAULT_NAMESPACE, |deploy| deploy.namespace.as_str());
    program
        .pools
        .iter()
        .map(|pool| draft::Pool {
            name: pool.name.value.clone(),
            engine: engine(&pool.engine),
            discovery: discovery(pool, namespace),
            placement: placement(&pool.place, expressions),
        })
        .collect()
}

fn engine(engine: &Engine) -> draft::Engine {
    match engine {
        Engine::Vllm => draft::Engine::Vllm,
        Engine::Sglang => draft::Engine::Sglang,
        Engine::Trtllm => draft::Engine::Trtllm,
        Engine::Custom {
            queue,
            running,
            kv_cache,
        } => draft::Engine::Custom {
            queue: queue.clone(),
            running: running.clone(),
            kv_cache: kv_cache.clone(),
        },
    }
}

fn discovery(pool: &Pool, deployed: &str) -> draft::Discovery {
    match &pool.source {
        PoolSource::Kaito { port, .. } => draft::Discovery::Kubernetes {
            namespace: deployed.to_owned(),
            labels: vec![(KAITO_LABEL.to_owned(), pool.workspace())],
            port: *port,
        },
        PoolSource::Selector {
            labels,
            namespace,
            port,
        } => draft::Discovery::Kubernetes {
            namespace: namespace.clone(),
            labels: labels.clone(),
            port: *port,
        },
        PoolSource::Static(urls) => draft::Discovery::Static(urls.clone()),
        PoolSource::Dns(name) => draft::Discovery::Dns(name.clone()),
    }
}

fn placement(place: &Place, expressions: &mut Expressions<'_>) -> draft::Placement {
    draft::Placement {
        prefix: place.prefix,
        queue: place.queue,
        kv_cache: place.kv_cache,
        lora: place.lora,
        saturate_queue: place.saturate_queue,
        saturate_kv_cache: place.saturate_kv_cache.map(|share| share.0),
        wait_milliseconds: place.wait,
        overflow: if place.overflow_next {
            draft::Overflow::Next
        } else {
            draft::Overflow::Shed
        },
        only: place
            .only
            .iter()
            .map(|when| expressions.add(when))
            .collect(),
    }
}
