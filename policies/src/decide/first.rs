//! The first by rank of the rules that match, without asking those that cannot.

use super::Decider;
use crate::plan::ranked::{Entry, Family, Index, Number, Rank, Ranked, Thresholds};
use crate::vm::{Session, Value};

/// Whether a condition holds: [`Session::matches`] or [`Session::is_true`].
type Holds<'a, 'e> = fn(&mut Session<'a, 'e>, u32) -> bool;

/// A search through rules of one kind.
struct Search<'s, 'a, 'e> {
    session: &'s mut Session<'a, 'e>,
    rules: &'a Ranked,
    holds: Holds<'a, 'e>,
    /// The best rank so far; all below it are still open.
    best: Rank,
}

impl<'a, 'e> Decider<'a, 'e> {
    /// The place in the plan of the first by rank of the rules that match.
    pub(crate) fn first(&mut self, rules: &'a Ranked, holds: Holds<'a, 'e>) -> Option<u16> {
        let mut search = Search {
            session: &mut self.session,
            rules,
            holds,
            best: Rank::MAX,
        };
        for family in &rules.families {
            search.family(family);
        }
        search.ask(&rules.alone);
        let rule = rules.rules.get(usize::from(search.best))?;
        Some(rule.place)
    }
}

impl<'a> Search<'_, 'a, '_> {
    fn family(&mut self, family: &'a Family) {
        if family.all.first().is_none_or(|first| *first >= self.best) {
            return;
        }
        let value = self.session.term(&family.term);
        match (&family.index, value) {
            (Index::Equal(rules), Value::Text(text)) => {
                self.entries(rules.get(text).map_or(&[], Vec::as_slice));
            }
            (Index::Prefix(rules, lengths), Value::Text(text)) => {
                for length in lengths {
                    let start = text.get(..*length);
                    let entries = start.and_then(|start| rules.get(start));
                    self.entries(entries.map_or(&[], Vec::as_slice));
                }
            }
            (Index::Element(member, rules), list) => {
                let Some(length) = self.session.length(list) else {
                    return self.ask(&family.all);
                };
                for index in 0..length {
                    let Some(text) = self.session.element_text(list, index, *member) else {
                        return self.ask(&family.all);
                    };
                    self.entries(rules.get(text).map_or(&[], Vec::as_slice));
                }
            }
            (Index::Order(thresholds), value) => {
                let number = match value {
                    Value::Int(number) => Some(Number::Int(number)),
                    Value::Double(number) => Some(Number::Double(number)),
                    _ => None,
                };
                match number.and_then(|number| thresholds.passed(number)) {
                    Some(passed) => self.thresholds(thresholds, passed),
                    None => self.ask(&family.all),
                }
            }
            // It has no value, or not the one that its type promised: nothing is ruled out.
            _ => self.ask(&family.all),
        }
    }

    /// Rules that are not ruled out, ascending.
    fn entries(&mut self, entries: &[Entry]) {
        for entry in entries {
            if entry.rank >= self.best {
                return;
            }
            if entry.is_whole || self.matches(entry.rank) {
                self.best = entry.rank;
                return;
            }
        }
    }

    fn thresholds(&mut self, thresholds: &Thresholds, passed: usize) {
        let whole = passed.checked_sub(1);
        let whole = whole.and_then(|last| thresholds.best.get(last).copied().flatten());
        self.best = whole.map_or(self.best, |whole| whole.min(self.best));
        for (rank, at) in &thresholds.open {
            if *rank >= self.best {
                return;
            }
            if *at < passed && self.matches(*rank) {
                self.best = *rank;
                return;
            }
        }
    }

    /// Rules that only their conditions can rule out, ascending.
    fn ask(&mut self, ranks: &[Rank]) {
        for rank in ranks {
            if *rank >= self.best {
                return;
            }
            if self.matches(*rank) {
                self.best = *rank;
                return;
            }
        }
    }

    fn matches(&mut self, rank: Rank) -> bool {
        let rule = self.rules.rules.get(usize::from(rank));
        match rule.and_then(|rule| rule.when) {
            Some(when) => (self.holds)(self.session, when),
            None => true,
        }
    }
}
