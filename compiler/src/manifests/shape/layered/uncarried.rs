//! What of a file the layered stack leaves out: one warning a rule, at the rule.

use waypost_lang::codes;
use waypost_lang::diagnostic::Diagnostic;
use waypost_lang::source::Span;

use super::layers::{Layers, Route, Upstream};
use super::limits::carry;
use crate::manifests::Target;
use crate::program::{Accept, Content, Model, Policy, Pool, Quota, Step};

const NO_RULES: &str = "RouteLLM has no rules, and forwards nothing of the caller to the gateway";

/// Every rule that is not carried, or not as it is meant.
pub(super) fn warnings(target: &Target<'_>, layers: &Layers<'_>) -> Vec<Diagnostic> {
    let program = target.program;
    let mut found = Vec::new();
    content(layers, &mut found);
    for other in program.contents.iter().skip(1) {
        let what = format!("content section `{}`", other.name);
        found.push(lost(
            other.span,
            &what,
            "RouteLLM has one rule for all model names",
        ));
    }
    policy(&program.policy, &mut found);
    for quota in &program.policy.quotas {
        found.extend(limit(quota, layers));
    }
    for route in layers.routes() {
        fallbacks(target, route, &mut found);
    }
    let always = program.policy.priorities.iter();
    let always = always.filter(|rule| rule.when.is_none());
    let sheds = always.map(|rule| rule.value).max().unwrap_or(0) < 0;
    for route in layers.routes() {
        if let Upstream::Pool(_, pool, _) = &route.upstream {
            place(pool, sheds, &mut found);
        }
    }
    unreached(target, layers, &mut found);
    if target.deploy.redis.is_some() {
        found.push(lost(
            target.deploy.span,
            "`state redis`",
            "agentgateway's buckets are in its own memory",
        ).help("delete `state redis`: agentgateway runs as one pod, so its limits are not multiplied"));
    }
    found
}

fn lost(span: Span, what: &str, why: &str) -> Diagnostic {
    codes::SHAPE_CANNOT_CARRY
        .warning(span, format!("`shape layered` cannot carry {what}"))
        .label(why)
        .help("use `shape waypost`, which carries it")
}

fn content(layers: &Layers<'_>, found: &mut Vec<Diagnostic>) {
    let content: &Content = layers.content;
    for rule in &content.escalations {
        if std::ptr::eq(rule, layers.rule) {
            let why = "RouteLLM refuses ordinary tool objects, and scores the last message only";
            found.push(lost(rule.span, "calls with tools", why));
        } else {
            let what = format!("escalation `{}`", rule.label.text);
            found.push(lost(
                rule.span,
                &what,
                "RouteLLM reads the last message and nothing else",
            ));
        }
    }
    let name = layers.router_name();
    let accepts = content.accepts.iter();
    found.extend(accepts.filter(|accept| !is_routers(accept)).map(|accept| {
        let star = if accept.prefix { "*" } else { "" };
        let what = format!("the model name `{}{star}`", accept.name);
        lost(
            accept.span,
            &what,
            "RouteLLM knows names such as `router-mf-0.5` only",
        )
        .help(format!("let clients send `{name}`, or use `shape waypost`"))
    }));
    found.extend(content.threshold.iter().map(|threshold| {
        let message = "`shape layered` compares this threshold with another score";
        codes::SHAPE_CANNOT_CARRY
            .warning(threshold.span, message)
            .label("RouteLLM's win rate is no `difficulty`: the same number sends other calls up")
            .help(format!(
                "calibrate it on your own traffic; clients send it as `{name}`"
            ))
    }));
    let keep = content.keep.iter();
    found.extend(keep.map(|keep| {
        lost(
            keep.span,
            "`keep session`",
            "RouteLLM decides every call by itself",
        )
    }));
}

/// Whether clients may send this name to RouteLLM.
fn is_routers(accept: &Accept) -> bool {
    accept.prefix && accept.name == "router-mf-" && accept.model.is_none()
}

