//! Whole files: the tree where it matters.

use waypost_lang::syntax::tree::*;

use super::{AGENTS, FORMS, clean};

fn items(text: &str) -> Vec<ItemKind> {
    let parsed = clean(text);
    parsed
        .file
        .items
        .into_iter()
        .map(|item| item.kind)
        .collect()
}

fn model(name: &str, items: &[ItemKind]) -> Model {
    let found = items.iter().find_map(|item| match item {
        ItemKind::Model(model) if model.name.value == name => Some(model.clone()),
        _ => None,
    });
    found.unwrap()
}

#[test]
fn the_example_of_the_specification_parses() {
    let parsed = clean(AGENTS);
    assert_eq!(parsed.file.edition.unwrap().value, 1);
    assert_eq!(parsed.file.items.len(), 17);
    assert_eq!(
        parsed.comments.len(),
        AGENTS.matches(" //").count() + AGENTS.matches("\n//").count()
    );
}

#[test]
fn prices_and_lengths_are_exact() {
    let model = model("gpt-5.1", &items(AGENTS));
    let price = model.price.unwrap();
    let rate = |sort| price.base().unwrap().rate(sort).unwrap().value;
    assert_eq!(rate(Sort::Input), 1_250_000_000);
    assert_eq!(rate(Sort::Cached), 125_000_000);
    assert_eq!(rate(Sort::Output), 10_000_000_000);
    assert_eq!(model.context.unwrap().value, 400_000);
    assert_eq!(model.output.unwrap().value, 128_000);
    let via = model.via.unwrap();
    assert_eq!((via.target.value.as_str(), via.pool), ("aoai", false));
    assert_eq!(model.rejects.len(), 2);
}

#[test]
fn longer_prompts_and_other_services_have_rows_of_their_own() {
    let items = items(
        "waypost 1\nmodel a { via b  price input $1  cache-write-1h $2  output $4  as of \"2026-11-01\"\n price priority above 272k  output $8  input $2 }",
    );
    let price = model("a", &items).price.unwrap();
    let heads: Vec<String> = price.rows.iter().map(PriceRow::head).collect();
    assert_eq!(heads, ["price", "price priority above 272k"]);
    let written = |row: &PriceRow| Sort::ALL.map(|sort| row.rate(sort).map(|rate| rate.value));
    let dollar = Some(1_000_000_000);
    let rates = written(&price.rows[1]);
    assert_eq!(
        rates[Sort::Output as usize],
        dollar.map(|dollar| 8 * dollar)
    );
    assert_eq!(rates.iter().flatten().count(), 2);
    assert_eq!(written(&price.rows[0]).iter().flatten().count(), 3);
    assert!(price.as_of.is_some());
}

#[test]
fn output_after_a_price_is_a_length_only_with_its_unit() {
    let items = items(FORMS);
    let both = model("both", &items);
    assert_eq!(both.output.unwrap().value, 4000);
    let price = both.price.unwrap();
    assert_eq!(price.base().unwrap().rate(Sort::Output), None);
}

#[test]
fn rules_keep_their_labels_and_spans() {
    let parsed = clean(AGENTS);
    let rules = parsed.file.items.iter().find_map(|item| match &item.kind {
        ItemKind::Content(content) => Some(&content.items),
        _ => None,
    });
    let rule = &rules.unwrap()[2];
    let ContentKind::Escalate { tier, label, .. } = &rule.kind else {
        panic!("{rule:?}")
    };
    assert_eq!(tier.value, "strong");
    assert_eq!(label.as_ref().unwrap().value, "writes to the world");
    let text = &AGENTS[rule.span.start as usize..rule.span.end as usize];
    assert!(text.starts_with("escalate to strong \"writes"), "{text}");
    assert!(text.ends_with("startsWith(\"write_\"))"), "{text}");
}

