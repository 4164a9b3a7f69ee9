//! The decision against a reference: `decide`, `fall_back` and `explain` on generated plans, calls and ledgers say what
//! the language's text says, step by step and without a plan, a machine or a state.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    reason = "tests"
)]

mod naive;
mod world;

use std::borrow::Cow;

use naive::{Arms, Call, Ledger, NOW, Naive, Verdict};
use proptest::prelude::*;
use waypost_policies::decision::{Key, RuleReference};
use waypost_policies::facts::{Facts, Request, Surface};
use waypost_policies::limits::{Spent, State, Unit};
use waypost_policies::plan::draft::{Amount, Draft, Step};
use waypost_policies::plan::{Plan, encode};
use waypost_policies::{Decision, Evaluation, Outcome, decide, example, explain, fall_back};
use world::{Choices, FLAGS, KEYS, World, world};

const SEED: [u64; 2] = [1, 2];

/// A key as states of this seed make it.
fn key(text: &str) -> Key {
    State::with_quotas([], [], SEED).key(text)
}

/// The key of a call of the world's, that is the same as all others, where a quota counts repeats.
fn repeats(text: &str) -> Key {
    State::with_quotas([], [], SEED).key_of_request(key(text), 0)
}

fn call(choices: &mut Choices, models: usize) -> Call {
    let names = ["auto", "auto", "auto-0.2", "auto-x"];
    let model = match choices.below(6) {
        0..=3 => choices.one(&names).to_owned(),
        _ => format!("m{}", choices.below(models)),
    };
    let embeds = choices.below(8) == 1;
    let tokens = choices.one(&[10, 200, 990, 9_990]);
    Call {
        model,
        flags: (0..FLAGS).map(|_| choices.below(3) == 1).collect(),
        key: choices.one(&KEYS),
        embeds,
        images: choices.one(&[0, 0, 2]),
        offers_tools: choices.below(3) == 1,
        tokens,
        largest_prompt: choices.one(&[tokens, tokens / 2]),
        max_tokens: choices.one(&[None, Some(50), Some(6_000)]),
        answers: if embeds { 0 } else { choices.one(&[1, 1, 3]) },
        difficulty: choices.one(&[0.1, 0.3, 0.9]),
        models: (choices.below(4) == 1).then(|| {
            (0..models as u16)
                .filter(|_| choices.below(2) == 1)
                .collect()
        }),
    }
}

fn request<'a>(call: &'a Call, draft: &Draft) -> Request<'a> {
    let mut request = example::request("");
    request.model = Cow::Borrowed(&call.model);
    request.surface = if call.embeds {
        Surface::Embeddings
    } else {
        Surface::Chat
    };
    request.images = call.images;
    request.offers_tools = call.offers_tools;
    request.tokens = call.tokens;
    request.largest_prompt = call.largest_prompt;
    request.max_tokens = call.max_tokens;
    request.answers = call.answers;
    let header = |name: &String| match name.strip_prefix("flag-") {
        Some(flag) => call.flags[flag.parse::<usize>().unwrap()].then_some(Cow::Borrowed("")),
        None => Some(Cow::Borrowed(call.key)),
    };
    request.headers = draft.headers.iter().map(header).collect();
    request
}

fn facts<'a>(request: &'a Request<'a>, call: &'a Call) -> Facts<'a> {
    let mut facts = example::facts(request);
    facts.now = NOW;
    facts.difficulty = Some(call.difficulty);
    facts.caller.models = call.models.as_deref().map(Cow::Borrowed);
    facts
}

/// Which half of a split each key falls on: asked of a plan that has nothing else.
fn arms() -> Arms {
    let mut draft = example::draft();
    let key = draft.quotas[0].per;
    draft.quotas.clear();
    draft.tiers[0].steps = vec![Step::Split {
        arms: vec![(0, 5_000), (1, 5_000)],
        key,
    }];
    let plan = Plan::load(encode(&draft)).unwrap();
    let state = State::new(&plan, SEED);
    let arm = |text: &'static str| {
        let request = example::request("");
        let mut facts = example::facts(&request);
        facts.difficulty = Some(0.0);
        facts.caller.key = Cow::Borrowed(text);
        match decide(&plan, &facts, &state, &mut Evaluation::default()).outcome {
            Outcome::Route(route) => (text, usize::from(route.model)),
            other => panic!("{other:?}"),
        }
    };
    KEYS.into_iter().map(arm).collect()
}

fn essence(decision: &Decision) -> Verdict {
    Verdict {
        content_tier: decision.content_tier,
        tier: decision.tier,
        rule: decision.rule,
        capped_by: decision.capped_by,
        named: decision.named,
        threshold: decision.threshold,
        priority: decision.priority,
        warnings: decision.warnings.clone(),
        outcome: decision.outcome.clone(),
    }
}

/// The plan and the reference, side by side: what one counts the other counts.
struct Pair<'w> {
    world: &'w World,
    plan: Plan,
    state: State,
    evaluation: Evaluation,
    ledger: Ledger,
    arms: Arms,
}

