//! `tiers weak < strong` and `tier NAME { … }`: the chain, and what each tier tries.

use waypost_lang::cel::typed::Section;
use waypost_lang::codes;
use waypost_lang::source::{Span, Spanned};
use waypost_lang::syntax::tree::{self, Name};

use super::bounds::{duration, out_of_range, percent, share, small};
use super::collected::Collected;
use super::context::{Context, Names};
use super::names::{conflict, duplicate, unknown};
use crate::checks::{fallback_cycle, tier_chain, tier_without_model};
use crate::findings::Findings;
use crate::program::{Step, Tier};

/// A step before tiers within tiers are replaced.
#[derive(Debug, Clone)]
pub(crate) enum RawStep {
    Step(Step),
    Tier(Spanned<usize>),
}

/// Declares the chain. A lone tier is a chain without being said to be one.
pub(crate) fn declare(collected: &Collected<'_>, names: &mut Names, findings: &mut Findings) {
    let mut chains = collected.chains.iter();
    let chain = chains.next();
    if let Some((span, chain)) = chain {
        names.tiers.declare(chain.iter(), |name| name, findings);
        let same = |other: &[Name]| {
            other
                .iter()
                .map(|one| &one.value)
                .eq(chain.iter().map(|one| &one.value))
        };
        for (second, _) in chains.filter(|(_, other)| !same(other)) {
            findings.push(conflict("the chain of tiers", *second, *span));
        }
    } else if let [only] = collected.tiers.as_slice() {
        names.tiers.add(&only.name, findings);
    }
    for (at, tier) in collected.tiers.iter().enumerate() {
        let before = collected.tiers.get(..at).unwrap_or_default();
        let first = before.iter().find(|one| one.name.value == tier.name.value);
        if let Some(first) = first {
            findings.push(duplicate("tier", &tier.name, first.name.span));
        }
        if names.tiers.get(&tier.name.value).is_none() {
            names.unchained.insert(tier.name.value.clone());
        }
        if let Some(model) = names.models.span(&tier.name.value) {
            findings.push(
                codes::DUPLICATE_NAME
                    .error(
                        tier.name.span,
                        format!("`{}` is a tier and a model", tier.name.value),
                    )
                    .label("a tier")
                    .because(model, "a model")
                    .help("give one of them another name: `try` and `on` take both"),
            );
        }
    }
    findings.extend(tier_chain::check(collected, names));
}

pub(crate) fn resolve(collected: &Collected<'_>, context: &mut Context<'_>) -> Option<Vec<Tier>> {
    let mut declared: Vec<Option<(&tree::Tier, Vec<RawStep>)>> =
        vec![None; context.names.tiers.names().count()];
    let mut whole = true;
    for tier in &collected.tiers {
        let steps = steps(tier, context);
        whole &= steps.is_some();
        let rank = context.names.tiers.get(&tier.name.value);
        let slot = rank.and_then(|rank| declared.get_mut(rank));
        if let Some(slot @ None) = slot {
            *slot = steps.map(|steps| (*tier, steps));
        }
    }
    let raw: Vec<&[RawStep]> = declared
        .iter()
        .map(|one| one.as_ref().map_or(&[][..], |(_, steps)| steps))
        .collect();
    let cycles = fallback_cycle::check(&raw, &tier_names(context));
    whole &= cycles.is_empty();
    context.findings.extend(cycles);
    let mut tiers = Vec::new();
    for (rank, one) in declared.iter().enumerate() {
        let timing = one.as_ref().map(|(tier, _)| timing(tier, context));
        if let (Some((tier, _)), true) = (one, whole) {
            let mut flat = Vec::new();
            let mut seen = vec![false; raw.len()];
            flatten(rank, &raw, &mut seen, &mut flat);
            if flat.is_empty() {
                context.findings.push(tier_without_model::empty(&tier.name));
            }
            let (timeout, retries) = timing.unwrap_or((None, 0));
            let hedge = hedge(tier, flat.len(), timeout, context);
            tiers.push(Tier {
                name: tier.name.clone(),
                steps: flat,
                timeout,
                retries,
                hedge,
            });
        }
    }
    let all = tiers.len() == declared.len();
    (whole && all).then_some(tiers)
}

fn tier_names(context: &Context<'_>) -> Vec<String> {
    let mut ranked: Vec<(usize, String)> = context
        .names
        .tiers
        .names()
        .filter_map(|name| Some((context.names.tiers.get(name)?, name.to_owned())))
        .collect();
    ranked.sort();
    ranked.into_iter().map(|(_, name)| name).collect()
}

fn timing(tier: &tree::Tier, context: &mut Context<'_>) -> (Option<u64>, u32) {
    let timeout = tier.timeout.as_ref();
    let timeout = timeout.and_then(|one| duration("a timeout", one, context.findings));
    let retries = tier.retries.as_ref();
    let retries = retries.and_then(|one| small("retries", one, 0, 10, context.findings));
    (timeout, retries.unwrap_or(0))
}

