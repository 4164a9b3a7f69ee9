//! All our texts, plans and bodies, damaged in every way that files are: what must hold of every input holds of these.
//! The seeds are fixed, so that a run says the same each time; `WAYPOST_MUTATIONS=20` tries twenty times as many.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::print_stderr,
    reason = "tests"
)]

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::LazyLock;
use std::time::{Duration, Instant};

use waypost_tests::corpus::{self, Source};
use waypost_tests::holds;
use waypost_tests::mutation::Mutator;

/// Far longer than any takes, on a busy machine too.
const TOO_LONG: Duration = Duration::from_secs(20);

static SOURCES: LazyLock<Vec<Source>> = LazyLock::new(corpus::sources);

/// How many mutations to try where one run tries `count`.
fn times(count: usize) -> usize {
    let more = std::env::var("WAYPOST_MUTATIONS").ok();
    count * more.map_or(1, |more| more.parse().expect("a number"))
}

/// Holds a property against one input; where it does not hold, shows the input.
fn hold<T: ?Sized + std::fmt::Debug>(input: &T, shown: &str, property: &dyn Fn(&T)) {
    let started = Instant::now();
    if let Err(failure) = catch_unwind(AssertUnwindSafe(|| property(input))) {
        eprintln!("--- of:\n{shown}\n--- which is {input:?}");
        resume_unwind(failure);
    }
    assert!(started.elapsed() < TOO_LONG, "it took too long:\n{shown}");
}

/// Every text as it is, and as many of them mutated.
fn each_text(seed: u64, count: usize, property: &dyn Fn(&str)) {
    for source in SOURCES.iter() {
        hold(source.text.as_str(), &source.name, property);
    }
    let mut mutator = Mutator::new(seed);
    for turn in 0..times(count) {
        let base = &SOURCES[turn % SOURCES.len()].text;
        let other = &SOURCES[mutator.below(SOURCES.len())].text;
        let text = mutator.text(base, other);
        hold(text.as_str(), &text, property);
    }
}

#[test]
fn any_text_is_read_whole() {
    each_text(1, 1_200, &|text| {
        holds::parsed(text);
    });
}

#[test]
fn what_is_sound_has_one_form() {
    each_text(2, 900, &holds::formatted);
}

#[test]
fn any_text_is_checked_and_linted() {
    each_text(3, 500, &holds::checked);
}

#[test]
fn a_fix_leaves_no_file_worse() {
    let applied = std::cell::Cell::new(0);
    each_text(4, 150, &|text| {
        applied.set(applied.get() + holds::fixed(text));
    });
    assert!(applied.get() > 100, "{} fixes", applied.get());
}

/// Every beginning of the larger files.
#[test]
fn a_file_may_end_anywhere() {
    for source in SOURCES
        .iter()
        .filter(|one| one.name.starts_with("examples"))
    {
        for end in (0..source.text.len()).step_by(37) {
            let end = (0..=end)
                .rev()
                .find(|end| source.text.is_char_boundary(*end));
            let text = &source.text[..end.unwrap_or(0)];
            hold(text, text, &|text| {
                holds::parsed(text);
                holds::formatted(text);
                holds::checked(text);
            });
        }
    }
}

