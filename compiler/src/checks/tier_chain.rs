//! WP0301 and WP0303: the chain and the declared tiers name the same tiers.

use waypost_lang::codes;
use waypost_lang::diagnostic::{Diagnostic, Edit, nearest};
use waypost_lang::source::Span;
use waypost_lang::syntax::tree::Name;

use super::tier_without_model;
use crate::resolve::collected::Collected;
use crate::resolve::context::Names;

/// Tiers of the chain that nothing declares, and declared tiers that the chain leaves out.
pub(crate) fn check(collected: &Collected<'_>, names: &Names) -> Vec<Diagnostic> {
    let declared: Vec<&Name> = collected.tiers.iter().map(|tier| &tier.name).collect();
    let Some((chain_span, chain)) = collected.chains.first() else {
        return unordered(&declared, names).into_iter().collect();
    };
    let mut left_out: Vec<&Name> = declared
        .iter()
        .copied()
        .filter(|name| names.tiers.get(&name.value).is_none())
        .collect();
    let mut diagnostics = Vec::new();
    let without = chain
        .iter()
        .filter(|name| declared.iter().all(|one| one.value != name.value));
    let alone = without.clone().count() == 1;
    for name in without {
        let candidates = left_out.iter().map(|one| one.value.as_str());
        // A slip in the chain explains both the name without a tier and the tier without a place.
        let near = match left_out.as_slice() {
            [only] if alone => Some(only.value.as_str()),
            _ => nearest(&name.value, candidates),
        };
        if let Some(near) = near.map(str::to_owned) {
            diagnostics.push(misspelt(name, &near, &left_out));
            left_out.retain(|one| one.value != near);
        } else {
            diagnostics.push(tier_without_model::undeclared(name));
        }
    }
    // A chain that names a tier twice was reported, and may have meant one that it leaves out.
    let twice = |at: usize, name: &Name| {
        let before = chain.get(..at).unwrap_or_default();
        before.iter().any(|one| one.value == name.value)
    };
    if chain.iter().enumerate().any(|(at, name)| twice(at, name)) {
        return diagnostics;
    }
    let mut seen: Vec<&str> = Vec::new();
    for name in left_out {
        if !seen.contains(&name.value.as_str()) {
            diagnostics.push(missing(name, chain, *chain_span));
            seen.push(&name.value);
        }
    }
    diagnostics
}

fn misspelt(name: &Name, near: &str, left_out: &[&Name]) -> Diagnostic {
    let diagnostic = codes::TIER_NOT_IN_CHAIN
        .error(
            name.span,
            format!("the chain names `{}`, which is no tier", name.value),
        )
        .label("no `tier` of this name is declared");
    let declared = left_out.iter().find(|one| one.value == near);
    let diagnostic = match declared {
        Some(tier) => diagnostic.because(tier.span, "this tier is in no chain"),
        None => diagnostic,
    };
    diagnostic.help(format!("did you mean `{near}`?")).fix(
        format!("write `{near}`"),
        [Edit {
            span: name.span,
            text: near.to_owned(),
        }],
    )
}

fn missing(name: &Name, chain: &[Name], span: Span) -> Diagnostic {
    let words: Vec<&str> = chain.iter().map(|one| one.value.as_str()).collect();
    codes::TIER_NOT_IN_CHAIN
        .error(
            name.span,
            format!("the tier `{}` is not in the chain", name.value),
        )
        .label("neither above nor below another tier")
        .because(span, "the chain")
        .help(format!(
            "give it its place, for example `tiers {} < {}`",
            words.join(" < "),
            name.value
        ))
}

/// Several tiers, and no chain at all.
fn unordered(declared: &[&Name], names: &Names) -> Option<Diagnostic> {
    let first = declared.first()?;
    if names.tiers.get(&first.value).is_some() {
        return None;
    }
    let words: Vec<&str> = declared.iter().map(|one| one.value.as_str()).collect();
    Some(
        codes::MISSING_FIELD
            .error(first.span, "the tiers have no order")
            .label("which tier is above which?")
            .help(format!(
                "write, lowest first, `tiers {}`",
                words.join(" < ")
            )),
    )
}