/// When the next model is asked beside a slow one, if there is a next and it is asked before the first is given up.
fn hedge(
    tier: &tree::Tier,
    steps: usize,
    timeout: Option<u64>,
    context: &mut Context<'_>,
) -> Option<Spanned<u64>> {
    let written = tier.hedge.as_ref()?;
    duration("a hedge", written, context.findings)?;
    let meaningless = if steps == 1 {
        Some((
            "a tier that tries one model",
            "add a model to the tier, such as `then MODEL`",
        ))
    } else if timeout.is_some_and(|timeout| timeout <= written.value) {
        Some((
            "a model that is given up before",
            "write a time that is shorter than `timeout`",
        ))
    } else {
        None
    };
    if let Some((place, help)) = meaningless {
        super::values::meaningless(written.span, "hedge", place, help, context.findings);
    }
    Some(written.clone())
}

/// The steps of a tier, names resolved; `None` if one could not be.
fn steps(tier: &tree::Tier, context: &mut Context<'_>) -> Option<Vec<RawStep>> {
    let mut tried: Vec<&Name> = Vec::new();
    let mut steps = Vec::new();
    for step in &tier.steps {
        let resolved = match step {
            tree::Step::Try(name) => {
                if let Some(first) = tried.iter().find(|one| one.value == name.value) {
                    let what = format!("`{}`", name.value);
                    context.findings.push(
                        codes::DUPLICATE_NAME
                            .error(name.span, format!("{what} is tried twice"))
                            .label("tried again here")
                            .because(first.span, "first tried here")
                            .help("delete the second; `retries` repeats an attempt"),
                    );
                }
                tried.push(name);
                target(name, context)
            }
            tree::Step::Split(written) => split(written, context).map(RawStep::Step),
        };
        steps.push(resolved);
    }
    steps.into_iter().collect()
}

fn target(name: &Name, context: &mut Context<'_>) -> Option<RawStep> {
    if let Some(model) = context.names.models.get(&name.value) {
        let model = Spanned::new(model, name.span);
        return Some(RawStep::Step(Step::Try(model)));
    }
    if let Some(tier) = context.names.tiers.get(&name.value) {
        return Some(RawStep::Tier(Spanned::new(tier, name.span)));
    }
    if !context.names.unchained.contains(&name.value) {
        let names = &context.names;
        let candidates = names.models.names().chain(names.tiers.names());
        let found = unknown("model or tier", "model NAME { … }", name, candidates);
        context.findings.push(found);
    }
    None
}

fn split(split: &tree::Split, context: &mut Context<'_>) -> Option<Step> {
    let key = split.key.as_ref();
    let key = key.map(|key| context.key(key, Section::Policy));
    let mut arms = Vec::new();
    let mut seen: Vec<&Name> = Vec::new();
    for (name, part) in &split.arms {
        if let Some(first) = seen.iter().find(|one| one.value == name.value) {
            context
                .findings
                .push(duplicate("arm of the split", name, first.span));
        }
        seen.push(name);
        let model = context.names.models.resolve(name, context.findings);
        let part = share("a share", part, 1, 10_000, context.findings);
        arms.push(
            model
                .zip(part)
                .map(|(model, part)| (Spanned::new(model, name.span), part)),
        );
    }
    let arms: Option<Vec<_>> = arms.into_iter().collect();
    let arms = arms?;
    let total: u32 = arms.iter().map(|(_, part)| part.0).sum();
    if total != 10_000 {
        out_of_range(
            split.span,
            format!("the shares add up to {}, not 100%", percent(total)),
            shortfall(total),
            "change them so that every call has an arm, and one only",
            context.findings,
        );
        return None;
    }
    let key = match key {
        Some(key) => Some(key?),
        None => None,
    };
    Some(Step::Split { arms, key })
}

fn shortfall(total: u32) -> String {
    if total < 10_000 {
        format!("{} of the calls would go nowhere", percent(10_000 - total))
    } else {
        format!("{} too many", percent(total - 10_000))
    }
}

/// Replaces tiers by their steps; a model or tier that was tried before is not tried again, so the work is linear.
fn flatten(tier: usize, raw: &[&[RawStep]], seen: &mut [bool], flat: &mut Vec<Step>) {
    match seen.get_mut(tier) {
        Some(seen) if !*seen => *seen = true,
        _ => return,
    }
    for step in raw.get(tier).copied().unwrap_or_default() {
        match step {
            RawStep::Tier(inner) => flatten(inner.value, raw, seen, flat),
            RawStep::Step(Step::Try(model)) => {
                let tried =
                    |step: &Step| matches!(step, Step::Try(one) if one.value == model.value);
                if !flat.iter().any(tried) {
                    flat.push(Step::Try(model.clone()));
                }
            }
            RawStep::Step(split) => flat.push(split.clone()),
        }
    }
}

/// The span of a step that leads to a tier.
pub(crate) fn inner_tiers(steps: &[RawStep]) -> impl Iterator<Item = (usize, Span)> {
    steps.iter().filter_map(|step| match step {
        RawStep::Tier(tier) => Some((tier.value, tier.span)),
        RawStep::Step(_) => None,
    })
}
