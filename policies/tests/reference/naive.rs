//! The decision as LANGUAGE.md §4a tells it, step by step over a draft: no plan, no machine, no state but a map.

use std::collections::{BTreeMap, BTreeSet};

use waypost_policies::cost::Sort;
use waypost_policies::decision::{
    Capability, Charge, Outcome, Route, RuleReference, SkipReason, Skipped,
};
use waypost_policies::plan::draft::*;

use crate::world::{Condition, World};

pub(crate) const NOW: i64 = 1_795_521_600_000_000_000;
const UNTIL_MIDNIGHT: u64 = 12 * 3_600_000;

/// A call, as far as these drafts look at it.
#[derive(Debug, Clone)]
pub(crate) struct Call {
    pub(crate) model: String,
    pub(crate) flags: Vec<bool>,
    /// The session, the `per` and the key of splits at once.
    pub(crate) key: &'static str,
    pub(crate) embeds: bool,
    pub(crate) images: u64,
    pub(crate) offers_tools: bool,
    pub(crate) tokens: u64,
    pub(crate) largest_prompt: u64,
    pub(crate) max_tokens: Option<u64>,
    pub(crate) answers: u64,
    pub(crate) difficulty: f64,
    /// The only models that the caller may use.
    pub(crate) models: Option<Vec<u16>>,
}

/// What is used, by quota and key, and the floors of sessions.
#[derive(Debug, Default, Clone)]
pub(crate) struct Ledger {
    pub(crate) used: BTreeMap<(u16, &'static str), u64>,
    pub(crate) floors: BTreeMap<&'static str, u16>,
}

/// What the reference says of a call.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Verdict {
    pub(crate) content_tier: u16,
    pub(crate) tier: u16,
    pub(crate) rule: RuleReference,
    pub(crate) capped_by: Option<RuleReference>,
    pub(crate) named: Option<u16>,
    pub(crate) threshold: Option<f64>,
    pub(crate) priority: (i64, Option<u16>),
    pub(crate) warnings: Vec<u16>,
    pub(crate) outcome: Outcome,
}

/// The arms that keys fall on, of splits by halves.
pub(crate) type Arms = BTreeMap<&'static str, usize>;

pub(crate) struct Naive<'w> {
    pub(crate) world: &'w World,
    pub(crate) call: &'w Call,
    pub(crate) ledger: &'w Ledger,
    pub(crate) arms: &'w Arms,
}

/// A quota as a candidate finds it.
struct Reading {
    key: &'static str,
    used: u64,
    amount: u64,
}

/// How low caps hold a call: the tier, by which rule, and when that may let go.
type Ceiling = (u16, RuleReference, Option<u64>);

