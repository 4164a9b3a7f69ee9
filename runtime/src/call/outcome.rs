//! What a caller is told when the plan leads to no model: the rule, where it stands, and what to do.

use std::time::Duration;

use hyper::StatusCode;
use waypost_policies::Facts;
use waypost_policies::decision::{
    Capability, Decision, Outcome, RuleReference, SkipReason, Skipped,
};
use waypost_policies::plan::view::Amount;

use crate::account::route;
use crate::failure::{Failure, Tried};
use crate::gateway::Gateway;
use crate::rate_limit::RateLimit;
use crate::rule::Site;

/// How many models a hint names.
const MOST_NAMED: usize = 8;
/// When to come back where the disk is full: somebody has to make room.
const RETRY_UNRECORDED: Duration = Duration::from_secs(10);

/// When to come back where Redis is away.
const RETRY_UNSHARED: Duration = Duration::from_secs(1);

/// Why a decision leads to no model.
pub(super) fn refusal(gateway: &Gateway, decision: &Decision, facts: &Facts<'_>) -> Failure {
    match &decision.outcome {
        Outcome::Denied { denial, status } => denied(gateway, *denial, *status),
        Outcome::Limited {
            quota,
            retry_after_milliseconds,
        } => {
            let wait = retry_after_milliseconds.map(Duration::from_millis);
            let mut failure = limited(gateway, *quota, wait);
            let key = gateway.quota_key(facts, *quota);
            failure.details.limit = RateLimit::of(gateway, *quota, key);
            failure
        }
        Outcome::UnknownModel => {
            let message = format!(
                "the model `{}` does not exist here: `GET /v1/models` lists those that do",
                facts.request.model
            );
            Failure::invalid(StatusCode::NOT_FOUND, "model_not_found", message).param("model")
        }
        Outcome::NoModel(skipped) => no_model(gateway, decision, skipped, facts),
        // The only reason why a call with a model has no reservation.
        Outcome::Route(_) => match gateway.books.shared().and_then(|shared| shared.trouble()) {
            Some(_) => unshared(),
            None => unrecorded(),
        },
    }
}

/// Other replicas may have used what the call needs, and nobody can be asked.
fn unshared() -> Failure {
    let message = "what this call would use cannot be counted: the Redis that replicas share limits and budgets over cannot be asked";
    Failure::new(
        StatusCode::SERVICE_UNAVAILABLE,
        "server_error",
        "state_unavailable",
        message,
    )
    .retry_after(Some(RETRY_UNSHARED))
    .hint("send the call again soon; its operator finds the reason in /readyz and the log, and calls go on as soon as Redis does")
}

/// What the call would use cannot be written down, and a call that cannot be counted is not served.
fn unrecorded() -> Failure {
    let message = "what this call would use cannot be recorded: the state directory or the audit log of this server cannot be written";
    Failure::new(
        StatusCode::SERVICE_UNAVAILABLE,
        "server_error",
        "state_unavailable",
        message,
    )
    .retry_after(Some(RETRY_UNRECORDED))
    .hint("send the call again later; its operator finds the reason in /readyz and the log, mostly a full disk, and calls go on as soon as there is room")
}

fn denied(gateway: &Gateway, denial: u16, status: u16) -> Failure {
    let rule = Site::of(&gateway.plan, RuleReference::Denial(denial));
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::FORBIDDEN);
    let (kind, code) = match status {
        StatusCode::TOO_MANY_REQUESTS => ("rate_limit_error", "rate_limit_exceeded"),
        StatusCode::FORBIDDEN => ("permission_error", "denied"),
        status if status.is_client_error() => ("invalid_request_error", "denied"),
        _ => ("server_error", "denied"),
    };
    let mut failure = Failure::new(
        status,
        kind,
        code,
        format!("denied by `{}` ({}:{})", rule.label, rule.file, rule.line),
    );
    failure.details.should_retry = Some(false);
    failure
        .because(rule)
        .hint("ask the owner of this rule, or send a call that it does not match")
}

