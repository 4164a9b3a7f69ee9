//! `place POOL { … }`: which replica.

use std::collections::BTreeMap;

use waypost_lang::cel::typed::{Field, Section};
use waypost_lang::source::{Span, Spanned};
use waypost_lang::syntax::tree::{self, Bound};

use super::bounds::{duration, out_of_range, share, small};
use super::collected::Collected;
use super::context::Context;
use super::names::duplicate;
use super::values::word;
use crate::checks::this_version;
use crate::program::Place;

#[derive(Clone, Copy, PartialEq, Eq)]
enum Signal {
    Prefix,
    Queue,
    KvCache,
    Lora,
}

const PREFERABLE: &[(&str, Signal)] = &[
    ("prefix", Signal::Prefix),
    ("queue", Signal::Queue),
    ("kv-cache", Signal::KvCache),
    ("lora", Signal::Lora),
];
const SATURABLE: &[(&str, Signal)] = &[("queue", Signal::Queue), ("kv-cache", Signal::KvCache)];

/// How a replica is picked where no `place` says: the weights of the Endpoint Picker's own default.
pub(crate) const fn unwritten() -> Place {
    Place {
        span: None,
        prefix: 3,
        queue: 2,
        kv_cache: 2,
        lora: 0,
        saturate_queue: None,
        saturate_kv_cache: None,
        wait: 0,
        overflow_next: true,
        only: Vec::new(),
    }
}

/// The `place` block of each pool that has one.
pub(crate) fn resolve(
    collected: &Collected<'_>,
    context: &mut Context<'_>,
) -> BTreeMap<String, Place> {
    let mut places: BTreeMap<String, Place> = BTreeMap::new();
    let mut seen: BTreeMap<&str, Span> = BTreeMap::new();
    for (span, place) in &collected.places {
        let known = context.names.pools.resolve(&place.pool, context.findings);
        if known.is_none() {
            continue;
        }
        if let Some(first) = seen.get(place.pool.value.as_str()) {
            let found = duplicate("placement of the pool", &place.pool, *first);
            context.findings.push(found);
            continue;
        }
        seen.insert(&place.pool.value, place.pool.span);
        places.insert(place.pool.value.clone(), resolve_one(*span, place, context));
    }
    places
}

fn resolve_one(span: Span, place: &tree::Place, context: &mut Context<'_>) -> Place {
    let mut resolved = Place {
        span: Some(span),
        ..unwritten()
    };
    if !place.prefer.is_empty() {
        prefer(place, &mut resolved, context);
    }
    saturate(place, &mut resolved, context);
    overflow(place, &mut resolved, context);
    for (_, when) in &place.only {
        let Some(condition) = context.condition(when, Section::Place) else {
            continue;
        };
        if condition.fields().contains(&Field::EndpointLora) {
            context
                .findings
                .push(this_version::adapters(condition.span));
        }
        resolved.only.push(condition);
    }
    resolved
}

/// A written `prefer` says all: a signal that it leaves out weighs nothing.
fn prefer(place: &tree::Place, resolved: &mut Place, context: &mut Context<'_>) {
    (resolved.prefix, resolved.queue) = (0, 0);
    (resolved.kv_cache, resolved.lora) = (0, 0);
    let mut seen: Vec<&tree::Name> = Vec::new();
    for (name, weight) in &place.prefer {
        let Some(signal) = word("signal to prefer by", name, PREFERABLE, context.findings) else {
            continue;
        };
        if let Some(first) = seen.iter().find(|one| one.value == name.value) {
            context.findings.push(duplicate("signal", name, first.span));
        }
        seen.push(name);
        let weight = small("a weight", weight, 0, 1000, context.findings).unwrap_or(0);
        match signal {
            Signal::Prefix => resolved.prefix = weight,
            Signal::Queue => resolved.queue = weight,
            Signal::KvCache => resolved.kv_cache = weight,
            Signal::Lora => {
                resolved.lora = weight;
                if weight > 0 {
                    context.findings.push(this_version::adapters(name.span));
                }
            }
        }
    }
}

fn saturate(place: &tree::Place, resolved: &mut Place, context: &mut Context<'_>) {
    for (name, bound) in &place.saturate {
        let Some(signal) = word("signal of saturation", name, SATURABLE, context.findings) else {
            continue;
        };
        let span = bound.span;
        match (signal, bound.value) {
            (Signal::Queue, Bound::Count(count)) => {
                let count = Spanned::new(count, span);
                resolved.saturate_queue =
                    small("a queue's bound", &count, 1, 1_000_000, context.findings);
            }
            (Signal::KvCache, Bound::Share(percent)) => {
                let percent = Spanned::new(percent, span);
                let what = "the KV cache's bound";
                resolved.saturate_kv_cache = share(what, &percent, 1, 10_000, context.findings);
            }
            (Signal::Queue, _) => {
                wrong_unit(span, "queue", "a number of requests", "queue 5", context)
            }
            _ => wrong_unit(span, "kv-cache", "a share", "kv-cache 80%", context),
        }
    }
}

fn wrong_unit(span: Span, signal: &str, unit: &str, example: &str, context: &mut Context<'_>) {
    out_of_range(
        span,
        format!("`{signal}` is bounded by {unit}"),
        "another unit",
        format!("write, for example, `{example}`"),
        context.findings,
    );
}

fn overflow(place: &tree::Place, resolved: &mut Place, context: &mut Context<'_>) {
    let Some(overflow) = &place.overflow else {
        return;
    };
    if let Some(wait) = &overflow.wait {
        resolved.wait = duration("a wait", wait, context.findings).unwrap_or(0);
    }
    if let Some(then) = &overflow.then {
        let words = [("next", true), ("shed", false)];
        let next = word("way to overflow", then, &words, context.findings);
        resolved.overflow_next = next.unwrap_or(true);
    }
    let bounded = !place.saturate.is_empty() || context.findings.is_partial(overflow.span);
    if !bounded {
        super::values::meaningless(
            overflow.span,
            "overflow",
            "a pool that never saturates",
            "say when it does: `saturate queue 5, kv-cache 80%`",
            context.findings,
        );
    }
}
