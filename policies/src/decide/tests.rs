//! The meaning of a decision, on the specification's example.

mod order;
mod sent;
mod sessions;

use std::borrow::Cow;

use super::{decide, fall_back, quota_key};
use crate::decision::{Capability, Decision, Outcome, Route, RuleReference, SkipReason, Skipped};
use crate::example::{self, tool};
use crate::facts::{Facts, Request};
use crate::limits::State;
use crate::plan::draft::*;
use crate::plan::{Plan, encode};
use crate::vm::{self, Evaluation, Field, Function, Instruction};

const PHI: u16 = 0;
const GPT: u16 = 1;
const WEAK: u16 = 0;
const STRONG: u16 = 1;

/// A plan with its state and a worker.
struct World {
    plan: Plan,
    state: State,
    evaluation: Evaluation,
}

impl World {
    fn new(change: impl FnOnce(&mut Draft)) -> Self {
        let mut draft = example::draft();
        change(&mut draft);
        let plan = Plan::load(encode(&draft)).unwrap();
        let state = State::new(&plan, [1, 2]);
        Self {
            plan,
            state,
            evaluation: Evaluation::default(),
        }
    }

    fn decide(&mut self, facts: &Facts<'_>) -> Decision {
        decide(&self.plan, facts, &self.state, &mut self.evaluation)
    }

    fn spend(&mut self, facts: &Facts<'_>, quota: u16, amount: u64) {
        let key = quota_key(&self.plan, facts, &self.state, &mut self.evaluation, quota);
        self.state.add(quota, key, amount, facts.now);
    }
}

fn world() -> World {
    World::new(|_| {})
}

fn check(
    world: &mut World,
    change: impl FnOnce(&mut Request<'_>),
    caller: impl FnOnce(&mut Facts<'_>),
) -> Decision {
    let mut request = example::request("What is 2+2?");
    change(&mut request);
    let mut facts = example::facts(&request);
    facts.difficulty = Some(0.1);
    caller(&mut facts);
    world.decide(&facts)
}

fn route(decision: &Decision) -> &Route {
    match &decision.outcome {
        Outcome::Route(route) => route,
        other => panic!("{other:?}"),
    }
}

#[test]
fn an_easy_prompt_stays_weak() {
    let decision = check(&mut world(), |_| {}, |_| {});
    assert_eq!(decision.tier, WEAK);
    assert_eq!(decision.rule, RuleReference::Start(0));
    assert_eq!(decision.threshold, Some(0.42));
    assert_eq!(decision.difficulty, Some(0.1));
    let route = route(&decision);
    assert_eq!((route.model, route.step), (PHI, 0));
    assert_eq!(route.estimate.0, 1_000 * 40 + 256 * 80);
    assert_eq!(route.ceiling.0, 1_000 * 40 + 500 * 80);
    assert_eq!(route.charges.len(), 2, "requests, and the month's budget");
    assert_eq!(route.charges[1].amount, 80_000);
    assert_eq!(route.charges[1].bound, 900_000_000_000);
}

#[test]
fn a_hard_prompt_goes_up() {
    let decision = check(&mut world(), |_| {}, |facts| facts.difficulty = Some(0.42));
    assert_eq!(decision.tier, STRONG);
    assert_eq!(decision.rule, RuleReference::Escalation(0, 2));
    assert_eq!(route(&decision).model, GPT);
    assert_eq!(route(&decision).charges.len(), 4);
}

#[test]
fn the_model_scores_what_no_test_gives() {
    let prompt = "Derive the EM algorithm for a mixture of Gaussians and prove that it converges.";
    let mut world = world();
    let request = example::request(prompt);
    let decision = world.decide(&example::facts(&request));
    let expected = crate::difficulty::Model::default_model().score(prompt);
    assert_eq!(decision.difficulty, Some(expected));
}

#[test]
fn a_model_name_sets_the_threshold() {
    let with = |name: &'static str| {
        let decision = check(
            &mut world(),
            |request| request.model = Cow::Borrowed(name),
            |facts| facts.difficulty = Some(0.2),
        );
        (decision.threshold, decision.tier)
    };
    assert_eq!(with("router-mf-0.11593"), (Some(0.11593), STRONG));
    assert_eq!(with("router-mf-0.5"), (Some(0.5), WEAK));
    assert_eq!(with("router-mf-1.5"), (Some(0.42), WEAK));
    assert_eq!(with("router-mf-inf"), (Some(0.42), WEAK));
    assert_eq!(with("router-mf-"), (Some(0.42), WEAK));
    assert_eq!(with("router-mf-1e-05"), (Some(0.000_01), STRONG));
    assert_eq!(with("router-mf--0.1"), (Some(0.42), WEAK));
    assert_eq!(with("router-mf-1e400"), (Some(0.42), WEAK));
}

#[test]
fn every_router_of_routellm_has_its_threshold() {
    let with = |name: &'static str| {
        let mut world = World::new(|draft| {
            draft.accepts.retain(|accept| !accept.prefix);
            draft.accepts.push(Accept {
                name: "router-".to_owned(),
                prefix: true,
                target: AcceptTarget::Content(0),
            });
        });
        let named = |request: &mut Request<'_>| request.model = Cow::Borrowed(name);
        check(&mut world, named, |_| {}).threshold
    };
    assert_eq!(with("router-sw_ranking-0.25"), Some(0.25));
    assert_eq!(with("router-bert-1e-05"), Some(0.000_01));
    assert_eq!(with("router-0.25"), Some(0.25));
    assert_eq!(with("router-bert"), Some(0.42));
    assert_eq!(with("router-bert-0.25-x"), Some(0.42));
}