#[test]
fn quotas_keep_all_their_clauses() {
    let items = items(AGENTS);
    let quotas: Vec<&Quota> = items
        .iter()
        .filter_map(|item| match item {
            ItemKind::Policy(policy) => Some(&policy.items),
            _ => None,
        })
        .flatten()
        .filter_map(|item| match &item.kind {
            PolicyKind::Quota(quota) => Some(quota),
            _ => None,
        })
        .collect();
    let [requests, tokens, team, month] = quotas[..] else {
        panic!("{}", quotas.len())
    };
    assert_eq!(requests.amount.value, Amount::Requests(600));
    assert_eq!(requests.window.value, Window::Rolling(60_000));
    assert_eq!(tokens.on.as_ref().unwrap().value, "strong");
    assert_eq!(team.amount.value, Amount::Money(50_000_000_000));
    assert_eq!(team.window.value, Window::Day);
    assert!(team.per.is_some());
    assert_eq!(team.outcomes[0].share.value, Percent(8000));
    assert!(matches!(&team.outcomes[1].action, OutcomeAction::CapAt(tier) if tier.value == "weak"));
    let rate = &AGENTS[team.rate_span.start as usize..team.rate_span.end as usize];
    assert_eq!(rate, "$50 / day");
    assert_eq!(month.outcomes.len(), 1);
}

#[test]
fn every_form_parses() {
    let parsed = clean(FORMS);
    let constant = &parsed.file.items[0];
    assert_eq!(
        constant.documentation.as_deref(),
        Some("The constant that the rules below share.\nCounted in tokens.")
    );
    assert_eq!(parsed.file.items[1].documentation, None);
}

#[test]
fn a_quota_may_have_every_clause_in_any_order() {
    let found = items(FORMS).into_iter().find_map(|item| match item {
        ItemKind::Policy(policy) => policy.items.into_iter().find_map(|item| match item.kind {
            PolicyKind::Quota(quota) if quota.label.is_some() => Some(quota),
            _ => None,
        }),
        _ => None,
    });
    let quota = found.unwrap();
    assert_eq!(quota.amount.value, Amount::Tokens(2_000_000));
    assert_eq!(quota.burst.unwrap().value, 50);
    assert_eq!(quota.label.unwrap().value, "burst");
    assert!(quota.per.is_some() && quota.when.is_some());
    assert_eq!(quota.on.unwrap().value, "gpt-5.1");
    assert_eq!(quota.outcomes[0].share.value, Percent(9950));
}

#[test]
fn tiers_fall_back_through_models_and_splits() {
    let items = items(FORMS);
    let steps = items.iter().find_map(|item| match item {
        ItemKind::Tier(tier) => Some(&tier.steps),
        _ => None,
    });
    let [Step::Split(first), Step::Try(second), Step::Split(third)] = &steps.unwrap()[..] else {
        panic!("{steps:?}")
    };
    assert_eq!(first.arms[1].1.value, Percent(950));
    assert!(first.key.is_some());
    assert_eq!(second.value, "gpt-5.1");
    assert_eq!(third.arms.len(), 2);
    let chain = items.iter().find_map(|item| match item {
        ItemKind::Tiers(tiers) => Some(tiers.len()),
        _ => None,
    });
    assert_eq!(chain, Some(3));
}

#[test]
fn facts_and_expectations_of_a_test_are_all_read() {
    let items = items(FORMS);
    let Some(ItemKind::Test(test)) = items.last() else {
        panic!("no test")
    };
    assert_eq!(test.given.len(), 19);
    assert_eq!(test.expect.len(), 7);
    let region = test.given.iter().find_map(|fact| match fact {
        Given::Caller(field, value) if field.value == "region" => Some((field, value)),
        _ => None,
    });
    let (field, value) = region.unwrap();
    assert_eq!(
        &FORMS[field.span.start as usize..field.span.end as usize],
        "region"
    );
    assert_eq!(value.value, "eu");
    assert!(matches!(test.given.last(), Some(Given::Prompt(text)) if text.value == "two\nlines"));
}
