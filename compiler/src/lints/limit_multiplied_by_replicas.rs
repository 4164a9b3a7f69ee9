//! WP0421: limits are counted by each replica for itself, and there are several.

use waypost_lang::syntax::tree::{Extension, ItemKind, Window};
use waypost_lang::{Diagnostic, Span, codes};

use super::Subject;
use super::quotas::{rate, refuses};
use crate::ceiling::Ceiling;
use crate::ceiling::replicas::is_shared;
use crate::program::Quota;

/// Finds a deployment of several replicas, and quotas that each of them counts: all of them with local state, and over
/// Redis those that it does not count.
pub(super) fn check(subject: &Subject<'_>, found: &mut Vec<Diagnostic>) {
    let program = subject.program;
    let Some(deploy) = &program.deploy else {
        return;
    };
    let replicas = deploy.replicas.high;
    let counted = |quota: &&Quota| match deploy.redis {
        Some(_) => !is_shared(quota) && !matches!(quota.window.value, Window::Call),
        None => !matches!(quota.window.value, Window::Call),
    };
    let quotas = program.policy.quotas.iter();
    let mut quotas = quotas.filter(|quota| counted(quota) && refuses(quota, program));
    let (true, Some(first)) = (replicas > 1, quotas.next()) else {
        return;
    };
    let what = match deploy.redis {
        Some(_) => {
            format!("{replicas} replicas let through {replicas} times what Redis does not count")
        }
        None => format!("{replicas} replicas let through {replicas} times each limit and budget"),
    };
    let month = match &subject.ceilings.file.everyone.month {
        Ceiling::Bounded { most, by } if !by.is_empty() => {
            format!(", {} a month in all", most.readable())
        }
        _ => String::new(),
    };
    let finding = codes::LIMIT_MULTIPLIED_BY_REPLICAS
        .warning(written(subject).unwrap_or(deploy.span), what)
        .label(format!("each replica counts by itself{month}"))
        .because(rate(first), "is counted by each of them");
    let finding = quotas.fold(finding, |finding, other| {
        finding.because(rate(other), "and so is this")
    });
    found.push(finding.help(match deploy.redis {
        Some(_) => format!(
            "divide it by {replicas}, or give it a window that replicas share, such as `/ 1m` or `/ day`"
        ),
        None => format!(
            "write `state redis secret NAME`, which shares them; or divide each by {replicas}, or write `replicas 1`"
        ),
    }));
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
