//! WP0473: a model that is not in the catalog, and most likely meant to be.

use waypost_lang::diagnostic::nearest;
use waypost_lang::{Diagnostic, codes};

use super::Subject;
use crate::program::{Listing, Model, Program, Via};

/// Finds hosted models that lack something and whose name, or name at the provider, is nearly a listed one.
pub(super) fn check(subject: &Subject<'_>, found: &mut Vec<Diagnostic>) {
    let program = subject.program;
    for model in &program.models {
        let Some(near) = meant(model, program) else {
            continue;
        };
        let near = &near.name.value;
        found.push(
            codes::UNLISTED_MODEL
                .warning(
                    model.name.span,
                    format!("`{}` is not in the catalog", model.name.value),
                )
                .label("takes nothing from the list: no price, no lengths, no day of retirement")
                .help(format!("if it is `{near}`, write `listed as {near}`")),
        );
    }
}

/// The entry that an unlisted model was most likely meant to have.
pub(super) fn meant<'a>(model: &Model, program: &'a Program) -> Option<&'a Listing> {
    if !may_be_listed(model) {
        return None;
    }
    let names = [&model.upstream_name, &model.name.value];
    let same = |listing: &&Listing| {
        let of = |name: &&String| letters(&listing.name.value).eq(letters(name));
        names.iter().any(of)
    };
    if let Some(listing) = program.catalog.iter().find(same) {
        return Some(listing);
    }
    let near = names.iter().find_map(|name| {
        let listed = program.catalog.iter().map(|one| one.name.value.as_str());
        nearest(name, listed)
    })?;
    program.catalog.iter().find(|one| one.name.value == near)
}

/// A name without what joins its parts: `gpt-51` is most likely `gpt-5.1`, though `gpt-5` is as near.
fn letters(name: &str) -> impl Iterator<Item = char> {
    name.chars().filter(|c| !matches!(c, '.' | '-' | '_'))
}

fn may_be_listed(model: &Model) -> bool {
    let hosted = matches!(model.via, Via::Provider(_));
    let lacks = model.price.is_none() || model.context.is_none() || model.output.is_none();
    hosted && lacks && model.listing.is_none()
}
