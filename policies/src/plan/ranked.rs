//! Rules of one kind in the order in which they win, and which of them a call can match at all.
//!
//! Rules have no order in the file that counts; they have a rank: of escalations that match, the one to the highest tier
//! wins, of denials the lowest status. So the first match by rank is the answer and the rest need not be asked. Rules whose
//! guards test one term form a family, which one search rules out or in. Built when a plan is loaded, from code
//! that the verifier passed: a plan cannot say one thing in its code and another in its index.

use std::cmp::Ordering;
use std::collections::{BTreeMap, HashMap};
use std::hash::{BuildHasherDefault, Hasher};

use super::draft::ExpressionIndex;
pub(crate) use super::guard::Number;
use super::guard::{Bound, Guard, Test, guard};
use super::view::Constants;
use crate::vm::{Field, Member, Term};

/// A rule's place among those of its kind, the best first.
pub(crate) type Rank = u16;

/// Fewer rules than this are asked one by one.
const FEWEST: usize = 4;

/// A rule as it is ranked.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Rule {
    /// Its index in the plan.
    pub(crate) place: u16,
    /// Its condition; none always holds.
    pub(crate) when: Option<ExpressionIndex>,
}

/// Rules of one kind.
#[derive(Debug, Default)]
pub(crate) struct Ranked {
    /// By rank.
    pub(crate) rules: Vec<Rule>,
    /// Those of no family, ascending.
    pub(crate) alone: Vec<Rank>,
    /// The others; those whose term is dear to compute last.
    pub(crate) families: Vec<Family>,
}

/// Rules whose guards ask the same kind of question about one term.
#[derive(Debug)]
pub(crate) struct Family {
    /// What is tested.
    pub(crate) term: Term,
    /// All its rules, ascending: a term that has no value rules none out.
    pub(crate) all: Vec<Rank>,
    /// Which value leaves which.
    pub(crate) index: Index,
}

/// Rules by text. The texts are the plan's own, so that no caller can make them collide.
pub(crate) type Texts = HashMap<Box<str>, Vec<Entry>, BuildHasherDefault<Fnv>>;

/// FNV-1a: short texts, looked up on every call.
#[derive(Debug)]
pub(crate) struct Fnv(u64);

impl Default for Fnv {
    fn default() -> Self {
        Self(0xcbf2_9ce4_8422_2325)
    }
}

impl Hasher for Fnv {
    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = (self.0 ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
        }
    }

    fn finish(&self) -> u64 {
        self.0 ^ (self.0 >> 32)
    }
}

/// Rules by the values that they ask for.
#[derive(Debug)]
pub(crate) enum Index {
    /// By the whole string.
    Equal(Texts),
    /// By the start of a string, with the lengths of the starts that are asked for.
    Prefix(Texts, Vec<usize>),
    /// By the text in this field of any element of a list.
    Element(Member, Texts),
    /// By size.
    Order(Thresholds),
}

/// A rule that a value does not rule out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Entry {
    pub(crate) rank: Rank,
    /// Whether it then matches: its condition asks nothing else.
    pub(crate) is_whole: bool,
}

/// Bounds on one side, in the order in which a value passes them.
#[derive(Debug)]
pub(crate) struct Thresholds {
    /// Whether values pass from below.
    pub(crate) above: bool,
    /// By bound: for [`Self::above`] the smallest first, else the largest.
    pub(crate) bounds: Vec<(Bound, Entry)>,
    /// Of the first n + 1 bounds the best rule that matches without another question.
    pub(crate) best: Vec<Option<Rank>>,
    /// Those that need another question, ascending by rank, each with its position among the bounds.
    pub(crate) open: Vec<(Rank, usize)>,
}

impl Thresholds {
    /// How many of the bounds a value passes; none if it cannot be compared with them.
    pub(crate) fn passed(&self, value: Number) -> Option<usize> {
        let passes = |bound: &Bound| {
            let order = order(value, bound.number)?;
            let side = if self.above {
                Ordering::Greater
            } else {
                Ordering::Less
            };
            Some(order == side || (bound.inclusive && order == Ordering::Equal))
        };
        self.bounds.first().and_then(|(bound, _)| passes(bound))?;
        Some(
            self.bounds
                .partition_point(|(bound, _)| passes(bound) == Some(true)),
        )
    }