impl Pair<'_> {
    fn naive<'s>(&'s self, call: &'s Call) -> Naive<'s> {
        Naive {
            world: self.world,
            call,
            ledger: &self.ledger,
            arms: &self.arms,
        }
    }

    /// One call and its fallbacks; what a model answers in the end stays used.
    fn run(&mut self, call: &Call, failures: usize) -> Result<(), TestCaseError> {
        let request = request(call, &self.world.draft);
        let facts = facts(&request, call);
        let mut decision = decide(&self.plan, &facts, &self.state, &mut self.evaluation);
        let mut expected = self.naive(call).decide();
        prop_assert_eq!(essence(&decision), expected.clone());
        self.explained(&facts, &decision)?;
        for _ in 0..failures {
            let Outcome::Route(route) = &expected.outcome else {
                break;
            };
            let held = self.state.reserve(&route.charges, NOW);
            prop_assert!(held.is_ok(), "{:?} of {:?}", held, route.charges);
            self.state.refund(held.unwrap(), NOW);
            expected = self.naive(call).fall_back(&expected, route);
            decision = fall_back(
                &self.plan,
                &facts,
                &self.state,
                &mut self.evaluation,
                &decision,
            );
            prop_assert_eq!(essence(&decision), expected.clone());
        }
        self.count(call, &decision)
    }

    fn count(&mut self, call: &Call, decision: &Decision) -> Result<(), TestCaseError> {
        let Outcome::Route(route) = &decision.outcome else {
            return Ok(());
        };
        let held = self.state.reserve(&route.charges, NOW).unwrap();
        let (requests, tokens, money) = (1, call.tokens, 1_234_567);
        self.state.settle(
            held,
            Spent {
                requests,
                tokens,
                money,
            },
            NOW,
        );
        for charge in &route.charges {
            let quota = &self.world.draft.quotas[usize::from(charge.quota)];
            let unit = match quota.amount {
                Amount::Requests(_) => Unit::Requests,
                Amount::Tokens(_) => Unit::Tokens,
                Amount::Money(_) => Unit::Money,
                Amount::Repeats(_) => Unit::Repeats,
                Amount::Concurrent(_) => Unit::Concurrent,
            };
            let spent = Spent {
                requests,
                tokens,
                money,
            }
            .of(unit);
            let key = if quota.per.is_some() { call.key } else { "" };
            *self.ledger.used.entry((charge.quota, key)).or_default() += spent;
        }
        let keeps = self.world.draft.contents[0].keep.is_some() && !call.key.is_empty();
        prop_assert_eq!(
            decision.session.is_some(),
            keeps && decision.named.is_none()
        );
        if let Some(session) = decision.session {
            self.state.raise_floor(session, NOW);
            let floor = self.ledger.floors.entry(call.key).or_default();
            *floor = (*floor).max(decision.content_tier);
        }
        Ok(())
    }

    /// An explanation tells the same decision.
    fn explained(&mut self, facts: &Facts<'_>, decision: &Decision) -> Result<(), TestCaseError> {
        let plan = &self.plan;
        let told = explain(plan, facts, &self.state, &mut self.evaluation);
        let label = |reference: RuleReference| plan.rule(reference).label.to_owned();
        prop_assert_eq!(told.decision, decision.outcome.name());
        prop_assert_eq!(told.status, decision.outcome.status());
        prop_assert_eq!(told.rule, Some(label(decision.rule)));
        prop_assert_eq!(told.capped_by, decision.capped_by.map(label));
        prop_assert_eq!(told.refused_by, decision.outcome.refused_by().map(label));
        prop_assert_eq!(told.priority, decision.priority.0);
        let best = told
            .rules
            .iter()
            .filter(|rule| rule.kind == "priority" && rule.matched);
        let values = best.map(|rule| {
            let declared = plan.priorities().find(|found| found.label() == rule.label);
            declared.unwrap().value()
        });
        prop_assert_eq!(values.max().unwrap_or(0), decision.priority.0);
        let acts = |kind: &str, name: &String| {
            let mut rules = told.rules.iter();
            rules.any(|rule| rule.kind == kind && rule.label == *name && rule.matched)
        };
        if let Some(RuleReference::Cap(_)) = decision.capped_by {
            prop_assert!(acts("cap", &label(decision.rule)));
        }
        if let Some(RuleReference::Quota(_)) = decision.capped_by {
            prop_assert!(acts("limit", &label(decision.rule)));
        }
        if let RuleReference::Escalation(..) = decision.rule {
            prop_assert!(acts("escalate", &label(decision.rule)));
        }
        Ok(())
    }
}

fn agrees(numbers: Vec<u32>) -> Result<(), TestCaseError> {
    let mut choices = Choices(numbers.into_iter());
    let world = world(&mut choices);
    let plan = Plan::load(encode(&world.draft)).unwrap();
    let mut pair = Pair {
        world: &world,
        state: State::new(&plan, SEED),
        plan,
        evaluation: Evaluation::default(),
        ledger: Ledger::default(),
        arms: arms(),
    };
    for _ in 0..6 {
        let call = call(&mut choices, world.draft.models.len());
        let failures = choices.below(4);
        pair.run(&call, failures)?;
    }
    Ok(())
}

#[test]
fn every_decision_is_what_the_language_says() {
    let mut runner = proptest::test_runner::TestRunner::new(ProptestConfig {
        cases: 1_000,
        failure_persistence: None,
        ..ProptestConfig::default()
    });
    let numbers = prop::collection::vec(any::<u32>(), 60..320);
    runner.run(&numbers, agrees).unwrap();
}
