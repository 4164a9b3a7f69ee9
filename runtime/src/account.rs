//! The books of one call: what it holds, what was seen of its answer, what it cost in the end.
//!
//! Invariants: whatever becomes of a call (answered, failed, hung up, its task dropped), its reservation is settled
//! once and it leaves one receipt. A call that reached a model is never free: where the upstream does not say what was
//! used, what was seen or estimated is charged.

use std::sync::Arc;
use std::time::Instant;

use waypost_policies::cost::{Usage, actual};
use waypost_policies::decision::{Charge, Decision, Outcome, Route};
use waypost_policies::limits::{Position, Reservation, Spent, Unit};
use waypost_policies::plan::draft::{ModelIndex, Price, TierIndex};
use waypost_policies::{Facts, NanoDollars};

use crate::clock;
use crate::failure::{Failure, Tried};
use crate::gateway::Gateway;
use crate::metrics::RouteKey;
use crate::receipt::{Ending, Receipt};
use crate::rule::Site;

/// The status that stands for a caller who hung up.
const HUNG_UP: u16 = 499;

/// The books of one call.
#[derive(Debug)]
pub(crate) struct Account {
    gateway: Arc<Gateway>,
    started: Instant,
    receipt: Option<Receipt>,
    decision: Decision,
    prompt_tokens: u64,
    held: Option<Held>,
}

/// What a call holds while a model is asked.
#[derive(Debug)]
struct Held {
    reservation: Reservation,
    charges: Vec<Charge>,
    model: ModelIndex,
    price: Option<Price>,
    /// Whether the upstream may have begun to work on it.
    sent: bool,
    /// What the attempt that runs has used, as far as is known.
    seen: Usage,
    /// What attempts before it have used for nothing.
    wasted: Usage,
    estimated: bool,
}

impl Account {
    /// Opens the books of a call that came at `started` and was decided.
    pub(crate) fn open(
        gateway: &Arc<Gateway>,
        facts: &Facts<'_>,
        decision: Decision,
        request_id: &str,
        started: Instant,
    ) -> Self {
        let age = i64::try_from(started.elapsed().as_nanos()).unwrap_or(0);
        let receipt = Receipt {
            time: (clock::now() - age) / 1_000_000,
            request_id: request_id.to_owned(),
            caller: facts.caller.key.clone().into_owned(),
            team: facts.caller.team.clone().into_owned(),
            agent: facts.caller.agent.clone().into_owned(),
            plan: facts.caller.plan.clone().into_owned(),
            name: facts.caller.name.clone().into_owned(),
            asked: gateway.redactions.log(&facts.request.model).into_owned(),
            streamed: facts.request.stream,
            ..Receipt::default()
        };
        let mut account = Self {
            gateway: Arc::clone(gateway),
            started,
            receipt: Some(receipt),
            decision: decision.clone(),
            prompt_tokens: facts.request.tokens,
            held: None,
        };
        account.decided(decision);
        gateway.metrics.calls.in_flight.inc();
        account
    }

    /// Takes note of a decision: the first, or one that falls back.
    pub(crate) fn decided(&mut self, decision: Decision) {
        let plan = &self.gateway.plan;
        if let Some(receipt) = &mut self.receipt {
            receipt.tier = self
                .gateway
                .tier_of(&decision)
                .map(|tier| tier.name.clone())
                .unwrap_or_default();
            // No rule is why a name is not known.
            receipt.rule = match decision.outcome {
                Outcome::UnknownModel => Site::default(),
                _ => Site::of(plan, decision.rule),
            };
            receipt.capped_by = decision.capped_by.map(|rule| Site::of(plan, rule));
            receipt.difficulty = decision.difficulty;
            receipt.warnings = self.gateway.warnings(&decision);
        }
        self.decision = decision;
    }

    /// Holds what the decision reserved.
    pub(crate) fn hold(&mut self, route: &Route, reservation: Reservation) {
        self.release(Usage::default());
        let model = self.gateway.model(route.model);
        if let Some(receipt) = &mut self.receipt {
            receipt.model = model.map(|model| model.name.clone()).unwrap_or_default();
            receipt.replica.clear();
            receipt.ceiling = route.ceiling;
        }
        self.gateway.metrics.ledger.open.inc();
        self.held = Some(Held {
            reservation,
            charges: route.charges.clone(),
            model: route.model,
            price: model.and_then(|model| model.price),
            sent: false,
            seen: Usage::default(),
            wasted: Usage::default(),
            estimated: false,
        });
    }

