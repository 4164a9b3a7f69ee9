//! No adversary gets beyond a ceiling; and in simple files one gets at least half way.

use std::fmt::Write as _;

use proptest::prelude::*;
use proptest::sample::select;
use waypost_compiler::ceiling::{Ceiling, Ceilings, Figures, Horizon};
use waypost_compiler::{Program, ceiling};
use waypost_policies::facts::Surface;

use super::adversary::{CALLERS, SECOND, START, Shape, World};
use super::figures::{file, program};

/// A small file that uses any of what may bound money.
fn files() -> impl Strategy<Value = String> {
    let models = prop::collection::vec(model(), 3);
    let tiers = (tier(), tier(), tier());
    let rules = prop::collection::vec(prop_oneof![5 => quota(), 1 => denial(), 1 => cap()], 0..5);
    let replicas = prop_oneof![3 => Just(String::new()), 1 => Just("deploy kubernetes { namespace \"n\"  replicas 1..2 }\n".to_owned())];
    let callers = select(vec![
        "keys secret keys  anonymous deny",
        "keys secret keys  anonymous deny",
        "anonymous allow",
    ]);
    let accept = select(vec![
        "\"auto\"",
        "\"auto\", models",
        "\"auto\", \"alias\" as m1",
    ]);
    (models, tiers, rules, replicas, callers, accept).prop_map(
        |(models, tiers, rules, replicas, callers, accept)| {
            let mut text = String::from("waypost 1\nsecret keys = env(\"K\")\nprovider lab { kind openai-compatible  url \"http://127.0.0.1:9/v1\"  auth none }\n");
            for (index, model) in models.iter().enumerate() {
                writeln!(text, "model m{index} {{ via lab  {model} }}").unwrap();
            }
            text += "tiers t0 < t1 < t2\n";
            for (index, tier) in [tiers.0, tiers.1, tiers.2].iter().enumerate() {
                writeln!(text, "tier t{index} {{ {tier} }}").unwrap();
            }
            writeln!(text, "content {{\n  accept {accept}\n  start t0").unwrap();
            for tier in 1..3 {
                writeln!(text, "  escalate to t{tier} \"e{tier}\" when request.headers[?\"x-tier\"].orValue(\"\") == \"t{tier}\"").unwrap();
            }
            writeln!(text, "}}\npolicy {{\n  callers {{ {callers} }}").unwrap();
            for (index, rule) in rules.iter().enumerate() {
                writeln!(text, "  {}", rule.replace("LABEL", &format!("\"r{index}\""))).unwrap();
            }
            text + "}\n" + &replicas
        },
    )
}

fn model() -> impl Strategy<Value = String> {
    let context = select(vec!["context 1k", "context 8k", "context 100k"]);
    let output = select(vec!["", "  output 100", "  output 900"]);
    let price = select(vec![
        "  price input $1  output $2",
        "  price input $0.0375  output $0.15",
        "  price input $2  cached $3  output $1",
        "  price input $10  output $0",
        "  price input $0  output $0",
        "  price input $0.0000007  output $0.0000009",
    ]);
    let serves = select(vec![
        "",
        "",
        "",
        "  serves chat, embeddings",
        "  serves chat, completions",
    ]);
    (context, output, price, serves).prop_map(|(a, b, c, d)| format!("{a}{b}{c}{d}"))
}

fn tier() -> impl Strategy<Value = String> {
    select(vec![
        "try m0",
        "try m1",
        "try m0 then m1",
        "try m1 then m2 then m0",
        "split m2 60%, m0 40% then m1",
        "try m2  retries 2",
    ])
    .prop_map(str::to_owned)
}

fn quota() -> impl Strategy<Value = String> {
    let amount = select(vec![
        "limit 3 requests",
        "limit 40 requests",
        "limit 500 tokens",
        "limit 30k tokens",
        "limit $0.01",
        "limit $1",
    ]);
    let window = select(vec![
        "/ 1m",
        "/ 1h",
        "/ 7h",
        "/ 30d",
        "/ day",
        "/ day",
        "/ week",
        "/ month",
        "/ sliding 1h",
        "/ sliding 5h",
        "/ session idle 2h",
        "/ call",
        "/ day in \"Europe/Berlin\"",
        "/ month in \"Asia/Kolkata\"",
    ]);
    let per = select(vec![
        "",
        "",
        "",
        "per caller.key",
        "per caller.team",
        "per caller.plan",
        "per tier",
        "per caller.agent + model",
        "per request.headers[?\"x-any\"].orValue(\"\")",
    ]);
    let on = select(vec!["", "", "on m0", "on m1", "on m2", "on t1"]);
    let outcomes = select(vec![
        "",
        "",
        "{ at 50% deny }",
        "{ at 80% warn }",
        "{ at 100% cap at t0 }",
        "{ at 50% cap at t1  at 120% deny }",
        "{ at 30% cap at t0  at 60% cap at t1  at 100% deny }",
    ]);
    let when = select(vec![
        "",
        "",
        "",
        "when tier == \"t1\"",
        "when model != \"m0\"",
        "when caller.plan == \"free\"",
        "when tier in [\"t0\", \"t2\"]",
    ]);
    (amount, window, per, on, outcomes, when).prop_map(
        |(amount, window, per, on, outcomes, when)| {
            let (amount, window) = match (window, amount) {
                ("/ call", amount) if amount.ends_with("requests") => ("limit 2 concurrent", ""),
                // Which session it is, a key says here.
                (window, amount) if window.contains("session") && per.is_empty() => {
                    (amount, "/ sliding 7h")
                }
                (window, amount) => (amount, window),
            };
            let burst = if amount.contains("40") && ["/ 1h", "/ 7h"].contains(&window) {
                "burst 5"
            } else {
                ""
            };
            format!("{amount} {window} {burst} {per} {on} LABEL {outcomes} {when}")
        },
    )
}

