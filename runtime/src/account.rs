//! The books of one call: what it holds, what was seen of its answer, what it cost in the end.
//!
//! Invariants: whatever becomes of a call (answered, failed, hung up, its task dropped), its reservation is settled
//! once and it leaves one receipt. A call that reached a model is never free: where the upstream does not say what was
//! used, what was seen or estimated is charged.

use std::sync::Arc;
use std::time::Instant;

use waypost_policies::cost::{Usage, actual};
use waypost_policies::decision::{Charge, Charges, Decision, Outcome, Route};
use waypost_policies::limits::{Position, Reservation, Spent, Unit};
use waypost_policies::plan::draft::{ModelIndex, Price, TierIndex};
use waypost_policies::request::MOST_TOKENS;
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
    /// How many answers the call asks for, and whether it says how long they may be.
    answers: (u64, bool),
    held: Option<Held>,
}

/// How full a limit is, as its caller is told.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Usages {
    pub(crate) limit: u64,
    pub(crate) remaining: u64,
    pub(crate) reset_seconds: u64,
}

/// What a call holds while a model is asked.
#[derive(Debug)]
struct Held {
    reservation: Reservation,
    charges: Charges,
    model: ModelIndex,
    price: Option<Price>,
    /// Whether the upstream may have begun to work on it.
    sent: bool,
    /// What the attempt that runs has used, as far as is known.
    seen: Usage,
    /// The most that it can have used.
    most: Usage,
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
            answers: (facts.request.answers, facts.request.max_tokens.is_some()),
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
            most: self.most(route),
            wasted: Usage::default(),
            estimated: false,
        });
    }

    /// The most that a call of this route can use: a prompt that fits the context, answers as long as was asked for and
    /// as long again, since some upstreams count what they think beside it.
    fn most(&self, route: &Route) -> Usage {
        /// A prompt is counted as so many times its estimate at most, and so many tokens that nobody sent.
        const BEYOND_ESTIMATE: (u64, u64) = (16, 100_000);
        let model = self.gateway.plan.model(route.model);
        let context = model.as_ref().and_then(|model| model.context());
        let output = model.as_ref().and_then(|model| model.output());
        let (answers, says) = self.answers;
        let is_limited = says || self.gateway.counts_size(&route.charges);
        let longest = match is_limited {
            true => route.max_tokens,
            false => output.unwrap_or(MOST_TOKENS),
        };
        let (times, more) = BEYOND_ESTIMATE;
        let estimate = self
            .prompt_tokens
            .saturating_mul(times)
            .saturating_add(more);
        Usage {
            input: context.unwrap_or(estimate).max(self.prompt_tokens),
            output: longest.saturating_mul(answers).saturating_mul(2),
            ..Usage::default()
        }
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
                // What cannot be is not believed, but for what was seen to come.
                held.seen = Usage {
                    input: usage.input.min(held.most.input),
                    output: usage
                        .output
                        .min(held.most.output.max(tokens.saturating_mul(2))),
                    ..usage
                };
                held.estimated = held.seen != usage;
                if held.estimated {
                    tracing::warn!(?usage, believed = ?held.seen, "an upstream says that it used more than it can have");
                }
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

    /// Of the limits on requests and on tokens that the call counts in the one that has least left: what it holds, what
    /// is left of it, and in how many seconds all of it is.
    pub(crate) fn rate_limits(&self) -> Vec<(Unit, Usages)> {
        let now = clock::now();
        let charges = self.held.iter().flat_map(|held| &held.charges);
        let mut found: Vec<(Unit, Usages)> = Vec::new();
        for charge in charges {
            let unit = self.gateway.unit(charge.quota);
            let Some(unit @ (Unit::Requests | Unit::Tokens)) = unit else {
                continue;
            };
            let usage = self.gateway.state.usage(charge.quota, charge.key, now);
            let usages = Usages {
                limit: usage.capacity,
                remaining: usage.capacity.saturating_sub(usage.used),
                reset_seconds: usage.resets_milliseconds.div_ceil(1000),
            };
            match found.iter_mut().find(|(known, _)| *known == unit) {
                Some((_, least)) if usages.remaining < least.remaining => *least = usages,
                Some(_) => {}
                None => found.push((unit, usages)),
            }
        }
        found
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
    pub(crate) fn charges(&self) -> Charges {
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
