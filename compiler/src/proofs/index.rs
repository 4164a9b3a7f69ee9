//! Finds the few rules of many that may cover another, without looking at all of them.
//!
//! A rule covers another only where one of its conjunctions allows all that the other does, test by test. So each conjunction is
//! filed under one of its tests, the most telling one, and a rule asks only where its own tests lead. What is left
//! out costs a finding, never a wrong one: whoever asks proves the cover.

use std::collections::HashMap;
use std::rc::Rc;

use super::formula::{Cube, Formula, TermIndex, Test, Values};
use super::text::Predicate;

/// Conjunctions of one condition that are filed; a condition with more is not.
const MOST_CUBES: usize = 16;
/// Strings of one test that are filed one by one.
const MOST_TEXTS: usize = 512;
/// Entries that one question may look at, of those that have no better order.
const MOST_LOOKED_AT: usize = 128;
/// Entries of those that one question may glance at, to find the ones worth a look.
const MOST_GLANCED_AT: usize = 1_024;

/// Rules by what they test. Rules are numbers; a rule that is as strong as another or stronger may cover it.
#[derive(Debug, Default)]
pub(crate) struct Index {
    always: Vec<usize>,
    texts: HashMap<(TermIndex, Rc<str>), Vec<usize>>,
    beginnings: HashMap<(TermIndex, Rc<str>), Vec<usize>>,
    /// Single tests `>= bound` and `<= bound`: of each strength the widest.
    bounds: HashMap<(TermIndex, Side), HashMap<i64, (i128, usize)>>,
    others: HashMap<TermIndex, Vec<(usize, Cube)>>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Side {
    From,
    UpTo,
}

impl Index {
    /// Files a rule.
    pub(crate) fn add(&mut self, rule: usize, strength: i64, formula: &Formula) {
        for cube in formula.cubes(MOST_CUBES).unwrap_or_default() {
            self.file(rule, strength, &cube);
        }
    }

    fn file(&mut self, rule: usize, strength: i64, cube: &[(TermIndex, Rc<Test>)]) {
        let [first, ..] = cube else {
            self.always.push(rule);
            return;
        };
        if let [(term, test)] = cube
            && let Some((side, bound)) = one_sided(test)
        {
            self.file_bound(*term, side, strength, bound, rule);
            return;
        }
        for (term, test) in cube {
            if let Values::Among(texts, true) = &test.present
                && texts.len() <= MOST_TEXTS
            {
                for text in texts.iter() {
                    self.texts
                        .entry((*term, Rc::clone(text)))
                        .or_default()
                        .push(rule);
                }
                return;
            }
        }
        for (term, test) in cube {
            if let Values::Text(Predicate::StartsWith(beginning), true) = &test.present {
                let key = (*term, Rc::clone(beginning));
                self.beginnings.entry(key).or_default().push(rule);
                return;
            }
        }
        let entry = (rule, cube.to_vec());
        self.others.entry(first.0).or_default().push(entry);
    }

    fn file_bound(&mut self, term: TermIndex, side: Side, strength: i64, bound: i128, rule: usize) {
        let best = self.bounds.entry((term, side)).or_default();
        let entry = best.entry(strength).or_insert((bound, rule));
        let wider = match side {
            Side::From => bound < entry.0,
            Side::UpTo => bound > entry.0,
        };
        if wider {
            *entry = (bound, rule);
        }
    }

    /// Rules that may cover one of this strength and condition, each once.
    pub(crate) fn candidates(&self, strength: i64, formula: &Formula) -> Vec<usize> {
        let mut found = self.always.clone();
        let cubes = formula.cubes(MOST_CUBES).unwrap_or_default();
        let Some(cube) = cubes.first() else {
            return found;
        };
        for (term, test) in cube {
            self.bounded(*term, test, strength, &mut found);
            self.textual(*term, test, &mut found);
            let others = self.others.get(term).into_iter().flatten();
            let others = others.take(MOST_GLANCED_AT);
            let others = others.filter(|(_, other)| may_allow(other, cube));
            found.extend(others.map(|(rule, _)| *rule).take(MOST_LOOKED_AT));
        }
        found.sort_unstable();
        found.dedup();
        found
    }

    fn bounded(&self, term: TermIndex, test: &Test, strength: i64, found: &mut Vec<usize>) {
        let Values::Numbers(numbers) = &test.present else {
            return;
        };
        let Some((low, high)) = numbers.extent() else {
            return;
        };
        for (side, bound) in [(Side::From, low), (Side::UpTo, high)] {
            let strong = self.bounds.get(&(term, side)).into_iter().flatten();
            found.extend(strong.filter(|(other, _)| **other >= strength).filter_map(
                |(_, (other, rule))| {
                    let wide = match side {
                        Side::From => *other <= bound,
                        Side::UpTo => *other >= bound,
                    };
                    wide.then_some(*rule)
                },
            ));
        }
    }

    fn textual(&self, term: TermIndex, test: &Test, found: &mut Vec<usize>) {
        let text = match &test.present {
            Values::Among(texts, true) => texts.first(),
            Values::Text(Predicate::StartsWith(beginning), true) => Some(beginning),
            _ => None,
        };
        let Some(text) = text else { return };
        let key = (term, Rc::clone(text));
        let equal = self.texts.get(&key).into_iter().flatten();
        found.extend(equal.take(MOST_LOOKED_AT));
        if self.beginnings.is_empty() {
            return;
        }
        for (end, c) in text.char_indices() {
            let beginning = text.get(..end + c.len_utf8()).unwrap_or_default();
            let rules = self.beginnings.get(&(term, Rc::from(beginning)));
            found.extend(rules.into_iter().flatten().take(MOST_LOOKED_AT));
        }
    }
}

/// Whether a conjunction may allow all that another does, as far as a look at the tests of the same terms tells: a proof takes
/// a hundred times as long.
fn may_allow(wide: &[(TermIndex, Rc<Test>)], narrow: &[(TermIndex, Rc<Test>)]) -> bool {
    wide.iter().all(|(term, wide)| {
        let same = narrow.iter().find(|(other, _)| other == term);
        same.is_none_or(|(_, narrow)| may_contain(&wide.present, &narrow.present))
    })
}

fn may_contain(wide: &Values, narrow: &Values) -> bool {
    match (wide, narrow) {
        (Values::Numbers(wide), Values::Numbers(narrow)) => {
            match (wide.extent(), narrow.extent()) {
                (Some((low, high)), Some((least, most))) => low <= least && most <= high,
                _ => true,
            }
        }
        (Values::Among(wide, true), Values::Among(narrow, true)) => narrow.is_subset(wide),
        (
            Values::Text(Predicate::StartsWith(wide), true),
            Values::Text(Predicate::StartsWith(narrow), true),
        ) => narrow.starts_with(&**wide),
        (Values::Exists(wide, true), Values::Exists(narrow, true)) => match (&**wide, &**narrow) {
            (Formula::Test(left, wide), Formula::Test(right, narrow)) if left == right => {
                may_contain(&wide.present, &narrow.present)
            }
            _ => true,
        },
        _ => true,
    }
}

/// A test of numbers that is open to one side.
fn one_sided(test: &Test) -> Option<(Side, i128)> {
    let Values::Numbers(numbers) = &test.present else {
        return None;
    };
    let (low, high) = numbers.extent()?;
    if !numbers.is_interval() {
        return None;
    }
    match (low == i128::MIN, high == i128::MAX) {
        (false, true) => Some((Side::From, low)),
        (true, false) => Some((Side::UpTo, high)),
        _ => None,
    }
}