fn denial() -> impl Strategy<Value = String> {
    select(vec![
        "cost.ceiling > 0.02",
        "request.tokens > 300",
        "request.max_tokens >= 50",
        "tier == \"t2\" && cost.ceiling > 0.001",
        "model == \"m1\"",
        "caller.plan == \"free\" || 700 <= request.tokens",
    ])
    .prop_map(|when| format!("deny LABEL when {when}"))
}

fn cap() -> impl Strategy<Value = String> {
    Just("cap at t1 LABEL when caller.plan == \"free\"".to_owned())
}

fn shape() -> impl Strategy<Value = Shape> {
    let model = select(vec!["auto", "auto", "auto", "m0", "m1", "m2", "alias"]);
    let surface = select(vec![
        Surface::Chat,
        Surface::Chat,
        Surface::Embeddings,
        Surface::Completions,
    ]);
    let tokens = select(vec![
        0_u64, 1, 299, 700, 900, 3_999, 7_000, 7_999, 95_900, 99_999, 100_000,
    ]);
    let max_tokens = select(vec![
        None,
        None,
        Some(0),
        Some(1),
        Some(49),
        Some(100),
        Some(4_000),
        Some(u64::from(u32::MAX)),
    ]);
    let answers = select(vec![1_u64, 1, 7, 128]);
    let tier = select(vec!["", "t1", "t2"]);
    (
        model,
        surface,
        tokens,
        max_tokens,
        answers,
        tier,
        0..CALLERS.len(),
        0..2_usize,
        "[a-c]",
    )
        .prop_map(
            |(model, surface, tokens, max_tokens, answers, tier, caller, replica, any)| Shape {
                model: model.to_owned(),
                tier: tier.to_owned(),
                any,
                surface,
                tokens,
                max_tokens,
                // What the request reader makes of each surface.
                answers: if surface == Surface::Embeddings {
                    0
                } else {
                    answers
                },
                caller,
                replica,
            },
        )
}

/// What the adversary does: so many calls of this shape, of which so many models fail, and then waits.
#[derive(Debug, Clone)]
struct Move {
    shape: Shape,
    times: usize,
    failures: usize,
    wait: i64,
}

fn moves() -> impl Strategy<Value = Vec<Move>> {
    let wait = prop_oneof![
        4 => Just(0_i64), 2 => Just(30), 2 => Just(3_599), 1 => Just(3_600), 1 => 0_i64..90_000, 1 => Just(86_400), 1 => Just(8 * 86_400),
    ];
    let one = (
        shape(),
        select(vec![1_usize, 5, 60]),
        select(vec![0_usize, 0, 1, 2]),
        wait,
    )
        .prop_map(|(shape, times, failures, wait)| Move {
            shape,
            times,
            failures,
            wait: wait * SECOND,
        });
    prop::collection::vec(one, 1..60)
}

fn play(text: &str, moves: &[Move], ceilings: &Ceilings) -> World {
    let mut world = World::new(text, &ceilings.zone, ceilings.replicas);
    let mut now = START;
    for one in moves {
        for _ in 0..one.times {
            if !world.send(&one.shape, one.failures, now) {
                break;
            }
        }
        now += one.wait;
    }
    world
}

/// Every ceiling beside the most that was spent under it.
fn pairs<'c>(ceilings: &'c Ceilings, world: &World) -> Vec<(String, &'c Ceiling, u128)> {
    let mut pairs = Vec::new();
    for horizon in Horizon::ALL {
        let name = horizon.name();
        let mut add = |what: String, figures: &'c Figures, spent: u128| {
            pairs.push((format!("{what}, {name}"), figures.of(horizon), spent));
        };
        let file = &ceilings.file;
        add(
            "the file".to_owned(),
            &file.everyone,
            world.most(|of| of == (None, None), horizon),
        );
        add(
            "a caller".to_owned(),
            &file.caller,
            world.most(|of| of.0.is_some() && of.1.is_none(), horizon),
        );
        for (tier, scope) in (0..).zip(&ceilings.tiers) {
            let spent = world.most(|of| of == (None, Some(tier)), horizon);
            add(format!("tier {tier}"), &scope.everyone, spent);
            let spent = world.most(|of| of.0.is_some() && of.1 == Some(tier), horizon);
            add(format!("a caller, tier {tier}"), &scope.caller, spent);
        }
    }
    pairs
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(CASES))]

    #[test]
    fn no_adversary_spends_more_than_the_ceiling(text in files(), moves in moves()) {
        let program = program(&text);
        let ceilings = ceiling(&program);
        let world = play(&text, &moves, &ceilings);
        for (what, ceiling, spent) in pairs(&ceilings, &world) {
            if let Some(most) = ceiling.most() {
                prop_assert!(spent <= most.0, "{what}: spent {spent} nano-dollars, at most {most} by {:?}\n{text}", ceiling.by());
            }
        }
    }
}

