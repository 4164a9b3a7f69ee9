//! The rules of one kind that a call can match at all: the first of them by rank, or every one.

use super::Decider;
use crate::plan::ranked::{Entry, Family, Index, Number, Rank, Ranked, Thresholds};
use crate::vm::{Session, Value};

/// Whether a condition holds: [`Session::matches`] or [`Session::is_true`].
type Holds<'a, 'e> = fn(&mut Session<'a, 'e>, u32) -> bool;

/// What becomes of the rules that a family's index leaves.
trait Left<'a, 'e> {
    fn session(&mut self) -> &mut Session<'a, 'e>;

    /// Those of one value, ascending.
    fn entries(&mut self, entries: &[Entry]);

    /// Those of the first so many thresholds.
    fn passed(&mut self, thresholds: &Thresholds, passed: usize);

    /// Those that only their conditions can rule out, ascending.
    fn all(&mut self, ranks: &[Rank]);
}

/// A search through rules of one kind.
struct Search<'s, 'a, 'e> {
    session: &'s mut Session<'a, 'e>,
    rules: &'a Ranked,
    holds: Holds<'a, 'e>,
    /// The best rank so far; all below it are still open.
    best: Rank,
}

/// The rules that are not ruled out.
struct Open<'s, 'a, 'e> {
    session: &'s mut Session<'a, 'e>,
    ranks: &'s mut Vec<Rank>,
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
            if family.all.first().is_some_and(|first| *first < search.best) {
                look_up(family, &mut search);
            }
        }
        search.all(&rules.alone);
        let rule = rules.rules.get(usize::from(search.best))?;
        Some(rule.place)
    }

    /// Every rule that the call can match, ascending, in place of what `ranks` had: each is still to be asked.
    pub(crate) fn open(&mut self, rules: &'a Ranked, ranks: &mut Vec<Rank>) {
        ranks.clear();
        ranks.extend(&rules.alone);
        if rules.families.is_empty() {
            return;
        }
        let mut open = Open {
            session: &mut self.session,
            ranks,
        };
        for family in &rules.families {
            look_up(family, &mut open);
        }
        ranks.sort_unstable();
        ranks.dedup();
    }
}

/// Asks a family's index which of its rules the call's value leaves.
fn look_up<'a, 'e>(family: &'a Family, left: &mut impl Left<'a, 'e>) {
    let value = left.session().term(&family.term);
    match (&family.index, value) {
        (Index::Equal(rules), Value::Text(text)) => {
            left.entries(rules.get(text).map_or(&[], Vec::as_slice));
        }
        (Index::Prefix(rules, lengths), Value::Text(text)) => {
            for length in lengths {
                let start = text.get(..*length);
                let entries = start.and_then(|start| rules.get(start));
                left.entries(entries.map_or(&[], Vec::as_slice));
            }
        }
        (Index::Element(member, rules), list) => {
            let Some(length) = left.session().length(list) else {
                return left.all(&family.all);
            };
            for index in 0..length {
                let Some(text) = left.session().element_text(list, index, *member) else {
                    return left.all(&family.all);
                };
                left.entries(rules.get(text).map_or(&[], Vec::as_slice));
            }
        }
        (Index::Order(thresholds), value) => {
            let number = match value {
                Value::Int(number) => Some(Number::Int(number)),
                Value::Double(number) => Some(Number::Double(number)),
                _ => None,
            };
            match number.and_then(|number| thresholds.passed(number)) {
                Some(passed) => left.passed(thresholds, passed),
                None => left.all(&family.all),
            }
        }
        // It has no value, or not the one that its type promised: nothing is ruled out.
        _ => left.all(&family.all),
    }
}

impl<'a, 'e> Left<'a, 'e> for Search<'_, 'a, 'e> {
    fn session(&mut self) -> &mut Session<'a, 'e> {
        self.session
    }

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

    fn passed(&mut self, thresholds: &Thresholds, passed: usize) {
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

    fn all(&mut self, ranks: &[Rank]) {
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
}

impl Search<'_, '_, '_> {
    fn matches(&mut self, rank: Rank) -> bool {
        let rule = self.rules.rules.get(usize::from(rank));
        match rule.and_then(|rule| rule.when) {
            Some(when) => (self.holds)(self.session, when),
            None => true,
        }
    }
}

impl<'a, 'e> Left<'a, 'e> for Open<'_, 'a, 'e> {
    fn session(&mut self) -> &mut Session<'a, 'e> {
        self.session
    }

    fn entries(&mut self, entries: &[Entry]) {
        self.ranks.extend(entries.iter().map(|entry| entry.rank));
    }

    fn passed(&mut self, thresholds: &Thresholds, passed: usize) {
        let bounds = thresholds.bounds.iter().take(passed);
        self.ranks.extend(bounds.map(|(_, entry)| entry.rank));
    }

    fn all(&mut self, ranks: &[Rank]) {
        self.ranks.extend(ranks);
    }
}
