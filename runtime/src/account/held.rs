//! What a call holds while one model is asked: its reservation, and what that model has used so far.

use std::sync::Arc;
use std::time::{Duration, Instant};

use waypost_policies::cost::{Manner, Price, Usage, actual};
use waypost_policies::decision::{Charges, Route};
use waypost_policies::limits::{Position, Reservation};
use waypost_policies::plan::draft::ModelIndex;
use waypost_policies::request::MOST_TOKENS;
use waypost_policies::{Facts, NanoDollars};

use crate::gateway::Gateway;
use crate::usage::Reported;

/// What was used, and what that costs.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Used {
    pub(super) usage: Usage,
    pub(super) cost: NanoDollars,
}

/// What a call asks for, as far as that decides what it can use and cost.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Asked {
    /// When it came.
    pub(super) started: Instant,
    /// Tokens of its prompt, estimated.
    tokens: u64,
    /// At which prices it may be charged.
    manner: Manner,
    /// How many answers.
    answers: u64,
    /// Whether it says how long they may be.
    says_length: bool,
}

impl Asked {
    /// Of a call that came then.
    pub(crate) const fn new(facts: &Facts<'_>, started: Instant) -> Self {
        let request = facts.request;
        Self {
            started,
            tokens: request.tokens,
            manner: request.manner,
            answers: request.answers,
            says_length: request.max_tokens.is_some(),
        }
    }

    /// The most that a call of this route can use: a prompt that fits the context, answers as long as was asked for and
    /// as long again, since some upstreams count what they think beside it.
    fn most(self, gateway: &Gateway, route: &Route) -> Usage {
        /// A prompt is counted as so many times its estimate at most, and so many tokens that nobody sent.
        const BEYOND_ESTIMATE: (u64, u64) = (16, 100_000);
        let model = gateway.plan.model(route.model);
        let context = model.as_ref().and_then(|model| model.context());
        let output = model.as_ref().and_then(|model| model.output());
        let is_told = self.says_length || gateway.counts_size(&route.charges);
        let longest = match is_told {
            true => route.max_tokens,
            false => output.unwrap_or(MOST_TOKENS),
        };
        let (times, more) = BEYOND_ESTIMATE;
        let estimate = self.tokens.saturating_mul(times).saturating_add(more);
        Usage {
            input: context.unwrap_or(estimate).max(self.tokens),
            output: longest.saturating_mul(self.answers).saturating_mul(2),
            ..Usage::default()
        }
    }
}

/// What a call holds while one model is asked.
#[derive(Debug)]
pub(crate) struct Held {
    pub(super) reservation: Reservation,
    pub(super) charges: Charges,
    pub(super) model: ModelIndex,
    price: Option<Price>,
    asked: Asked,
    /// What it could cost at worst.
    pub(super) ceiling: NanoDollars,
    /// Whether the upstream may have begun to work on it.
    pub(super) sent: bool,
    /// What the attempt that runs has used, as far as is known.
    pub(super) seen: Usage,
    /// The most that it can have used.
    most: Usage,
    /// What attempts before it have used for nothing.
    wasted: Used,
    pub(super) estimated: bool,
    /// How often the model was asked.
    pub(super) attempts: u32,
    /// Where it was asked last.
    pub(super) replica: Arc<str>,
    /// Until the first byte of its answer.
    pub(super) first_byte: Option<Duration>,
}

impl Held {
    pub(crate) fn new(
        gateway: &Arc<Gateway>,
        route: &Route,
        reservation: Reservation,
        asked: Asked,
    ) -> Self {
        gateway.metrics.ledger.open.inc();
        let model = gateway.model(route.model);
        Self {
            reservation,
            charges: route.charges.clone(),
            model: route.model,
            price: model.and_then(|model| model.price.clone()),
            asked: Asked {
                manner: gateway.plan.manner(route.model, asked.manner),
                ..asked
            },
            ceiling: route.ceiling,
            sent: false,
            seen: Usage::default(),
            most: asked.most(gateway, route),
            wasted: Used::default(),
            estimated: false,
            attempts: 0,
            replica: Arc::default(),
            first_byte: None,
        }
    }

    /// The call goes to an upstream: from here on its prompt may be charged.
    pub(crate) fn sent(&mut self, replica: Arc<str>) {
        self.attempts += 1;
        self.replica = replica;
        self.sent = true;
        self.estimated = true;
        self.seen = self.prompt();
    }

    /// The attempt failed. One that ran out of time is charged for its prompt: the upstream may have worked on it all along.
    pub(crate) fn attempt_failed(&mut self, out_of_time: bool) {
        if out_of_time {
            let prompt = self.prompt();
            self.wasted.usage.input = self.wasted.usage.input.saturating_add(prompt.input);
            self.wasted.cost = self.wasted.cost.plus(self.cost(prompt));
        }
        self.sent = false;
        self.seen = Usage::default();
    }

    /// What the answer has used so far: as the upstream says, or the tokens of the text that came.
    pub(super) fn see(&mut self, reported: Option<Reported>, tokens: u64) {
        let manner = self.asked.manner;
        let said = reported.map(|reported| reported.usage(tokens, manner));
        // An upstream that says nothing was used says nothing.
        let Some(usage) = said.filter(|usage| usage.tokens() > 0) else {
            let service = reported.and_then(|reported| reported.service);
            let unsaid = manner.unsaid(self.asked.tokens, tokens);
            self.seen = Usage {
                service: service.or(unsaid.service),
                ..unsaid
            };
            self.estimated = true;
            return;
        };
        // What cannot be is not believed, but for what was seen to come.
        let longest = self.most.output.max(tokens.saturating_mul(2));
        self.seen = Usage {
            input: usage.input.min(self.most.input),
            output: usage.output.min(longest),
            ..usage
        };
        self.estimated = self.seen != usage;
        if self.estimated {
            tracing::warn!(?usage, believed = ?self.seen, "an upstream says that it used more than it can have");
        }
    }

    /// The answer's first byte has come.
    pub(crate) fn first_byte(&mut self) {
        let elapsed = self.asked.started.elapsed();
        self.first_byte.get_or_insert(elapsed);
    }

    /// Where what it holds stands in the log.
    pub(crate) const fn position(&self) -> Position {
        self.reservation.position()
    }

    /// What its prompt alone is taken to use.
    fn prompt(&self) -> Usage {
        self.asked.manner.unsaid(self.asked.tokens, 0)
    }

    /// What its attempts have used, the one that runs included. Each is charged by itself: together their prompts may be
    /// longer than what a longer prompt's price is for.
    pub(super) fn used(&self) -> Used {
        Used {
            usage: Usage {
                input: self.seen.input.saturating_add(self.wasted.usage.input),
                ..self.seen
            },
            cost: self.cost(self.seen).plus(self.wasted.cost),
        }
    }

    /// What attempts have used for nothing.
    pub(super) const fn wasted(&self) -> Used {
        self.wasted
    }

    fn cost(&self, usage: Usage) -> NanoDollars {
        let price = self.price.as_ref();
        price.map_or(NanoDollars::ZERO, |price| actual(price, usage))
    }
}