const CASES: u32 = 300;

/// Spends all it can from the first second of a month: the dearest call that fits, again and again.
fn spend_all(text: &str, ceilings: &Ceilings, hours: i64, step: i64) -> World {
    /// 2026-03-01T00:00:00Z, a month of 31 days.
    const MARCH: i64 = 1_772_323_200_000_000_000;
    let mut world = World::new(text, "UTC", ceilings.replicas);
    let sizes = [
        (90_000, 10_000, 128),
        (90_000, 10_000, 1),
        (0, 10_000, 1),
        (0, 1_000, 1),
        (9_000, 1_000, 1),
        (900, 100, 1),
    ];
    let mut now = MARCH;
    while now < MARCH + hours * 3600 * SECOND {
        for (tokens, max_tokens, answers) in sizes {
            for tier in ["strong", ""] {
                for replica in 0..usize::try_from(ceilings.replicas).unwrap() {
                    let shape = Shape {
                        model: "auto".to_owned(),
                        tier: tier.to_owned(),
                        any: String::new(),
                        surface: Surface::Chat,
                        tokens,
                        max_tokens: Some(max_tokens),
                        answers,
                        caller: 0,
                        replica,
                    };
                    while world.send(&shape, 0, now) {}
                }
            }
        }
        now += step * SECOND;
    }
    world
}

#[track_caller]
fn check_tight(policy: &str, horizon: Horizon, hours: i64, step: i64) {
    let text = file(policy).replace(
        "when request.tokens > 2000",
        "when request.headers[?\"x-tier\"].orValue(\"\") == \"strong\"",
    );
    let ceilings = ceiling(&program(&text));
    let world = spend_all(&text, &ceilings, hours, step);
    let most = ceilings.file.everyone.of(horizon).most().unwrap().0;
    let spent = world.most(|of| of == (None, None), horizon);
    assert!(spent <= most, "{policy}: {spent} of {most}");
    assert!(2 * spent >= most, "{policy}: only {spent} of {most}");
}

#[test]
fn an_adversary_gets_at_least_half_way() {
    check_tight("budget $50 / day", Horizon::Day, 3, 3600);
    check_tight("budget $5 / day", Horizon::Month, 31 * 24, 6 * 3600);
    check_tight("budget $900 / month", Horizon::Month, 3, 3600);
    check_tight("limit $6 / 1h", Horizon::Hour, 1, 60);
    check_tight("limit $6 / 1h", Horizon::Day, 24, 600);
    check_tight("limit 60k tokens / 1m", Horizon::Hour, 1, 10);
    check_tight("limit 10 requests / 1h", Horizon::Day, 24, 600);
    check_tight("limit $6 / sliding 1h", Horizon::Day, 24, 60);
    check_tight("limit 60k tokens / sliding 1m", Horizon::Hour, 1, 10);
    check_tight(
        "budget $0.30 / call\n  limit 10 requests / day",
        Horizon::Day,
        1,
        3600,
    );
    check_tight(
        "limit 3 requests / day\n  deny \"dear\" when cost.ceiling > 0.3",
        Horizon::Day,
        1,
        3600,
    );
    check_tight(
        "budget $50 / day { at 80% deny }\n  limit $1 / 1m on cheap",
        Horizon::Day,
        24,
        600,
    );
    check_tight(
        "budget $5 / day { at 100% cap at weak  at 150% deny }",
        Horizon::Day,
        1,
        3600,
    );
}

#[test]
fn replicas_are_spent_too() {
    let text = file("budget $50 / day") + "deploy kubernetes { namespace \"n\"  replicas 4 }\n";
    let ceilings = ceiling(&program(&text));
    let world = spend_all(&text, &ceilings, 1, 3600);
    let spent = world.most(|of| of == (None, None), Horizon::Day);
    assert!(
        (100_000_000_000..=200_000_000_000).contains(&spent),
        "{spent}"
    );
}

#[test]
fn the_adversary_is_worth_its_name() {
    // A ceiling that forgot what a bucket holds at first would be passed.
    let text = file("limit $6 / 1h");
    let ceilings = ceiling(&program(&text));
    let world = spend_all(&text, &ceilings, 1, 60);
    assert!(world.most(|of| of == (None, None), Horizon::Hour) > 6_000_000_000);
    let _: &Program = &world.program;
    assert!(world.admitted > 0);
}
