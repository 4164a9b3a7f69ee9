//! WP0448: a threshold is set, by the file or by clients, and no rule reads it.

use waypost_lang::cel::typed::Field;
use waypost_lang::{Diagnostic, codes};

use super::Subject;
use crate::program::Content;
use crate::resolve::content::reads;

/// Names of this kind set the threshold of their call: `router-mf-0.11593`.
const ROUTER: &str = "router-";

/// Finds sections that set a threshold and read none.
pub(super) fn check(subject: &Subject<'_>, found: &mut Vec<Diagnostic>) {
    for content in &subject.program.contents {
        let read = content.escalations.iter();
        if read
            .into_iter()
            .any(|rule| reads(&rule.when, Field::Threshold).is_some())
        {
            continue;
        }
        if let Some(threshold) = &content.threshold {
            found.push(finding(
                subject,
                content,
                threshold.span,
                "this threshold decides nothing",
            ));
            continue;
        }
        let router = |name: &str| name.starts_with(ROUTER);
        let mut named = content.accepts.iter();
        if let Some(accept) = named.find(|one| one.model.is_none() && router(&one.name)) {
            let message = "clients set a threshold by this name, and it decides nothing";
            found.push(finding(subject, content, accept.span, message));
        }
    }
}

fn finding(
    subject: &Subject<'_>,
    content: &Content,
    span: waypost_lang::Span,
    message: &str,
) -> Diagnostic {
    let above = subject.program.tiers.get(content.start.value + 1);
    let tier = above.map_or("TIER", |tier| tier.name.value.as_str());
    codes::UNREAD_THRESHOLD
        .warning(span, message)
        .label("no rule of the section reads `threshold`")
        .help(format!(
            "write `escalate to {tier} \"hard prompt\" when difficulty >= threshold`"
        ))
}
