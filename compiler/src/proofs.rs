//! What follows from a condition without running it: implication, contradiction, coverage.
//!
//! A condition becomes a formula over *terms* (a field, a key of a map, the size of something, any other expression by what it
//! does), each with the set of values that pass: intervals of numbers, sets and parts of strings, elements of lists. A search
//! over the alternatives then shows that a conjunction cannot hold.
//!
//! Invariants: **sound**: what is said to follow does, on every call and in the semantics of the machine that runs it: a condition
//! that fails counts as matched, NaN is in no order, numbers compare exactly across types. Work is bounded; where it ends, the answer is
//! "not proved". Nothing is evaluated but constants.

pub(crate) mod conditions;
pub(crate) mod coverage;
mod formula;
mod index;
pub(crate) mod known;
mod numbers;
pub(crate) mod redundancy;
mod search;
mod terms;
mod text;
mod translate;
pub mod witness;

use std::collections::BTreeSet;
use std::rc::Rc;

use waypost_lang::cel::typed::Typed;

use formula::{Formula, TermIndex, Values};
use search::{Search, Verdict};
pub(crate) use terms::text_of;
use terms::{Known, Terms, is_partial};

/// How many tests one proof may take.
const BUDGET: u32 = 4_000;

/// Reasons about the conditions of one section.
#[derive(Debug, Default)]
pub struct Reasoner {
    terms: Terms,
}

/// A condition as a reasoner reads it. It belongs to the reasoner that read it.
#[derive(Debug, Clone)]
pub struct Condition {
    pub(crate) formula: Formula,
    /// Terms that it reads and that may fail.
    partial: Vec<TermIndex>,
}

impl Condition {
    /// The condition of a rule without one.
    pub(crate) const fn always() -> Self {
        Self {
            formula: Formula::Always,
            partial: Vec::new(),
        }
    }

    /// Whether it has a value on every call.
    #[must_use]
    pub fn is_total(&self) -> bool {
        self.partial.is_empty()
    }
}

impl Reasoner {
    pub(crate) fn new(known: Known) -> Self {
        Self {
            terms: Terms::new(known),
        }
    }

    /// Reads a condition.
    pub fn condition(&mut self, typed: &Typed) -> Condition {
        let formula = self.terms.formula(typed);
        let mut partial = Vec::new();
        if is_partial(typed) {
            self.gather_partial(&formula, &mut partial);
        }
        Condition { formula, partial }
    }

    fn gather_partial(&self, formula: &Formula, found: &mut Vec<TermIndex>) {
        match formula {
            Formula::Always | Formula::Never => {}
            Formula::Test(term, _) => {
                let partial = self.terms.get(*term).is_none_or(|term| term.partial);
                if partial && !found.contains(term) {
                    found.push(*term);
                }
            }
            Formula::All(parts) | Formula::Any(parts) => {
                for part in parts {
                    self.gather_partial(part, found);
                }
            }
        }
    }

    /// Whether each call that `condition` matches is certainly matched by one of `covers`. A rule whose condition fails acts as matched.
    #[must_use]
    pub fn covers(&self, condition: &Condition, covers: &[&Condition]) -> bool {
        let fails_together = condition
            .partial
            .iter()
            .all(|term| covers.iter().any(|cover| is_closed(&cover.formula, *term)));
        fails_together && self.follows(&condition.formula, covers)
    }

    /// Whether `cover` holds, without failing, on each call where `condition` is true.
    #[must_use]
    pub fn holds_where(&self, condition: &Condition, cover: &Condition) -> bool {
        cover.is_total() && self.follows(&condition.formula, &[cover])
    }

    fn follows(&self, formula: &Formula, covers: &[&Condition]) -> bool {
        let mut formulas: Vec<Formula> = covers
            .iter()
            .map(|cover| cover.formula.negation())
            .collect();
        formulas.push(formula.clone());
        self.is_impossible(&formulas.iter().collect::<Vec<_>>())
    }

    /// Whether a rule with this condition never matches.
    #[must_use]
    pub fn never(&self, condition: &Condition) -> bool {
        condition.is_total() && self.is_impossible(&[&condition.formula])
    }

    /// Whether a rule with this condition always matches.
    #[must_use]
    pub fn always(&self, condition: &Condition) -> bool {
        self.is_impossible(&[&condition.formula.negation()])
    }

    /// Whether no call is matched by both.
    #[must_use]
    pub fn disjoint(&self, left: &Condition, right: &Condition) -> bool {
        left.is_total() && right.is_total() && self.is_impossible(&[&left.formula, &right.formula])
    }

    /// Whether each call that `condition` matches has one of these tiers.
    pub(crate) fn only_in_tiers(
        &mut self,
        condition: &Condition,
        tiers: BTreeSet<Rc<str>>,
    ) -> bool {
        let tier = self.terms.tier();
        let others = Formula::test(tier, false, Values::Among(Rc::new(tiers), false));
        condition.is_total() && self.is_impossible(&[&condition.formula, &others])
    }

    pub(crate) fn is_impossible(&self, formulas: &[&Formula]) -> bool {
        matches!(
            Search::new(&self.terms, BUDGET).run(formulas),
            Verdict::Impossible
        )
    }
}

/// Whether a condition is not false where computing this term fails.
fn is_closed(formula: &Formula, term: TermIndex) -> bool {
    match formula {
        Formula::Always => true,
        Formula::Never => false,
        Formula::Test(one, _) => *one == term,
        Formula::All(parts) => parts.iter().all(|part| is_closed(part, term)),
        Formula::Any(parts) => parts.iter().any(|part| is_closed(part, term)),
    }
}
