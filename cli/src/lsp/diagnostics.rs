//! Findings as the protocol shows them.

use std::collections::BTreeMap;

use lsp_types::{
    Diagnostic, DiagnosticRelatedInformation, DiagnosticSeverity, DiagnosticTag, NumberOrString,
};
use waypost_lang::source::Span;
use waypost_lang::syntax::tree::ItemKind;
use waypost_lang::{Diagnostic as Finding, Severity};

use super::view::View;

/// Who says so.
pub(crate) const SOURCE: &str = "waypost";

/// Words of the names of codes about what never takes effect.
const UNNECESSARY: &[&str] = &["dead", "unused", "redundant", "unreachable", "shadowed"];

/// The findings of a compilation by the name of the file that shows them. Every file that the client can show has an
/// entry. A finding in a pack is shown where the pack is imported.
pub(crate) fn by_file(view: &View<'_>) -> BTreeMap<String, Vec<Diagnostic>> {
    let mut found: BTreeMap<String, Vec<Diagnostic>> = view
        .sources()
        .files()
        .filter(|(id, _)| !view.is_pack(*id))
        .map(|(_, file)| (file.name().to_owned(), Vec::new()))
        .collect();
    for finding in view.analysis.found() {
        let span = shown_at(finding, view);
        let name = view.name_of(span.file);
        if let Some(diagnostics) = found.get_mut(name) {
            let shown = diagnostic(finding, span, view);
            // Several places of a pack may be shown at its one import, in the same words.
            if span == finding.primary.span || !diagnostics.contains(&shown) {
                diagnostics.push(shown);
            }
        }
    }
    found
}

/// One finding.
pub(crate) fn diagnostic(finding: &Finding, span: Span, view: &View<'_>) -> Diagnostic {
    let related: Vec<DiagnosticRelatedInformation> = finding
        .secondary
        .iter()
        .filter_map(|label| {
            Some(DiagnosticRelatedInformation {
                location: view.location(label.span)?,
                message: label.message.clone(),
            })
        })
        .collect();
    let wanted = view.client.related && !related.is_empty();
    let name = finding.code.name;
    let unnecessary = UNNECESSARY.iter().any(|word| name.contains(word));
    let is_warning = finding.severity == Severity::Warning;
    Diagnostic {
        range: view.range(span),
        severity: Some(match finding.severity {
            Severity::Error => DiagnosticSeverity::ERROR,
            Severity::Warning => DiagnosticSeverity::WARNING,
        }),
        code: Some(NumberOrString::String(finding.code.number.to_owned())),
        source: Some(SOURCE.to_owned()),
        message: message(finding),
        related_information: wanted.then_some(related),
        tags: (unnecessary && is_warning).then(|| vec![DiagnosticTag::UNNECESSARY]),
        ..Diagnostic::default()
    }
}

/// What it is, what is underlined, what to do: a line each.
fn message(finding: &Finding) -> String {
    let mut text = finding.message.clone();
    if !finding.primary.message.is_empty() {
        text.push('\n');
        text.push_str(&finding.primary.message);
    }
    if let Some(help) = &finding.help {
        text.push_str("\nhelp: ");
        text.push_str(help);
    }
    text
}

/// Where a finding is shown.
fn shown_at(finding: &Finding, view: &View<'_>) -> Span {
    let primary = finding.primary.span;
    if !view.is_pack(primary.file) {
        return primary;
    }
    let mut secondary = finding.secondary.iter().map(|label| label.span);
    let pack = view.name_of(primary.file);
    let imported = view.items().find_map(|item| match &item.kind {
        ItemKind::Import(path) if path.value == pack => Some(path.span),
        _ => None,
    });
    secondary
        .find(|span| !view.is_pack(span.file))
        .or(imported)
        .unwrap_or_default()
}
