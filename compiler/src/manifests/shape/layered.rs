//! `shape layered`: RouteLLM reads the prompt, agentgateway spends the money, the Endpoint Picker picks the pod.
//!
//! Calls go one way: clients -> RouteLLM -> agentgateway -> a hosted API, or the pod that the picker names.
//! Network policies close every way around a layer.

mod gateway;
mod layers;
mod limits;
mod picker;
mod router;
mod uncarried;

use waypost_lang::diagnostic::Diagnostic;

use super::serving;
use crate::manifests::documents::Documents;
use crate::manifests::network_policy::Peer;
use crate::manifests::pod_monitor::{self, pod_monitor};
use crate::manifests::secrets::SecretMounts;
use crate::manifests::versions::{InferenceExtension, agentgateway_tag, check_kaito};
use crate::manifests::{Target, labels, namespace};
use gateway::Gateway;
use layers::Layers;
use picker::Picker;
use router::Router;

/// Writes every object of the shape, in apply order.
pub(crate) fn write(
    target: &Target<'_>,
    documents: &mut Documents,
) -> Result<Vec<Diagnostic>, Vec<Diagnostic>> {
    let versions = &target.deploy.versions;
    check_kaito(versions).map_err(|fault| vec![*fault])?;
    let extension = InferenceExtension::of(versions).map_err(|fault| vec![*fault])?;
    let tag = agentgateway_tag(versions).map_err(|fault| vec![*fault])?;
    let layers = Layers::of(target)?;
    let mut secrets = SecretMounts::default();
    let gateway = Gateway::new(target, &layers, &extension, tag, &mut secrets)?;
    let router = Router::new(target, &layers)?;
    let pickers = Picker::all(&layers, &extension)?;
    let mut diagnostics = uncarried::warnings(target, &layers);
    diagnostics.extend(router.warnings(target));
    diagnostics.extend(gateway.warnings(target));

    namespace::write(target, documents);
    for picker in &pickers {
        picker.write_access(target, documents);
    }
    gateway.write_access(target, documents);
    router.write_access(target, documents);
    for picker in &pickers {
        let callers = vec![
            Peer::pods(labels::selector(gateway::APP)),
            Peer::pods(labels::selector(&picker.app)),
        ];
        serving::write_policy(target, picker.pool, callers, documents);
    }
    let pools = pickers.iter().map(|picker| picker.pool);
    diagnostics.extend(serving::write_workspaces(target, pools, documents));
    for picker in &pickers {
        picker.write(target, &layers, documents);
    }
    gateway.write(target, &layers, &secrets, documents);
    router.write(target, documents);
    write_monitors(target, &gateway, &pickers, documents);
    Ok(diagnostics)
}

fn write_monitors(
    target: &Target<'_>,
    gateway: &Gateway,
    pickers: &[Picker<'_>],
    documents: &mut Documents,
) {
    let Some(monitor) = target.deploy.monitor else {
        return;
    };
    let notes = pod_monitor::notes(monitor);
    documents.add(
        &pod_monitor(target, monitor, gateway.scrape(target)),
        &notes,
    );
    for picker in pickers {
        let engine = serving::scrape(picker.pool, picker.pods.clone());
        documents.add(&pod_monitor(target, monitor, engine), &notes);
        documents.add(&pod_monitor(target, monitor, picker.scrape(target)), &notes);
    }
}
