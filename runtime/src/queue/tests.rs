#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

use std::time::Duration;

use proptest::prelude::*;

use super::*;

const MANY: usize = 1_000;

fn rank(priority: i64, caller: u64) -> Rank {
    Rank { priority, caller }
}

fn soon(start: Instant, seconds: u64) -> Instant {
    start + Duration::from_secs(seconds)
}

/// Serves all that wait, one place after the other; in which order, by the index at which they entered.
fn order(ranks: &[Rank]) -> Vec<usize> {
    let (queue, now) = (Queue::default(), Instant::now());
    // The only place is taken by somebody else.
    queue.served(99);
    let mut waiting: Vec<_> = ranks
        .iter()
        .map(|rank| Some(queue.enter(*rank, soon(now, 9), MANY).unwrap()))
        .collect();
    // Whoever came first had the turn, in vain.
    waiting[0].as_ref().unwrap().pass(true);
    queue.left(99);
    let mut order = Vec::new();
    while let Some(turn) = whose(&queue) {
        let has_turn =
            |place: &Option<Waiting<'_>>| place.as_ref().is_some_and(|place| place.ticket == turn);
        let index = waiting.iter().position(has_turn).unwrap();
        queue.served(ranks[index].caller);
        drop(waiting[index].take());
        // What was left of the change finds no room.
        if let Some(turn) = whose(&queue) {
            let place = waiting.iter().flatten().find(|place| place.ticket == turn);
            place.unwrap().pass(true);
        }
        order.push(index);
        queue.left(ranks[index].caller);
    }
    assert!(queue.lock().callers.is_empty());
    order
}

fn whose(queue: &Queue) -> Option<u64> {
    queue.lock().turn
}

#[test]
fn the_highest_priority_is_served_first_and_of_equals_the_oldest() {
    let ranks = [
        rank(0, 1),
        rank(-5, 2),
        rank(10, 3),
        rank(0, 4),
        rank(10, 5),
    ];
    assert_eq!(order(&ranks), [2, 4, 0, 3, 1]);
}

#[test]
fn callers_take_turns_however_many_calls_each_has() {
    let ranks = [1, 1, 1, 1, 1, 1, 2, 3, 2].map(|caller| rank(0, caller));
    assert_eq!(order(&ranks), [0, 6, 7, 1, 8, 2, 3, 4, 5]);
}

#[test]
fn of_one_callers_calls_the_one_whose_time_ends_first_comes_first() {
    let (queue, now) = (Queue::default(), Instant::now());
    let patient = queue.enter(rank(0, 1), soon(now, 9), MANY).unwrap();
    let hasty = queue.enter(rank(0, 1), soon(now, 1), MANY).unwrap();
    patient.pass(true);
    assert_eq!(whose(&queue), None);
    queue.changed();
    assert_eq!(whose(&queue), Some(hasty.ticket));
}

#[test]
fn a_full_queue_sheds_the_lowest_priority_and_of_it_the_caller_with_most_calls() {
    let (queue, now) = (Queue::default(), Instant::now());
    let enter = |priority, caller| queue.enter(rank(priority, caller), soon(now, 9), 3);
    let low = enter(-1, 1).unwrap();
    let first = enter(0, 1).unwrap();
    let second = enter(0, 1).unwrap();
    let is_in = |place: &Waiting<'_>| {
        let state = queue.lock();
        let mut waiting = state.waiting.iter();
        waiting.any(|waiter| waiter.ticket == place.ticket)
    };
    assert_eq!(enter(-1, 1).unwrap_err(), Full, "the youngest of equals");
    let other = enter(0, 2).unwrap();
    assert!(!is_in(&low) && is_in(&first) && is_in(&second));
    assert_eq!(enter(0, 1).unwrap_err(), Full, "he has most already");
    let third = enter(0, 3).unwrap();
    assert!(!is_in(&second) && is_in(&first) && is_in(&other) && is_in(&third));
    let urgent = enter(5, 1).unwrap();
    assert!(is_in(&urgent) && queue.len() == 3);
    drop((low, first, second, other, third, urgent));
    assert_eq!((queue.len(), queue.lock().callers.len()), (0, 0));
}

