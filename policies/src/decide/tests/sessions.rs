//! Which bucket a call counts in where the session, the request or the call itself is what is counted.

use super::*;

fn limited(amount: Amount, window: Window) -> World {
    World::new(|draft| {
        let mut quota = draft.quotas[0].clone();
        quota.amount = amount;
        quota.window = window;
        quota.label = "tested".to_owned();
        quota.burst = 3;
        (quota.per, quota.on, quota.when) = (None, None, None);
        draft.quotas = vec![quota];
    })
}

/// Admits a call of a caller and session with this body, and settles it; whether it was let in.
fn call(world: &mut World, caller: &str, session: Option<&str>, fingerprint: u128) -> bool {
    let mut request = example::request("What is 2+2?");
    request.headers = vec![session.map(Cow::Borrowed)];
    request.fingerprint = fingerprint;
    let mut facts = example::facts(&request);
    facts.difficulty = Some(0.1);
    facts.caller.key = Cow::Borrowed(caller);
    let decision = world.decide(&facts);
    let Outcome::Route(route) = &decision.outcome else {
        return false;
    };
    let held = world.state.reserve(&route.charges, facts.now).unwrap();
    let spent = crate::limits::Spent {
        requests: 1,
        tokens: 10,
        money: 10,
    };
    world.state.settle(held, spent, facts.now);
    true
}

#[test]
fn a_session_is_what_keep_names_and_belongs_to_its_caller() {
    let mut world = limited(Amount::Requests(2), Window::Session(3_600_000));
    assert!(call(&mut world, "ann", Some("run-1"), 1));
    assert!(call(&mut world, "ann", Some("run-1"), 2));
    assert!(!call(&mut world, "ann", Some("run-1"), 3));
    assert!(call(&mut world, "ann", Some("run-2"), 4));
    assert!(call(&mut world, "bob", Some("run-1"), 5));
}

#[test]
fn calls_without_a_session_are_one_of_their_caller() {
    let mut world = limited(Amount::Requests(2), Window::Session(3_600_000));
    assert!(call(&mut world, "ann", None, 1));
    assert!(call(&mut world, "ann", Some(""), 2));
    assert!(!call(&mut world, "ann", None, 3));
    assert!(call(&mut world, "bob", None, 4));
}

#[test]
fn a_fallback_is_of_the_same_session() {
    let mut world = limited(Amount::Requests(2), Window::Session(3_600_000));
    let mut request = example::request("What is 2+2?");
    request.headers = vec![Some(Cow::Borrowed("run-1"))];
    let mut facts = example::facts(&request);
    facts.difficulty = Some(0.1);
    let first = world.decide(&facts);
    let next = fall_back(
        &world.plan,
        &facts,
        &world.state,
        &mut world.evaluation,
        &first,
    );
    assert_eq!(route(&first).charges, route(&next).charges);
    let key = quota_key(&world.plan, &facts, &world.state, &mut world.evaluation, 0);
    assert_eq!(route(&first).charges[0].key, key);
}

#[test]
fn the_same_call_again_and_again_is_refused_and_another_is_not() {
    let mut world = limited(Amount::Repeats(3), Window::Rolling(60_000));
    for _ in 0..3 {
        assert!(call(&mut world, "ann", None, 7));
    }
    assert!(!call(&mut world, "ann", None, 7));
    assert!(call(&mut world, "ann", None, 8));
}

#[test]
fn a_call_is_bounded_by_itself() {
    // The prompt is 1,000 tokens and the answer 500 at most.
    let mut world = limited(Amount::Tokens(1_500), Window::Call);
    for number in 0..50 {
        assert!(call(&mut world, "ann", None, number));
    }
    let mut world = limited(Amount::Tokens(1_499), Window::Call);
    let decision = check(&mut world, |_| {}, |_| {});
    let refused = Outcome::Limited {
        quota: 0,
        retry_after_milliseconds: None,
    };
    assert_eq!(decision.outcome, refused);
}
