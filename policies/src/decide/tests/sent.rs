//! What a caller may send that no file foresees.

use super::*;
use crate::facts::Claim;

/// What a token says is known only when it comes: a string where a bool is asked is a failure, not a false.
#[test]
fn a_claim_that_is_no_bool_fails_closed() {
    let mut world = World::new(|draft| {
        let mut pool = vm::Pool::default();
        let blocked = pool.expression("", Origin::default(), |code| {
            code.lookup(vm::Map::Claims, "blocked")
                .push(Instruction::Bool(false));
            code.call(Function::OrValue);
        });
        let mut other = Draft::default();
        pool.fill(&mut other);
        let base = draft.expressions.len() as u32;
        draft.expressions.extend(other.expressions);
        draft.claims = other.claims;
        draft.denials[0].when = base + blocked;
        draft.priorities[0].when = Some(base + blocked);
    });
    let mut with = |claim: Option<Claim<'static>>| {
        let decision = check(
            &mut world,
            |_| {},
            |facts| facts.caller.claims = vec![claim],
        );
        (decision.outcome.status(), decision.priority)
    };
    assert_eq!(with(None), (200, (0, None)));
    assert_eq!(with(Some(Claim::Bool(false))), (200, (0, None)));
    assert_eq!(with(Some(Claim::Bool(true))), (403, (10, Some(0))));
    assert_eq!(with(Some(Claim::Int(1))), (403, (0, None)));
    assert_eq!(
        with(Some(Claim::String(Cow::Borrowed("no")))),
        (403, (0, None))
    );
    assert!(world.evaluation.failures() >= 2);
}

#[test]
fn a_session_may_have_a_long_name() {
    let mut world = world();
    let long = "s".repeat(1 << 20);
    let with = |world: &mut World, name: String| {
        check(
            world,
            |request| request.headers = vec![Some(Cow::Owned(name))],
            |facts| facts.difficulty = Some(0.9),
        )
        .session
        .unwrap()
    };
    let first = with(&mut world, long.clone());
    assert_eq!(first, with(&mut world, long.clone()));
    assert_ne!(first, with(&mut world, long + "t"));
    assert_eq!(world.evaluation.failures(), 0);
}
