//! WP0412: a limit or budget that a tighter one always reaches first.

use waypost_lang::syntax::tree::Window;
use waypost_lang::{Diagnostic, codes};

use super::Subject;
use crate::program::{Action, Quota};
use crate::proofs::{Condition, Reasoner, text_of};

/// Finds quotas that refuse nothing that another does not refuse.
pub(super) fn check(subject: &Subject<'_>, found: &mut Vec<Diagnostic>) {
    let mut reasoner = Reasoner::of_policy(subject.program);
    let quotas = &subject.program.policy.quotas;
    let conditions: Vec<Condition> = quotas
        .iter()
        .map(|quota| {
            quota
                .when
                .as_ref()
                .map_or_else(Condition::always, |when| reasoner.condition(when))
        })
        .collect();
    let keys: Vec<Option<String>> = quotas
        .iter()
        .map(|quota| quota.per.as_ref().map(text_of))
        .collect();
    let mut slack = vec![false; quotas.len()];
    for at in (0..quotas.len()).rev() {
        let (Some(quota), Some(condition)) = (quotas.get(at), conditions.get(at)) else {
            continue;
        };
        let tighter =
            quotas
                .iter()
                .zip(&conditions)
                .enumerate()
                .find(|(other, (tight, counts))| {
                    *other != at
                        && slack.get(*other) == Some(&false)
                        && never_binds(quota, tight)
                        && keys.get(at) == keys.get(*other)
                        && reasoner.covers(condition, &[counts])
                });
        if let Some((_, (tight, _))) = tighter {
            if let Some(slot) = slack.get_mut(at) {
                *slot = true;
            }
            found.push(finding(subject, quota, tight));
        }
    }
}

fn finding(subject: &Subject<'_>, quota: &Quota, tight: &Quota) -> Diagnostic {
    let kind = if quota.budget { "budget" } else { "limit" };
    let finding = codes::QUOTA_NEVER_BINDS
        .warning(
            quota.label.span,
            format!("the {kind} `{}` never refuses a call", quota.label.text),
        )
        .label("a tighter one is always reached first")
        .because(
            tight.label.span,
            format!(
                "`{}` counts the same calls and allows no more",
                tight.label.text
            ),
        )
        .help("delete it, or let it count something else: another key, model or window");
    match subject.deletion(quota.span) {
        Some(edit) if !subject.is_tested(&quota.label) => finding.fix("delete the rule", [edit]),
        _ => finding,
    }
}

/// Whether `loose` has room whenever `tight` has, on calls that both count. Only refusals: a warning or a cap has an effect of its own.
fn never_binds(loose: &Quota, tight: &Quota) -> bool {
    let only_denies = loose
        .outcomes
        .iter()
        .all(|outcome| outcome.action == Action::Deny);
    only_denies && same_calls(loose, tight) && is_within(loose, tight)
}

/// Whether the buckets of the tighter one, if their keys are the same, hold no fewer calls: one of some models' calls holds less
/// than one of all.
fn same_calls(loose: &Quota, tight: &Quota) -> bool {
    match (&loose.on, &tight.on) {
        (_, None) => true,
        (Some(left), Some(right)) => left.value == right.value,
        (None, Some(_)) => false,
    }
}

fn is_within(loose: &Quota, tight: &Quota) -> bool {
    let (Some(more), Some(less)) = (capacity(loose), capacity(tight)) else {
        return false;
    };
    let same_unit =
        std::mem::discriminant(&loose.amount.value) == std::mem::discriminant(&tight.amount.value);
    let share = |quota: &Quota| {
        let denials = quota
            .outcomes
            .iter()
            .filter(|outcome| outcome.action.refuses());
        denials.map(|outcome| u128::from(outcome.share.0)).min()
    };
    let (Some(high), Some(low)) = (share(loose), share(tight)) else {
        return false;
    };
    let bounded = more * high >= less * low;
    same_unit
        && bounded
        && match (&loose.window.value, &tight.window.value) {
            (Window::Rolling(slow), Window::Rolling(quick)) => {
                // It refills at least as fast, and holds at least as much.
                let (slow, quick) = (u128::from(*slow), u128::from(*quick));
                amount(loose) * quick >= amount(tight) * slow && more >= less
            }
            (left, right) => {
                left == right && !matches!(left, Window::Other(_)) && loose.zone == tight.zone
            }
        }
}

fn amount(quota: &Quota) -> u128 {
    u128::from(quota.amount.value.units())
}

/// What a bucket holds.
fn capacity(quota: &Quota) -> Option<u128> {
    match (&quota.window.value, quota.burst) {
        (Window::Rolling(_), Some(burst)) => Some(u128::from(burst)),
        (Window::Other(_), _) => None,
        _ => Some(amount(quota)),
    }
}