#[test]
fn an_unknown_model_is_refused() {
    let decision = check(
        &mut world(),
        |request| request.model = Cow::Borrowed("gpt-7"),
        |_| {},
    );
    assert_eq!(decision.outcome, Outcome::UnknownModel);
}

#[test]
fn a_tool_that_writes_goes_up_and_asks_no_difficulty() {
    let mut request = example::request("Write it down.");
    request.tools = vec![tool("read_ledger"), tool("write_ledger")];
    let decision = world().decide(&example::facts(&request));
    assert_eq!(decision.rule, RuleReference::Escalation(0, 0));
    assert_eq!(decision.difficulty, None);
}

#[test]
fn a_cap_beats_every_escalation() {
    let decision = check(
        &mut world(),
        |request| request.tokens = 30_000,
        |facts| facts.caller.plan = Cow::Borrowed("free"),
    );
    assert_eq!((decision.content_tier, decision.tier), (STRONG, WEAK));
    assert_eq!(decision.rule, RuleReference::Cap(0));
    assert_eq!(decision.capped_by, Some(RuleReference::Cap(0)));
}

#[test]
fn a_cap_that_lowers_nothing_is_no_reason() {
    let decision = check(
        &mut world(),
        |_| {},
        |facts| facts.caller.plan = Cow::Borrowed("free"),
    );
    assert_eq!(decision.rule, RuleReference::Start(0));
    assert_eq!(decision.capped_by, None);
}

#[test]
fn a_session_keeps_its_tier_but_not_against_a_cap() {
    let mut world = world();
    let named = |request: &mut Request<'_>| request.headers = vec![Some(Cow::Borrowed("s-1"))];
    let first = check(&mut world, named, |facts| facts.difficulty = Some(0.9));
    let floor = first.session.unwrap();
    assert_eq!(floor.tier, STRONG);
    world
        .state
        .raise_floor(floor, example::facts(&example::request("")).now);
    let second = check(&mut world, named, |_| {});
    assert_eq!((second.tier, second.rule), (STRONG, RuleReference::Keep(0)));
    let other = check(&mut world, |_| {}, |_| {});
    assert_eq!(
        (other.tier, other.session),
        (WEAK, None),
        "no header, no session"
    );
    let stranger = check(&mut world, named, |facts| {
        facts.caller.key = Cow::Borrowed("another");
    });
    assert_eq!(stranger.tier, WEAK, "a session is its caller's");
    let free = check(&mut world, named, |facts| {
        facts.caller.plan = Cow::Borrowed("free");
    });
    assert_eq!((free.content_tier, free.tier), (STRONG, WEAK));
}

#[test]
fn a_denial_is_the_answer() {
    let decision = check(
        &mut world(),
        |_| {},
        |facts| {
            facts.difficulty = Some(0.9);
            facts.caller.team = Cow::Borrowed("sandbox");
        },
    );
    assert_eq!(
        decision.outcome,
        Outcome::Denied {
            denial: 0,
            status: 403
        }
    );
}

#[test]
fn a_fallback_passes_the_denial_again() {
    let mut world = world();
    let request = example::request("What is 2+2?");
    let mut facts = example::facts(&request);
    facts.difficulty = Some(0.1);
    facts.caller.team = Cow::Borrowed("sandbox");
    let first = world.decide(&facts);
    assert_eq!(route(&first).model, PHI);
    let next = fall_back(
        &world.plan,
        &facts,
        &world.state,
        &mut world.evaluation,
        &first,
    );
    let failed = Skipped {
        model: PHI,
        reason: SkipReason::Failed,
    };
    let denied = Skipped {
        model: GPT,
        reason: SkipReason::Denial(0),
    };
    assert_eq!(next.outcome, Outcome::NoModel(vec![failed, denied]));
}

