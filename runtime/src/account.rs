//! The books of one call: what it holds, what was seen of its answer, what it cost in the end.
//!
//! Invariants: whatever becomes of a call (answered, failed, hung up, its task dropped), its reservation is settled
//! once and it leaves one receipt. A call that reached a model is never free: where the upstream does not say what was
//! used, what was seen or estimated is charged.

mod held;

use std::sync::Arc;
use std::time::Instant;

use waypost_policies::cost::Usage;
use waypost_policies::decision::{Charge, Decision, Outcome, Route};
use waypost_policies::limits::{Reservation, Spent, Unit};
use waypost_policies::plan::draft::TierIndex;
use waypost_policies::{Facts, NanoDollars};

use crate::callers::Identity;
use crate::clock;
use crate::failure::{Failure, Tried};
use crate::gateway::Gateway;
use crate::lines::Place;
use crate::metrics::RouteKey;
use crate::rate_limit::RateLimit;
use crate::receipt::{Ending, Receipt};
use crate::usage::Reported;

use held::Used;
pub(crate) use held::{Asked, Held};

/// The status that stands for a caller who hung up.
const HUNG_UP: u16 = 499;

/// The books of one call.
#[derive(Debug)]
pub(crate) struct Account {
    gateway: Arc<Gateway>,
    asked: Asked,
    receipt: Option<Receipt>,
    decision: Arc<Decision>,
    held: Option<Box<Held>>,
    /// What is held for the model that is asked beside it.
    second: Option<Box<Held>>,
    /// Its places in limits that others wait for; given up last.
    places: Vec<Place>,
}

/// What a call holds: for the model that is asked, and for the one that is asked beside it.
pub(crate) struct Lanes<'a> {
    pub(crate) first: Option<&'a mut Held>,
    pub(crate) second: &'a mut Option<Box<Held>>,
}

impl Account {
    /// Opens the books of a call that came at `started` and was decided.
    pub(crate) fn open(
        gateway: &Arc<Gateway>,
        (facts, identity): (&Facts<'_>, &Identity),
        decision: Arc<Decision>,
        request_id: &str,
        started: Instant,
    ) -> Self {
        let age = i64::try_from(started.elapsed().as_nanos()).unwrap_or(0);
        let receipt = Receipt {
            time: (clock::now() - age) / 1_000_000,
            request_id: request_id.to_owned(),
            caller: Arc::clone(&identity.id),
            team: Arc::clone(&identity.team),
            agent: Arc::clone(&identity.agent),
            plan: Arc::clone(&identity.plan),
            name: Arc::clone(&identity.name),
            asked: gateway.redactions.log(&facts.request.model).into_owned(),
            streamed: facts.request.stream,
            ..Receipt::default()
        };
        let mut account = Self {
            gateway: Arc::clone(gateway),
            asked: Asked::new(facts, started),
            receipt: Some(receipt),
            decision: Arc::clone(&decision),
            held: None,
            second: None,
            places: Vec::new(),
        };
        account.decided(decision);
        gateway.metrics.calls.in_flight.inc();
        account
    }

    /// Takes note of a decision: the first, or one that falls back.
    pub(crate) fn decided(&mut self, decision: Arc<Decision>) {
        let (plan, sites) = (&self.gateway.plan, &self.gateway.sites);
        if let Some(receipt) = &mut self.receipt {
            receipt.tier = self
                .gateway
                .tier_of(&decision)
                .map(|tier| Arc::clone(&tier.name))
                .unwrap_or_default();
            // No rule is why a name is not known.
            receipt.rule = match decision.outcome {
                Outcome::UnknownModel => Arc::default(),
                _ => sites.of(plan, decision.rule),
            };
            receipt.capped_by = decision.capped_by.map(|rule| sites.of(plan, rule));
            receipt.difficulty = decision.difficulty;
            receipt.warnings = self.gateway.warnings(&decision);
        }
        self.decision = decision;
    }

    /// The call has these places in limits that others wait for.
    pub(crate) fn has_waited(&mut self, places: Vec<Place>) {
        self.places = places;
    }

    /// When the call came.
    pub(crate) const fn started(&self) -> Instant {
        self.asked.started
    }

    /// Holds what the decision reserved.
    pub(crate) fn hold(&mut self, route: &Route, reservation: Reservation) {
        if let Some(before) = self.held.take() {
            self.release(*before, Used::default());
        }
        let held = Held::new(&self.gateway, route, reservation, self.asked);
        self.held = Some(Box::new(held));
    }

    /// What is held, to be noted on by whoever asks.
    pub(crate) fn lanes(&mut self) -> Lanes<'_> {
        Lanes {
            first: self.held.as_deref_mut(),
            second: &mut self.second,
        }
    }

    /// The model that was asked beside the first answers, or is the only one left; the first is charged for what it may
    /// have used.
    pub(crate) fn second_answers(&mut self, decision: Arc<Decision>) {
        if let Some(first) = self.held.take() {
            self.lose(*first);
        }
        self.held = self.second.take();
        self.decided(decision);
    }

    /// The model that was asked beside the first is too late; it is charged for what it may have used.
    pub(crate) fn lose_second(&mut self) {
        if let Some(second) = self.second.take() {
            self.lose(*second);
        }
    }

    fn lose(&mut self, held: Held) {
        if let Some(receipt) = &mut self.receipt {
            receipt.attempts += held.attempts;
        }
        let used = held.used();
        self.release(held, used);
    }

