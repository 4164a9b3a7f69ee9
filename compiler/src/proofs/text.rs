//! Sets of strings: some named ones, all but some named ones, and what is known of their parts.

use std::collections::BTreeSet;
use std::rc::Rc;

use regex::Regex;

/// Something that a string may satisfy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Predicate {
    StartsWith(Rc<str>),
    EndsWith(Rc<str>),
    Contains(Rc<str>),
    /// A regular expression.
    Matches(Rc<str>),
}

impl Predicate {
    /// Whether a string satisfies it; none where it cannot be said.
    pub(crate) fn holds(&self, text: &str) -> Option<bool> {
        Some(match self {
            Self::StartsWith(part) => text.starts_with(&**part),
            Self::EndsWith(part) => text.ends_with(&**part),
            Self::Contains(part) => text.contains(&**part),
            Self::Matches(pattern) => Regex::new(pattern).ok()?.is_match(text),
        })
    }

    /// Whether each string that satisfies this one certainly satisfies the other.
    fn implies(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::StartsWith(longer), Self::StartsWith(shorter)) => longer.starts_with(&**shorter),
            (Self::EndsWith(longer), Self::EndsWith(shorter)) => longer.ends_with(&**shorter),
            (
                Self::StartsWith(whole) | Self::EndsWith(whole) | Self::Contains(whole),
                Self::Contains(part),
            ) => whole.contains(&**part),
            _ => self == other,
        }
    }

    /// Whether no string satisfies both.
    fn excludes(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::StartsWith(a), Self::StartsWith(b)) => {
                !a.starts_with(&**b) && !b.starts_with(&**a)
            }
            (Self::EndsWith(a), Self::EndsWith(b)) => !a.ends_with(&**b) && !b.ends_with(&**a),
            _ => false,
        }
    }
}

/// The strings that are left.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Texts {
    /// Only these, where a set is known.
    pub(crate) only: Option<BTreeSet<Rc<str>>>,
    /// None of these.
    pub(crate) except: BTreeSet<Rc<str>>,
    /// What they satisfy, and what they do not.
    pub(crate) predicates: Vec<(Predicate, bool)>,
}

impl Texts {
    /// Only these.
    pub(crate) fn of(texts: BTreeSet<Rc<str>>) -> Self {
        Self {
            only: Some(texts),
            ..Self::default()
        }
    }

    /// Leaves those that are, or are not, among `texts`.
    pub(crate) fn keep(&mut self, texts: &BTreeSet<Rc<str>>, within: bool) {
        match (&mut self.only, within) {
            (Some(only), _) => only.retain(|text| texts.contains(text) == within),
            (None, true) => {
                let fits = |text: &&Rc<str>| self.admits(text);
                self.only = Some(texts.iter().filter(fits).cloned().collect());
            }
            (None, false) => self.except.extend(texts.iter().cloned()),
        }
    }

    /// Leaves those that satisfy it, or do not.
    pub(crate) fn satisfy(&mut self, predicate: &Predicate, holds: bool) {
        match &mut self.only {
            Some(only) => only.retain(|text| predicate.holds(text).is_none_or(|one| one == holds)),
            None => {
                let known = (predicate.clone(), holds);
                if !self.predicates.contains(&known) {
                    self.predicates.push(known);
                }
            }
        }
    }

    /// Whether a string may be among them.
    pub(crate) fn admits(&self, text: &str) -> bool {
        self.only.as_ref().is_none_or(|only| only.contains(text))
            && !self.except.contains(text)
            && self
                .predicates
                .iter()
                .all(|(predicate, holds)| predicate.holds(text).is_none_or(|one| one == *holds))
    }

    /// Whether certainly nothing is left.
    pub(crate) fn is_empty(&self) -> bool {
        if let Some(only) = &self.only {
            return only.is_empty();
        }
        let pairs = self.predicates.iter().enumerate();
        pairs.into_iter().any(|(at, (first, holds))| {
            *holds
                && self
                    .predicates
                    .iter()
                    .enumerate()
                    .any(|(other, (second, also))| {
                        at != other
                            && if *also {
                                first.excludes(second)
                            } else {
                                first.implies(second)
                            }
                    })
        })
    }
}

/// What a regular expression without special characters asks: `^auto` a beginning, `auto$` an end, `^auto$` the string itself.
pub(crate) enum Plain {
    Equal(Rc<str>),
    Part(Predicate),
}

pub(crate) fn plain(pattern: &str) -> Option<Plain> {
    let (begins, rest) = match pattern.strip_prefix('^') {
        Some(rest) => (true, rest),
        None => (false, pattern),
    };
    let (ends, literal) = match rest.strip_suffix('$') {
        Some(literal) => (true, literal),
        None => (false, rest),
    };
    let is_plain = |c: char| c.is_alphanumeric() || "-_/:@ ".contains(c);
    if literal.is_empty() || !literal.chars().all(is_plain) {
        return None;
    }
    let literal = Rc::from(literal);
    Some(match (begins, ends) {
        (true, true) => Plain::Equal(literal),
        (true, false) => Plain::Part(Predicate::StartsWith(literal)),
        (false, true) => Plain::Part(Predicate::EndsWith(literal)),
        (false, false) => Plain::Part(Predicate::Contains(literal)),
    })
}
