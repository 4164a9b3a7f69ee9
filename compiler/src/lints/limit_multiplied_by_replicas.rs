//! WP0421: limits are counted by each replica for itself, and there are several.

use waypost_lang::syntax::tree::{Extension, ItemKind, Window};
use waypost_lang::{Diagnostic, Span, codes};

use super::Subject;
use super::quotas::{rate, refuses};
use crate::ceiling::Ceiling;
use crate::program::Quota;

/// Finds a deployment of several replicas with local state, and quotas. Redis is another finding: it is not asked yet.
pub(super) fn check(subject: &Subject<'_>, found: &mut Vec<Diagnostic>) {
    let program = subject.program;
    let Some(deploy) = &program.deploy else {
        return;
    };
    let replicas = deploy.replicas.high;
    let quotas = program.policy.quotas.iter();
    let counted = |quota: &&Quota| !matches!(quota.window.value, Window::Call);
    let mut quotas = quotas.filter(|quota| counted(quota) && refuses(quota, program));
    let (None, true, Some(first)) = (deploy.redis, replicas > 1, quotas.next()) else {
        return;
    };
    let month = match &subject.ceilings.file.everyone.month {
        Ceiling::Bounded { most, by } if !by.is_empty() => {
            format!(", {} a month in all", most.readable())
        }
        _ => String::new(),
    };
    let finding = codes::LIMIT_MULTIPLIED_BY_REPLICAS
        .warning(
            written(subject).unwrap_or(deploy.span),
            format!("{replicas} replicas let through {replicas} times each limit and budget"),
        )
        .label(format!("each replica counts by itself{month}"))
        .because(rate(first), "is counted by each of them");
    let finding = quotas.fold(finding, |finding, other| {
        finding.because(rate(other), "and so is this")
    });
    found.push(finding.help(format!(
        "divide each by {replicas}, or write `replicas 1`; this version cannot share them over Redis"
    )));
}

/// Where the number of replicas is written: in an overlay, if one changes it.
fn written(subject: &Subject<'_>) -> Option<Span> {
    let items = subject.files.iter().flat_map(|file| &file.items);
    let written = items.filter_map(|item| match &item.kind {
        ItemKind::Extend(Extension::Deploy(deploy)) => Some((0, deploy.replicas.as_ref()?.span)),
        ItemKind::Deploy(deploy) => Some((1, deploy.replicas.as_ref()?.span)),
        _ => None,
    });
    written.min().map(|(_, span)| span)
}
