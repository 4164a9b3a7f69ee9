//! An adversary: knows the file, sends what costs most, settles each call at all that it reserved, and keeps the books.
//!
//! Everything goes through `decide`, `fall_back` and the limits' own state, with a clock that stands until it is moved.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr};

use waypost_compiler::ceiling::Horizon;
use waypost_compiler::{Program, check, lower};
use waypost_policies::facts::Surface;
use waypost_policies::limits::{Calendar, Spent, State};
use waypost_policies::plan::draft::Period;
use waypost_policies::plan::encode;
use waypost_policies::{Caller, Decision, Evaluation, Facts, Outcome, Plan, Request};
use waypost_policies::{decide, fall_back};

/// 2026-01-31T22:00:00Z: a day, a week and a month end soon.
pub const START: i64 = 1_769_896_800_000_000_000;
pub const SECOND: i64 = 1_000_000_000;
const HOUR: i64 = 3600 * SECOND;

/// What a call is like.
#[derive(Debug, Clone)]
pub struct Shape {
    pub model: String,
    /// In the header `x-tier`, which the files escalate by.
    pub tier: String,
    /// In the header `x-any`.
    pub any: String,
    pub surface: Surface,
    pub tokens: u64,
    pub max_tokens: Option<u64>,
    pub answers: u64,
    pub caller: usize,
    pub replica: usize,
}

/// Key, team, agent and plan.
pub const CALLERS: [(&str, &str, &str, &str); 3] = [
    ("ann", "red", "a", "free"),
    ("bob", "red", "b", "pro"),
    ("cid", "blue", "", ""),
];

/// Of which calls: all, those of a caller, those of a tier, or both.
pub type Subject = (Option<usize>, Option<u16>);

pub struct World {
    pub program: Program,
    plan: Plan,
    replicas: Vec<State>,
    evaluation: Evaluation,
    zone: String,
    /// Nano-dollars by subject, horizon and the window's start.
    books: BTreeMap<(Subject, Horizon, i64), u128>,
    pub admitted: usize,
}

impl World {
    pub fn new(text: &str, zone: &str, replicas: u64) -> Self {
        let checked = check("spend.route", text, &|_: &str| None);
        let program = checked
            .program
            .unwrap_or_else(|| panic!("{text}\n{:#?}", checked.diagnostics));
        let plan = Plan::load(encode(&lower(&program, &checked.sources))).unwrap();
        Self {
            replicas: (0..replicas).map(|_| State::new(&plan, [1, 2])).collect(),
            program,
            plan,
            evaluation: Evaluation::default(),
            zone: zone.to_owned(),
            books: BTreeMap::new(),
            admitted: 0,
        }
    }

    /// Sends a call; the first `failures` models that are tried fail unbilled. Whether any answered.
    pub fn send(&mut self, shape: &Shape, failures: usize, now: i64) -> bool {
        let headers = self.plan.needs().headers.iter();
        let headers = headers.map(|name| match name.as_str() {
            "x-tier" => Some(Cow::Borrowed(shape.tier.as_str())),
            "x-any" => Some(Cow::Borrowed(shape.any.as_str())),
            _ => None,
        });
        let request = Request {
            surface: shape.surface,
            model: Cow::Borrowed(&shape.model),
            tokens: shape.tokens,
            largest_prompt: shape.tokens,
            max_tokens: shape.max_tokens,
            answers: shape.answers,
            headers: headers.collect(),
            ..Request::default()
        };
        // Where no key is known, all callers are nobody.
        let known = self.program.policy.keys.is_some();
        let caller = if known { shape.caller } else { 0 };
        let (key, team, agent, plan) = if known {
            CALLERS[caller]
        } else {
            ("", "", "", "")
        };
        let facts = Facts {
            request: &request,
            caller: Caller {
                key: key.into(),
                team: team.into(),
                agent: agent.into(),
                plan: plan.into(),
                ..Caller::default()
            },
            source_ip: IpAddr::V4(Ipv4Addr::LOCALHOST),
            now,
            difficulty: Some(0.0),
        };
        let state = &self.replicas[shape.replica % self.replicas.len()];
        let mut decision = decide(&self.plan, &facts, state, &mut self.evaluation);
        for _ in 0..failures {
            let Outcome::Route(route) = &decision.outcome else {
                break;
            };
            let Ok(held) = state.reserve(&route.charges, now) else {
                return false;
            };
            state.refund(held, now);
            decision = fall_back(&self.plan, &facts, state, &mut self.evaluation, &decision);
        }
        let Outcome::Route(route) = &decision.outcome else {
            return false;
        };
        let Ok(held) = state.reserve(&route.charges, now) else {
            return false;
        };
        let cost = u64::try_from(route.ceiling.0).unwrap();
        let answers = route.max_tokens.saturating_mul(request.answers);
        let spent = Spent {
            requests: 1,
            tokens: request.tokens.saturating_add(answers),
            money: cost,
        };
        state.settle(held, spent, now);
        self.book(&decision, caller, u128::from(cost), now);
        true
    }

    fn book(&mut self, decision: &Decision, caller: usize, cost: u128, now: i64) {
        self.admitted += 1;
        let (tier, zone) = (Some(decision.tier), &self.zone);
        let start = |period| Calendar::new(period, zone).unwrap().span(now).start;
        let windows = [
            (Horizon::Hour, now.div_euclid(HOUR) * HOUR),
            (Horizon::Day, start(Period::Day)),
            (Horizon::Month, start(Period::Month)),
        ];
        let caller = Some(caller);
        for subject in [(None, None), (caller, None), (None, tier), (caller, tier)] {
            for (horizon, start) in windows {
                *self.books.entry((subject, horizon, start)).or_default() += cost;
            }
        }
    }

    /// The most that was spent in any one window.
    pub fn most(&self, subject: impl Fn(Subject) -> bool, horizon: Horizon) -> u128 {
        let books = self.books.iter();
        let wanted = books.filter(|((of, window, _), _)| *window == horizon && subject(*of));
        wanted.map(|(_, spent)| *spent).max().unwrap_or(0)
    }
}
