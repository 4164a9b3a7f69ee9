//! From a checked condition to a formula.
//!
//! Whatever is not understood becomes a term of its own that is true or false: nothing is known of it but that the same
//! expression has the same value.

use std::collections::BTreeSet;
use std::rc::Rc;

use waypost_lang::cel::typed::{Comprehension, Constant, Field, Function, Type, Typed, TypedKind};

use super::formula::{Formula, TermIndex, Values};
use super::numbers::Numbers;
use super::terms::{Terms, is_partial};
use super::text::{Plain, Predicate, plain};

/// A term as a condition reads it.
struct Subject<'t> {
    term: TermIndex,
    /// The type of its value.
    ty: &'t Type,
    /// Whether the term is an optional, and what stands for an absent value.
    absent: Absent<'t>,
}

enum Absent<'t> {
    /// It always has a value.
    Never,
    /// A guard around says that it has.
    Guarded,
    /// This stands in its place.
    Default(&'t Constant),
}

impl Terms {
    /// The formula of a condition.
    pub(crate) fn formula(&mut self, typed: &Typed) -> Formula {
        match &typed.kind {
            TypedKind::Constant(Constant::Bool(value)) => Formula::constant(*value),
            TypedKind::And(left, right) => self.formula(left).and(self.formula(right)),
            TypedKind::Or(left, right) => self.formula(left).or(self.formula(right)),
            TypedKind::Conditional(condition, then, otherwise) => {
                let condition = self.formula(condition);
                let (then, otherwise) = (self.formula(then), self.formula(otherwise));
                let no = condition.negation();
                condition.and(then).or(no.and(otherwise))
            }
            TypedKind::HasKey(map, key) => {
                let term = self.lookup(*map, key);
                Formula::test(term, false, Values::Any(true))
            }
            TypedKind::Comprehension {
                kind,
                range,
                filter: None,
                body,
                ..
            } => {
                let whole = match kind {
                    Comprehension::Exists => true,
                    Comprehension::All => false,
                    _ => return self.opaque(typed),
                };
                if is_partial(typed) {
                    return self.opaque(typed);
                }
                let list = self.of(range);
                let body = self.formula(body);
                let body = if whole { body } else { body.negation() };
                Formula::test(list, false, Values::Exists(Rc::new(body), whole))
            }
            TypedKind::Call(function, arguments) => self.call(typed, *function, arguments),
            _ => self.opaque(typed),
        }
    }

    fn call(&mut self, typed: &Typed, function: Function, arguments: &[Typed]) -> Formula {
        use Function as F;
        let formula = match (function, arguments) {
            (F::Not, [operand]) => Some(self.formula(operand).negation()),
            (F::HasValue, [optional]) if is_optional(optional) => {
                let term = self.of(optional);
                Some(Formula::test(term, false, Values::Any(true)))
            }
            (
                F::Equal | F::NotEqual | F::Less | F::LessOrEqual | F::Greater | F::GreaterOrEqual,
                [left, right],
            ) => self.comparison(function, left, right),
            (F::In, [value, list]) => self.membership(value, list),
            (F::StartsWith | F::EndsWith | F::Contains | F::Matches, [text, part]) => {
                self.part(function, text, part)
            }
            _ => None,
        };
        formula.unwrap_or_else(|| self.opaque(typed))
    }

    fn opaque(&mut self, typed: &Typed) -> Formula {
        let term = self.of(typed);
        Formula::test(term, false, Values::Numbers(Numbers::point(1)))
    }

    fn comparison(&mut self, relation: Function, left: &Typed, right: &Typed) -> Option<Formula> {
        match (&left.kind, &right.kind) {
            (_, TypedKind::Constant(constant)) => self.with_constant(relation, left, constant),
            (TypedKind::Constant(constant), _) => {
                self.with_constant(mirrored(relation), right, constant)
            }
            _ if left.ty == Type::Bool && right.ty == Type::Bool => {
                let same = self.formula(left).same_as(self.formula(right));
                match relation {
                    Function::Equal => Some(same),
                    Function::NotEqual => Some(same.negation()),
                    _ => None,
                }
            }
            _ => self.between_terms(relation, left, right),
        }
    }

