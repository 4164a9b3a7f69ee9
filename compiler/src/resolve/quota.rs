//! `limit 600 requests / 1m …` and `budget $50 / day …`

use waypost_lang::cel::typed::Section;
use waypost_lang::codes;
use waypost_lang::source::{Span, Spanned};
use waypost_lang::syntax::tree::{self, Amount, Name, OutcomeAction, Percent, Window};

use super::bounds::{duration, number, out_of_range, share};
use super::context::Context;
use super::label::Labels;
use super::names::unknown;
use super::values::meaningless;
use crate::checks::window;
use crate::program::{Action, ModelIndex, Outcome, Quota, Tier};

/// The share at which a quota denies where no outcome is written.
const WHOLE: Percent = Percent(10_000);
/// A share above this is a slip: ten times the amount.
const HIGHEST_SHARE: u32 = 100_000;

pub(crate) fn resolve(
    quota: &tree::Quota,
    span: Span,
    tiers: Option<&[Tier]>,
    labels: &mut Labels,
    context: &mut Context<'_>,
) -> Option<Quota> {
    let label = labels.quota(quota.label.as_ref(), quota.rate_span, context);
    let amount = amount(quota, context);
    let fault = window::check(quota);
    let countable = fault.is_none();
    context.findings.extend(fault);
    let burst = burst(quota, context);
    let per = quota.per.as_ref();
    let per = per.map(|per| context.key(per, Section::Policy));
    let when = quota.when.as_ref();
    let when = when.map(|when| context.condition(when, Section::Policy));
    let on = quota.on.as_ref().map(|name| on(name, tiers, context));
    let outcomes = outcomes(quota, context);
    let zone = quota.zone.as_ref();
    Some(Quota {
        span,
        budget: quota.budget,
        label,
        amount: amount
            .filter(|()| countable)
            .map(|()| quota.amount.clone())?,
        window: quota.window.clone(),
        zone: zone.map_or_else(|| "UTC".to_owned(), |zone| zone.value.clone()),
        burst: burst?,
        per: transpose(per)?,
        on: transpose(on)?,
        when: transpose(when)?,
        outcomes: outcomes?,
    })
}

/// What was not written is fine, what could not be resolved is not.
#[expect(clippy::option_option, reason = "written or not, resolved or not")]
fn transpose<T>(written: Option<Option<T>>) -> Option<Option<T>> {
    match written {
        Some(resolved) => resolved.map(Some),
        None => Some(None),
    }
}

fn amount(quota: &tree::Quota, context: &mut Context<'_>) -> Option<()> {
    let span = quota.amount.span;
    if quota.amount.value.units() == 0 {
        out_of_range(
            span,
            "an amount of nothing",
            "no call would ever fit",
            "write an amount above zero; to refuse calls, write a `deny` rule",
            context.findings,
        );
        return None;
    }
    if quota.budget && !matches!(quota.amount.value, Amount::Money(_)) {
        out_of_range(
            span,
            "a budget counts money",
            "not an amount of dollars",
            "write dollars, such as `budget $50 / day`, or `limit` for requests and tokens",
            context.findings,
        );
        return None;
    }
    Some(())
}

/// The burst, if one is written and has a meaning.
#[expect(clippy::option_option, reason = "written or not, good or not")]
fn burst(quota: &tree::Quota, context: &mut Context<'_>) -> Option<Option<u64>> {
    let Some(burst) = &quota.burst else {
        return Some(None);
    };
    let (label, help) = match (&quota.window.value, quota.amount.value) {
        (Window::Day | Window::Week | Window::Month, _) => (
            "a calendar window has no bucket to fill",
            "delete it, or write a rolling window such as `/ 24h`",
        ),
        (Window::Sliding(_) | Window::Session(_) | Window::Call | Window::Open, _) => (
            "only a window that refills, such as `/ 1m`, has a bucket to fill",
            "delete it: no more than the amount ever fits",
        ),
        (_, Amount::Money(_)) => (
            "counts requests or tokens, not dollars",
            "delete it: the bucket holds the amount itself",
        ),
        _ => {
            let burst = number("a burst", burst, 1, u64::MAX, context.findings);
            return burst.map(Some);
        }
    };
    out_of_range(
        burst.span,
        "`burst` means nothing here",
        label,
        help,
        context.findings,
    );
    None
}

/// The model that `on` stands for, with the span of the name.
fn on(
    name: &Name,
    tiers: Option<&[Tier]>,
    context: &mut Context<'_>,
) -> Option<Spanned<ModelIndex>> {
    let names = &context.names;
    let model = if let Some(model) = names.models.get(&name.value) {
        Some(model)
    } else if let Some(rank) = names.tiers.get(&name.value) {
        // A tier without a home was reported where it is declared.
        tiers.and_then(|tiers| tiers.get(rank)?.home())
    } else {
        if !names.unchained.contains(&name.value) {
            let candidates = names.models.names().chain(names.tiers.names());
            let found = unknown("model or tier", "tier NAME { try MODEL }", name, candidates);
            context.findings.push(found);
        }
        None
    };
    model.map(|model| Spanned::new(model, name.span))
}

fn outcomes(quota: &tree::Quota, context: &mut Context<'_>) -> Option<Vec<Outcome>> {
    if quota.outcomes.is_empty() {
        return Some(vec![Outcome {
            span: quota.rate_span,
            share: WHOLE,
            action: Action::Deny,
        }]);
    }
    let mut outcomes: Vec<Option<Outcome>> = Vec::new();
    for outcome in &quota.outcomes {
        let what = "the share of an outcome";
        let share = share(what, &outcome.share, 1, HIGHEST_SHARE, context.findings);
        let action = match &outcome.action {
            OutcomeAction::Warn => Some(Action::Warn),
            OutcomeAction::Deny => Some(Action::Deny),
            OutcomeAction::Wait(time) => wait(quota, time, context),
            OutcomeAction::CapAt(tier) => context.tier(tier).map(Action::CapAt),
        };
        outcomes.push(share.zip(action).map(|(share, action)| Outcome {
            span: outcome.span,
            share,
            action,
        }));
    }
    let outcomes: Vec<Outcome> = outcomes.into_iter().collect::<Option<_>>()?;
    same_share(&outcomes, context);
    Some(outcomes)
}

/// `wait 5s`, where another call can make room.
fn wait(quota: &tree::Quota, time: &Spanned<u64>, context: &mut Context<'_>) -> Option<Action> {
    let waits = duration("a wait", time, context.findings)?;
    if !matches!(quota.window.value, Window::Call) {
        return Some(Action::Wait(waits));
    }
    meaningless(
        time.span,
        "wait",
        "a limit on single calls",
        "write `deny`: no other call makes room",
        context.findings,
    );
    None
}

/// Two outcomes at one share: `deny` and `cap at` at once cannot both be meant.
fn same_share(outcomes: &[Outcome], context: &mut Context<'_>) {
    let binding = |one: &&Outcome| one.action != Action::Warn;
    for (at, second) in outcomes.iter().enumerate() {
        let before = outcomes.get(..at).unwrap_or_default();
        let mut before = before.iter().filter(binding);
        let first = before.find(|one| one.share == second.share);
        if let Some(first) = first.filter(|_| second.action != Action::Warn) {
            context.findings.push(
                codes::DUPLICATE_NAME
                    .error(second.span, "two outcomes at one share")
                    .label("which of them?")
                    .because(first.span, "the other")
                    .help("keep one, or give them different shares"),
            );
        }
    }
}
