//! The order of rules decides nothing.

use proptest::prelude::*;

use super::*;

/// The same rules, rotated.
fn shuffled(by: usize) -> World {
    World::new(|draft| {
        let denial = Denial {
            status: 451,
            label: "another".to_owned(),
            ..draft.denials[0].clone()
        };
        draft.denials.push(denial);
        let escalations = &mut draft.contents[0].escalations;
        let places = escalations.len();
        escalations.rotate_left(by % places);
        draft.denials.rotate_left(by % 2);
        let quotas = draft.quotas.len();
        draft.quotas.rotate_left(by % quotas);
        if by % 3 == 1 {
            draft.quotas.reverse();
            draft.accepts.reverse();
        }
    })
}

/// What must not depend on the order: tiers, and the outcome with rules by their labels.
fn essence(world: &World, decision: &Decision) -> String {
    let label = |reference| world.plan.rule(reference).label.to_owned();
    let refused = decision.outcome.refused_by().map(label);
    let capped = decision.capped_by.map(label);
    let mut charges = match &decision.outcome {
        Outcome::Route(route) => {
            let charges = route.charges.iter();
            charges
                .map(|charge| {
                    (
                        label(RuleReference::Quota(charge.quota)),
                        charge.amount,
                        charge.bound,
                    )
                })
                .collect()
        }
        _ => Vec::new(),
    };
    charges.sort();
    let model = match &decision.outcome {
        Outcome::Route(route) => Some((route.model, route.step)),
        _ => None,
    };
    format!(
        "{} {} {} {} {refused:?} {capped:?} {model:?} {charges:?}",
        decision.content_tier,
        decision.tier,
        decision.outcome.name(),
        decision.outcome.status(),
    )
}

proptest! {
    #[test]
    fn the_order_of_rules_decides_nothing(
        by in 0usize..24,
        difficulty in 0.0f64..1.0,
        tokens in prop_oneof![Just(100u64), Just(30_000), Just(59_900), Just(200_000)],
        team in prop_oneof![Just("payments"), Just("sandbox")],
        tier_plan in prop_oneof![Just(""), Just("free"), Just("pro")],
        spent in prop::collection::vec(0u64..3, 4),
    ) {
        let essence_of = |mut world: World| {
            let mut request = example::request("What is 2+2?");
            request.tokens = tokens;
            request.largest_prompt = tokens;
            let mut facts = example::facts(&request);
            facts.difficulty = Some(difficulty);
            facts.caller.team = Cow::Borrowed(team);
            facts.caller.plan = Cow::Borrowed(tier_plan);
            let limits = [("600 requests / 1m", 300), ("60k tokens / 1m", 30_000),
                ("$50 / day", 25_000_000_000), ("$900 / month", 450_000_000_000)];
            for ((label, half), times) in limits.iter().zip(&spent) {
                let quota = world.plan.quotas().position(|quota| quota.label() == *label).unwrap();
                world.spend(&facts, quota as u16, half * times);
            }
            let decision = world.decide(&facts);
            essence(&world, &decision)
        };
        prop_assert_eq!(essence_of(shuffled(0)), essence_of(shuffled(by)));
    }
}