    fn with_constant(
        &mut self,
        relation: Function,
        typed: &Typed,
        constant: &Constant,
    ) -> Option<Formula> {
        if typed.ty == Type::Bool
            && !matches!(
                typed.kind,
                TypedKind::Call(Function::OrValue | Function::Value, _)
            )
        {
            return match (relation, constant) {
                (Function::Equal, Constant::Bool(true))
                | (Function::NotEqual, Constant::Bool(false)) => Some(self.formula(typed)),
                (Function::Equal, Constant::Bool(false))
                | (Function::NotEqual, Constant::Bool(true)) => {
                    Some(self.formula(typed).negation())
                }
                _ => None,
            };
        }
        let subject = self.subject(typed)?;
        let values = match (subject.ty, constant) {
            (Type::String | Type::Dyn, Constant::String(text)) => {
                let within = match relation {
                    Function::Equal => true,
                    Function::NotEqual => false,
                    _ => return None,
                };
                Values::Among(Rc::new([Rc::from(text.as_str())].into()), within)
            }
            (Type::Dyn | Type::String, _) => return None,
            (ty, constant) => Values::Numbers(Numbers::related(ty, relation, constant)?),
        };
        self.ask(&subject, values)
    }

    fn membership(&mut self, value: &Typed, list: &Typed) -> Option<Formula> {
        let TypedKind::Constant(Constant::List(elements)) = &list.kind else {
            return None;
        };
        let subject = self.subject(value)?;
        let values = match subject.ty {
            Type::String | Type::Dyn => {
                let mut texts = BTreeSet::new();
                for element in elements {
                    match element {
                        Constant::String(text) => texts.insert(Rc::from(text.as_str())),
                        _ => return None,
                    };
                }
                Values::Among(Rc::new(texts), true)
            }
            ty => {
                let mut numbers = Numbers::none();
                for element in elements {
                    numbers = numbers.union(&Numbers::related(ty, Function::Equal, element)?);
                }
                Values::Numbers(numbers)
            }
        };
        self.ask(&subject, values)
    }

    fn part(&mut self, function: Function, text: &Typed, part: &Typed) -> Option<Formula> {
        let TypedKind::Constant(Constant::String(part)) = &part.kind else {
            return None;
        };
        if text.ty != Type::String {
            return None;
        }
        let subject = self.subject(text)?;
        let part: Rc<str> = Rc::from(part.as_str());
        let values = match function {
            Function::Matches => match plain(&part) {
                Some(Plain::Equal(text)) => Values::Among(Rc::new([text].into()), true),
                Some(Plain::Part(predicate)) => Values::Text(predicate, true),
                None => Values::Text(Predicate::Matches(part), true),
            },
            _ if part.is_empty() => Values::Any(true),
            Function::StartsWith => Values::Text(Predicate::StartsWith(part), true),
            Function::EndsWith => Values::Text(Predicate::EndsWith(part), true),
            _ => Values::Text(Predicate::Contains(part), true),
        };
        self.ask(&subject, values)
    }

    /// A test of a subject's value; an absent one is tested as what stands in its place.
    fn ask(&mut self, subject: &Subject<'_>, values: Values) -> Option<Formula> {
        let absent = match subject.absent {
            // Where a guard is, an absent value is never asked: any answer does.
            Absent::Never | Absent::Guarded => false,
            Absent::Default(constant) => holds(&values, subject.ty, constant)?,
        };
        Some(Formula::test(subject.term, absent, values))
    }

