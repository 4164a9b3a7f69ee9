//! What calls are charged, whatever becomes of them and in whatever order: attempts, streams, fallbacks, models asked
//! beside others, callers who hang up, and plans that replace one another. No sockets: what happens is said by the test.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests"
)]

use std::borrow::Cow;
use std::net::Ipv4Addr;

use proptest::prelude::*;
use waypost_policies::NanoDollars;
use waypost_policies::cost::Rates;
use waypost_policies::decision::Decision;
use waypost_policies::facts::Caller;
use waypost_policies::plan::draft::{self, *};
use waypost_policies::plan::{Plan, encode};

use super::admit::Manners;
use super::*;
use crate::account::{Asked, Held, Lanes};
use crate::failure::Tried;
use crate::settings::Settings;
use crate::usage::Reported;

/// Nano-dollars per token of prompt and answer, by model.
const PRICES: [(i64, i64); 3] = [(1_000, 2_000), (7_000, 30_000), (50, 90)];
const PROMPT: u64 = 40;
const ANSWER: u64 = 100;
const QUOTAS: [&str; 3] = ["calls", "tokens", "dollars"];

fn model(number: usize) -> draft::Model {
    let (input, output) = PRICES[number];
    let of_million = |nanos: i64| NanoDollars(nanos * 1_000_000);
    draft::Model {
        name: format!("m{number}"),
        via: Via::Provider(0),
        upstream_name: format!("m{number}"),
        context: Some(100_000),
        output: Some(ANSWER),
        price: Some(Price::flat(Rates::simple(
            of_million(input),
            of_million(input),
            of_million(output),
        ))),
        rejects: Vec::new(),
        chat: true,
        completions: true,
        embeddings: true,
        lacks_images: false,
        lacks_tools: false,
        origin: Origin::default(),
    }
}

fn quota(label: &str) -> draft::Quota {
    let plenty = 1 << 50;
    let amount = match label {
        "calls" => Amount::Requests(plenty),
        "tokens" => Amount::Tokens(plenty),
        _ => Amount::Money(NanoDollars(1 << 50)),
    };
    draft::Quota {
        budget: label == "dollars",
        label: label.to_owned(),
        amount,
        window: Window::Calendar(Period::Month, "UTC".to_owned()),
        burst: 0,
        per: None,
        on: None,
        when: None,
        outcomes: vec![QuotaOutcome {
            share: 10_000,
            action: QuotaAction::Deny,
        }],
        origin: Origin::default(),
    }
}

/// Three models one after the other; `turn` says in which order the limits stand.
fn plan(turn: usize) -> Arc<Plan> {
    let mut quotas = QUOTAS.map(quota).to_vec();
    quotas.rotate_left(turn % QUOTAS.len());
    let draft = Draft {
        files: vec!["test.route".to_owned()],
        providers: vec![draft::Provider {
            name: "p".to_owned(),
            kind: ProviderKind::OpenAiCompatible,
            base_url: "http://127.0.0.1:1/v1".to_owned(),
            api_version: String::new(),
            region: String::new(),
            auth: ProviderAuth::None,
        }],
        models: (0..PRICES.len()).map(model).collect(),
        tiers: vec![draft::Tier {
            name: "only".to_owned(),
            steps: (0..3).map(Step::Try).collect(),
            timeout_milliseconds: 0,
            retries: 0,
            hedge_milliseconds: 0,
            origin: Origin::default(),
        }],
        contents: vec![draft::Content {
            name: String::new(),
            start: 0,
            start_origin: Origin::default(),
            escalations: Vec::new(),
            threshold: None,
            keep: None,
        }],
        accepts: vec![draft::Accept {
            name: "auto".to_owned(),
            prefix: false,
            target: AcceptTarget::Content(0),
        }],
        callers: draft::Callers {
            keys: None,
            jwt: None,
            anonymous: true,
            origin: Origin::default(),
        },
        quotas,
        ..Draft::default()
    };
    Arc::new(Plan::load(encode(&draft)).unwrap())
}

/// What happens to a call; what cannot happen then does not.
#[derive(Debug, Clone)]
enum Event {
    Come,
    /// The model is asked.
    Ask,
    /// The attempt fails; or runs out of time, after which the upstream may have worked on it.
    Fail {
        late: bool,
    },
    /// The model is given up, and the next one is next.
    GiveUp,
    /// The next one is asked beside it.
    Hedge,
    SecondAnswers,
    SecondIsLate,
    /// Something of the answer comes; usage where it is said.
    Hear {
        usage: Option<(u64, u64)>,
        tokens: u64,
    },
    /// The upstream refuses the call.
    Reject,
    /// The answer is whole, or breaks off.
    End {
        broken: bool,
    },
    HangUp,
    /// Another plan is served.
    Reload,
}