#[test]
fn the_free_plan_never_falls_back_upward() {
    let mut world = world();
    let request = example::request("What is 2+2?");
    let mut facts = example::facts(&request);
    facts.difficulty = Some(0.1);
    let paid = world.decide(&facts);
    let next = fall_back(
        &world.plan,
        &facts,
        &world.state,
        &mut world.evaluation,
        &paid,
    );
    assert_eq!((route(&next).model, route(&next).step), (GPT, 1));
    assert_eq!(route(&next).charges.len(), 4, "money follows the model");
    assert_eq!(route(&next).skipped[0].reason, SkipReason::Failed);
    facts.caller.plan = Cow::Borrowed("free");
    let free = world.decide(&facts);
    let next = fall_back(
        &world.plan,
        &facts,
        &world.state,
        &mut world.evaluation,
        &free,
    );
    let Outcome::NoModel(skipped) = next.outcome else {
        panic!("{next:?}")
    };
    assert_eq!(skipped[1].reason, SkipReason::Cap(0));
}

#[test]
fn what_does_not_fit_is_passed_over() {
    let decision = check(
        &mut world(),
        |request| {
            request.tokens = 20_000;
            request.largest_prompt = 127_900;
        },
        |_| {},
    );
    let route = route(&decision);
    assert_eq!((route.model, route.step), (GPT, 1));
    assert_eq!(route.skipped[0].reason, SkipReason::Context);
    let decision = check(
        &mut world(),
        |request| request.largest_prompt = 500_000,
        |_| {},
    );
    assert!(matches!(&decision.outcome, Outcome::NoModel(skipped) if skipped.len() == 2));
    assert_eq!(decision.outcome.status(), 400);
}

#[test]
fn what_a_model_cannot_take_is_passed_over() {
    let lacks = |images, tools| {
        World::new(move |draft| {
            draft.models[usize::from(PHI)].lacks_images = images;
            draft.models[usize::from(PHI)].lacks_tools = tools;
        })
    };
    let send = |world: &mut World, images, offers_tools| {
        let decision = check(
            world,
            |request| {
                request.images = images;
                request.offers_tools = offers_tools;
            },
            |_| {},
        );
        let route = route(&decision);
        let reasons: Vec<SkipReason> = route.skipped.iter().map(|one| one.reason).collect();
        (route.model, reasons)
    };
    let because = |capability| (GPT, vec![SkipReason::Lacks(capability)]);
    let nothing = (PHI, Vec::new());
    let mut text_only = lacks(true, false);
    assert_eq!(send(&mut text_only, 1, false), because(Capability::Images));
    assert_eq!(send(&mut text_only, 0, true), nothing);
    let mut no_tools = lacks(false, true);
    assert_eq!(send(&mut no_tools, 0, true), because(Capability::Tools));
    assert_eq!(send(&mut no_tools, 3, false), nothing);
    assert_eq!(
        send(&mut lacks(true, true), 1, true),
        because(Capability::Images)
    );
}

#[test]
fn a_fallback_skips_what_cannot_take_the_call_and_none_is_the_callers_mistake() {
    let mut world = World::new(|draft| {
        draft.models[usize::from(GPT)].lacks_images = true;
    });
    let request = Request {
        images: 1,
        ..example::request("look")
    };
    let facts = example::facts(&request);
    let decision = world.decide(&facts);
    assert_eq!(route(&decision).model, PHI);
    let next = fall_back(
        &world.plan,
        &facts,
        &world.state,
        &mut world.evaluation,
        &decision,
    );
    let skipped = |reason, model| Skipped { model, reason };
    let lacks = SkipReason::Lacks(Capability::Images);
    assert_eq!(
        next.outcome,
        Outcome::NoModel(vec![skipped(SkipReason::Failed, PHI), skipped(lacks, GPT)])
    );
    let mut world = World::new(|draft| {
        for model in &mut draft.models {
            model.lacks_images = true;
        }
    });
    let decision = world.decide(&facts);
    assert_eq!(decision.outcome.status(), 400);
}

