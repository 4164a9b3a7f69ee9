//! Whether a conjunction of formulas can hold: a search over their alternatives, within a budget.
//!
//! Sound in one direction: [`Verdict::Impossible`] is a proof; anything else says only that none was found.

use std::collections::BTreeSet;
use std::rc::Rc;

use super::formula::{Formula, TermIndex, Test, Values};
use super::numbers::Numbers;
use super::terms::{Key, Seen, Term, Terms, View};
use super::text::Texts;

/// What a search came to.
#[derive(Debug)]
pub(crate) enum Verdict {
    /// Nothing satisfies it.
    Impossible,
    /// This is left, and may satisfy it.
    Possible(World),
    /// The budget ended first.
    Unknown,
}

/// What is left of each term's values.
pub(crate) type World = Vec<(TermIndex, Left)>;

/// What is left of a term's values.
#[derive(Debug, Clone)]
pub(crate) struct Left {
    /// Whether an optional may be absent.
    pub(crate) absent: bool,
    pub(crate) present: Room,
}

/// What is left of the values that are there.
#[derive(Debug, Clone)]
pub(crate) enum Room {
    Nothing,
    Anything,
    Numbers(Numbers),
    Texts(Texts),
    Lists {
        /// Each is satisfied by an element.
        some: Vec<Rc<Formula>>,
        /// None is satisfied by any.
        none: Vec<Rc<Formula>>,
    },
}

/// How deep walks within walks are looked into.
const DEEPEST: u32 = 4;

pub(crate) struct Search<'t> {
    terms: &'t Terms,
    budget: u32,
    depth: u32,
}

impl<'t> Search<'t> {
    /// A search that tests at most `budget` times.
    pub(crate) const fn new(terms: &'t Terms, budget: u32) -> Self {
        Self {
            terms,
            budget,
            depth: 0,
        }
    }

    /// Whether all of `formulas` can hold at once.
    pub(crate) fn run(&mut self, formulas: &[&Formula]) -> Verdict {
        self.branch(formulas.to_vec(), Vec::new(), Vec::new())
    }

    fn branch<'f>(
        &mut self,
        mut pending: Vec<&'f Formula>,
        mut world: World,
        mut choices: Vec<&'f [Formula]>,
    ) -> Verdict
    where
        't: 'f,
    {
        while let Some(formula) = pending.pop() {
            match formula {
                Formula::Always => {}
                Formula::Never => return Verdict::Impossible,
                Formula::All(parts) => pending.extend(parts),
                Formula::Any(parts) => choices.push(parts),
                Formula::Test(term, test) => {
                    let Some(left) = self.budget.checked_sub(1) else {
                        return Verdict::Unknown;
                    };
                    self.budget = left;
                    if !world.iter().any(|(known, _)| known == term)
                        && let Some(premise) = self.premise(*term)
                    {
                        pending.push(premise);
                    }
                    if !assume(self.terms, &mut world, *term, test) {
                        return Verdict::Impossible;
                    }
                }
            }
        }
        let Some(choice) = choices.pop() else {
            return if self.is_consistent(&mut world) {
                Verdict::Possible(world)
            } else {
                Verdict::Impossible
            };
        };
        let mut unknown = false;
        for alternative in choice {
            match self.branch(vec![alternative], world.clone(), choices.clone()) {
                Verdict::Impossible => {}
                Verdict::Unknown => unknown = true,
                possible @ Verdict::Possible(_) => return possible,
            }
        }
        if unknown {
            Verdict::Unknown
        } else {
            Verdict::Impossible
        }
    }

    fn premise(&self, term: TermIndex) -> Option<&'t Formula> {
        self.terms.get(term)?.premise.as_deref()
    }

    /// Whether what is left of different terms can be at once. What follows from one for another is taken into account in `world`.
    fn is_consistent(&mut self, world: &mut World) -> bool {
        self.orders_agree(world) && views_agree(self.terms, world) && self.elements_exist(world)
    }

    /// Two terms compare as their values do.
    fn orders_agree(&self, world: &World) -> bool {
        world.iter().all(|(index, left)| {
            let Some(Key::Order(first, second)) = self.terms.get(*index).map(|term| &term.key)
            else {
                return true;
            };
            let (Some(first), Some(second)) =
                (self.numbers(world, *first), self.numbers(world, *second))
            else {
                return true;
            };
            let Room::Numbers(outcomes) = &left.present else {
                return true;
            };
            !outcomes.intersection(&orders(&first, &second)).is_empty()
        })
    }

    fn numbers(&self, world: &World, term: TermIndex) -> Option<Numbers> {
        match world.iter().find(|(known, _)| *known == term) {
            Some((
                _,
                Left {
                    present: Room::Numbers(numbers),
                    absent: false,
                },
            )) => Some(numbers.clone()),
            Some(_) => None,
            None => self
                .terms
                .get(term)
                .filter(|term| !term.optional)?
                .numbers
                .clone(),
        }
    }

    /// An element that is said to exist can be, given what no element satisfies.
    fn elements_exist(&mut self, world: &World) -> bool {
        if self.depth >= DEEPEST {
            return true;
        }
        let lists: Vec<(Vec<Rc<Formula>>, Vec<Formula>)> = world
            .iter()
            .filter_map(|(_, left)| match &left.present {
                Room::Lists { some, none } => Some((
                    some.clone(),
                    none.iter().map(|body| body.negation()).collect(),
                )),
                _ => None,
            })
            .collect();
        self.depth += 1;
        let mut exist = true;
        for (some, none) in &lists {
            for body in some {
                let formulas = std::iter::once(&**body).chain(none).collect();
                let around = world
                    .iter()
                    .filter(|(_, left)| !matches!(left.present, Room::Lists { .. }))
                    .cloned()
                    .collect();
                let verdict = self.element(formulas, around);
                exist &= !matches!(verdict, Verdict::Impossible);
            }
        }
        self.depth -= 1;
        exist
    }

    fn element(&mut self, formulas: Vec<&Formula>, around: World) -> Verdict {
        let mut inner = Search {
            terms: self.terms,
            budget: self.budget,
            depth: self.depth,
        };
        let verdict = inner.branch(formulas, around, Vec::new());
        self.budget = inner.budget;
        verdict
    }
}

