//! Conditions as formulas: tests of terms, joined by *and* and *or*.
//!
//! A negation is the complement of a test, so there is none in a formula. Tests of one term are comparable; of different terms
//! nothing is known but what [`super::search`] says.

use std::collections::BTreeSet;
use std::rc::Rc;

use super::numbers::Numbers;
use super::text::Predicate;

/// Index into [`super::terms::Terms`].
pub(crate) type TermIndex = u32;

/// A conjunction of tests.
pub(crate) type Cube = Vec<(TermIndex, Rc<Test>)>;

/// A condition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Formula {
    Always,
    Never,
    Test(TermIndex, Rc<Test>),
    All(Vec<Self>),
    Any(Vec<Self>),
}

/// What is asked of one term.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Test {
    /// Of an optional: whether it holds where there is no value.
    pub(crate) absent: bool,
    /// Where there is one.
    pub(crate) present: Values,
}

/// What is asked of a value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Values {
    /// Nothing: it holds of all, or of none.
    Any(bool),
    Numbers(Numbers),
    /// Whether it is one of these.
    Among(Rc<BTreeSet<Rc<str>>>, bool),
    /// Whether it satisfies this.
    Text(Predicate, bool),
    /// Of a list: whether an element satisfies this.
    Exists(Rc<Formula>, bool),
}

impl Values {
    fn complement(&self) -> Self {
        match self {
            Self::Any(holds) => Self::Any(!holds),
            Self::Numbers(numbers) => Self::Numbers(numbers.complement()),
            Self::Among(texts, within) => Self::Among(Rc::clone(texts), !within),
            Self::Text(predicate, holds) => Self::Text(predicate.clone(), !holds),
            Self::Exists(body, holds) => Self::Exists(Rc::clone(body), !holds),
        }
    }
}

impl Formula {
    pub(crate) const fn constant(holds: bool) -> Self {
        if holds { Self::Always } else { Self::Never }
    }

    pub(crate) fn test(term: TermIndex, absent: bool, present: Values) -> Self {
        Self::Test(term, Rc::new(Test { absent, present }))
    }

    pub(crate) fn negation(&self) -> Self {
        match self {
            Self::Always => Self::Never,
            Self::Never => Self::Always,
            Self::Test(term, test) => Self::test(*term, !test.absent, test.present.complement()),
            Self::All(parts) => Self::Any(parts.iter().map(Self::negation).collect()),
            Self::Any(parts) => Self::All(parts.iter().map(Self::negation).collect()),
        }
    }

    pub(crate) fn and(self, other: Self) -> Self {
        match (self, other) {
            (Self::Never, _) | (_, Self::Never) => Self::Never,
            (Self::Always, one) | (one, Self::Always) => one,
            (Self::All(mut left), Self::All(right)) => {
                left.extend(right);
                Self::All(left)
            }
            (Self::All(mut parts), one) | (one, Self::All(mut parts)) => {
                parts.push(one);
                Self::All(parts)
            }
            (left, right) => Self::All(vec![left, right]),
        }
    }

    pub(crate) fn or(self, other: Self) -> Self {
        match (self, other) {
            (Self::Always, _) | (_, Self::Always) => Self::Always,
            (Self::Never, one) | (one, Self::Never) => one,
            (Self::Any(mut left), Self::Any(right)) => {
                left.extend(right);
                Self::Any(left)
            }
            (Self::Any(mut parts), one) | (one, Self::Any(mut parts)) => {
                parts.push(one);
                Self::Any(parts)
            }
            (left, right) => Self::Any(vec![left, right]),
        }
    }

    /// Whether both hold or neither does.
    pub(crate) fn same_as(self, other: Self) -> Self {
        let neither = self.negation().and(other.negation());
        self.and(other).or(neither)
    }

    /// Its conjunctions of tests, if there are at most `most`.
    pub(crate) fn cubes(&self, most: usize) -> Option<Vec<Cube>> {
        match self {
            Self::Always => Some(vec![Vec::new()]),
            Self::Never => Some(Vec::new()),
            Self::Test(term, test) => Some(vec![vec![(*term, Rc::clone(test))]]),
            Self::Any(parts) => {
                let mut cubes = Vec::new();
                for part in parts {
                    cubes.extend(part.cubes(most)?);
                    if cubes.len() > most {
                        return None;
                    }
                }
                Some(cubes)
            }
            Self::All(parts) => {
                let mut cubes = vec![Vec::new()];
                for part in parts {
                    let more = part.cubes(most)?;
                    if cubes.len() * more.len() > most {
                        return None;
                    }
                    cubes = cubes
                        .iter()
                        .flat_map(|cube: &Vec<_>| {
                            more.iter().map(move |one| [cube.as_slice(), one].concat())
                        })
                        .collect();
                }
                Some(cubes)
            }
        }
    }
}
