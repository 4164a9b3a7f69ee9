//! Drafts and calls from a string of choices. What a rule asks is a header that is there or not, so the reference
//! needs no machine to know it.

use waypost_policies::NanoDollars;
use waypost_policies::cost::{Row, Service};
use waypost_policies::plan::draft::*;
use waypost_policies::vm::{self, Assembler, Field, Function, Instruction, Map};

/// Prompts of more tokens than this have a price of their own.
const LONG: u64 = 900;
/// Headers that conditions ask for.
pub(crate) const FLAGS: usize = 6;
/// Values that `per`, sessions and splits take.
pub(crate) const KEYS: [&str; 4] = ["", "a", "b", "c"];

/// Turns random numbers into choices; when they run out, the first of each.
pub(crate) struct Choices(pub(crate) std::vec::IntoIter<u32>);

impl Choices {
    pub(crate) fn below(&mut self, count: usize) -> usize {
        self.0.next().unwrap_or(0) as usize % count.max(1)
    }

    pub(crate) fn index(&mut self, count: usize) -> u16 {
        u16::try_from(self.below(count)).unwrap()
    }

    pub(crate) fn one<T: Clone>(&mut self, of: &[T]) -> T {
        of[self.below(of.len())].clone()
    }
}

/// What a rule asks.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Condition {
    Flag(usize),
    FlagAndTier(usize, u16),
    FlagAndModel(usize, u16),
    CeilingAbove(i64),
    Fails,
}

/// A draft, and what its conditions ask, by their index.
#[derive(Debug)]
pub(crate) struct World {
    pub(crate) draft: Draft,
    pub(crate) conditions: Vec<(ExpressionIndex, Condition)>,
}

struct Builder<'c> {
    choices: &'c mut Choices,
    pool: vm::Pool,
    conditions: Vec<(ExpressionIndex, Condition)>,
    tiers: usize,
    models: usize,
    /// The expression of the session, of every `per` and of every split.
    key: ExpressionIndex,
}

pub(crate) fn world(choices: &mut Choices) -> World {
    let (tiers, models) = (1 + choices.below(4), 1 + choices.below(5));
    let mut pool = vm::Pool::default();
    let key = pool.expression("key", Origin::default(), |code| {
        code.lookup(Map::Headers, "key")
            .text("")
            .call(Function::OrValue);
    });
    for flag in 0..FLAGS {
        pool.expression("", Origin::default(), |code| asks(code, flag));
    }
    let mut builder = Builder {
        choices,
        pool,
        conditions: Vec::new(),
        tiers,
        models,
        key,
    };
    let mut draft = Draft {
        pools: vec![replicas()],
        models: (0..models).map(|index| builder.model(index)).collect(),
        tiers: (0..tiers).map(|index| builder.tier(index)).collect(),
        contents: vec![builder.content()],
        denials: builder.many(3, Builder::denial),
        caps: builder.many(3, Builder::cap),
        quotas: builder.many(4, Builder::quota),
        priorities: builder.many(3, Builder::priority),
        ..Draft::default()
    };
    let accept = |name: &str, prefix, target| Accept {
        name: name.to_owned(),
        prefix,
        target,
    };
    draft.accepts = vec![
        accept("auto", false, AcceptTarget::Content(0)),
        accept("auto-", true, AcceptTarget::Content(0)),
    ];
    for index in 0..models as u16 {
        draft.accepts.push(accept(
            &format!("m{index}"),
            false,
            AcceptTarget::Model(index),
        ));
    }
    let Builder {
        pool, conditions, ..
    } = builder;
    pool.fill(&mut draft);
    World { draft, conditions }
}

fn asks(code: &mut Assembler<'_>, flag: usize) {
    code.has(Map::Headers, &format!("flag-{flag}"));
}

fn replicas() -> Pool {
    Pool {
        name: "p".to_owned(),
        engine: Engine::Vllm,
        discovery: Discovery::Static(vec!["http://127.0.0.1:1".to_owned()]),
        placement: Placement {
            prefix: 1,
            queue: 1,
            kv_cache: 1,
            lora: 0,
            saturate_queue: None,
            saturate_kv_cache: None,
            wait_milliseconds: 0,
            overflow: Overflow::Next,
            only: Vec::new(),
        },
    }
}