impl Naive<'_> {
    fn draft(&self) -> &Draft {
        &self.world.draft
    }

    /// Whether a rule matches a call that this model of this tier would answer; a failure does, but for priorities.
    fn holds(&self, when: ExpressionIndex, tier: u16, model: u16, failed: bool) -> bool {
        let found = self
            .world
            .conditions
            .iter()
            .find(|(index, _)| *index == when);
        match found.map(|(_, condition)| *condition) {
            Some(Condition::Flag(flag)) => self.call.flags[flag],
            Some(Condition::FlagAndTier(flag, is)) => self.call.flags[flag] && tier == is,
            Some(Condition::FlagAndModel(flag, is)) => self.call.flags[flag] && model == is,
            Some(Condition::CeilingAbove(nanos)) => self.cost(model, self.reserved(model)) > nanos,
            Some(Condition::Fails) => failed,
            None => self.call.difficulty >= self.threshold().unwrap(),
        }
    }

    fn threshold(&self) -> Option<f64> {
        let declared = self.draft().contents[0].threshold?;
        let written = self.call.model.strip_prefix("auto-");
        let written = written.and_then(|text| text.parse().ok());
        Some(written.unwrap_or(declared))
    }

    fn home(&self, tier: u16) -> u16 {
        match &self.draft().tiers[usize::from(tier)].steps[0] {
            Step::Try(model) => *model,
            Step::Split { arms, .. } => {
                let most = arms.iter().map(|(_, share)| *share).max().unwrap();
                arms.iter().rfind(|(_, share)| *share == most).unwrap().0
            }
        }
    }

    fn homes(&self) -> Vec<u16> {
        (0..self.draft().tiers.len() as u16)
            .map(|tier| self.home(tier))
            .collect()
    }

    fn lists(&self, tier: u16, model: u16) -> bool {
        self.draft().tiers[usize::from(tier)]
            .steps
            .iter()
            .any(|step| match step {
                Step::Try(found) => *found == model,
                Step::Split { arms, .. } => arms.iter().any(|(found, _)| *found == model),
            })
    }

    fn limit(&self, model: u16) -> u64 {
        let output = self.draft().models[usize::from(model)]
            .output
            .unwrap_or(u64::MAX);
        self.call.max_tokens.unwrap_or(4_096).min(output)
    }

    fn reserved(&self, model: u16) -> u64 {
        self.limit(model) * self.call.answers
    }

    fn cost(&self, model: u16, answer: u64) -> i64 {
        let rows = self.rows(model).into_iter();
        let reached = rows.filter(|(above, _, _)| *above == 0 || self.call.tokens * 5 / 4 > *above);
        reached.map(|row| self.at(row, answer)).max().unwrap_or(0)
    }

    /// What a call is expected to cost.
    fn expectation(&self, model: u16, answer: u64) -> i64 {
        let mut rows = self.rows(model).into_iter();
        let row = rows.rfind(|(above, _, _)| *above == 0 || self.call.tokens > *above);
        row.map_or(0, |row| self.at(row, answer))
    }

    /// From how many tokens on, and what a million of the prompt's and the answer's cost.
    fn rows(&self, model: u16) -> Vec<(u64, i64, i64)> {
        let price = &self.draft().models[usize::from(model)].price;
        let rows = price.iter().flat_map(Price::rows);
        rows.map(|row| {
            let rate = |sort| row.rates.of(sort).0;
            (row.above, rate(Sort::Input), rate(Sort::Output))
        })
        .collect()
    }

    fn at(&self, (_, input, output): (u64, i64, i64), answer: u64) -> i64 {
        let parts = i128::from(input) * i128::from(self.call.tokens)
            + i128::from(output) * i128::from(answer);
        i64::try_from((parts + 999_999) / 1_000_000).unwrap()
    }

    /// The content tier and what set it.
    fn content(&self) -> (u16, RuleReference, Option<u16>) {
        let tiers = self.draft().tiers.len() as u16;
        if !self.call.model.starts_with("auto") {
            let model = self.call.model[1..].parse().unwrap();
            let home = self.homes().iter().position(|home| *home == model);
            let tier = home
                .map(|tier| tier as u16)
                .or_else(|| (0..tiers).find(|tier| self.lists(*tier, model)))
                .unwrap_or(tiers - 1);
            return (tier, RuleReference::Named(model), Some(model));
        }
        let content = &self.draft().contents[0];
        let (mut tier, mut rule) = (content.start, RuleReference::Start(0));
        for (index, escalation) in content.escalations.iter().enumerate() {
            if self.holds(escalation.when, 0, 0, true) && escalation.tier > tier {
                (tier, rule) = (escalation.tier, RuleReference::Escalation(0, index as u16));
            }
        }
        let floor = content.keep.as_ref().filter(|_| !self.call.key.is_empty());
        let floor = floor.and_then(|_| self.ledger.floors.get(self.call.key));
        match floor {
            Some(floor) if *floor > tier => (*floor, RuleReference::Keep(0), None),
            _ => (tier, rule, None),
        }
    }

    fn read(&self, index: u16, tier: u16, model: u16) -> Option<Reading> {
        let quota = &self.draft().quotas[usize::from(index)];
        let applies = quota.on.is_none_or(|on| on == model)
            && quota
                .when
                .is_none_or(|when| self.holds(when, tier, model, true));
        let key = if quota.per.is_some() {
            self.call.key
        } else {
            ""
        };
        applies.then(|| Reading {
            key,
            used: match quota.window {
                Window::Call => 0,
                _ => self.ledger.used.get(&(index, key)).copied().unwrap_or(0),
            },
            amount: match quota.amount {
                Amount::Requests(_) | Amount::Repeats(_) | Amount::Concurrent(_) => 1,
                Amount::Tokens(_) => self.call.tokens + self.reserved(model),
                Amount::Money(_) => self.cost(model, self.reserved(model)).unsigned_abs(),
            },
        })
    }

    fn bound(&self, index: u16, share: u32) -> u64 {
        let quota = &self.draft().quotas[usize::from(index)];
        let capacity = match (&quota.window, quota.amount) {
            (Window::Rolling(_), _) => quota.burst,
            (
                _,
                Amount::Requests(amount)
                | Amount::Tokens(amount)
                | Amount::Repeats(amount)
                | Amount::Concurrent(amount),
            ) => amount,
            (_, Amount::Money(amount)) => amount.0.unsigned_abs(),
        };
        capacity * u64::from(share) / 10_000
    }

    /// How long until a charge fits under its bound.
    fn wait(&self, index: u16, reading: &Reading, bound: u64) -> Option<u64> {
        let quota = &self.draft().quotas[usize::from(index)];
        let excess = reading
            .used
            .saturating_sub(bound.checked_sub(reading.amount)?);
        match (&quota.window, quota.amount) {
            (Window::Calendar(..), _) => Some(UNTIL_MIDNIGHT),
            (Window::Call, _) => None,
            (Window::Open, _) => Some(1_000),
            (Window::Session(idle), _) => Some(*idle),
            // All was used now: in the sixtieth that begins now.
            (Window::Sliding(window), _) => Some(window + window / 60),
            (_, Amount::Requests(0)) => None,
            (
                Window::Rolling(window),
                Amount::Requests(rate)
                | Amount::Tokens(rate)
                | Amount::Repeats(rate)
                | Amount::Concurrent(rate),
            ) => Some((excess * window).div_ceil(rate)),
            (Window::Rolling(window), Amount::Money(rate)) => {
                Some((excess * window).div_ceil(rate.0.unsigned_abs()))
            }
        }
    }

    /// The lowest cap that acts on a call of this content tier, and the quotas that warn it.
    fn ceiling(&self, tier: u16, model: u16) -> (Option<Ceiling>, BTreeSet<u16>) {
        let (mut all, mut warnings): (Vec<Ceiling>, _) = (Vec::new(), BTreeSet::new());
        for (index, cap) in self.draft().caps.iter().enumerate() {
            if self.holds(cap.when, tier, model, true) {
                all.push((cap.tier, RuleReference::Cap(index as u16), None));
            }
        }
        for (index, quota) in (0..).zip(&self.draft().quotas) {
            let Some(reading) = self.read(index, tier, model) else {
                continue;
            };
            for outcome in &quota.outcomes {
                let bound = self.bound(index, outcome.share);
                match outcome.action {
                    _ if reading.used + reading.amount <= bound => {}
                    QuotaAction::CapAt(cap) => {
                        let wait = self.wait(index, &reading, bound);
                        all.push((cap, RuleReference::Quota(index), wait));
                    }
                    QuotaAction::Warn => drop(warnings.insert(index)),
                    QuotaAction::Deny | QuotaAction::Wait(_) => {}
                }
            }
        }
        // Of equals the first: `min_by_key` keeps it.
        (all.into_iter().min_by_key(|(tier, ..)| *tier), warnings)
    }

    pub(crate) fn decide(&self) -> Verdict {
        let (content_tier, why, named) = self.content();
        let home = named.unwrap_or_else(|| self.home(content_tier));
        let (ceiling, mut warnings) = self.ceiling(content_tier, home);
        let tier = ceiling.map_or(content_tier, |(cap, ..)| cap.min(content_tier));
        let capped_by = ceiling
            .filter(|_| tier < content_tier)
            .map(|(_, rule, _)| rule);
        let alone = named.filter(|_| capped_by.is_none());
        let outcome = self.admit(tier, alone, ceiling, 0, Vec::new());
        self.warn(&outcome, &mut warnings);
        let first = alone.unwrap_or_else(|| self.home(tier));
        let priorities = (0..).zip(&self.draft().priorities).filter(|(_, priority)| {
            priority
                .when
                .is_none_or(|when| self.holds(when, tier, first, false))
        });
        // Of equals the first, as `max_by_key` does not keep it.
        let priority = priorities
            .map(|(index, priority): (u16, _)| (priority.value, Some(index)))
            .reduce(|best, next| if next.0 > best.0 { next } else { best });
        Verdict {
            content_tier,
            tier,
            rule: capped_by.unwrap_or(why),
            capped_by,
            named,
            threshold: if named.is_some() {
                None
            } else {
                self.threshold()
            },
            priority: priority.unwrap_or((0, None)),
            warnings: warnings.into_iter().collect(),
            outcome,
        }
    }

    /// After the model of an earlier decision failed.
    pub(crate) fn fall_back(&self, before: &Verdict, failed: &Route) -> Verdict {
        let home = before
            .named
            .unwrap_or_else(|| self.home(before.content_tier));
        let (ceiling, more) = self.ceiling(before.content_tier, home);
        let mut warnings: BTreeSet<u16> = before.warnings.iter().copied().chain(more).collect();
        let mut skipped = failed.skipped.clone();
        skipped.push(Skipped {
            model: failed.model,
            reason: SkipReason::Failed,
        });
        let outcome = if before.named.is_some() && before.capped_by.is_none() {
            first_failure(self.draft(), skipped, None)
        } else {
            self.admit(before.tier, None, ceiling, failed.step + 1, skipped)
        };
        self.warn(&outcome, &mut warnings);
        Verdict {
            warnings: warnings.into_iter().collect(),
            outcome,
            ..before.clone()
        }
    }

    fn warn(&self, outcome: &Outcome, warnings: &mut BTreeSet<u16>) {
        let Outcome::Route(route) = outcome else {
            return;
        };
        for charge in &route.charges {
            let quota = &self.draft().quotas[usize::from(charge.quota)];
            let key = if quota.per.is_some() {
                self.call.key
            } else {
                ""
            };
            let used = self.ledger.used.get(&(charge.quota, key));
            let used = match quota.window {
                Window::Call => 0,
                _ => used.copied().unwrap_or(0),
            };
            let acts = |outcome: &QuotaOutcome| {
                outcome.action == QuotaAction::Warn
                    && used + charge.amount > self.bound(charge.quota, outcome.share)
            };
            if quota.outcomes.iter().any(acts) {
                warnings.insert(charge.quota);
            }
        }
    }

    /// The candidates from this step on, one after another.
    fn admit(
        &self,
        tier: u16,
        alone: Option<u16>,
        ceiling: Option<Ceiling>,
        from: u16,
        mut skipped: Vec<Skipped>,
    ) -> Outcome {
        let is_fallback = !skipped.is_empty();
        let steps = &self.draft().tiers[usize::from(tier)].steps;
        let candidates: Vec<u16> = match alone {
            Some(model) => vec![model],
            None => steps.iter().map(|step| self.pick(step)).collect(),
        };
        let (mut could_serve, mut wait) = (is_fallback, None);
        for (step, model) in (0..).zip(candidates).skip(from.into()) {
            let is_first = step == 0 && !is_fallback;
            let own_tier = self.tier_of_candidate(tier, model);
            let reason = match self.trial(own_tier, model, ceiling, is_first) {
                Trial::Takes(charges) => {
                    return Outcome::Route(self.route(model, step, charges, skipped));
                }
                Trial::Denied(denial) if is_first => return denied(self.draft(), denial),
                Trial::Denied(denial) => SkipReason::Denial(denial),
                Trial::Unservable(reason) => {
                    if let (true, Some((_, _, until))) = (skipped.is_empty(), ceiling) {
                        wait = until;
                    }
                    reason
                }
                Trial::Full(quota, true, until) if !could_serve => {
                    return Outcome::Limited {
                        quota,
                        retry_after_milliseconds: until,
                    };
                }
                Trial::Full(quota, denies, until) => {
                    could_serve = true;
                    if skipped.is_empty() {
                        wait = until;
                    }
                    if denies {
                        SkipReason::Quota(quota)
                    } else {
                        SkipReason::QuotaCap(quota)
                    }
                }
            };
            skipped.push(Skipped { model, reason });
        }
        first_failure(self.draft(), skipped, wait)
    }

    fn pick(&self, step: &Step) -> u16 {
        match step {
            Step::Try(model) => *model,
            Step::Split { arms, key: Some(_) } => arms[self.arms[self.call.key]].0,
            Step::Split { arms, key: None } => arms[0].0,
        }
    }

    fn tier_of_candidate(&self, tier: u16, model: u16) -> u16 {
        let homes = self.homes();
        if homes[usize::from(tier)] == model {
            return tier;
        }
        homes
            .iter()
            .position(|home| *home == model)
            .map_or(tier, |tier| tier as u16)
    }

    fn route(&self, model: u16, step: u16, charges: Vec<Charge>, skipped: Vec<Skipped>) -> Route {
        use waypost_policies::NanoDollars;
        let expected = self.limit(model).min(256) * self.call.answers;
        Route {
            model,
            step,
            estimate: NanoDollars(self.expectation(model, expected)),
            ceiling: NanoDollars(self.cost(model, self.reserved(model))),
            max_tokens: self.limit(model),
            charges: charges.into(),
            skipped,
        }
    }

    fn denial(&self, tier: u16, model: u16) -> Option<u16> {
        let denials = (0..).zip(&self.draft().denials);
        let matching = denials.filter(|(_, denial)| self.holds(denial.when, tier, model, true));
        matching
            .min_by_key(|(_, denial)| (denial.status, &denial.label))
            .map(|(index, _)| index)
    }

    fn trial(&self, tier: u16, model: u16, ceiling: Option<Ceiling>, is_first: bool) -> Trial {
        let denial = self.denial(tier, model);
        if let (true, Some(denial)) = (is_first, denial) {
            return Trial::Denied(denial);
        }
        let allowed = self.call.models.as_ref();
        if allowed.is_some_and(|allowed| !allowed.contains(&model)) {
            return Trial::Unservable(SkipReason::NotAllowed);
        }
        let declared = &self.draft().models[usize::from(model)];
        if !(if self.call.embeds {
            declared.embeddings
        } else {
            declared.chat
        }) {
            return Trial::Unservable(SkipReason::Surface);
        }
        if declared.lacks_images && self.call.images > 0 {
            return Trial::Unservable(SkipReason::Lacks(Capability::Images));
        }
        if declared.lacks_tools && self.call.offers_tools {
            return Trial::Unservable(SkipReason::Lacks(Capability::Tools));
        }
        let answer = match self.call.max_tokens {
            _ if self.call.answers == 0 => 0,
            Some(_) => self.limit(model),
            None => 1,
        };
        if declared
            .context
            .is_some_and(|context| context < self.call.largest_prompt + answer)
        {
            return Trial::Unservable(SkipReason::Context);
        }
        match ceiling {
            Some((cap, RuleReference::Cap(rule), _)) if tier > cap => {
                return Trial::Unservable(SkipReason::Cap(rule));
            }
            Some((cap, RuleReference::Quota(rule), _)) if tier > cap => {
                return Trial::Unservable(SkipReason::QuotaCap(rule));
            }
            _ => {}
        }
        denial.map_or_else(|| self.take(tier, model), Trial::Denied)
    }

    /// All quotas that apply, or the one that binds: a refusal first, then the longest wait, then by label.
    fn take(&self, tier: u16, model: u16) -> Trial {
        let (mut charges, mut full) = (Vec::new(), Vec::new());
        for (index, quota) in (0..).zip(&self.draft().quotas) {
            let Some(reading) = self.read(index, tier, model) else {
                continue;
            };
            let after = reading.used + reading.amount;
            let (mut bound, mut denies) = (u64::MAX, false);
            for outcome in &quota.outcomes {
                let share = self.bound(index, outcome.share);
                match outcome.action {
                    QuotaAction::Deny | QuotaAction::Wait(_) => denies |= after > share,
                    QuotaAction::CapAt(cap) if cap < tier => {}
                    QuotaAction::CapAt(_) | QuotaAction::Warn => continue,
                }
                bound = bound.min(share);
            }
            if after > bound {
                full.push((
                    denies,
                    self.wait(index, &reading, bound),
                    &quota.label,
                    index,
                ));
            }
            charges.push((index, reading, bound));
        }
        let wait = |wait: Option<u64>| wait.unwrap_or(u64::MAX);
        full.sort_by(|left, right| {
            (right.0, wait(right.1))
                .cmp(&(left.0, wait(left.1)))
                .then(left.2.cmp(right.2))
        });
        if let Some((denies, wait, _, quota)) = full.first() {
            return Trial::Full(*quota, *denies, *wait);
        }
        Trial::Takes(
            charges
                .into_iter()
                .map(|(quota, reading, bound)| Charge {
                    quota,
                    key: match self.draft().quotas[usize::from(quota)].amount {
                        Amount::Repeats(_) => crate::repeats(reading.key),
                        _ => crate::key(reading.key),
                    },
                    amount: reading.amount,
                    bound,
                })
                .collect(),
        )
    }
}

enum Trial {
    Takes(Vec<Charge>),
    Denied(u16),
    Unservable(SkipReason),
    /// The quota, whether it refuses, and until when.
    Full(u16, bool, Option<u64>),
}

fn denied(draft: &Draft, denial: u16) -> Outcome {
    Outcome::Denied {
        denial,
        status: draft.denials[usize::from(denial)].status,
    }
}

/// Nothing is left: the first failure is the answer.
fn first_failure(draft: &Draft, skipped: Vec<Skipped>, wait: Option<u64>) -> Outcome {
    match skipped[0].reason {
        SkipReason::Denial(denial) => denied(draft, denial),
        SkipReason::Quota(quota) | SkipReason::QuotaCap(quota) => Outcome::Limited {
            quota,
            retry_after_milliseconds: wait,
        },
        _ => Outcome::NoModel(skipped),
    }
}