    fn new(above: bool, mut bounds: Vec<(Bound, Entry)>) -> Self {
        bounds.sort_by(|(left, _), (right, _)| {
            let numbers = order(left.number, right.number).unwrap_or(Ordering::Equal);
            let numbers = if above { numbers } else { numbers.reverse() };
            // A value that passes `> 4` passes `>= 4` too.
            numbers.then_with(|| right.inclusive.cmp(&left.inclusive))
        });
        let mut best = None;
        let best_so_far = bounds.iter().map(|(_, entry)| {
            let rank = entry.is_whole.then_some(entry.rank);
            best = [best, rank].into_iter().flatten().min();
            best
        });
        let best = best_so_far.collect();
        let open = bounds.iter().enumerate();
        let open = open.filter(|(_, (_, entry))| !entry.is_whole);
        let mut open: Vec<(Rank, usize)> = open.map(|(at, (_, entry))| (entry.rank, at)).collect();
        open.sort_unstable();
        Self {
            above,
            bounds,
            best,
            open,
        }
    }
}

/// Numbers of one type in their order; none for others and for NaN.
fn order(left: Number, right: Number) -> Option<Ordering> {
    match (left, right) {
        (Number::Int(left), Number::Int(right)) => Some(left.cmp(&right)),
        (Number::Double(left), Number::Double(right)) => left.partial_cmp(&right),
        _ => None,
    }
}

/// What the rules of a family have in common: their term, and what they ask of it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Kinship {
    /// Computing it is dear, so it is asked last.
    is_dear: bool,
    term: Term,
    question: u8,
}

impl Ranked {
    /// Ranks rules that are given the best first.
    pub(crate) fn new<'p>(
        rules: Vec<Rule>,
        code: impl Fn(ExpressionIndex) -> &'p [u8],
        constants: &Constants<'_>,
    ) -> Self {
        let mut families: BTreeMap<Kinship, Vec<(Rank, Guard)>> = BTreeMap::new();
        let mut alone = Vec::new();
        for (rank, rule) in (0..).zip(&rules) {
            let code = rule.when.map_or(&[][..], &code);
            let found = (rules.len() >= FEWEST)
                .then(|| guard(code, constants))
                .flatten();
            let Some(guard) = found else {
                alone.push(rank);
                continue;
            };
            let kinship = Kinship {
                is_dear: guard.term == Term::Fact(Field::Difficulty),
                term: guard.term.clone(),
                question: question(&guard.test),
            };
            families.entry(kinship).or_default().push((rank, guard));
        }
        let (families, small): (Vec<_>, Vec<_>) = families
            .into_iter()
            .partition(|(_, members)| members.len() >= FEWEST);
        let small = small.into_iter().flat_map(|(_, members)| members);
        alone.extend(small.map(|(rank, _)| rank));
        alone.sort_unstable();
        let families = families
            .into_iter()
            .filter_map(|(kinship, members)| family(kinship.term, members));
        Self {
            families: families.collect(),
            rules,
            alone,
        }
    }
}

/// Tests that one index answers have one number.
fn question(test: &Test) -> u8 {
    let is_int = |bound: &Bound| matches!(bound.number, Number::Int(_));
    match test {
        Test::Among(_) => 0,
        Test::StartsWith(_) => 1,
        Test::Has(member, _) => 8 + *member as u8,
        Test::Above(bound) => 2 + u8::from(is_int(bound)),
        Test::Below(bound) => 4 + u8::from(is_int(bound)),
    }
}

/// None of no members.
fn family(term: Term, members: Vec<(Rank, Guard)>) -> Option<Family> {
    let (_, guard) = members.first()?;
    let all = members.iter().map(|(rank, _)| *rank).collect();
    let index = match &guard.test {
        Test::Among(_) => Index::Equal(by_text(members)),
        Test::StartsWith(_) => {
            let starts = by_text(members);
            let mut lengths: Vec<usize> = starts.keys().map(|start| start.len()).collect();
            lengths.sort_unstable();
            lengths.dedup();
            Index::Prefix(starts, lengths)
        }
        Test::Has(member, _) => Index::Element(*member, by_text(members)),
        Test::Above(_) => Index::Order(Thresholds::new(true, bounds(members))),
        Test::Below(_) => Index::Order(Thresholds::new(false, bounds(members))),
    };
    Some(Family { term, all, index })
}

fn by_text(members: Vec<(Rank, Guard)>) -> Texts {
    let mut index = Texts::default();
    for (rank, guard) in members {
        let entry = Entry {
            rank,
            is_whole: guard.is_whole,
        };
        let texts = match guard.test {
            Test::Among(texts) => texts,
            Test::StartsWith(text) | Test::Has(_, text) => vec![text],
            Test::Above(_) | Test::Below(_) => Vec::new(),
        };
        for text in texts {
            index.entry(text.into()).or_default().push(entry);
        }
    }
    index
}

fn bounds(members: Vec<(Rank, Guard)>) -> Vec<(Bound, Entry)> {
    let bound = |(rank, guard): (Rank, Guard)| match guard.test {
        Test::Above(bound) | Test::Below(bound) => Some((
            bound,
            Entry {
                rank,
                is_whole: guard.is_whole,
            },
        )),
        _ => None,
    };
    members.into_iter().filter_map(bound).collect()
}
