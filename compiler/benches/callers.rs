//! A thousand callers under a hundred limits and budgets: one decision by itself, and with its reservation and its
//! settlement, at the median and at the far end; and what it allocates, which is nothing.
//!
//! `cargo bench -p waypost-compiler --bench callers`. Of each figure the best of several rounds is printed: what other
//! processes do to a round is not ours.

use std::borrow::Cow;
use std::fmt::Write as _;
use std::hint::black_box;
use std::time::Instant;

use waypost_compiler::{check, lower};
use waypost_policies::facts::Facts;
use waypost_policies::limits::{Spent, State};
use waypost_policies::plan::{Plan, encode};
use waypost_policies::{Evaluation, Outcome, decide, example};

const CALLERS: usize = 1_000;
const TEAMS: usize = 40;
const ROUNDS: usize = 12;
const CALLS: usize = 50_000;
/// From one call to the next: five thousand a second, five of each caller.
const STEP: i64 = 200_000;

/// A hundred: what a company of forty teams writes. Six to nine apply to a call.
fn file() -> String {
    let mut text = String::from(
        "waypost 1\nsecret keys = env(\"KEYS\")\nprovider hosted { kind openai  auth none }\n",
    );
    for model in 0..8 {
        let _ = writeln!(
            text,
            "model m-{model} {{ via hosted  context 128k  output 4k  price input $1.25  output $10 }}"
        );
    }
    text.push_str(
        "tiers weak < strong\ntier weak { try m-0 then m-1 }\ntier strong { try m-2 then m-3 }\n",
    );
    text.push_str("content { accept \"auto\"  start weak\n  escalate to strong \"long\" when request.tokens > 24k\n}\n");
    text.push_str("policy {\n  callers { keys secret keys  anonymous deny }\n");
    text.push_str("  deny \"blocked\" when caller.plan == \"blocked\"\n");
    text.push_str("  limit 600 requests / 1m per caller.key\n");
    text.push_str("  limit 400k tokens / 1m per caller.agent { at 80% warn  at 100% deny }\n");
    text.push_str("  budget $900000 / day per caller.team { at 80% warn  at 100% cap at weak }\n");
    text.push_str("  budget $9000000 / month\n");
    for team in 0..TEAMS {
        let _ = writeln!(
            text,
            "  limit 150k requests / 1h \"r{team}\" per caller.agent when caller.team == \"team-{team}\""
        );
        let _ = writeln!(
            text,
            "  budget $90000 / month \"b{team}\" when caller.team == \"team-{team}\""
        );
    }
    for plan in 0..8 {
        let _ = writeln!(
            text,
            "  limit 100k tokens / 1m \"p{plan}\" per caller.key when caller.plan == \"plan-{plan}\""
        );
        let _ = writeln!(text, "  budget $900000 / day \"m{plan}\" on m-{plan}");
    }
    text.push_str("}\n");
    text
}

fn plan() -> Plan {
    let checked = check("callers.route", &file(), &|_: &str| None);
    let Some(program) = checked.program else {
        let first = checked.diagnostics.first().map(|found| &found.message);
        unreachable!("the file compiles: {first:?}")
    };
    match Plan::load(encode(&lower(&program, &checked.sources))) {
        Ok(plan) => plan,
        Err(error) => unreachable!("the plan loads: {error}"),
    }
}

struct World {
    plan: Plan,
    state: State,
    evaluation: Evaluation,
    now: i64,
}

impl World {
    fn decide(&mut self, facts: &mut Facts<'_>) {
        self.now += STEP;
        facts.now = self.now;
        let decision = decide(&self.plan, facts, &self.state, &mut self.evaluation);
        assert!(matches!(decision.outcome, Outcome::Route(_)));
        black_box(decision);
    }

    /// Decides, reserves and settles; how many charges it came to.
    fn whole(&mut self, facts: &mut Facts<'_>) -> usize {
        self.now += STEP;
        facts.now = self.now;
        let decision = decide(&self.plan, facts, &self.state, &mut self.evaluation);
        let Outcome::Route(route) = decision.outcome else {
            unreachable!("there is room: {decision:?}")
        };
        let Ok(held) = self.state.reserve(&route.charges, facts.now) else {
            unreachable!("there is room")
        };
        let spent = Spent {
            requests: 1,
            tokens: 120,
            money: 40_000,
        };
        self.state.settle(held, spent, facts.now);
        route.charges.len()
    }
}

/// The figures of one round, in nanoseconds.
#[derive(Clone, Copy)]
struct Figures {
    median: u128,
    p99: u128,
    p999: u128,
}

fn round(callers: &mut [Facts<'_>], mut call: impl FnMut(&mut Facts<'_>)) -> Figures {
    let mut times = Vec::with_capacity(CALLS);
    let count = callers.len();
    for number in 0..CALLS {
        // Callers come in no order.
        let Some(facts) = callers.get_mut(number * 7_919 % count) else {
            continue;
        };
        let started = Instant::now();
        call(facts);
        times.push(started.elapsed().as_nanos());
    }
    times.sort_unstable();
    let at = |thousandth: usize| times.get(times.len() * thousandth / 1_000).copied();
    Figures {
        median: at(500).unwrap_or_default(),
        p99: at(990).unwrap_or_default(),
        p999: at(999).unwrap_or_default(),
    }
}

fn report(what: &str, callers: &mut [Facts<'_>], mut call: impl FnMut(&mut Facts<'_>)) {
    let rounds = (0..ROUNDS).map(|_| round(callers, &mut call));
    let best = rounds.reduce(|best, next| Figures {
        median: best.median.min(next.median),
        p99: best.p99.min(next.p99),
        p999: best.p999.min(next.p999),
    });
    let allocations = allocation_counter::measure(|| callers.iter_mut().for_each(&mut call));
    if let Some(Figures { median, p99, p999 }) = best {
        println!(
            "{what:<28} median {median:>6} ns   p99 {p99:>6} ns   p99.9 {p999:>6} ns   {} allocations in {} calls",
            allocations.count_total,
            callers.len()
        );
    }
}

fn main() {
    let plan = plan();
    let request = example::request("What is 2+2?");
    let mut callers: Vec<Facts<'_>> = (0..CALLERS).map(|_| example::facts(&request)).collect();
    for (number, facts) in callers.iter_mut().enumerate() {
        facts.caller.key = Cow::Owned(format!("key-{number}"));
        facts.caller.agent = Cow::Owned(format!("agent-{}", number % 250));
        facts.caller.team = Cow::Owned(format!("team-{}", number % TEAMS));
        facts.caller.plan = Cow::Owned(format!("plan-{}", number % 8));
    }
    let mut world = World {
        state: State::new(&plan, [1, 2]),
        evaluation: Evaluation::default(),
        now: 1_795_521_600_000_000_000,
        plan,
    };
    println!(
        "{} limits and budgets, {CALLERS} callers",
        world.plan.quotas().len()
    );
    // Each caller's first call makes its buckets.
    let charges: usize = callers.iter_mut().map(|facts| world.whole(facts)).sum();
    println!("{:.1} apply to a call", charges as f64 / CALLERS as f64);
    report("decide", &mut callers, |facts| world.decide(facts));
    report("decide, reserve and settle", &mut callers, |facts| {
        world.whole(facts);
    });
}