#[test]
fn an_answer_is_clamped_to_what_the_model_can() {
    let decision = check(
        &mut world(),
        |request| request.max_tokens = Some(900_000),
        |_| {},
    );
    assert_eq!(route(&decision).max_tokens, 4_000);
    let decision = check(&mut world(), |request| request.max_tokens = None, |_| {});
    assert_eq!(route(&decision).max_tokens, 4_000);
    let decision = check(
        &mut world(),
        |request| request.max_tokens = None,
        |facts| {
            facts.difficulty = Some(0.9);
        },
    );
    assert_eq!(route(&decision).max_tokens, 4_096);
}

#[test]
fn an_exhausted_limit_binds_and_says_when() {
    let mut world = world();
    let request = example::request("");
    let facts = example::facts(&request);
    world.spend(&facts, 0, 600);
    let decision = check(&mut world, |_| {}, |_| {});
    assert_eq!(
        decision.outcome,
        Outcome::Limited {
            quota: 0,
            retry_after_milliseconds: Some(100)
        }
    );
    let other = check(
        &mut world,
        |_| {},
        |facts| facts.caller.key = Cow::Borrowed("key-2"),
    );
    assert_eq!(route(&other).model, PHI, "each key has its own bucket");
}

#[test]
fn a_call_larger_than_a_limit_never_fits() {
    let decision = check(&mut world(), |request| request.tokens = 61_000, |_| {});
    assert_eq!(
        decision.outcome,
        Outcome::Limited {
            quota: 1,
            retry_after_milliseconds: None
        }
    );
}

#[test]
fn an_exhausted_budget_degrades_and_warns() {
    let mut world = world();
    let request = example::request("");
    let facts = example::facts(&request);
    world.spend(&facts, 2, 50_000_000_000);
    let decision = check(&mut world, |_| {}, |facts| facts.difficulty = Some(0.9));
    assert_eq!((decision.content_tier, decision.tier), (STRONG, WEAK));
    assert_eq!(decision.capped_by, Some(RuleReference::Quota(2)));
    assert_eq!(world.plan.rule(decision.rule).label, "$50 / day");
    assert_eq!(decision.warnings, [2]);
    assert_eq!(route(&decision).model, PHI);
    // Nor does such a call fall back upward.
    let request = example::request("What is 2+2?");
    let mut facts = example::facts(&request);
    facts.difficulty = Some(0.9);
    let next = fall_back(
        &world.plan,
        &facts,
        &world.state,
        &mut world.evaluation,
        &decision,
    );
    let Outcome::NoModel(skipped) = &next.outcome else {
        panic!("{next:?}")
    };
    assert_eq!(skipped[1].reason, SkipReason::QuotaCap(2));
    // One that asked for less is not held back by a budget that is not its own, until it would fall back.
    let weak = check(&mut world, |_| {}, |_| {});
    assert_eq!((weak.tier, weak.capped_by), (WEAK, None));
    facts.difficulty = Some(0.1);
    let next = fall_back(
        &world.plan,
        &facts,
        &world.state,
        &mut world.evaluation,
        &weak,
    );
    let Outcome::NoModel(skipped) = &next.outcome else {
        panic!("{next:?}")
    };
    assert_eq!(skipped[1].reason, SkipReason::QuotaCap(2));
}

#[test]
fn a_budget_of_all_calls_that_caps_does_not_refuse_the_cheap_ones() {
    let mut world = World::new(|draft| {
        draft.quotas[3].outcomes = vec![QuotaOutcome {
            share: 10_000,
            action: QuotaAction::CapAt(WEAK),
        }];
    });
    let request = example::request("");
    world.spend(&example::facts(&request), 3, 1_000_000_000_000);
    let decision = check(&mut world, |_| {}, |facts| facts.difficulty = Some(0.9));
    assert_eq!(decision.capped_by, Some(RuleReference::Quota(3)));
    assert_eq!(route(&decision).model, PHI);
    assert_eq!(route(&decision).charges[1].bound, u64::MAX);
}

#[test]
fn the_charges_are_what_the_state_takes() {
    let mut world = world();
    for _ in 0..3 {
        let decision = check(
            &mut world,
            |request| request.max_tokens = Some(19_000),
            |facts| {
                facts.difficulty = Some(0.9);
            },
        );
        let now = example::facts(&example::request("")).now;
        match decision.outcome {
            Outcome::Route(route) => drop(world.state.reserve(&route.charges, now).unwrap()),
            other => panic!("{other:?}"),
        }
    }
    let full = check(
        &mut world,
        |request| request.max_tokens = Some(19_000),
        |facts| {
            facts.difficulty = Some(0.9);
        },
    );
    assert!(
        matches!(full.outcome, Outcome::Limited { quota: 1, .. }),
        "{full:?}"
    );
}

