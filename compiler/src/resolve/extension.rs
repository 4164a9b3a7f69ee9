//! `extend model NAME { … }`: fields of an imported model, written anew.
//!
//! Invariant: the order of files does not matter, so two extensions that write one field are a conflict.

use std::collections::BTreeMap;

use waypost_lang::codes;
use waypost_lang::source::Span;
use waypost_lang::syntax::tree::{Model, Price};

use super::collected::Collected;
use super::names::{conflict, unknown};
use crate::findings::Findings;

/// The models as declared, with what extensions write.
pub(crate) fn extended(collected: &Collected<'_>, findings: &mut Findings) -> Vec<Model> {
    let mut models: Vec<Model> = collected.models.iter().map(|one| (*one).clone()).collect();
    let mut written: BTreeMap<(String, &str), Span> = BTreeMap::new();
    for extension in &collected.extensions {
        let name = &extension.name;
        let Some(base) = models.iter_mut().find(|one| one.name.value == name.value) else {
            let names = collected.models.iter().map(|one| one.name.value.as_str());
            findings.push(unknown("model", "model NAME { … }", name, names));
            continue;
        };
        if base.name.span.file == name.span.file {
            findings.push(
                codes::DUPLICATE_NAME
                    .error(
                        name.span,
                        format!("`{}` is extended where it is declared", name.value),
                    )
                    .label("extends a model of this file")
                    .because(base.name.span, "declared here")
                    .help("write the fields at its declaration; `extend` is for imported models"),
            );
            continue;
        }
        for (field, span) in fields(extension) {
            let first = *written.entry((name.value.clone(), field)).or_insert(span);
            if first != span {
                let what = format!("`{field}` of the model `{}`", name.value);
                findings.push(conflict(&what, span, first));
            }
        }
        apply(base, extension);
    }
    models
}

/// The fields that an extension writes.
fn fields(model: &Model) -> Vec<(&'static str, Span)> {
    let price = model.price.as_ref();
    let spans = [
        ("via", model.via.as_ref().map(|one| one.span)),
        ("context", model.context.as_ref().map(|one| one.span)),
        ("output", model.output.as_ref().map(|one| one.span)),
        (
            "price input",
            price.and_then(|one| one.input.as_ref()).map(|one| one.span),
        ),
        (
            "price cached",
            price
                .and_then(|one| one.cached.as_ref())
                .map(|one| one.span),
        ),
        (
            "price output",
            price
                .and_then(|one| one.output.as_ref())
                .map(|one| one.span),
        ),
        ("rejects", model.rejects.first().map(|one| one.span)),
        ("serves", model.serves.first().map(|one| one.span)),
    ];
    spans
        .into_iter()
        .filter_map(|(field, span)| Some((field, span?)))
        .collect()
}

fn apply(base: &mut Model, extension: &Model) {
    base.via = extension.via.clone().or(base.via.take());
    base.context = extension.context.clone().or(base.context.take());
    base.output = extension.output.clone().or(base.output.take());
    if let Some(price) = &extension.price {
        base.price = Some(priced(base.price.take(), price));
    }
    if !extension.rejects.is_empty() {
        base.rejects.clone_from(&extension.rejects);
    }
    if !extension.serves.is_empty() {
        base.serves.clone_from(&extension.serves);
    }
}

/// `price input $1.10` leaves the other prices as they are.
fn priced(base: Option<Price>, extension: &Price) -> Price {
    let Some(base) = base else {
        return extension.clone();
    };
    Price {
        span: extension.span,
        input: extension.input.clone().or(base.input),
        cached: extension.cached.clone().or(base.cached),
        output: extension.output.clone().or(base.output),
    }
}
