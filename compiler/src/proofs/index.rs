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
    /// Every conjunction, with its rule; the lists below hold places in it.
    entries: Vec<(usize, Cube)>,
    always: Vec<usize>,
    texts: HashMap<(TermIndex, Rc<str>), Vec<usize>>,
    beginnings: HashMap<(TermIndex, Rc<str>), Vec<usize>>,
    /// Single tests `>= bound` and `<= bound`: of each strength the widest.
    bounds: HashMap<(TermIndex, Side), HashMap<i64, (i128, usize)>>,
    others: HashMap<TermIndex, Vec<usize>>,
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
            let entry = self.entries.len();
            self.file(entry, strength, &cube);
            self.entries.push((rule, cube));
        }
    }

    fn file(&mut self, entry: usize, strength: i64, cube: &[(TermIndex, Rc<Test>)]) {
        let [first, ..] = cube else {
            self.always.push(entry);
            return;
        };
        if let [(term, test)] = cube
            && let Some((side, bound)) = one_sided(test)
        {
            self.file_bound(*term, side, strength, bound, entry);
            return;
        }
        let tests = || cube.iter().map(|(term, test)| of_element(*term, test));
        for (term, test) in tests() {
            if let Values::Among(texts, true) = &test.present
                && texts.len() <= MOST_TEXTS
            {
                for text in texts.iter() {
                    let key = (term, Rc::clone(text));
                    self.texts.entry(key).or_default().push(entry);
                }
                return;
            }
        }
        for (term, test) in tests() {
            if let Values::Text(Predicate::StartsWith(beginning), true) = &test.present {
                let key = (term, Rc::clone(beginning));
                self.beginnings.entry(key).or_default().push(entry);
                return;
            }
        }
        self.others.entry(first.0).or_default().push(entry);
    }

    fn file_bound(&mut self, term: TermIndex, side: Side, strength: i64, bound: i128, new: usize) {
        let best = self.bounds.entry((term, side)).or_default();
        let entry = best.entry(strength).or_insert((bound, new));
        let wider = match side {
            Side::From => bound < entry.0,
            Side::UpTo => bound > entry.0,
        };
        if wider {
            *entry = (bound, new);
        }
    }

    /// Rules that may cover one of this strength and condition, each once.
    pub(crate) fn candidates(&self, strength: i64, formula: &Formula) -> Vec<usize> {
        let mut found = self.always.clone();
        let cubes = formula.cubes(MOST_CUBES).unwrap_or_default();
        let cube = cubes.first().map(Vec::as_slice).unwrap_or_default();
        for (term, test) in cube {
            self.bounded(*term, test, strength, &mut found);
            self.textual(*term, test, &mut found);
            let others = self.others.get(term).into_iter().flatten().copied();
            let others = others.take(MOST_GLANCED_AT);
            let others = others.filter(|entry| self.may_allow(*entry, cube));
            found.extend(others.take(MOST_LOOKED_AT));
        }
        found.sort_unstable();
        found.dedup();
        let worth = found.into_iter().filter(|one| self.may_allow(*one, cube));
        let rules = worth.filter_map(|entry| self.entries.get(entry).map(|(rule, _)| *rule));
        let mut rules: Vec<usize> = rules.collect();
        rules.dedup();
        rules
    }

    fn may_allow(&self, entry: usize, narrow: &[(TermIndex, Rc<Test>)]) -> bool {
        let wide = self.entries.get(entry);
        wide.is_some_and(|(_, wide)| may_allow(wide, narrow))
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
                |(_, (other, entry))| {
                    let wide = match side {
                        Side::From => *other <= bound,
                        Side::UpTo => *other >= bound,
                    };
                    wide.then_some(*entry)
                },
            ));
        }
    }

    fn textual(&self, term: TermIndex, test: &Test, found: &mut Vec<usize>) {
        if let Values::Exists(body, true) = &test.present {
            return self.elements(body, found);
        }
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

    /// Looks up what an element is asked; of alternatives, a cover of all covers the first.
    fn elements(&self, body: &Formula, found: &mut Vec<usize>) {
        match body {
            Formula::Test(term, test) => self.textual(*term, test, found),
            Formula::All(parts) => parts.iter().for_each(|part| self.elements(part, found)),
            Formula::Any(parts) => parts
                .iter()
                .take(1)
                .for_each(|one| self.elements(one, found)),
            Formula::Always | Formula::Never => {}
        }
    }
}

/// What is asked of an element, where that is one test of a text; else the test itself.
fn of_element(term: TermIndex, test: &Rc<Test>) -> (TermIndex, &Rc<Test>) {
    if let Values::Exists(body, true) = &test.present
        && let Formula::Test(inner, asked) = &**body
        && let Values::Among(_, true) | Values::Text(Predicate::StartsWith(_), true) =
            &asked.present
    {
        return (*inner, asked);
    }
    (term, test)
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
