//! WP0457: a pattern to redact that finds every word.

use waypost_lang::syntax::tree::{ItemKind, PolicyKind, Redaction};
use waypost_lang::{Diagnostic, codes};
use waypost_policies::plan::pattern;

use super::Subject;

/// Words with nothing to hide.
const ORDINARY: &[&str] = &["the", "and", "hello", "weather"];

/// Finds patterns that match ordinary words as a whole.
pub(super) fn check(subject: &Subject<'_>, found: &mut Vec<Diagnostic>) {
    let items = subject.files.iter().flat_map(|file| &file.items);
    let policies = items.filter_map(|item| match &item.kind {
        ItemKind::Policy(policy) => Some(policy),
        _ => None,
    });
    for item in policies.flat_map(|policy| &policy.items) {
        let PolicyKind::Redact { patterns, .. } = &item.kind else {
            continue;
        };
        for written in patterns {
            let Redaction::Pattern(text) = written else {
                continue;
            };
            if finds_words(&text.value) {
                found.push(
                    codes::REDACTS_EVERYTHING
                        .warning(text.span, format!("`{}` finds every word", text.value))
                        .label("nothing is left to read")
                        .help("write what sets apart what is to be hidden, such as `\"INT-[0-9]{6}\"`"),
                );
            }
        }
    }
}

fn finds_words(text: &str) -> bool {
    let Ok(regex) = pattern(text) else {
        return false;
    };
    ORDINARY.iter().all(|word| {
        let left = regex.replace_all(word, "");
        left.is_empty()
    })
}
