//! Parts of a condition that change nothing: what the rest of an `&&` already says, what the rest of an `||` already allows.
//!
//! Invariant: taking the part away leaves a condition with the same value on every call, and one that still compiles: a part
//! that guards another (`"k" in m && m["k"] == …`) is never called redundant.

use waypost_lang::cel::typed::{Function, Typed, TypedKind};

use super::Reasoner;
use super::formula::Formula;

/// Longer chains are left alone.
const MOST_PARTS: usize = 24;

/// A part that changes nothing.
#[derive(Debug)]
pub(crate) struct Redundant<'t> {
    pub(crate) part: &'t Typed,
    /// The operator's node that the part is an operand of.
    pub(crate) node: &'t Typed,
    /// The part that says so by itself; absent where it takes several, or none.
    pub(crate) because: Option<&'t Typed>,
    /// Whether it is so by itself: always true in an `&&`, never in an `||`.
    pub(crate) alone: bool,
    /// Whether it is a part of an `&&`.
    pub(crate) conjunction: bool,
}

struct Part<'t> {
    typed: &'t Typed,
    node: &'t Typed,
    /// What the chain asks of it: in an `&&` that it is true, in an `||` that it is false.
    asked: Formula,
    /// The opposite.
    refused: Formula,
}

impl Reasoner {
    /// The redundant parts of a condition; those that are left are not redundant together.
    pub(crate) fn redundant<'t>(&mut self, typed: &'t Typed) -> Vec<Redundant<'t>> {
        let mut found = Vec::new();
        self.gather_redundant(typed, &mut found);
        found
    }

    fn gather_redundant<'t>(&mut self, typed: &'t Typed, found: &mut Vec<Redundant<'t>>) {
        let conjunction = match &typed.kind {
            TypedKind::And(..) => true,
            TypedKind::Or(..) => false,
            TypedKind::Call(Function::Not, operands) => {
                for operand in operands {
                    self.gather_redundant(operand, found);
                }
                return;
            }
            _ => return,
        };
        let mut parts = Vec::new();
        chain(typed, typed, conjunction, &mut parts);
        let before = found.len();
        if parts.len() <= MOST_PARTS {
            self.of_chain(&parts, conjunction, found);
        }
        for (part, _) in parts {
            let is_gone = found
                .iter()
                .skip(before)
                .any(|one| std::ptr::eq(one.part, part));
            if !is_gone {
                self.gather_redundant(part, found);
            }
        }
    }

    fn of_chain<'t>(
        &mut self,
        parts: &[(&'t Typed, &'t Typed)],
        conjunction: bool,
        found: &mut Vec<Redundant<'t>>,
    ) {
        let mut left: Vec<Part<'t>> = Vec::new();
        for (typed, node) in parts {
            let condition = self.condition(typed);
            if !condition.is_total() {
                return;
            }
            let (asked, refused) = match conjunction {
                true => (condition.formula.clone(), condition.formula.negation()),
                false => (condition.formula.negation(), condition.formula),
            };
            left.push(Part {
                typed,
                node,
                asked,
                refused,
            });
        }
        // Whether the whole is always true or never: then that is the finding.
        let asked: Vec<&Formula> = left.iter().map(|part| &part.asked).collect();
        if self.is_impossible(&asked) {
            return;
        }
        for at in (0..left.len()).rev() {
            let Some(part) = left.get(at) else { continue };
            let others: Vec<&Part<'t>> = left
                .iter()
                .enumerate()
                .filter(|(other, _)| *other != at)
                .map(|(_, other)| other)
                .collect();
            // Those called redundant too: each finding stands by itself, and its fix may be the only one made.
            let is_guard = parts
                .iter()
                .any(|(other, _)| !std::ptr::eq(*other, part.typed) && needs_guard(other));
            if is_guard {
                continue;
            }
            if let Some((because, alone)) = self.is_said(part, &others) {
                found.push(Redundant {
                    part: part.typed,
                    node: part.node,
                    because,
                    alone,
                    conjunction,
                });
                left.remove(at);
            }
        }
    }

    /// Whether the others say what the part says, and which of them by itself.
    fn is_said<'t>(
        &self,
        part: &Part<'t>,
        others: &[&Part<'t>],
    ) -> Option<(Option<&'t Typed>, bool)> {
        if self.is_impossible(&[&part.refused]) {
            return Some((None, true));
        }
        let single = others
            .iter()
            .find(|other| self.is_impossible(&[&other.asked, &part.refused]));
        if let Some(single) = single {
            return Some((Some(single.typed), false));
        }
        if others.len() < 2 {
            return None;
        }
        let asked = others.iter().map(|other| &other.asked);
        let all: Vec<&Formula> = asked.chain([&part.refused]).collect();
        self.is_impossible(&all).then_some((None, false))
    }
}

fn chain<'t>(
    typed: &'t Typed,
    node: &'t Typed,
    conjunction: bool,
    parts: &mut Vec<(&'t Typed, &'t Typed)>,
) {
    match (&typed.kind, conjunction) {
        (TypedKind::And(left, right), true) | (TypedKind::Or(left, right), false) => {
            chain(left, typed, conjunction, parts);
            chain(right, typed, conjunction, parts);
        }
        _ => parts.push((typed, node)),
    }
}

/// Whether an expression reads a value that only a guard makes sure of.
fn needs_guard(typed: &Typed) -> bool {
    let mut found = false;
    typed.visit(&mut |one| found |= matches!(one.kind, TypedKind::Call(Function::Value, _)));
    found
}