fn event() -> impl Strategy<Value = (usize, Event)> {
    let usage = prop::option::of((1..90_u64, 0..ANSWER));
    let event = prop_oneof![
        3 => Just(Event::Come),
        5 => Just(Event::Ask),
        2 => any::<bool>().prop_map(|late| Event::Fail { late }),
        2 => Just(Event::GiveUp),
        1 => Just(Event::Hedge),
        1 => Just(Event::SecondAnswers),
        1 => Just(Event::SecondIsLate),
        4 => (usage, 0..ANSWER).prop_map(|(usage, tokens)| Event::Hear { usage, tokens }),
        1 => Just(Event::Reject),
        3 => any::<bool>().prop_map(|broken| Event::End { broken }),
        1 => Just(Event::HangUp),
        1 => Just(Event::Reload),
    ];
    (0..3_usize, event)
}

/// What a model has used of a call, by the rules as they are written.
#[derive(Debug, Clone, Copy, Default)]
struct Lane {
    model: usize,
    is_asked: bool,
    /// Prompt and answer of the attempt that runs.
    seen: (u64, u64),
    /// Prompts of attempts that ran out of time.
    wasted: u64,
}

/// What is charged: calls, tokens, nano-dollars.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Bill([u64; 3]);

impl Bill {
    fn add(&mut self, calls: u64, model: usize, (input, output): (u64, u64)) {
        let (price, price_of_answer) = PRICES[model];
        let cost = price as u64 * input + price_of_answer as u64 * output;
        for (sum, more) in self.0.iter_mut().zip([calls, input + output, cost]) {
            *sum += more;
        }
    }
}

impl Lane {
    fn used(self) -> (u64, u64) {
        (self.seen.0 + self.wasted, self.seen.1)
    }
}

struct Call {
    gateway: Arc<Gateway>,
    account: Account,
    decision: Arc<Decision>,
    lane: Lane,
    second: Option<(Lane, Arc<Decision>)>,
}

struct World {
    gateway: Arc<Gateway>,
    settings: Settings,
    turn: usize,
    calls: [Option<Call>; 3],
    bill: Bill,
}

/// What waits for nobody here.
fn now<T>(act: impl Future<Output = T>) -> T {
    tokio::runtime::Handle::current().block_on(act)
}