/// Leaves of a term's values what passes a test; whether anything is left.
fn assume(terms: &Terms, world: &mut World, index: TermIndex, test: &Test) -> bool {
    let place = match world.iter().position(|(known, _)| *known == index) {
        Some(place) => place,
        None => {
            let Some(term) = terms.get(index) else {
                return true;
            };
            world.push((index, start(term)));
            world.len() - 1
        }
    };
    let Some((_, left)) = world.get_mut(place) else {
        return true;
    };
    left.absent &= test.absent;
    narrow(&mut left.present, &test.present);
    left.absent || !is_empty(&left.present)
}

fn start(term: &Term) -> Left {
    let present = match (&term.numbers, &term.texts) {
        (Some(numbers), _) => Room::Numbers(numbers.clone()),
        (None, Some(texts)) => Room::Texts(Texts::of((**texts).clone())),
        _ => Room::Anything,
    };
    Left {
        absent: term.optional,
        present,
    }
}

fn narrow(room: &mut Room, values: &Values) {
    match (&mut *room, values) {
        (Room::Nothing, _) | (_, Values::Any(true)) => {}
        (_, Values::Any(false)) => *room = Room::Nothing,
        (Room::Numbers(left), Values::Numbers(numbers)) => *left = left.intersection(numbers),
        (Room::Anything, Values::Numbers(numbers)) => *room = Room::Numbers(numbers.clone()),
        (Room::Texts(left), Values::Among(texts, within)) => left.keep(texts, *within),
        (Room::Texts(left), Values::Text(predicate, holds)) => left.satisfy(predicate, *holds),
        (Room::Anything, Values::Among(..) | Values::Text(..)) => {
            *room = Room::Texts(Texts::default());
            narrow(room, values);
        }
        (Room::Lists { some, none }, Values::Exists(body, holds)) => {
            if *holds { some } else { none }.push(Rc::clone(body));
        }
        (Room::Anything, Values::Exists(..)) => {
            *room = Room::Lists {
                some: Vec::new(),
                none: Vec::new(),
            };
            narrow(room, values);
        }
        // Tests of different kinds of one term say nothing of one another.
        _ => {}
    }
}

fn is_empty(room: &Room) -> bool {
    match room {
        Room::Nothing => true,
        Room::Numbers(numbers) => numbers.is_empty(),
        Room::Texts(texts) => texts.is_empty(),
        Room::Anything | Room::Lists { .. } => false,
    }
}

/// How a number of `first` may compare with one of `second`.
fn orders(first: &Numbers, second: &Numbers) -> Numbers {
    let mut outcomes = Numbers::none();
    if first.has_nan() || second.has_nan() {
        outcomes = outcomes.union(&Numbers::point(3));
    }
    let (Some((low, high)), Some((least, most))) = (first.extent(), second.extent()) else {
        return outcomes;
    };
    if low < most {
        outcomes = outcomes.union(&Numbers::point(0));
    }
    if high > least {
        outcomes = outcomes.union(&Numbers::point(2));
    }
    if !first.intersection(second).is_empty() {
        outcomes = outcomes.union(&Numbers::point(1));
    }
    outcomes
}

/// A term that is a function of another has a value of what is left of the other.
fn views_agree(terms: &Terms, world: &mut World) -> bool {
    let views: Vec<(View, Left)> = world
        .iter()
        .filter_map(|(index, left)| Some((terms.get(*index)?.view.clone()?, left.clone())))
        .collect();
    for (view, left) in views {
        let Some(place) = world.iter().position(|(known, _)| *known == view.base) else {
            continue;
        };
        let Some((_, base)) = world.get_mut(place) else {
            continue;
        };
        if !narrow_base(base, &view, &left) {
            return false;
        }
    }
    true
}

/// Leaves of a base what its view allows; whether anything is left.
fn narrow_base(base: &mut Left, view: &View, left: &Left) -> bool {
    let passes = |text: &str| match (view.of(text), &left.present) {
        (_, Room::Nothing) => false,
        (Some(Seen::Number(place)), Room::Numbers(numbers)) => numbers.contains(place),
        (Some(Seen::Text(text)), Room::Texts(texts)) => texts.admits(&text),
        _ => true,
    };
    if base.absent
        && let Some(default) = &view.default
    {
        base.absent = passes(default);
    }
    match &mut base.present {
        Room::Texts(Texts {
            only: Some(only), ..
        }) => {
            let kept: BTreeSet<Rc<str>> =
                only.iter().filter(|text| passes(text)).cloned().collect();
            *only = kept;
        }
        Room::Lists { some, none } => {
            let Room::Numbers(sizes) = &left.present else {
                return true;
            };
            let least = i128::from(!some.is_empty());
            let most = if none.iter().any(|body| **body == Formula::Always) {
                0
            } else {
                i128::MAX
            };
            return !sizes
                .intersection(&Numbers::between(least, most))
                .is_empty();
        }
        _ => {}
    }
    base.absent || !is_empty(&base.present)
}
