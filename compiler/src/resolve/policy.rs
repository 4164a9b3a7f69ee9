//! `policy { … }`: may it, and at what cost. The blocks of all files are one policy.

use waypost_lang::cel::typed::Section;
use waypost_lang::source::{Span, Spanned};
use waypost_lang::syntax::tree::{self, Name, PolicyItem, PolicyKind, Text};

use super::bounds::number;
use super::collected::Collected;
use super::context::Context;
use super::label::Labels;
use super::names::conflict;
use super::values::{missing, url, word};
use super::{quota, redaction};
use crate::checks::secret_placeholder;
use crate::program::{Cap, Denial, Jwt, Policy, Priority, Tier};

/// What a denied call is answered with where no status is written.
const FORBIDDEN: u64 = 403;

/// Where each field of `callers` was first written.
#[derive(Default)]
struct CallersSeen {
    keys: Option<Name>,
    jwt: Option<Span>,
    anonymous: Option<Name>,
}

/// Resolves every policy block; `tiers` stand for their homes in `on`.
pub(crate) fn resolve(
    collected: &Collected<'_>,
    tiers: Option<&[Tier]>,
    context: &mut Context<'_>,
) -> Policy {
    let mut policy = Policy::default();
    let mut labels = Labels::default();
    let mut seen = CallersSeen::default();
    for item in collected.policies.iter().flat_map(|policy| &policy.items) {
        if let PolicyKind::Callers(callers) = &item.kind {
            policy.callers_span.get_or_insert(item.span);
            resolve_callers(callers, &mut seen, &mut policy, context);
        } else {
            rule(item, tiers, &mut labels, &mut policy, context);
        }
    }
    policy
}

fn rule(
    item: &PolicyItem,
    tiers: Option<&[Tier]>,
    labels: &mut Labels,
    policy: &mut Policy,
    context: &mut Context<'_>,
) {
    let span = item.span;
    match &item.kind {
        PolicyKind::Callers(_) => {}
        PolicyKind::Deny {
            label,
            status,
            when,
        } => {
            let label = labels.rule(label.as_ref(), when.span, span, context);
            let status = status.as_ref().map_or(Some(FORBIDDEN), |status| {
                number("the status of a denial", status, 400, 599, context.findings)
            });
            let status = status.and_then(|status| u16::try_from(status).ok());
            let when = context.condition(when, Section::Policy);
            let denial = status.zip(when).map(|(status, when)| Denial {
                span,
                label,
                status,
                when,
            });
            policy.denials.extend(denial);
        }
        PolicyKind::Cap { tier, label, when } => {
            let rank = context.tier(tier);
            let label = labels.rule(label.as_ref(), when.span, span, context);
            let when = context.condition(when, Section::Policy);
            policy.caps.extend(rank.zip(when).map(|(tier, when)| Cap {
                span,
                tier,
                label,
                when,
            }));
        }
        PolicyKind::Quota(quota) => {
            let resolved = quota::resolve(quota, span, tiers, labels, context);
            policy.quotas.extend(resolved);
        }
        PolicyKind::Redact { patterns, places } => {
            let resolved = redaction::resolve(span, patterns, places, context.findings);
            policy.redactions.extend(resolved);
        }
        PolicyKind::Priority { value, label, when } => {
            policy.priorities.extend(priority(
                span,
                value,
                label.as_ref(),
                when.as_ref(),
                labels,
                context,
            ));
        }
    }
}

fn priority(
    span: Span,
    value: &Spanned<i64>,
    label: Option<&tree::Text>,
    when: Option<&waypost_lang::cel::Expr>,
    labels: &mut Labels,
    context: &mut Context<'_>,
) -> Option<Priority> {
    let own = when.map_or(span, |when| when.span);
    let label = labels.rule(label, own, span, context);
    let when = match when {
        Some(when) => Some(context.condition(when, Section::Policy)?),
        None => None,
    };
    Some(Priority {
        span,
        label,
        value: value.value,
        when,
    })
}

fn resolve_callers(
    callers: &tree::Callers,
    seen: &mut CallersSeen,
    policy: &mut Policy,
    context: &mut Context<'_>,
) {
    if let Some(name) = &callers.keys {
        let found = context.names.secrets.resolve(name, context.findings);
        let first = seen.keys.get_or_insert_with(|| name.clone());
        if first.value != name.value {
            let found = conflict("`keys` of `callers`", name.span, first.span);
            context.findings.push(found);
        }
        policy.keys = policy.keys.or(found);
    }
    if let Some(jwt) = &callers.jwt {
        if let Some(first) = seen.jwt {
            let found = conflict("`jwt` of `callers`", jwt.span, first);
            context.findings.push(found);
        }
        seen.jwt.get_or_insert(jwt.span);
        policy.jwt = resolve_jwt(jwt, context);
    }
    if let Some(name) = &callers.anonymous {
        let words = [("deny", false), ("allow", true)];
        let allowed = word("word for anonymous callers", name, &words, context.findings);
        let first = seen.anonymous.get_or_insert_with(|| name.clone());
        if first.value != name.value {
            let found = conflict("`anonymous` of `callers`", name.span, first.span);
            context.findings.push(found);
        }
        policy.anonymous = allowed.unwrap_or(false);
    }
}

fn resolve_jwt(jwt: &tree::Jwt, context: &mut Context<'_>) -> Option<Jwt> {
    let fields = [
        ("issuer", &jwt.issuer, "issuer \"https://login.acme.dev\""),
        ("audience", &jwt.audience, "audience \"llm\""),
        ("jwks", &jwt.jwks, "jwks \"https://login.acme.dev/keys\""),
    ];
    let mut texts = Vec::new();
    for (field, text, example) in fields {
        let Some(text) = text else {
            let why = "without it, any signed token would do";
            missing(jwt.span, "`jwt`", field, why, example, context.findings);
            continue;
        };
        let real = secret_placeholder::is_real(text, context.findings);
        let good = field == "audience" || url("address", text, context.findings).is_some();
        texts.extend((real && good).then(|| text.value.clone()));
    }
    let [issuer, audience, jwks] = <[String; 3]>::try_from(texts).ok()?;
    // Where no claim is named for a field of the caller, the one that is called like it; a token is its subject's.
    let claim = |written: &Option<Text>, usual: &str| match written {
        Some(text) => text.value.clone(),
        None => usual.to_owned(),
    };
    Some(Jwt {
        span: jwt.span,
        issuer,
        audience,
        jwks,
        claims: [
            claim(&jwt.key, "sub"),
            claim(&jwt.team, "team"),
            claim(&jwt.agent, "agent"),
            claim(&jwt.plan, "plan"),
            claim(&jwt.name, "name"),
        ],
    })
}
