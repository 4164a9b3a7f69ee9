//! Seal, load, give back: and what is broken does not load.

use proptest::prelude::*;

use super::draft::*;
use super::{Draft, Flaw, HEADER, Plan, PlanError, TABLE_ENTRY, encode, section};
use crate::NanoDollars;
use crate::example;
use crate::limits::State;
use crate::plan::column::{Column as _, leading};
use crate::{Evaluation, decide, explain, fall_back};

mod arbitrary;

/// The file with the checksum of every section made right again.
pub(crate) fn reseal(mut bytes: Vec<u8>) -> Vec<u8> {
    for index in 0..section::COUNT {
        let entry = HEADER + index * TABLE_ENTRY;
        let number = |at: usize| u32::from_le_bytes(leading(&bytes[at..])) as usize;
        let (start, length) = (number(entry), number(entry + 4));
        let Some(content) = bytes.get(start..start.saturating_add(length)) else {
            return bytes;
        };
        let checksum = crc32fast::hash(content).to_le_bytes();
        bytes[entry + 8..entry + 12].copy_from_slice(&checksum);
    }
    bytes
}

fn check_flaw(change: impl FnOnce(&mut Draft), expected: Flaw) {
    let mut draft = example::draft();
    change(&mut draft);
    match Plan::load(encode(&draft)) {
        Err(PlanError::Record { flaw, .. }) => assert_eq!(flaw, expected),
        other => panic!("{other:?}"),
    }
}

#[test]
fn the_example_comes_back_as_it_was() {
    let draft = example::draft();
    let bytes = encode(&draft);
    assert_eq!(bytes, encode(&draft), "the same draft, the same bytes");
    let plan = Plan::load(bytes).unwrap();
    assert_eq!(plan.to_draft(), draft);
    assert_eq!(plan.model(1u16).unwrap().name(), "gpt-5.1");
    assert_eq!(plan.models().len(), draft.models.len());
    assert!(plan.needs().difficulty && plan.needs().prompt && plan.needs().tools);
    assert!(!plan.needs().messages);
    assert_eq!(plan.needs().headers, ["x-session-id"]);
}

#[test]
fn an_empty_draft_is_a_plan() {
    let plan = Plan::load(encode(&Draft::default())).unwrap();
    assert_eq!(plan.to_draft(), Draft::default());
}

#[test]
fn a_changed_file_is_refused() {
    let bytes = encode(&example::draft());
    let mut changed = bytes.clone();
    let last = changed.len() - 1;
    changed[last] ^= 1;
    assert_eq!(
        Plan::load(changed).unwrap_err(),
        PlanError::Checksum { section: "strings" }
    );
    assert_eq!(
        Plan::load(bytes[..last].to_vec()).unwrap_err(),
        PlanError::Length
    );
    assert_eq!(
        Plan::load(b"hello".to_vec()).unwrap_err(),
        PlanError::NotAPlan
    );
    let mut newer = bytes;
    newer[8] = 2;
    assert_eq!(Plan::load(newer).unwrap_err(), PlanError::Format(2));
}

#[test]
fn what_cannot_be_meant_is_refused() {
    check_flaw(|draft| draft.models[0].via = Via::Pool(9), Flaw::Index);
    check_flaw(|draft| draft.tiers[0].steps.clear(), Flaw::Empty);
    check_flaw(|draft| draft.quotas[0].outcomes.clear(), Flaw::NoOutcome);
    let shared = |redis, replicas| {
        move |draft: &mut Draft| {
            draft.shared = Some(Shared {
                redis,
                shares: false,
                replicas,
                namespace: "llm".to_owned(),
            });
        }
    };
    check_flaw(shared(0, 0), Flaw::Replicas);
    check_flaw(shared(99, 2), Flaw::Index);
    check_flaw(|draft| draft.denials[0].status = 200, Flaw::Status);
    check_flaw(
        |draft| draft.contents[0].threshold = Some(1.5),
        Flaw::Threshold,
    );
    check_flaw(
        |draft| draft.quotas[0].window = Window::Rolling(0),
        Flaw::Window,
    );
    for window in [Window::Sliding(0), Window::Session(0), Window::Open] {
        check_flaw(
            |draft| draft.quotas[0].window = window.clone(),
            Flaw::Window,
        );
    }
    check_flaw(
        |draft| draft.quotas[0].amount = Amount::Concurrent(5),
        Flaw::Window,
    );
    check_flaw(
        |draft| draft.quotas[0].window = Window::Calendar(Period::Day, "Mars/Olympus".to_owned()),
        Flaw::Zone,
    );
    check_flaw(
        |draft| draft.redactions[0].pattern = "(".to_owned(),
        Flaw::Pattern,
    );
    check_flaw(
        |draft| draft.redactions[0].pattern = "(a{1000}){1000}".to_owned(),
        Flaw::Pattern,
    );
    check_flaw(
        |draft| {
            draft.tiers[0].steps = vec![Step::Split {
                arms: vec![(0, 5000), (1, 4000)],
                key: None,
            }];
        },
        Flaw::Shares,
    );
    check_flaw(
        |draft| {
            let session = draft.contents[0].keep.as_ref().unwrap().session;
            draft.denials[0].when = session;
        },
        Flaw::ExpressionType,
    );
    check_flaw(
        |draft| {
            let below = Rates::simple(NanoDollars(-1), NanoDollars::ZERO, NanoDollars::ZERO);
            draft.models[0].price = Some(Price::flat(below));
        },
        Flaw::NegativeMoney,
    );
}