fn with_facts<T>(act: impl FnOnce(&mut Facts<'_>) -> T) -> T {
    let request = facts::Request {
        model: Cow::Borrowed("auto"),
        tokens: PROMPT,
        largest_prompt: PROMPT,
        answers: 1,
        ..facts::Request::default()
    };
    let mut facts = Facts {
        request: &request,
        caller: Caller::default(),
        source_ip: Ipv4Addr::LOCALHOST.into(),
        now: clock::now(),
        difficulty: None,
    };
    act(&mut facts)
}

impl World {
    fn new() -> Self {
        let settings = Settings::new("127.0.0.1:0".parse().unwrap());
        Self {
            gateway: Arc::new(Gateway::build(plan(0), &settings).unwrap()),
            settings,
            turn: 0,
            calls: [const { None }; 3],
            bill: Bill::default(),
        }
    }

    fn happen(&mut self, which: usize, event: Event) {
        match event {
            Event::Reload => {
                self.turn += 1;
                let plan = plan(self.turn);
                let mut new = Gateway::replacing(&self.gateway, plan, &self.settings).unwrap();
                new.take_over(&self.gateway);
                self.gateway = Arc::new(new);
            }
            Event::Come if self.calls[which].is_none() => self.calls[which] = Some(self.come()),
            event => {
                if let Some(call) = self.calls[which].take() {
                    self.calls[which] = call.happen(event, &mut self.bill);
                }
            }
        }
    }

    fn come(&self) -> Call {
        let gateway = Arc::clone(&self.gateway);
        with_facts(|facts| {
            let admitted = now(admit(&gateway, facts, None, Manners::Yields));
            let decision = admitted.decision.clone();
            let started = Instant::now();
            let mut account = Account::open(
                &gateway,
                (facts, &Identity::default()),
                Arc::clone(&decision),
                "request",
                started,
            );
            account.hold(route(&decision).unwrap(), admitted.reservation.unwrap());
            Call {
                gateway: Arc::clone(&gateway),
                account,
                decision,
                lane: Lane::default(),
                second: None,
            }
        })
    }

    /// What has been charged, as the plan that is served has it.
    fn charged(&self) -> Bill {
        let state = &self.gateway.state;
        let used = QUOTAS.map(|label| {
            let quota = (0..3).find(|quota| self.gateway.quota_label(*quota) == label);
            state
                .usage(quota.unwrap(), state.key(""), clock::now())
                .used
        });
        Bill(used)
    }
}

impl Call {
    fn happen(mut self, event: Event, bill: &mut Bill) -> Option<Self> {
        match event {
            Event::Ask if !self.lane.is_asked => {
                self.first().sent("replica".into());
                self.lane.is_asked = true;
                self.lane.seen.0 = self.lane.seen.0.max(PROMPT);
            }
            Event::Fail { late } if self.lane.is_asked => {
                self.first().attempt_failed(late);
                self.lane.is_asked = false;
                self.lane.seen = (0, 0);
                self.lane.wasted += if late { PROMPT } else { 0 };
            }
            Event::GiveUp if !self.lane.is_asked && self.second.is_none() => {
                return self.give_up(bill);
            }
            Event::Hedge if self.second.is_none() => self.hedge(),
            Event::SecondAnswers => {
                if let Some((lane, decision)) = self.second.take() {
                    self.account.second_answers(decision.clone());
                    bill.add(0, self.lane.model, self.lane.used());
                    (self.lane, self.decision) = (lane, decision);
                }
            }
            Event::SecondIsLate => {
                if let Some((lane, _)) = self.second.take() {
                    self.account.lose_second();
                    bill.add(0, lane.model, lane.used());
                }
            }
            Event::Hear { usage, tokens } if self.lane.is_asked => {
                let said = usage.map(|(input, output)| Reported {
                    input: Some(input),
                    output: Some(output),
                    ..Reported::default()
                });
                self.account.seen(said, tokens);
                self.lane.seen = usage.unwrap_or((PROMPT, tokens));
            }
            Event::Reject if self.lane.is_asked => {
                self.account.rejected();
                self.lane.seen = (0, 0);
                return self.end(bill, Ending::Rejected);
            }
            Event::End { broken } if self.lane.is_asked => {
                let ending = if broken {
                    Ending::Broken
                } else {
                    Ending::Answered
                };
                return self.end(bill, ending);
            }
            Event::HangUp => {
                self.settled(bill);
                return None;
            }
            _ => {}
        }
        Some(self)
    }

    fn first(&mut self) -> &mut Held {
        let Lanes { first, .. } = self.account.lanes();
        first.unwrap()
    }

    /// What is charged once the call is over.
    fn settled(&self, bill: &mut Bill) {
        if let Some((lane, _)) = &self.second {
            bill.add(0, lane.model, lane.used());
        }
        bill.add(
            u64::from(self.lane.is_asked),
            self.lane.model,
            self.lane.used(),
        );
    }

    fn end(mut self, bill: &mut Bill, ending: Ending) -> Option<Self> {
        self.settled(bill);
        self.account.close(200, ending);
        // A second time changes nothing.
        self.account.close(200, ending);
        None
    }

    fn give_up(mut self, bill: &mut Bill) -> Option<Self> {
        bill.add(0, self.lane.model, (self.lane.wasted, 0));
        let charges = route(&self.decision).unwrap().charges.clone();
        self.account.give_up(Tried {
            model: String::new(),
            replica: None,
            failure: "it failed".to_owned(),
        });
        let gateway = Arc::clone(&self.gateway);
        let before = self.decision.clone();
        let next = with_facts(|facts| now(admit(&gateway, facts, Some(&before), Manners::HasTurn)));
        match (route(&next.decision), next.reservation) {
            (Some(to), Some(reservation)) => {
                self.account.hold(to, reservation);
                self.lane = Lane {
                    model: self.lane.model + 1,
                    ..Lane::default()
                };
                self.decision = next.decision;
                Some(self)
            }
            _ => {
                // It counts as a call all the same.
                self.account.count_failed_call(&charges);
                self.account.close(502, Ending::Failed);
                bill.add(1, self.lane.model, (0, 0));
                None
            }
        }
    }

    fn hedge(&mut self) {
        let gateway = Arc::clone(&self.gateway);
        let before = self.decision.clone();
        let next = with_facts(|facts| {
            let admitted = now(admit(&gateway, facts, Some(&before), Manners::HasTurn));
            (admitted, Asked::new(facts, Instant::now()))
        });
        let (admitted, asked) = next;
        let (Some(to), Some(reservation)) = (route(&admitted.decision), admitted.reservation)
        else {
            return;
        };
        let mut held = Held::new(&gateway, to, reservation, asked);
        held.sent("other".into());
        let Lanes { second, .. } = self.account.lanes();
        *second = Some(Box::new(held));
        let lane = Lane {
            model: self.lane.model + 1,
            is_asked: true,
            seen: (PROMPT, 0),
            wasted: 0,
        };
        self.second = Some((lane, admitted.decision.clone()));
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(cases()))]

    /// In the end each call has been charged for what its models used, once, whichever plans were served meanwhile; and
    /// nothing is held any more.
    #[test]
    fn calls_are_charged_for_what_was_used(events in prop::collection::vec(event(), 0..80)) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let _inside = runtime.enter();
        let mut world = World::new();
        for (which, event) in events {
            world.happen(which, event);
            if world.calls.iter().all(Option::is_none) {
                prop_assert_eq!(world.charged(), world.bill);
            }
        }
        for which in 0..3 {
            world.happen(which, Event::HangUp);
        }
        prop_assert_eq!(world.charged(), world.bill);
        prop_assert_eq!(world.gateway.metrics.ledger.open.get(), 0);
        prop_assert_eq!(world.gateway.state.abandoned(), 0);
    }
}

/// `WAYPOST_INTERLEAVINGS=10000` tries so many.
fn cases() -> u32 {
    let wanted = std::env::var("WAYPOST_INTERLEAVINGS");
    wanted.map_or(128, |text| text.parse().unwrap())
}
