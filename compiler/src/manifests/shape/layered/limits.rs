//! Which limits agentgateway's buckets can hold, and what of the others is lost.
//!
//! A bucket may be stricter than the rule, never looser without saying so.

use waypost_lang::syntax::tree::{Amount, Window};

use super::layers::{Layers, Route, Upstream};
use crate::manifests::agentgateway::RateLimit;
use crate::program::{Action, Quota};

/// What of a quota is carried, and what is not.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Carriage {
    /// For the strong route, then for the weak one.
    pub(super) strong: Option<RateLimit>,
    /// See `strong`.
    pub(super) weak: Option<RateLimit>,
    /// What is lost; empty when the bucket means what the rule means.
    pub(super) lost: Vec<String>,
}

/// What becomes of `quota`.
pub(super) fn carry(quota: &Quota, layers: &Layers<'_>) -> Carriage {
    let (limit, mut lost) = match bucket(quota) {
        Ok(bucket) => bucket,
        Err(why) => return nothing(why),
    };
    let on = quota.on.as_ref().map(|model| model.value);
    let applies = |route: &Route<'_>| on.is_none_or(|model| model == route.model_index);
    let mut place = |route: &Route<'_>| {
        if !applies(route) {
            return None;
        }
        if limit.r#type == "tokens" && matches!(route.upstream, Upstream::Pool(..)) {
            lost.push(format!(
                "agentgateway reads no usage on the route `{}`, which goes through the picker",
                route.name()
            ));
            return None;
        }
        Some(limit.clone())
    };
    let (strong, weak) = (place(&layers.strong), place(&layers.weak));
    if strong.is_some() && weak.is_some() {
        lost.push("each route counts by itself, so both together admit twice as much".into());
    }
    if strong.is_none() && weak.is_none() && lost.is_empty() {
        lost.push("no route leads to this model first".into());
    }
    Carriage { strong, weak, lost }
}

fn nothing(why: &str) -> Carriage {
    Carriage {
        lost: vec![why.to_owned()],
        ..Carriage::default()
    }
}

/// The quota as a bucket, with what the bucket leaves out; or why it is none.
fn bucket(quota: &Quota) -> Result<(RateLimit, Vec<String>), &'static str> {
    let (amount, kind) = match quota.amount.value {
        Amount::Requests(amount) => (amount, "requests"),
        Amount::Tokens(amount) => (amount, "tokens"),
        Amount::Money(_) => return Err("agentgateway bounds no money"),
        Amount::Repeats(_) => return Err("agentgateway does not know the calls it has seen"),
        Amount::Concurrent(_) => return Err("agentgateway does not count the calls that are open"),
    };
    let window = match quota.window.value {
        Window::Rolling(window) => window,
        Window::Session(_) => return Err("agentgateway knows no sessions"),
        Window::Call => return Err("agentgateway's buckets do not bound single calls"),
        Window::Sliding(_) => {
            return Err("agentgateway's buckets refill, and know no sliding window");
        }
        _ => return Err("agentgateway's buckets know no calendar"),
    };
    if quota.when.is_some() {
        return Err("agentgateway's buckets cannot ask `when`: the caller is unknown to them");
    }
    let denied = quota
        .outcomes
        .iter()
        .filter(|outcome| outcome.action.refuses())
        .map(|outcome| outcome.share.0)
        .min();
    let Some(share) = denied else {
        return Err("agentgateway's buckets can only refuse");
    };
    let portion = |amount: u64| portion(amount, share);
    let limit = RateLimit {
        max_tokens: portion(quota.burst.unwrap_or(amount)),
        tokens_per_fill: portion(amount),
        fill_interval: duration(window),
        r#type: kind,
    };
    let mut lost = Vec::new();
    let mut actions = quota.outcomes.iter().map(|outcome| outcome.action);
    if actions.any(|action| matches!(action, Action::Wait(_))) {
        lost.push("calls do not wait for room: agentgateway refuses them at once".into());
    }
    if quota.per.is_some() {
        lost.push("all callers share one bucket: RouteLLM forwards no headers, so the gateway never learns who calls".into());
    }
    if quota.outcomes.len() > 1 {
        lost.push("only the refusal is carried, not the other outcomes".into());
    }
    Ok((limit, lost))
}

/// `share` hundredths of a percent of `amount`, rounded down: the stricter way.
fn portion(amount: u64, share: u32) -> u64 {
    let portion = u128::from(amount) * u128::from(share) / 10_000;
    u64::try_from(portion).unwrap_or(u64::MAX)
}

/// `60s`, or `250ms` where it is no whole number of seconds.
pub(super) fn duration(milliseconds: u64) -> String {
    if milliseconds.is_multiple_of(1000) {
        format!("{}s", milliseconds / 1000)
    } else {
        format!("{milliseconds}ms")
    }
}

#[cfg(test)]
mod tests {
    use super::{duration, portion};

    #[test]
    fn portions_round_to_the_stricter_side() {
        assert_eq!(portion(60_000, 10_000), 60_000);
        assert_eq!(portion(3, 5_000), 1);
        assert_eq!(portion(u64::MAX, 10_000), u64::MAX);
    }

    #[test]
    fn durations_are_whole_seconds_where_they_can() {
        assert_eq!(duration(60_000), "60s");
        assert_eq!(duration(250), "250ms");
    }
}