fn limited(gateway: &Gateway, quota: u16, wait: Option<Duration>) -> Failure {
    let rule = Site::of(&gateway.plan, RuleReference::Quota(quota));
    let budget = gateway
        .plan
        .quota(quota)
        .is_some_and(|quota| quota.budget());
    let (kind, code) = match budget {
        true => ("insufficient_quota", "insufficient_quota"),
        false => ("rate_limit_error", "rate_limit_exceeded"),
    };
    let what = if budget { "budget" } else { "limit" };
    let is_open = gateway
        .plan
        .quota(quota)
        .is_some_and(|quota| matches!(quota.amount(), Amount::Concurrent(_)));
    let (message, hint) = match wait {
        Some(_) if is_open => (
            format!(
                "as many calls of the limit `{}` are open as may be",
                rule.label
            ),
            "send it again when one of them has ended, or ask the owner of this rule for more",
        ),
        Some(wait) => (
            format!(
                "the {what} `{}` is used up: come back in {}",
                rule.label,
                in_words(wait)
            ),
            "send fewer or shorter calls, or ask the owner of this rule for more",
        ),
        None => (
            format!(
                "this call alone is more than the {what} `{}` holds",
                rule.label
            ),
            "send fewer messages, or a smaller `max_tokens`",
        ),
    };
    Failure::new(StatusCode::TOO_MANY_REQUESTS, kind, code, message)
        .because(rule)
        .retry_after(wait)
        .hint(hint)
}

fn no_model(
    gateway: &Gateway,
    decision: &Decision,
    skipped: &[Skipped],
    facts: &Facts<'_>,
) -> Failure {
    let tier = gateway
        .tier_of(decision)
        .map(|tier| &*tier.name)
        .unwrap_or_default();
    let tried = skipped.iter().map(|skip| tried(gateway, skip)).collect();
    let failure = match skipped.first().map(|skip| skip.reason) {
        Some(SkipReason::Context) => {
            let tokens = facts.request.tokens;
            // LiteLLM, LangChain and Anthropic's clients know this failure by its first words alone.
            let message = format!(
                "the prompt is too long: no model of tier `{tier}` has room for {tokens} tokens and an answer"
            );
            Failure::invalid(StatusCode::BAD_REQUEST, "context_length_exceeded", message)
                .param("messages")
                .hint("send fewer messages, or a smaller `max_tokens`")
        }
        Some(SkipReason::Surface) => {
            let surface = facts.request.surface.word();
            let message = format!("no model of tier `{tier}` serves {surface}");
            Failure::invalid(StatusCode::BAD_REQUEST, "unsupported_surface", message)
                .param("model")
                .hint("name a model that does, or send the call to another path")
        }
        Some(SkipReason::Lacks(capability)) => {
            let what = capability.word();
            let message = format!("no model of tier `{tier}` can take {what}");
            let param = match capability {
                Capability::Images => "messages",
                Capability::Tools => "tools",
            };
            Failure::invalid(StatusCode::BAD_REQUEST, "unsupported_capability", message)
                .param(param)
                .hint(format!(
                    "send it without {what}, or name a model that takes them"
                ))
        }
        Some(SkipReason::Unpriced(what)) => {
            let message = format!("no model of tier `{tier}` has a price for `{what}`");
            let param = match what {
                "audio-input" => "messages",
                "audio-output" => "modalities",
                _ => "service_tier",
            };
            Failure::invalid(StatusCode::BAD_REQUEST, "unpriced", message)
                .param(param)
                .hint("send it without that, or have whoever runs this write the price")
        }
        Some(SkipReason::NotAllowed) => not_allowed(gateway, skipped, facts),
        Some(SkipReason::Denial(denial)) => {
            let status = gateway
                .plan
                .denial(denial)
                .map_or(403, |denial| denial.status());
            denied(gateway, denial, status)
        }
        Some(SkipReason::Quota(quota) | SkipReason::QuotaCap(quota)) => {
            limited(gateway, quota, None)
        }
        _ => {
            let message = format!("no model of tier `{tier}` can take this call");
            Failure::new(
                StatusCode::SERVICE_UNAVAILABLE,
                "server_error",
                "no_model",
                message,
            )
            .hint("`tried` says why; ask for another model, or send the call again later")
        }
    };
    failure.tried(tried)
}

