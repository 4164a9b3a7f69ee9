//! `model NAME { … }`

use waypost_lang::codes;
use waypost_lang::syntax::tree;

use super::bounds::{number, out_of_range};
use super::catalog;
use super::collected::Collected;
use super::context::Context;
use super::names::{unknown, write};
use super::price::price;
use super::values::{missing, word};
use crate::checks::secret_placeholder;
use crate::program::{Lacks, Listing, ListingIndex, Model, Serves, Via};

/// Without these a call means nothing; a model that refuses them cannot be served.
const ESSENTIAL: &[&str] = &["model", "messages", "prompt", "input", "stream"];

#[derive(Clone, Copy)]
enum Surface {
    Chat,
    Completions,
    Embeddings,
}

const SURFACES: &[(&str, Surface)] = &[
    ("chat", Surface::Chat),
    ("completions", Surface::Completions),
    ("embeddings", Surface::Embeddings),
];

#[derive(Clone, Copy)]
enum Capability {
    Images,
    Tools,
}

const CAPABILITIES: &[(&str, Capability)] =
    &[("images", Capability::Images), ("tools", Capability::Tools)];

pub(crate) fn resolve(
    collected: &Collected<'_>,
    catalog: &[Listing],
    context: &mut Context<'_>,
) -> Option<Vec<Model>> {
    let mut resolved = Vec::new();
    for model in &collected.models {
        if context.names.models.owns(&model.name) {
            let listed = catalog::listed(model, collected, catalog, context);
            resolved.push(resolve_one(model, listed, context));
        }
    }
    resolved.into_iter().collect()
}

fn resolve_one(
    written: &tree::Model,
    listed: Option<(ListingIndex, &tree::Catalog)>,
    context: &mut Context<'_>,
) -> Option<Model> {
    let filled = listed.map(|(_, entry)| catalog::filled(written, entry));
    let model = filled.as_ref().unwrap_or(written);
    let price_span = written.price.as_ref().map(|price| price.span);
    let owner = format!("model `{}`", model.name.value);
    let serves = serves(model, context);
    let lacks = lacks(model, context);
    let (window, output) = windows(model, context);
    // What is wrong with a list's price is said of the list, once.
    let priced = match listed {
        Some((_, entry)) if price_span.is_none() => catalog::owner(entry),
        _ => owner.clone(),
    };
    let price = price(model, serves, &priced, context);
    let rejects = rejects(model, context);
    let Some(via_written) = &model.via else {
        let example = "via PROVIDER deployment \"gpt-5.1\"";
        let at = model.name.span;
        missing(
            at,
            &owner,
            "via",
            "who serves it?",
            example,
            context.findings,
        );
        return None;
    };
    let via = via(via_written, context);
    let upstream = via_written.upstream_name.as_ref();
    let real = upstream.is_none_or(|text| secret_placeholder::is_real(text, context.findings));
    let upstream_name =
        upstream.map_or_else(|| model.name.value.clone(), |text| text.value.clone());
    Some(Model {
        name: model.name.clone(),
        via: via.filter(|_| real)?,
        upstream_name,
        context: window,
        output,
        price,
        price_span,
        price_date: model.price.as_ref().and_then(|price| price.as_of.clone()),
        rejects,
        serves,
        lacks,
        retires: model.retires.clone(),
        listing: listed.map(|(index, _)| index),
    })
}

fn via(via: &tree::Via, context: &mut Context<'_>) -> Option<Via> {
    let name = &via.target;
    if via.pool {
        let pool = context.names.pools.resolve(name, context.findings);
        return pool.map(Via::Pool);
    }
    if let Some(provider) = context.names.providers.get(&name.value) {
        return Some(Via::Provider(provider));
    }
    let providers = context.names.providers.names();
    let mut diagnostic = unknown("provider", "provider NAME { … }", name, providers);
    if let Some(pool) = context.names.pools.span(&name.value) {
        let text = format!("pool {}", name.value);
        diagnostic = codes::UNKNOWN_NAME
            .error(
                name.span,
                format!("`{}` is a pool, not a provider", name.value),
            )
            .label("a pool is named with the word `pool`")
            .because(pool, "declared here")
            .help(format!("write `via {text}`"))
            .fix(format!("write `{text}`"), [write(name.span, &text)]);
    }
    context.findings.push(diagnostic);
    None
}

pub(super) fn windows(
    model: &tree::Model,
    context: &mut Context<'_>,
) -> (Option<u64>, Option<u64>) {
    // Tokens are multiplied by prices in 64 bits: a bound far above any model keeps that exact.
    const MOST: u64 = 1_000_000_000;
    let findings = &mut *context.findings;
    let window = model.context.as_ref();
    let window = window.and_then(|value| number("a context window", value, 1, MOST, findings));
    let output = model.output.as_ref();
    let output = output.and_then(|value| number("the longest answer", value, 1, MOST, findings));
    if let (Some(whole), Some(answer), Some(written)) = (window, output, &model.output)
        && answer > whole
    {
        findings.push(
            codes::BAD_VALUE
                .error(
                    written.span,
                    "the longest answer is longer than the context window",
                )
                .label(format!("{answer} tokens"))
                .because(
                    model.context.as_ref().map_or(written.span, |one| one.span),
                    format!("prompt and answer together: {whole} tokens"),
                )
                .help("write an `output` that fits into `context`"),
        );
    }
    (window, output)
}

pub(super) fn serves(model: &tree::Model, context: &mut Context<'_>) -> Serves {
    let mut serves = Serves {
        chat: model.serves.is_empty(),
        completions: false,
        embeddings: false,
    };
    for name in &model.serves {
        match word("surface", name, SURFACES, context.findings) {
            Some(Surface::Chat) => serves.chat = true,
            Some(Surface::Completions) => serves.completions = true,
            Some(Surface::Embeddings) => serves.embeddings = true,
            None => {}
        }
    }
    serves
}

pub(super) fn lacks(model: &tree::Model, context: &mut Context<'_>) -> Lacks {
    let mut lacks = Lacks::default();
    for name in &model.lacks {
        match word("capability", name, CAPABILITIES, context.findings) {
            Some(Capability::Images) => lacks.images = true,
            Some(Capability::Tools) => lacks.tools = true,
            None => {}
        }
    }
    lacks
}

pub(super) fn rejects(model: &tree::Model, context: &mut Context<'_>) -> Vec<String> {
    let mut rejects: Vec<String> = Vec::new();
    for name in &model.rejects {
        if ESSENTIAL.contains(&name.value.as_str()) {
            out_of_range(
                name.span,
                format!("`{}` cannot be dropped from a call", name.value),
                "a call without it asks nothing",
                "name optional parameters only, such as `presence_penalty`",
                context.findings,
            );
        } else if !rejects.contains(&name.value) {
            rejects.push(name.value.clone());
        }
    }
    rejects
}
