//! Limits and budgets.

use waypost_lang::source::Spanned;
use waypost_lang::syntax::tree::{Amount, Window};
use waypost_policies::money::NanoDollars;
use waypost_policies::plan::draft;

use super::expressions::Expressions;
use super::index;
use super::origin::Origins;
use crate::program::{Action, Outcome, Quota};

pub(crate) fn lower(
    quota: &Quota,
    origins: &Origins<'_>,
    expressions: &mut Expressions<'_>,
) -> draft::Quota {
    draft::Quota {
        budget: quota.budget,
        label: quota.label.text.clone(),
        amount: amount(quota.amount.value),
        window: window(quota),
        burst: quota.burst.unwrap_or_else(|| quota.amount.value.units()),
        per: quota.per.as_ref().map(|per| expressions.add(per)),
        on: quota.on.as_ref().map(|on| index(on.value)),
        when: quota.when.as_ref().map(|when| expressions.add(when)),
        outcomes: quota.outcomes.iter().map(outcome).collect(),
        origin: origins.of(quota.span),
    }
}

const fn amount(amount: Amount) -> draft::Amount {
    match amount {
        Amount::Requests(count) => draft::Amount::Requests(count),
        Amount::Tokens(count) => draft::Amount::Tokens(count),
        Amount::Money(money) => draft::Amount::Money(NanoDollars(money)),
        Amount::Repeats(count) => draft::Amount::Repeats(count),
        Amount::Concurrent(count) => draft::Amount::Concurrent(count),
    }
}

fn window(quota: &Quota) -> draft::Window {
    let period = match &quota.window.value {
        Window::Rolling(length) => return draft::Window::Rolling(*length),
        Window::Sliding(length) => return draft::Window::Sliding(*length),
        Window::Session(idle) => return draft::Window::Session(session_idle(idle.as_ref())),
        Window::Call => return draft::Window::Call,
        Window::Open => return draft::Window::Open,
        // The check refuses other words, so no program has one; a month is the window that admits least.
        Window::Month | Window::Other(_) => draft::Period::Month,
        Window::Day => draft::Period::Day,
        Window::Week => draft::Period::Week,
    };
    draft::Window::Calendar(period, quota.zone.clone())
}

/// For how long no call of a session comes before it is over.
pub(crate) fn session_idle(written: Option<&Spanned<u64>>) -> u64 {
    const USUAL: u64 = 60 * 60 * 1000;
    written.map_or(USUAL, |idle| idle.value)
}

fn outcome(outcome: &Outcome) -> draft::QuotaOutcome {
    draft::QuotaOutcome {
        share: outcome.share.0,
        action: match outcome.action {
            Action::Warn => draft::QuotaAction::Warn,
            Action::Deny => draft::QuotaAction::Deny,
            Action::Wait(milliseconds) => draft::QuotaAction::Wait(milliseconds),
            Action::CapAt(tier) => draft::QuotaAction::CapAt(index(tier)),
        },
    }
}