    /// The call goes to an upstream: from here on its prompt may be charged.
    pub(crate) fn sent(&mut self, replica: &str) {
        if let Some(receipt) = &mut self.receipt {
            receipt.attempts += 1;
            receipt.replica = replica.to_owned();
        }
        let prompt = self.prompt_tokens;
        if let Some(held) = &mut self.held {
            held.sent = true;
            held.estimated = true;
            held.seen.input = held.seen.input.max(prompt);
        }
    }

    /// The attempt failed. One that ran out of time is charged for its prompt: the upstream may have worked on it all along.
    pub(crate) fn attempt_failed(&mut self, out_of_time: bool) {
        if let Some(held) = &mut self.held {
            if out_of_time {
                held.wasted.input = held.wasted.input.saturating_add(self.prompt_tokens);
            }
            held.sent = false;
            held.seen = Usage::default();
        }
    }

    /// The upstream refused the call for what it is: it counts as a call, and used nothing.
    pub(crate) fn rejected(&mut self) {
        if let Some(held) = &mut self.held {
            held.seen = Usage::default();
            held.estimated = false;
        }
    }

    /// The answer's first byte has come.
    pub(crate) fn first_byte(&mut self) {
        let elapsed = self.started.elapsed();
        if let Some(receipt) = &mut self.receipt {
            receipt.first_byte.get_or_insert(elapsed);
        }
    }

    /// What the answer has used so far: as the upstream says, or the tokens of the text that came.
    pub(crate) fn seen(&mut self, usage: Option<Usage>, tokens: u64) {
        let prompt = self.prompt_tokens;
        let Some(held) = &mut self.held else {
            return;
        };
        // An upstream that says nothing was used says nothing.
        match usage.filter(|usage| usage.tokens() > 0) {
            Some(usage) => {
                held.seen = usage;
                held.estimated = false;
            }
            None => {
                held.seen = Usage {
                    input: prompt,
                    cached: 0,
                    output: tokens,
                };
                held.estimated = true;
            }
        }
    }

    /// The model is given up: gives back what it holds, but for what the attempts may have used.
    pub(crate) fn give_up(&mut self, mut tried: Tried) {
        if let Some(receipt) = &mut self.receipt {
            tried.replica = Some(receipt.replica.clone()).filter(|replica| !replica.is_empty());
            receipt.tried.push(tried);
            receipt.model.clear();
            receipt.replica.clear();
        }
        let wasted = self.held.as_ref().map(|held| held.wasted);
        self.release(wasted.unwrap_or_default());
    }

    /// What was tried before.
    pub(crate) fn tried(&self) -> Vec<Tried> {
        self.receipt
            .as_ref()
            .map(|receipt| receipt.tried.clone())
            .unwrap_or_default()
    }

    /// A warning that the answer carries.
    pub(crate) fn warnings(&self) -> &[String] {
        self.receipt
            .as_ref()
            .map_or(&[], |receipt| &receipt.warnings)
    }

    /// Which tier and model.
    pub(crate) fn names(&self) -> Option<(&str, &str, &str, &str)> {
        let receipt = self.receipt.as_ref()?;
        Some((
            &receipt.tier,
            &receipt.model,
            &receipt.rule.label,
            &receipt.replica,
        ))
    }

    /// The call is refused, or no model answered it: the rule that is the cause is its rule.
    pub(crate) fn blame(&mut self, failure: &Failure) {
        if let (Some(receipt), Some(rule)) = (&mut self.receipt, &failure.details.rule) {
            receipt.rule = rule.clone();
        }
    }

    /// Closes the books: settles what is held, writes the receipt. What the call cost, once.
    pub(crate) fn close(&mut self, status: u16, ending: Ending) -> NanoDollars {
        let key = self.route_key();
        let spent = self.settle();
        let Some(mut receipt) = self.receipt.take() else {
            return NanoDollars::ZERO;
        };
        self.gateway.metrics.calls.in_flight.dec();
        if let Some((usage, cost, estimated)) = spent {
            receipt.input_tokens = usage.input;
            receipt.cached_tokens = usage.cached;
            receipt.output_tokens = usage.output;
            receipt.cost = receipt.cost.plus(cost);
            receipt.strongest = self.gateway.strongest(usage);
            receipt.estimated = estimated;
        }
        receipt.status = status;
        receipt.ending = ending;
        receipt.duration = self.started.elapsed();
        let cost = receipt.cost;
        self.gateway.record(key, &self.decision, receipt);
        cost
    }