    /// The upstream refused the call for what it is: it counts as a call, and used nothing.
    pub(crate) fn rejected(&mut self) {
        if let Some(held) = &mut self.held {
            held.seen = Usage::default();
            held.estimated = false;
        }
    }

    /// What the answer has used so far: as the upstream says, or the tokens of the text that came.
    pub(crate) fn seen(&mut self, reported: Option<Reported>, tokens: u64) {
        if let Some(held) = &mut self.held {
            held.see(reported, tokens);
        }
    }

    /// The model is given up: gives back what it holds, but for what the attempts may have used.
    pub(crate) fn give_up(&mut self, mut tried: Tried) {
        let Some(held) = self.held.take() else {
            return;
        };
        if let Some(receipt) = &mut self.receipt {
            receipt.attempts += held.attempts;
            receipt.ceiling = held.ceiling;
            tried.replica = Some(held.replica.to_string()).filter(|replica| !replica.is_empty());
            receipt.tried.push(tried);
        }
        let wasted = held.wasted();
        self.release(*held, wasted);
    }

    /// As [`Account::give_up`], for the model that was asked beside the first.
    pub(crate) fn give_up_second(&mut self, tried: Tried) {
        std::mem::swap(&mut self.held, &mut self.second);
        self.give_up(tried);
        std::mem::swap(&mut self.held, &mut self.second);
    }

    /// Models were passed over: each is noted once, however often the call is decided on.
    pub(crate) fn pass_over(&mut self, models: Vec<Tried>) {
        if let Some(receipt) = &mut self.receipt {
            for model in models {
                if !receipt.tried.contains(&model) {
                    receipt.tried.push(model);
                }
            }
        }
    }

    /// What was tried or passed over before.
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

    /// How full the limits are that the call counts in.
    pub(crate) fn rate_limits(&self) -> Vec<RateLimit> {
        let held = self.held.as_ref();
        held.map_or_else(Vec::new, |held| {
            RateLimit::least(&self.gateway, &held.charges)
        })
    }

    /// Which tier and model.
    pub(crate) fn names(&self) -> Option<(&str, &str, &str, &str)> {
        let receipt = self.receipt.as_ref()?;
        let held = self.held.as_ref();
        let model = held.and_then(|held| self.gateway.model(held.model));
        Some((
            &receipt.tier,
            model.map_or("", |model| &model.name),
            &receipt.rule.label,
            held.map_or("", |held| &held.replica),
        ))
    }

    /// The call is refused, or no model answered it: the rule that is the cause is its rule.
    pub(crate) fn blame(&mut self, failure: &Failure) {
        if let (Some(receipt), Some(rule)) = (&mut self.receipt, &failure.details.rule) {
            receipt.rule = Arc::new(rule.clone());
        }
    }

    /// Closes the books: settles what is held, writes the receipt. What the call cost, once.
    pub(crate) fn close(&mut self, status: u16, ending: Ending) -> NanoDollars {
        let key = self.route_key();
        self.lose_second();
        let spent = self.settle();
        let Some(mut receipt) = self.receipt.take() else {
            return NanoDollars::ZERO;
        };
        self.gateway.metrics.calls.in_flight.dec();
        if let Some((usage, cost, estimated)) = spent {
            receipt.usage = usage;
            receipt.cost = receipt.cost.plus(cost);
            receipt.strongest = self.gateway.strongest(usage);
            receipt.estimated = estimated;
        }
        receipt.status = status;
        receipt.ending = ending;
        receipt.duration = self.asked.started.elapsed();
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
        if let Some(receipt) = &mut self.receipt {
            let model = self.gateway.model(held.model);
            receipt.model = model
                .map(|model| Arc::clone(&model.name))
                .unwrap_or_default();
            receipt.replica = Arc::clone(&held.replica);
            receipt.attempts += held.attempts;
            receipt.ceiling = held.ceiling;
            receipt.first_byte = held.first_byte;
        }
        let Used { usage, cost } = held.used();
        let (requests, estimated) = (u64::from(held.sent), held.estimated);
        self.note_charges(&held.charges, spent(requests, usage, cost));
        self.end(*held, spent(requests, usage, cost));
        Some((usage, cost, estimated))
    }

    /// Ends the reservation of a model that did not answer; the call as such is still to be counted.
    fn release(&mut self, held: Held, used: Used) {
        let Used { usage, cost } = used;
        self.note_charges(&held.charges, spent(0, usage, cost));
        if let Some(receipt) = &mut self.receipt {
            receipt.cost = receipt.cost.plus(cost);
        }
        self.end(held, spent(0, usage, cost));
    }

    /// Settles, and writes it down. Where that cannot be, the reservation counts until it can.
    fn end(&self, held: Held, spent: Spent) {
        self.gateway.metrics.ledger.open.dec();
        let state = &self.gateway.state;
        let position = state.settle(held.reservation, spent, clock::now());
        let _ = self.gateway.books.commit(position);
    }

    /// Counts a call that no model answered: hammering at a broken upstream is limited too.
    pub(crate) fn count_failed_call(&mut self, charges: &[Charge]) {
        let now = clock::now();
        for charge in charges {
            let unit = self.gateway.unit(charge.quota);
            if matches!(unit, Some(Unit::Requests | Unit::Repeats)) {
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
        let label = self.gateway.kept_label(quota);
        if let (Some(receipt), 1..) = (&mut self.receipt, amount) {
            receipt.charged.push((label, amount));
        }
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