#[test]
fn whoever_waits_with_or_before_a_call_is_not_overtaken() {
    let queue = Queue::default();
    let _waiting = queue.enter(rank(0, 1), Instant::now(), MANY).unwrap();
    assert!(queue.is_free_for(1) && !queue.is_free_for(0) && !queue.is_free_for(-1));
}

#[test]
fn a_turn_that_cannot_be_used_goes_on_to_whoever_could() {
    let (queue, now) = (Queue::default(), Instant::now());
    let first = queue.enter(rank(1, 1), soon(now, 9), MANY).unwrap();
    let second = queue.enter(rank(0, 2), soon(now, 9), MANY).unwrap();
    assert_eq!(whose(&queue), Some(first.ticket));
    first.pass(false);
    assert_eq!(whose(&queue), Some(second.ticket));
    second.pass(false);
    assert_eq!(whose(&queue), None, "until something changes");
    queue.changed();
    drop(first);
    assert_eq!(whose(&queue), Some(second.ticket));
}

/// What can happen to a queue.
#[derive(Debug, Clone)]
enum Event {
    Enter(i64, u64),
    Changed,
    /// Whoever has the turn finds no room: for nobody, or for himself.
    Pass(bool),
    /// Whoever has the turn is served.
    Serve,
    /// One of those that wait leaves.
    Leave(usize),
    /// A call that was served ends.
    End,
}

fn event() -> impl Strategy<Value = Event> {
    prop_oneof![
        4 => (-2..3_i64, 0..4_u64).prop_map(|(priority, caller)| Event::Enter(priority, caller)),
        1 => Just(Event::Changed),
        2 => any::<bool>().prop_map(Event::Pass),
        2 => Just(Event::Serve),
        1 => any::<usize>().prop_map(Event::Leave),
        2 => Just(Event::End),
    ]
}

proptest! {
    /// Whatever happens, the turn is not lost: where somebody waits who has not looked since the last change, somebody
    /// has it; nobody has it who does not wait; and nothing is kept of those who are gone.
    #[test]
    fn a_turn_is_never_lost(events in proptest::collection::vec(event(), 0..120)) {
        let (queue, now) = (Queue::default(), Instant::now());
        let (mut waiting, mut running): (Vec<(Waiting<'_>, u64)>, Vec<u64>) = Default::default();
        for event in events {
            let turn = whose(&queue);
            let holder = waiting.iter().position(|(place, _)| Some(place.ticket) == turn);
            match (event, holder) {
                (Event::Enter(priority, caller), _) => {
                    let place = queue.enter(rank(priority, caller), soon(now, 9), 8);
                    waiting.extend(place.ok().map(|place| (place, caller)));
                }
                (Event::Changed, _) => queue.changed(),
                (Event::Pass(for_nobody), Some(holder)) => waiting[holder].0.pass(for_nobody),
                (Event::Serve, Some(holder)) => {
                    let (place, caller) = waiting.remove(holder);
                    queue.served(caller);
                    running.push(caller);
                    drop(place);
                }
                (Event::Leave(index), _) if !waiting.is_empty() => {
                    drop(waiting.remove(index % waiting.len()));
                }
                (Event::End, _) => {
                    if let Some(caller) = running.pop() {
                        queue.left(caller);
                    }
                }
                _ => {}
            }
            let state = queue.lock();
            prop_assert!(state.waiting.len() <= 8);
            match state.turn {
                Some(turn) => prop_assert!(state.waiting.iter().any(|waiter| waiter.ticket == turn)),
                None => prop_assert!(
                    state.full_at == Some(state.changes)
                        || state.waiting.iter().all(|waiter| waiter.tried_at == Some(state.changes))
                ),
            }
        }
        drop(waiting);
        running.into_iter().for_each(|caller| queue.left(caller));
        prop_assert!(queue.lock().callers.is_empty());
    }
}
