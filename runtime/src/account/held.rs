//! What a call holds while one model is asked: its reservation, and what that model has used so far.

use std::sync::Arc;
use std::time::{Duration, Instant};

use waypost_policies::NanoDollars;
use waypost_policies::cost::{Usage, actual};
use waypost_policies::decision::{Charges, Route};
use waypost_policies::limits::{Position, Reservation};
use waypost_policies::plan::draft::{ModelIndex, Price};

use crate::gateway::Gateway;

/// What a call holds while one model is asked.
#[derive(Debug)]
pub(crate) struct Held {
    pub(super) reservation: Reservation,
    pub(super) charges: Charges,
    pub(super) model: ModelIndex,
    price: Option<Price>,
    prompt_tokens: u64,
    /// When the call came.
    started: Instant,
    /// What it could cost at worst.
    pub(super) ceiling: NanoDollars,
    /// Whether the upstream may have begun to work on it.
    pub(super) sent: bool,
    /// What the attempt that runs has used, as far as is known.
    pub(super) seen: Usage,
    /// What attempts before it have used for nothing.
    pub(super) wasted: Usage,
    pub(super) estimated: bool,
    /// How often the model was asked.
    pub(super) attempts: u32,
    /// Where it was asked last.
    pub(super) replica: String,
    /// Until the first byte of its answer.
    pub(super) first_byte: Option<Duration>,
}

impl Held {
    pub(crate) fn new(
        gateway: &Arc<Gateway>,
        route: &Route,
        reservation: Reservation,
        prompt_tokens: u64,
        started: Instant,
    ) -> Self {
        gateway.metrics.ledger.open.inc();
        let model = gateway.model(route.model);
        Self {
            reservation,
            charges: route.charges.clone(),
            model: route.model,
            price: model.and_then(|model| model.price),
            prompt_tokens,
            started,
            ceiling: route.ceiling,
            sent: false,
            seen: Usage::default(),
            wasted: Usage::default(),
            estimated: false,
            attempts: 0,
            replica: String::new(),
            first_byte: None,
        }
    }

    /// The call goes to an upstream: from here on its prompt may be charged.
    pub(crate) fn sent(&mut self, replica: &str) {
        self.attempts += 1;
        replica.clone_into(&mut self.replica);
        self.sent = true;
        self.estimated = true;
        self.seen.input = self.seen.input.max(self.prompt_tokens);
    }

    /// The attempt failed. One that ran out of time is charged for its prompt: the upstream may have worked on it all along.
    pub(crate) fn attempt_failed(&mut self, out_of_time: bool) {
        if out_of_time {
            self.wasted.input = self.wasted.input.saturating_add(self.prompt_tokens);
        }
        self.sent = false;
        self.seen = Usage::default();
    }

    /// The answer's first byte has come.
    pub(crate) fn first_byte(&mut self) {
        let elapsed = self.started.elapsed();
        self.first_byte.get_or_insert(elapsed);
    }

    /// Where what it holds stands in the log.
    pub(crate) const fn position(&self) -> Position {
        self.reservation.position()
    }

    /// What its attempts have used, the one that runs included.
    pub(super) fn used(&self) -> Usage {
        Usage {
            input: self.seen.input.saturating_add(self.wasted.input),
            ..self.seen
        }
    }

    pub(super) fn cost(&self, used: Usage) -> NanoDollars {
        self.price
            .map_or(NanoDollars::ZERO, |price| actual(price, used))
    }
}