fn policy(policy: &Policy, found: &mut Vec<Diagnostic>) {
    if let Some(span) = policy.callers_span
        && (policy.keys.is_some() || policy.jwt.is_some())
    {
        let why = "RouteLLM checks no key; a network policy admits pods of its namespace instead";
        found.push(
            lost(span, "`callers`", why)
                .help("use `shape waypost`, whose runtime asks every caller for a key"),
        );
    }
    for rule in &policy.denials {
        found.push(lost(
            rule.span,
            &format!("deny rule `{}`", rule.label.text),
            NO_RULES,
        ));
    }
    for rule in &policy.caps {
        let why = "RouteLLM picks the tier before any layer asks for the caller or the money";
        found.push(lost(rule.span, &format!("cap `{}`", rule.label.text), why));
    }
    for rule in policy.priorities.iter().filter(|rule| rule.when.is_some()) {
        let why = "its InferenceObjective is written, but no layer can tell which calls are meant";
        found.push(lost(
            rule.span,
            &format!("priority `{}`", rule.label.text),
            why,
        ));
    }
    let mut redacted: Vec<Span> = policy.redactions.iter().map(|rule| rule.span).collect();
    redacted.dedup();
    for span in redacted {
        found.push(lost(
            span,
            "`redact`",
            "agentgateway guards the hosted route only, not the one through the picker",
        ));
    }
}

fn limit(quota: &Quota, layers: &Layers<'_>) -> Option<Diagnostic> {
    let carriage = carry(quota, layers);
    if carriage.lost.is_empty() {
        return None;
    }
    let kind = if quota.budget { "budget" } else { "limit" };
    let what = format!("{kind} `{}`", quota.label.text);
    let why = carriage.lost.join("; ");
    let none = carriage.strong.is_none() && carriage.weak.is_none();
    Some(if none {
        lost(quota.span, &what, &why)
    } else {
        codes::SHAPE_CANNOT_CARRY
            .warning(
                quota.span,
                format!("`shape layered` carries {what} only in part"),
            )
            .label(why)
            .help("use `shape waypost`, which carries it whole")
    })
}

fn fallbacks(target: &Target<'_>, route: &Route<'_>, found: &mut Vec<Diagnostic>) {
    let name = |index: usize| {
        let model: Option<&Model> = target.program.models.get(index);
        model.map_or("", |model| model.name.value.as_str())
    };
    for (at, step) in route.tier.steps.iter().enumerate() {
        match step {
            Step::Try(model) if at > 0 => {
                let what = format!("the fallback to `{}`", name(model.value));
                found.push(lost(
                    model.span,
                    &what,
                    "no layer tries another model when one fails",
                ));
            }
            Step::Try(_) => {}
            Step::Split { arms, .. } => {
                for (model, _) in arms
                    .iter()
                    .filter(|(model, _)| model.value != route.model_index)
                {
                    let what = format!("the share of `{}`", name(model.value));
                    found.push(lost(model.span, &what, "RouteLLM has one model a tier"));
                }
            }
        }
    }
}

/// `sheds`: whether every call has a priority at which the picker sheds.
fn place(pool: &Pool, sheds: bool, found: &mut Vec<Diagnostic>) {
    let Some(span) = pool.place.span else {
        return;
    };
    if pool.place.overflow_next {
        let why = "a saturated picker turns away only calls of a priority below zero; no layer then tries the next model";
        found.push(lost(span, "`overflow … next`", why));
    } else if !sheds {
        let why = "a saturated picker turns away only calls of a priority below zero; others queue at the replicas";
        found.push(lost(span, "`overflow shed`", why));
    } else if pool.place.wait > 0 {
        found.push(lost(
            span,
            "`overflow wait`",
            "the picker of this config sheds at once",
        ));
    }
    for only in &pool.place.only {
        found.push(lost(
            only.span,
            "`only when`",
            "the picker's scorers read no labels",
        ));
    }
}

/// Models and pools that no route leads to.
fn unreached(target: &Target<'_>, layers: &Layers<'_>, found: &mut Vec<Diagnostic>) {
    let homes: Vec<usize> = layers
        .routes()
        .iter()
        .map(|route| route.model_index)
        .collect();
    let listed = |index: &usize| {
        let steps = target.program.tiers.iter().flat_map(|tier| &tier.steps);
        steps.into_iter().any(|step| match step {
            Step::Try(model) => model.value == *index,
            Step::Split { arms, .. } => arms.iter().any(|(model, _)| model.value == *index),
        })
    };
    for (index, model) in target.program.models.iter().enumerate() {
        // A model that a tier lists was already named where it is listed.
        if !homes.contains(&index) && !listed(&index) {
            let what = format!("model `{}`", model.name.value);
            found.push(lost(
                model.name.span,
                &what,
                "RouteLLM answers with the tiers' first models only",
            ));
        }
    }
    for (index, pool) in target.program.pools.iter().enumerate() {
        let routed = layers
            .routes()
            .iter()
            .any(|route| matches!(route.upstream, Upstream::Pool(at, ..) if at == index));
        if !routed {
            let what = format!("pool `{}`", pool.name.value);
            found.push(lost(
                pool.name.span,
                &what,
                "no route leads to it, so it is not deployed",
            ));
        }
    }
}
