//! The policy: who may call, and the rules about it.

use waypost_policies::plan::{Draft, draft};

use super::expressions::Expressions;
use super::index;
use super::origin::Origins;
use super::quota;
use crate::program::{Jwt, Policy};

/// Writes the policy into the draft.
pub(crate) fn lower(
    policy: &Policy,
    origins: &Origins<'_>,
    expressions: &mut Expressions<'_>,
    draft: &mut Draft,
) {
    draft.callers = draft::Callers {
        keys: policy.keys.map(index),
        jwt: policy.jwt.as_ref().map(jwt),
        anonymous: policy.anonymous,
        origin: policy
            .callers_span
            .map(|span| origins.of(span))
            .unwrap_or_default(),
    };
    for rule in &policy.denials {
        draft.denials.push(draft::Denial {
            label: rule.label.text.clone(),
            status: rule.status,
            when: expressions.add(&rule.when),
            origin: origins.of(rule.span),
        });
    }
    for rule in &policy.caps {
        draft.caps.push(draft::Cap {
            tier: index(rule.tier),
            label: rule.label.text.clone(),
            when: expressions.add(&rule.when),
            origin: origins.of(rule.span),
        });
    }
    for one in &policy.quotas {
        draft.quotas.push(quota::lower(one, origins, expressions));
    }
    for rule in &policy.priorities {
        draft.priorities.push(draft::Priority {
            value: rule.value,
            label: rule.label.text.clone(),
            when: rule.when.as_ref().map(|when| expressions.add(when)),
            origin: origins.of(rule.span),
        });
    }
    for redaction in &policy.redactions {
        draft.redactions.push(draft::Redaction {
            pattern: redaction.pattern.clone(),
            replacement: redaction.replacement.clone(),
            request: redaction.request,
            logs: redaction.logs,
            response: redaction.response,
        });
    }
}

fn jwt(jwt: &Jwt) -> draft::Jwt {
    let [key, team, agent, plan, name] = jwt.claims.clone();
    draft::Jwt {
        issuer: jwt.issuer.clone(),
        audience: jwt.audience.clone(),
        jwks: jwt.jwks.clone(),
        key,
        team,
        agent,
        plan,
        name,
    }
}