#[test]
fn what_is_no_text_is_read_too() {
    let mut mutator = Mutator::new(5);
    let noise = |mutator: &mut Mutator, length: usize| -> Vec<u8> {
        (0..length)
            .map(|_| u8::try_from(mutator.below(256)).unwrap())
            .collect()
    };
    let deep = [
        "{", "(", "[", "tier a {", "when (", "!", "a.", "[?", "\"", "}",
    ];
    let mut texts: Vec<String> = deep.iter().map(|one| one.repeat(5_000)).collect();
    texts.extend(
        deep.iter()
            .map(|one| format!("waypost 1\nlet A = {}", one.repeat(5_000))),
    );
    texts.extend((0..50).map(|length| {
        let bytes = noise(&mut mutator, length * 7);
        String::from_utf8_lossy(&bytes).into_owned()
    }));
    texts.extend(
        [
            "",
            " ",
            "\n",
            "\u{feff}",
            "\0",
            "\u{feff}waypost 1\r\n",
            "waypost 1",
        ]
        .map(str::to_owned),
    );
    texts.push(format!("waypost 1 // {}", "x".repeat(200_000)));
    texts.push(format!("waypost 1\nlet A = [{}1]\n", "1, ".repeat(20_000)));
    let entries = (0..20_000).map(|number| format!("{number}: 1, "));
    texts.push(format!(
        "waypost 1\nlet A = {{{}}}\n",
        entries.collect::<String>()
    ));
    for text in texts {
        let shown = text.chars().take(100).collect::<String>();
        hold(text.as_str(), &shown, &|text| {
            holds::parsed(text);
            holds::formatted(text);
            holds::checked(text);
            holds::fixed(text);
        });
    }
}

#[test]
fn an_expression_that_is_accepted_has_a_value() {
    let conditions = corpus::conditions(&SOURCES);
    let accepted = std::cell::Cell::new(0);
    let property = |text: &str| {
        holds::expression(text);
        accepted.set(accepted.get() + usize::from(holds::condition(text)));
    };
    for text in &conditions {
        hold(text.as_str(), text, &property);
    }
    assert!(accepted.get() > 40, "{} accepted", accepted.get());
    let mut mutator = Mutator::new(6);
    for turn in 0..times(800) {
        let base = &conditions[turn % conditions.len()];
        let other = &conditions[mutator.below(conditions.len())];
        let text = mutator.text(base, other);
        hold(text.as_str(), &text, &property);
    }
    assert!(accepted.get() > 80, "{} accepted", accepted.get());
}

#[test]
fn any_plan_is_refused_or_decides() {
    let plans = corpus::plans(&SOURCES);
    assert!(plans.len() >= 15, "{} plans", plans.len());
    let loaded = std::cell::Cell::new(0);
    let property = |bytes: &[u8]| {
        loaded.set(loaded.get() + usize::from(holds::plan(bytes.to_vec())));
    };
    for plan in &plans {
        hold(plan.as_slice(), "a plan", &property);
    }
    assert_eq!(loaded.take(), plans.len());
    let mut mutator = Mutator::new(7);
    for turn in 0..times(1_500) {
        let bytes = mutator.bytes(&plans[turn % plans.len()]);
        hold(bytes.as_slice(), "a plan", &property);
        hold(
            holds::reseal(bytes).as_slice(),
            "a resealed plan",
            &property,
        );
    }
    assert!(loaded.get() > 30, "{} loaded", loaded.get());
}

#[test]
fn any_body_is_refused_or_decided_on() {
    let bodies = corpus::bodies();
    let mut mutator = Mutator::new(8);
    for body in &bodies {
        hold(body.as_slice(), "a body", &holds::call);
    }
    for turn in 0..times(1_000) {
        let base = &bodies[turn % bodies.len()];
        let body = match turn % 3 {
            0 => mutator.bytes(base),
            _ => {
                let other = &bodies[mutator.below(bodies.len())];
                let (base, other) = (
                    String::from_utf8_lossy(base),
                    String::from_utf8_lossy(other),
                );
                mutator.text(&base, &other).into_bytes()
            }
        };
        hold(
            body.as_slice(),
            &String::from_utf8_lossy(&body),
            &holds::call,
        );
    }
}

#[test]
fn any_ledger_is_refused_or_comes_back() {
    let ledger = holds::ledger();
    assert!(holds::replayed(&ledger) > 4);
    let mut mutator = Mutator::new(9);
    for _ in 0..times(1_000) {
        let bytes = mutator.bytes(&ledger);
        hold(bytes.as_slice(), "a ledger", &|bytes: &[u8]| {
            holds::replayed(bytes);
        });
    }
}