#[test]
fn a_model_by_name_skips_content_but_no_policy() {
    let named = |draft: &mut Draft| {
        draft.accepts.push(Accept {
            name: "gpt-5.1".to_owned(),
            prefix: false,
            target: AcceptTarget::Model(GPT),
        });
    };
    let mut world = World::new(named);
    let ask = |request: &mut Request<'_>| request.model = Cow::Borrowed("gpt-5.1");
    let decision = check(&mut world, ask, |_| {});
    assert_eq!((decision.content, decision.tier), (None, STRONG));
    assert_eq!(decision.rule, RuleReference::Named(GPT));
    assert_eq!(decision.difficulty, None);
    assert_eq!(route(&decision).model, GPT);
    let request = example::request("");
    let facts = example::facts(&request);
    let next = fall_back(
        &world.plan,
        &facts,
        &world.state,
        &mut world.evaluation,
        &decision,
    );
    assert!(matches!(&next.outcome, Outcome::NoModel(skipped) if skipped.len() == 1));
    let free = check(&mut world, ask, |facts| {
        facts.caller.plan = Cow::Borrowed("free")
    });
    assert_eq!((free.tier, route(&free).model), (WEAK, PHI));
    let denied = check(&mut world, ask, |facts| {
        facts.caller.team = Cow::Borrowed("sandbox")
    });
    assert_eq!(
        denied.outcome,
        Outcome::Denied {
            denial: 0,
            status: 403
        }
    );
}

#[test]
fn longer_prefixes_and_exact_names_win() {
    let mut world = World::new(|draft| {
        let accept = |name: &str, prefix, model| Accept {
            name: name.to_owned(),
            prefix,
            target: AcceptTarget::Model(model),
        };
        draft.accepts = vec![
            accept("a", true, PHI),
            accept("a-b", true, GPT),
            accept("a-b-c", false, PHI),
        ];
    });
    let mut model = |name: &'static str| {
        let decision = check(
            &mut world,
            |request| request.model = Cow::Borrowed(name),
            |_| {},
        );
        route(&decision).model
    };
    assert_eq!(model("ax"), PHI);
    assert_eq!(model("a-bx"), GPT);
    assert_eq!(model("a-b-c"), PHI);
    assert_eq!(model("a-b-cd"), GPT);
}

#[test]
fn the_highest_priority_counts() {
    let mut world = World::new(|draft| {
        let always = Priority {
            value: -5,
            label: "the rest".to_owned(),
            when: None,
            origin: Origin::default(),
        };
        draft.priorities.insert(0, always);
    });
    let with = |world: &mut World, plan: &'static str| {
        check(
            world,
            |_| {},
            |facts| facts.caller.plan = Cow::Borrowed(plan),
        )
        .priority
    };
    assert_eq!(with(&mut world, ""), (-5, Some(0)));
    assert_eq!(with(&mut world, "pro"), (10, Some(1)));
}

#[test]
fn a_split_is_stable_for_its_key_and_keeps_its_shares() {
    let mut world = World::new(|draft| {
        let key = draft.quotas[0].per;
        draft.tiers[0].steps = vec![Step::Split {
            arms: vec![(PHI, 9_000), (GPT, 1_000)],
            key,
        }];
    });
    let mut arm = |key: String, now: i64| {
        let decision = check(
            &mut world,
            |_| {},
            |facts| {
                facts.caller.key = Cow::Owned(key);
                facts.now += now;
            },
        );
        route(&decision).model
    };
    let mut strong = 0;
    for caller in 0..500 {
        let first = arm(format!("caller-{caller}"), 0);
        assert_eq!(
            first,
            arm(format!("caller-{caller}"), 77),
            "stable over time"
        );
        strong += u32::from(first);
    }
    assert!((25..=80).contains(&strong), "about a tenth: {strong}");
}

#[test]
fn a_rule_that_fails_acts_and_is_counted() {
    let mut world = World::new(|draft| {
        let mut pool = vm::Pool::default();
        let failing = pool.expression("", Origin::default(), |code| {
            code.push(Instruction::Int(i64::MAX))
                .push(Instruction::Int(1));
            code.call(Function::Add).field(Field::RequestTokens);
            code.call(Function::Less);
        });
        let mut other = Draft::default();
        pool.fill(&mut other);
        let base = draft.expressions.len() as u32;
        draft.expressions.extend(other.expressions);
        draft.caps[0].when = base + failing;
    });
    let decision = check(&mut world, |request| request.tokens = 30_000, |_| {});
    assert_eq!(decision.capped_by, Some(RuleReference::Cap(0)));
    assert_eq!(world.evaluation.failures(), 1);
}