/// What stands in a row of a price must mean something, and the rows must follow one another.
#[test]
fn rows_of_a_price_that_do_not_follow_are_refused() {
    let check = |row: usize, place: usize, value: u8, expected: Flaw| {
        let mut bytes = encode(&example::draft());
        let entry = HEADER + section::PRICES * TABLE_ENTRY;
        let start = u32::from_le_bytes(leading(&bytes[entry..])) as usize;
        let at = start + row * crate::cost::Row::WIDTH + place;
        assert_ne!(bytes[at], value);
        bytes[at] = value;
        match Plan::load(reseal(bytes)) {
            Err(PlanError::Record { flaw, .. }) => assert_eq!(flaw, expected),
            other => panic!("{other:?}"),
        }
    };
    // phi-4-mini's one, then gpt-5.1's three.
    check(0, 0, 1, Flaw::Price);
    check(0, 0, 4, Flaw::Tag);
    check(1, 1, 1, Flaw::Price);
    check(2, 0, 3, Flaw::Price);
    check(3, 1, 7, Flaw::Price);
    check(3, 9, 2, Flaw::Tag);
    check(3, 9 + 8, 0x80, Flaw::NegativeMoney);
}

/// A small file whose strings all share the same bytes of the heap must not become a large plan.
#[test]
fn strings_that_share_their_bytes_are_bounded() {
    check_flaw(
        |draft| draft.claims = vec!["x".repeat(1 << 16); 1 << 11],
        Flaw::TooMuchText,
    );
    check_flaw(
        |draft| draft.constants.patterns = vec!["a".to_owned(); 1 << 12],
        Flaw::Pattern,
    );
    check_flaw(
        |draft| draft.constants.patterns = vec!["a".repeat(1 << 20)],
        Flaw::Pattern,
    );
}

#[test]
fn many_small_patterns_load() {
    let mut draft = example::draft();
    draft.constants.patterns = (0..1_500).map(|number| format!("^job-{number}$")).collect();
    assert!(Plan::load(encode(&draft)).is_ok());
}

proptest! {
    #[test]
    fn any_draft_comes_back_as_it_was_and_decides(draft in arbitrary::drafts()) {
        let bytes = encode(&draft);
        let plan = Plan::load(bytes.clone()).unwrap();
        prop_assert_eq!(plan.to_draft(), draft);
        prop_assert!(decides_if_it_loads(bytes));
    }

    #[test]
    fn what_is_cut_short_is_refused(length in 0usize..4000) {
        let bytes = encode(&example::draft());
        if length < bytes.len() {
            prop_assert!(Plan::load(bytes[..length].to_vec()).is_err());
        }
    }

    #[test]
    fn what_is_changed_and_resealed_is_refused_or_decides(
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6),
        near in any::<bool>(),
    ) {
        let mut bytes = encode(&example::draft());
        for (place, value) in changes {
            let place = HEADER + section::COUNT * TABLE_ENTRY
                + place.index(bytes.len() - HEADER - section::COUNT * TABLE_ENTRY);
            // Near values reach further into the verifier than any values do.
            bytes[place] = if near { bytes[place] ^ (1 << (value % 8)) } else { value };
        }
        decides_if_it_loads(reseal(bytes));
    }

    #[test]
    fn code_that_is_changed_and_resealed_is_refused_or_decides(
        changes in prop::collection::vec((any::<prop::sample::Index>(), 0u8..40), 1..4),
    ) {
        let mut bytes = encode(&example::draft());
        let entry = HEADER + section::CODE * TABLE_ENTRY;
        let start = u32::from_le_bytes(leading(&bytes[entry..])) as usize;
        let length = u32::from_le_bytes(leading(&bytes[entry + 4..])) as usize;
        for (place, value) in changes {
            bytes[start + place.index(length)] = value;
        }
        decides_if_it_loads(reseal(bytes));
    }

    #[test]
    fn any_change_without_its_checksum_is_refused(place in any::<prop::sample::Index>(), value in 1u8..) {
        let mut bytes = encode(&example::draft());
        let place = place.index(bytes.len());
        bytes[place] ^= value;
        prop_assert!(Plan::load(bytes).is_err());
    }
}

/// No input can make a verified plan fail, loop or panic.
fn decides_if_it_loads(bytes: Vec<u8>) -> bool {
    let Ok(plan) = Plan::load(bytes) else {
        return false;
    };
    let state = State::new(&plan, [1, 2]);
    let mut evaluation = Evaluation::default();
    for model in ["auto", "router-mf-0.2", "gpt-5.1"] {
        let mut request = example::request("Prove it.");
        request.model = std::borrow::Cow::Borrowed(model);
        request.tools = vec![example::tool("write_a"), example::tool("read_b")];
        let facts = example::facts(&request);
        let decision = decide(&plan, &facts, &state, &mut evaluation);
        let _ = fall_back(&plan, &facts, &state, &mut evaluation, &decision);
        let _ = explain(&plan, &facts, &state, &mut evaluation);
    }
    assert_eq!(plan.to_draft().compiler, plan.compiler());
    true
}

#[test]
fn the_example_unchanged_loads_and_decides() {
    assert!(decides_if_it_loads(encode(&example::draft())));
}
