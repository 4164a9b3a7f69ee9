//! WP0311: money is counted for a model that has no price.

use waypost_lang::cel::typed::{Field, Typed};
use waypost_lang::codes;
use waypost_lang::diagnostic::Diagnostic;
use waypost_lang::source::Span;
use waypost_lang::syntax::tree::{Amount, ExpectKind};

use super::unreachable_model::reachable;
use crate::program::{ModelIndex, Policy, Program, Via};
use crate::resolve::content::reads;

/// Something that counts money: where, what it is called, and the one model it counts for, or every model.
struct Counts {
    span: Span,
    what: &'static str,
    on: Option<ModelIndex>,
}

/// One finding for each model without a price that something counts: the missing price is the one mistake.
pub(crate) fn check(program: &Program) -> Vec<Diagnostic> {
    let counts = counts(program);
    let mut models = reachable(program);
    models.extend(counts.iter().filter_map(|one| one.on));
    models.sort_unstable();
    models.dedup();
    models
        .into_iter()
        .filter_map(|model| unpriced(model, program, &counts))
        .collect()
}

fn unpriced(model: ModelIndex, program: &Program, counts: &[Counts]) -> Option<Diagnostic> {
    let declared = program
        .models
        .get(model)
        .filter(|one| one.price.is_none())?;
    let mut bound = counts
        .iter()
        .filter(|one| one.on.is_none_or(|on| on == model));
    let first = bound.next()?;
    let name = &declared.name.value;
    let diagnostic = codes::BUDGET_WITHOUT_PRICE
        .error(
            first.span,
            format!(
                "{} counts the money of `{name}`, which has no price",
                first.what
            ),
        )
        .label("every call of it would count as nothing")
        .because(declared.name.span, "declared without `price`");
    let diagnostic = bound.fold(diagnostic, |diagnostic, other| {
        diagnostic.because(other.span, format!("{} counts it too", other.what))
    });
    let price = match declared.via {
        Via::Pool(_) => "`price input $0  output $0` if your own replicas are to count as nothing",
        Via::Provider(_) => "such as `price input $0.04  output $0.08`",
    };
    Some(diagnostic.help(format!("write its price, {price}, in the model `{name}`")))
}

fn counts(program: &Program) -> Vec<Counts> {
    let policy = &program.policy;
    let quotas = policy
        .quotas
        .iter()
        .filter(|quota| matches!(quota.amount.value, Amount::Money(_)));
    let quotas = quotas.map(|quota| Counts {
        span: quota.amount.span.to(quota.window.span),
        what: if quota.budget {
            "this budget"
        } else {
            "this limit"
        },
        on: quota.on.as_ref().map(|on| on.value),
    });
    let rules = expressions(policy).filter_map(|when| {
        let span = reads(when, Field::CostEstimate).or_else(|| reads(when, Field::CostCeiling))?;
        Some(Counts {
            span,
            what: "this rule",
            on: None,
        })
    });
    let tests = program.tests.iter().flat_map(|test| {
        let model = test.expect.iter().find_map(|expect| match &expect.kind {
            ExpectKind::Model(name) => program
                .models
                .iter()
                .position(|model| model.name.value == name.value),
            _ => None,
        });
        let costs = test
            .expect
            .iter()
            .filter(|expect| matches!(expect.kind, ExpectKind::CostBelow(_)));
        costs.map(move |expect| Counts {
            span: expect.span,
            what: "this expectation",
            on: model,
        })
    });
    quotas.chain(rules).chain(tests).collect()
}

/// Every expression of a policy.
fn expressions(policy: &Policy) -> impl Iterator<Item = &Typed> {
    let denials = policy.denials.iter().map(|rule| &rule.when);
    let caps = policy.caps.iter().map(|rule| &rule.when);
    let quotas = policy
        .quotas
        .iter()
        .flat_map(|quota| [&quota.when, &quota.per]);
    let priorities = policy.priorities.iter().map(|rule| &rule.when);
    denials
        .chain(caps)
        .chain(quotas.chain(priorities).flatten())
}
