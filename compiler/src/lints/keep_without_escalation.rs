//! WP0447: a session's tier is kept where nothing ever raises it.

use waypost_lang::{Diagnostic, codes};

use super::Subject;
use crate::edits::removal;

/// Finds `keep` in a section without `escalate`.
pub(super) fn check(subject: &Subject<'_>, found: &mut Vec<Diagnostic>) {
    for content in &subject.program.contents {
        let Some(keep) = content
            .keep
            .as_ref()
            .filter(|_| content.escalations.is_empty())
        else {
            continue;
        };
        found.push(
            codes::KEEP_WITHOUT_ESCALATION
                .warning(keep.span, "there is nothing to keep")
                .label("no `escalate` raises a session's tier")
                .because(content.start.span, "so every call stays here")
                .help("delete it, or write the `escalate` that it was meant for")
                .fix("delete it", [removal(keep.span, subject.sources)]),
        );
    }
}