    fn subject<'t>(&mut self, typed: &'t Typed) -> Option<Subject<'t>> {
        let (term, absent) = match &typed.kind {
            TypedKind::Call(Function::OrValue, arguments) => match arguments.as_slice() {
                [optional, default] if is_optional(optional) => match &default.kind {
                    TypedKind::Constant(constant) => (self.of(optional), Absent::Default(constant)),
                    _ => (self.of(typed), Absent::Never),
                },
                _ => (self.of(typed), Absent::Never),
            },
            TypedKind::Call(Function::Value, arguments) => match arguments.as_slice() {
                [optional] if is_optional(optional) => (self.of(optional), Absent::Guarded),
                _ => (self.of(typed), Absent::Never),
            },
            _ => (self.of(typed), Absent::Never),
        };
        if matches!(typed.ty, Type::Optional(_)) {
            return None;
        }
        // An optional claim may be of any type, whatever stands in its place.
        let term_is_dyn = self.get(term)?.ty == Type::Dyn;
        let ty = if term_is_dyn { &Type::Dyn } else { &typed.ty };
        Some(Subject { term, ty, absent })
    }

    fn between_terms(
        &mut self,
        relation: Function,
        left: &Typed,
        right: &Typed,
    ) -> Option<Formula> {
        let ordered = |ty: &Type| Numbers::every(ty).is_some();
        let alike = left.ty == right.ty && (ordered(&left.ty) || left.ty == Type::String);
        if !alike || left.ty == Type::Bool {
            return None;
        }
        if let Some(formula) = self.against_threshold(relation, left, right) {
            return Some(formula);
        }
        let (mut relation, doubles) = (relation, left.ty == Type::Double);
        let (mut first, mut second) = (self.of(left), self.of(right));
        if first > second {
            std::mem::swap(&mut first, &mut second);
            relation = mirrored(relation);
        }
        if first == second {
            return None;
        }
        let outcomes = match relation {
            Function::Equal => Numbers::point(1),
            Function::NotEqual => Numbers::point(1).complement(),
            Function::Less => Numbers::point(0),
            Function::LessOrEqual => Numbers::between(0, 1),
            Function::Greater => Numbers::point(2),
            Function::GreaterOrEqual => Numbers::between(1, 2),
            _ => return None,
        };
        let order = self.order(first, second, doubles);
        Some(Formula::test(order, false, Values::Numbers(outcomes)))
    }

    /// A threshold that no client can set is a constant.
    fn against_threshold(
        &mut self,
        relation: Function,
        left: &Typed,
        right: &Typed,
    ) -> Option<Formula> {
        let value = Constant::Double(self.known.threshold?);
        let is_threshold = |typed: &Typed| typed.kind == TypedKind::Field(Field::Threshold);
        match (is_threshold(left), is_threshold(right)) {
            (false, true) => self.with_constant(relation, left, &value),
            (true, false) => self.with_constant(mirrored(relation), right, &value),
            _ => None,
        }
    }
}

/// An optional that is a term: a key of a map, or a field that may be missing.
fn is_optional(typed: &Typed) -> bool {
    matches!(typed.kind, TypedKind::Lookup(..) | TypedKind::Field(_))
        && matches!(typed.ty, Type::Optional(_))
}

/// Whether a constant is among the values.
fn holds(values: &Values, ty: &Type, constant: &Constant) -> Option<bool> {
    match (values, constant) {
        (Values::Any(holds), _) => Some(*holds),
        (Values::Among(texts, within), Constant::String(text)) => {
            Some(texts.contains(text.as_str()) == *within)
        }
        // A claim that stands for another type is equal to no string.
        (Values::Among(_, within), _) => Some(!within),
        (Values::Text(predicate, wanted), Constant::String(text)) => {
            Some(predicate.holds(text)? == *wanted)
        }
        (Values::Numbers(numbers), constant) => {
            let point = Numbers::related(ty, Function::Equal, constant)?;
            Some(numbers.contains(point.single()?))
        }
        _ => None,
    }
}

/// The relation with its sides changed.
const fn mirrored(relation: Function) -> Function {
    match relation {
        Function::Less => Function::Greater,
        Function::LessOrEqual => Function::GreaterOrEqual,
        Function::Greater => Function::Less,
        Function::GreaterOrEqual => Function::LessOrEqual,
        other => other,
    }
}