    fn route_key(&self) -> RouteKey {
        let tier: Option<TierIndex> = self
            .gateway
            .tier_of(&self.decision)
            .map(|_| self.decision.tier);
        (tier, self.held.as_ref().map(|held| held.model))
    }

    fn settle(&mut self) -> Option<(Usage, NanoDollars, bool)> {
        let held = self.held.take()?;
        self.gateway.metrics.ledger.open.dec();
        let now = clock::now();
        let usage = Usage {
            input: held.seen.input.saturating_add(held.wasted.input),
            ..held.seen
        };
        let cost = held
            .price
            .map_or(NanoDollars::ZERO, |price| actual(price, usage));
        let requests = u64::from(held.sent);
        self.note_charges(&held.charges, spent(requests, usage, cost));
        self.end(held.reservation, spent(requests, usage, cost), now);
        Some((usage, cost, held.estimated))
    }

    /// Ends the reservation of a model that did not answer; the call as such is still to be counted.
    fn release(&mut self, used: Usage) {
        let Some(held) = self.held.take() else {
            return;
        };
        self.gateway.metrics.ledger.open.dec();
        let cost = held
            .price
            .map_or(NanoDollars::ZERO, |price| actual(price, used));
        self.note_charges(&held.charges, spent(0, used, cost));
        if let Some(receipt) = &mut self.receipt {
            receipt.cost = receipt.cost.plus(cost);
        }
        self.end(held.reservation, spent(0, used, cost), clock::now());
    }

    /// Settles, and writes it down. Where that cannot be, the reservation counts until it can.
    fn end(&self, reservation: Reservation, spent: Spent, now: i64) {
        let position = self.gateway.state.settle(reservation, spent, now);
        let _ = self.gateway.books.commit(position);
    }

    /// Counts a call that no model answered: hammering at a broken upstream is limited too.
    pub(crate) fn count_failed_call(&mut self, charges: &[Charge]) {
        let now = clock::now();
        for charge in charges {
            if self.gateway.unit(charge.quota) == Some(Unit::Requests) {
                let position = self.gateway.state.add(charge.quota, charge.key, 1, now);
                let _ = self.gateway.books.commit(position);
                self.note_charge(charge.quota, 1);
            }
        }
    }

    /// What was charged stands on the receipt too, so that the audit log and the counters can be held against each other.
    fn note_charges(&mut self, charges: &[Charge], spent: Spent) {
        for charge in charges {
            if let Some(unit) = self.gateway.unit(charge.quota) {
                self.note_charge(charge.quota, spent.of(unit));
            }
        }
    }

    fn note_charge(&mut self, quota: u16, amount: u64) {
        let label = self.gateway.quota_label(quota);
        if let (Some(receipt), 1..) = (&mut self.receipt, amount) {
            receipt.charged.push((label.to_owned(), amount));
        }
    }

    /// Where what it holds stands in the log.
    pub(crate) fn position(&self) -> Position {
        let held = self.held.as_ref();
        held.map_or_else(Position::default, |held| held.reservation.position())
    }

    /// What the model that is asked now was charged for.
    pub(crate) fn charges(&self) -> Vec<Charge> {
        self.held
            .as_ref()
            .map(|held| held.charges.clone())
            .unwrap_or_default()
    }
}

fn spent(requests: u64, usage: Usage, cost: NanoDollars) -> Spent {
    Spent {
        requests,
        tokens: usage.tokens(),
        money: u64::try_from(cost.0).unwrap_or(0),
    }
}

/// Nobody waits for the answer any more.
impl Drop for Account {
    fn drop(&mut self) {
        if self.receipt.is_some() {
            self.close(HUNG_UP, Ending::HungUp);
        }
    }
}

/// Whether a decision leads to a model.
pub(crate) const fn route(decision: &Decision) -> Option<&Route> {
    match &decision.outcome {
        Outcome::Route(route) => Some(route),
        _ => None,
    }
}