impl Builder<'_> {
    fn many<T>(&mut self, most: usize, mut make: impl FnMut(&mut Self, usize) -> T) -> Vec<T> {
        (0..self.choices.below(most + 1))
            .map(|index| make(self, index))
            .collect()
    }

    /// A condition; one of the content may not read what the policy knows.
    fn condition(&mut self, is_policy: bool) -> ExpressionIndex {
        let flag = self.choices.below(FLAGS);
        let condition = match self.choices.below(if is_policy { 9 } else { 4 }) {
            3 => Condition::Fails,
            4 | 5 => Condition::FlagAndTier(flag, self.choices.index(self.tiers)),
            6 | 7 => Condition::FlagAndModel(flag, self.choices.index(self.models)),
            8 => Condition::CeilingAbove(self.choices.one(&[0, 1_000_000, 40_000_000])),
            _ => Condition::Flag(flag),
        };
        let index = self
            .pool
            .expression("", Origin::default(), |code| assemble(code, condition));
        self.conditions.push((index, condition));
        index
    }

    fn model(&mut self, index: usize) -> Model {
        let choices = &mut *self.choices;
        let rates = |input: i64, cached: i64, output: i64| {
            Rates::simple(NanoDollars(input), NanoDollars(cached), NanoDollars(output))
        };
        let dear = rates(1_250_000_000, 125_000_000, 10_000_000_001);
        let row = |above, rates| Row {
            service: Service::Standard,
            above,
            rates,
        };
        // A longer prompt costs more to read, and less to answer.
        let longer = rates(4_000_000_000, 400_000_000, 9_000_000_000);
        let prices = [
            None,
            Some(Price::flat(rates(40_000_000, 40_000_000, 80_000_000))),
            Some(Price::flat(dear)),
            Price::new(vec![row(0, dear), row(LONG, longer)]),
        ];
        let embeds = choices.below(4) == 1;
        Model {
            name: format!("m{index}"),
            via: Via::Pool(0),
            upstream_name: String::new(),
            context: choices.one(&[None, Some(1_000), Some(10_000)]),
            output: choices.one(&[None, Some(100), Some(5_000)]),
            price: choices.one(&prices),
            rejects: Vec::new(),
            chat: choices.below(6) != 1,
            completions: false,
            embeddings: embeds,
            lacks_images: choices.below(4) == 1,
            lacks_tools: choices.below(4) == 1,
            origin: Origin::default(),
        }
    }

    fn tier(&mut self, index: usize) -> Tier {
        let models = self.models;
        let key = self.key;
        let step = |choices: &mut Choices| {
            let (first, second) = (choices.index(models), choices.index(models));
            match choices.below(6) {
                4 => Step::Split {
                    arms: vec![(first, 5_000), (second, 5_000)],
                    key: Some(key),
                },
                5 => Step::Split {
                    arms: vec![(first, 10_000), (second, 0)],
                    key: None,
                },
                _ => Step::Try(first),
            }
        };
        Tier {
            name: format!("t{index}"),
            steps: (0..1 + self.choices.below(3))
                .map(|_| step(self.choices))
                .collect(),
            timeout_milliseconds: 0,
            retries: 0,
            hedge_milliseconds: 0,
            origin: Origin::default(),
        }
    }

    fn content(&mut self) -> Content {
        let mut escalations = self.many(4, |builder, index| Escalation {
            tier: builder.choices.index(builder.tiers),
            label: format!("e{index}"),
            when: builder.condition(false),
            origin: Origin::default(),
        });
        let threshold = self.choices.one(&[None, Some(0.5)]);
        if threshold.is_some() {
            let hard = self.pool.expression("hard", Origin::default(), |code| {
                code.field(Field::Difficulty)
                    .field(Field::Threshold)
                    .call(Function::GreaterOrEqual);
            });
            escalations.push(Escalation {
                tier: self.choices.index(self.tiers),
                label: "hard".to_owned(),
                when: hard,
                origin: Origin::default(),
            });
        }
        let keep = Keep {
            session: self.key,
            window_milliseconds: 1_000,
            origin: Origin::default(),
        };
        Content {
            name: String::new(),
            start: self.choices.index(self.tiers),
            start_origin: Origin::default(),
            escalations,
            threshold,
            keep: self.choices.one(&[None, Some(keep)]),
        }
    }

    fn denial(&mut self, index: usize) -> Denial {
        Denial {
            label: format!("d{}", 9 - index),
            status: self.choices.one(&[403, 402, 451]),
            when: self.condition(true),
            origin: Origin::default(),
        }
    }

    fn cap(&mut self, index: usize) -> Cap {
        Cap {
            tier: self.choices.index(self.tiers),
            label: format!("c{index}"),
            when: self.condition(true),
            origin: Origin::default(),
        }
    }

    fn quota(&mut self, index: usize) -> Quota {
        let amounts = [
            Amount::Requests(3),
            Amount::Requests(0),
            Amount::Tokens(12_000),
            Amount::Tokens(800),
            Amount::Money(NanoDollars(60_000_000)),
            Amount::Money(NanoDollars(5_000_000)),
            Amount::Repeats(3),
            Amount::Concurrent(2),
        ];
        let amount = self.choices.one(&amounts);
        let whole = match amount {
            Amount::Requests(amount)
            | Amount::Tokens(amount)
            | Amount::Repeats(amount)
            | Amount::Concurrent(amount) => amount,
            Amount::Money(amount) => amount.0.unsigned_abs(),
        };
        let window = match amount {
            Amount::Concurrent(_) => Window::Open,
            _ => self.choices.one(&[
                Window::Rolling(60_000),
                Window::Calendar(Period::Day, "UTC".to_owned()),
                Window::Sliding(60_000),
                Window::Session(600_000),
                Window::Call,
            ]),
        };
        let outcomes = (0..1 + self.choices.below(3))
            .map(|_| self.outcome())
            .collect();
        let per = match window {
            Window::Session(_) => Some(self.key),
            _ => self.choices.one(&[None, Some(self.key)]),
        };
        let on = self.choices.index(self.models);
        let when = if self.choices.below(3) == 1 {
            Some(self.condition(true))
        } else {
            None
        };
        Quota {
            budget: false,
            label: format!("q{}", 9 - index),
            amount,
            window,
            burst: self.choices.one(&[whole, whole / 2, whole * 2]),
            per,
            on: self.choices.one(&[None, Some(on)]),
            when,
            outcomes,
            origin: Origin::default(),
        }
    }

    fn outcome(&mut self) -> QuotaOutcome {
        let cap = QuotaAction::CapAt(self.choices.index(self.tiers));
        QuotaOutcome {
            share: self.choices.one(&[10_000, 10_000, 8_000, 5_000, 0, 12_000]),
            action: self.choices.one(&[
                QuotaAction::Deny,
                cap,
                QuotaAction::Warn,
                QuotaAction::Wait(5_000),
            ]),
        }
    }

    fn priority(&mut self, index: usize) -> Priority {
        let when = if self.choices.below(3) == 1 {
            None
        } else {
            Some(self.condition(true))
        };
        Priority {
            value: self.choices.one(&[10, -5, 0, 7]),
            label: format!("p{index}"),
            when,
            origin: Origin::default(),
        }
    }
}

fn assemble(code: &mut Assembler<'_>, condition: Condition) {
    let is = |code: &mut Assembler<'_>, field, text: String| {
        code.field(field).text(&text).call(Function::Equal);
    };
    match condition {
        Condition::Flag(flag) => asks(code, flag),
        Condition::FlagAndTier(flag, tier) => {
            asks(code, flag);
            code.and(|code| is(code, Field::Tier, format!("t{tier}")));
        }
        Condition::FlagAndModel(flag, model) => {
            asks(code, flag);
            code.and(|code| is(code, Field::Model, format!("m{model}")));
        }
        Condition::CeilingAbove(nanos) => {
            code.field(Field::CostCeiling)
                .push(Instruction::Double(nanos as f64 / 1e9));
            code.call(Function::Greater);
        }
        Condition::Fails => {
            code.push(Instruction::Int(i64::MAX))
                .push(Instruction::Int(1));
            code.call(Function::Add)
                .push(Instruction::Int(0))
                .call(Function::Less);
        }
    }
}