/// The caller's own list of models leaves none for this call.
fn not_allowed(gateway: &Gateway, skipped: &[Skipped], facts: &Facts<'_>) -> Failure {
    let name = |model| gateway.model(model).map_or("", |model| &*model.name);
    let wanted = skipped.first().map_or("", |skip| name(skip.model));
    let allowed = facts.caller.models.as_deref().unwrap_or_default();
    let shown: Vec<String> = allowed
        .iter()
        .take(MOST_NAMED)
        .map(|model| format!("`{}`", name(*model)))
        .collect();
    let hint = match shown.len() {
        0 => "it may use none: ask whoever issued the key".to_owned(),
        shown_of if shown_of < allowed.len() => {
            format!(
                "it may use {} and others; `GET /v1/models` lists them",
                shown.join(", ")
            )
        }
        _ => format!(
            "it may use {}; for more, ask whoever issued the key",
            shown.join(", ")
        ),
    };
    let message = format!("this caller may not use the model `{wanted}`");
    let mut failure = Failure::new(
        StatusCode::FORBIDDEN,
        "permission_error",
        "model_not_allowed",
        message,
    )
    .param("model")
    .hint(hint);
    failure.details.should_retry = Some(false);
    failure
}

/// The models that a decision passed over, beside those that were tried.
pub(super) fn passed_over(gateway: &Gateway, decision: &Decision) -> Vec<Tried> {
    let skipped = match &decision.outcome {
        Outcome::NoModel(skipped) => &**skipped,
        _ => route(decision).map_or(&[][..], |route| &*route.skipped),
    };
    let others = skipped
        .iter()
        .filter(|skip| skip.reason != SkipReason::Failed);
    others.map(|skip| tried(gateway, skip)).collect()
}

fn tried(gateway: &Gateway, skip: &Skipped) -> Tried {
    let label = |rule| gateway.plan.rule(rule).label;
    let failure = match skip.reason {
        SkipReason::Context => "its context is too small".to_owned(),
        SkipReason::Surface => "it does not serve this".to_owned(),
        SkipReason::Lacks(capability) => format!("it cannot take {}", capability.word()),
        SkipReason::Unpriced(what) => format!("it has no price for `{what}`"),
        SkipReason::NotAllowed => "this caller may not use it".to_owned(),
        SkipReason::Cap(cap) => format!("capped by `{}`", label(RuleReference::Cap(cap))),
        SkipReason::QuotaCap(quota) => {
            format!("capped by `{}`", label(RuleReference::Quota(quota)))
        }
        SkipReason::Denial(denial) => {
            format!("denied by `{}`", label(RuleReference::Denial(denial)))
        }
        SkipReason::Quota(quota) => format!("`{}` has no room", label(RuleReference::Quota(quota))),
        SkipReason::Failed => "it failed".to_owned(),
    };
    Tried {
        model: gateway
            .model(skip.model)
            .map(|model| model.name.to_string())
            .unwrap_or_default(),
        replica: None,
        failure,
    }
}

/// `850 ms`, `12 s`, `3 h 20 min`.
fn in_words(wait: Duration) -> String {
    let seconds = wait.as_secs_f64().ceil() as u64;
    match seconds {
        0..=1 => format!("{} ms", wait.as_millis().max(1)),
        2..120 => format!("{seconds} s"),
        120..7200 => format!("{} min", seconds.div_ceil(60)),
        _ => format!("{} h {} min", seconds / 3600, seconds % 3600 / 60),
    }
}
