//! What conditions talk about: each distinct term once, with what is known of its values before any condition.
//!
//! A term is a fact, a key of a map, or any other expression by what it does. Two terms are the same only if they were
//! written the same; what a term of another one can be (`size(request.prompt)`) is a [`View`].

use std::collections::{BTreeSet, HashMap};
use std::fmt::Write as _;
use std::rc::Rc;

use waypost_lang::cel::typed::{Constant, Field, Function, Type, Typed, TypedKind};

use super::formula::{Formula, TermIndex};
use super::numbers::{Numbers, place_of};

/// What makes two terms one.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) enum Key {
    Fact(Field),
    Lookup(Field, String),
    /// Any other expression, as text.
    Expression(String),
    /// How two terms compare: 0 less, 1 equal, 2 greater, 3 not at all.
    Order(TermIndex, TermIndex),
}

/// Something that conditions test.
#[derive(Debug, Clone)]
pub(crate) struct Term {
    pub(crate) key: Key,
    /// Its type, without `optional`.
    pub(crate) ty: Type,
    pub(crate) optional: bool,
    /// Where its values have an order: all that it can have.
    pub(crate) numbers: Option<Numbers>,
    /// Where its values are strings and all are known: these.
    pub(crate) texts: Option<Rc<BTreeSet<Rc<str>>>>,
    /// What holds of it always.
    pub(crate) premise: Option<Rc<Formula>>,
    /// Whether computing it may fail.
    pub(crate) partial: bool,
    pub(crate) view: Option<View>,
}

/// A term that is a function of another.
#[derive(Debug, Clone)]
pub(crate) struct View {
    pub(crate) base: TermIndex,
    /// What an absent base stands for.
    pub(crate) default: Option<Rc<str>>,
    pub(crate) function: Function,
}

impl View {
    /// Its value for a string: a place in the order, or a string.
    pub(crate) fn of(&self, text: &str) -> Option<Seen> {
        Some(match self.function {
            Function::Size => Seen::Number(i128::try_from(text.chars().count()).ok()?),
            Function::LowerAscii => Seen::Text(text.to_ascii_lowercase()),
            Function::UpperAscii => Seen::Text(text.to_ascii_uppercase()),
            Function::Trim => Seen::Text(text.trim().to_owned()),
            _ => return None,
        })
    }
}

/// A value of a view.
pub(crate) enum Seen {
    Number(i128),
    Text(String),
}

/// Model names that clients send.
#[derive(Debug, Default)]
pub(crate) struct Accepted {
    pub(crate) exact: BTreeSet<Rc<str>>,
    pub(crate) beginnings: Vec<Rc<str>>,
}

/// What is known of a file's facts before any condition is read.
#[derive(Debug, Default)]
pub(crate) struct Known {
    /// The tiers that rules may see.
    pub(crate) tiers: Option<Rc<BTreeSet<Rc<str>>>>,
    /// The declared models.
    pub(crate) models: Option<Rc<BTreeSet<Rc<str>>>>,
    /// The model names that lead here.
    pub(crate) accepted: Option<Accepted>,
    /// The threshold, where no client can set another.
    pub(crate) threshold: Option<f64>,
}

/// All terms of a section.
#[derive(Debug, Default)]
pub(crate) struct Terms {
    pub(crate) known: Known,
    index: HashMap<Key, TermIndex>,
    all: Vec<Term>,
}

impl Terms {
    pub(crate) fn new(known: Known) -> Self {
        Self {
            known,
            ..Self::default()
        }
    }

    pub(crate) fn get(&self, term: TermIndex) -> Option<&Term> {
        self.all.get(term as usize)
    }
    /// The term of an expression that is no optional, or of the optional itself.
    pub(crate) fn of(&mut self, typed: &Typed) -> TermIndex {
        let key = match &typed.kind {
            TypedKind::Field(field) => Key::Fact(*field),
            TypedKind::Lookup(map, name) => Key::Lookup(*map, name.clone()),
            _ => Key::Expression(text_of(typed)),
        };
        if let Some(index) = self.index.get(&key) {
            return *index;
        }
        let view = self.view(typed);
        let (ty, optional) = match &typed.ty {
            Type::Optional(inner) => ((**inner).clone(), true),
            ty => (ty.clone(), false),
        };
        let numbers = self.numbers(typed, &ty);
        let term = Term {
            texts: self.texts(&key),
            key,
            ty,
            optional,
            numbers,
            premise: None,
            partial: is_partial(typed),
            view,
        };
        let index = self.add(term);
        self.assume(index);
        index
    }

    /// The tier that a rule of the policy sees.
    pub(crate) fn tier(&mut self) -> TermIndex {
        self.of(&Typed {
            span: waypost_lang::Span::default(),
            ty: Type::String,
            kind: TypedKind::Field(Field::Tier),
        })
    }

    /// The key of a map.
    pub(crate) fn lookup(&mut self, map: Field, name: &str) -> TermIndex {
        let key = Key::Lookup(map, name.to_owned());
        if let Some(index) = self.index.get(&key) {
            return *index;
        }
        let ty = if map == Field::CallerClaims {
            Type::Dyn
        } else {
            Type::String
        };
        self.add(Term {
            key,
            ty,
            optional: true,
            numbers: None,
            texts: None,
            premise: None,
            partial: false,
            view: None,
        })
    }

    /// How two terms of comparable types compare.
    pub(crate) fn order(&mut self, left: TermIndex, right: TermIndex, doubles: bool) -> TermIndex {
        let key = Key::Order(left, right);
        if let Some(index) = self.index.get(&key) {
            return *index;
        }
        let partial = [left, right]
            .iter()
            .any(|one| self.get(*one).is_none_or(|term| term.partial));
        self.add(Term {
            key,
            ty: Type::Int,
            optional: false,
            numbers: Some(Numbers::between(0, if doubles { 3 } else { 2 })),
            texts: None,
            premise: None,
            partial,
            view: None,
        })
    }

    fn add(&mut self, term: Term) -> TermIndex {
        let index = TermIndex::try_from(self.all.len()).unwrap_or(TermIndex::MAX);
        self.index.insert(term.key.clone(), index);
        self.all.push(term);
        index
    }

    fn texts(&self, key: &Key) -> Option<Rc<BTreeSet<Rc<str>>>> {
        match key {
            Key::Fact(Field::Tier) => self.known.tiers.clone(),
            Key::Fact(Field::Model) => self.known.models.clone(),
            _ => None,
        }
    }

    /// The model name that a client sent is one that leads to this section.
    fn assume(&mut self, index: TermIndex) {
        let Some(term) = self.all.get_mut(index as usize) else {
            return;
        };
        if term.key != Key::Fact(Field::RequestModel) {
            return;
        }
        if let Some(Accepted { exact, beginnings }) = &self.known.accepted {
            use super::formula::Values;
            use super::text::Predicate;
            let mut premise =
                Formula::test(index, false, Values::Among(Rc::new(exact.clone()), true));
            for beginning in beginnings {
                let starts = Values::Text(Predicate::StartsWith(Rc::clone(beginning)), true);
                premise = premise.or(Formula::test(index, false, starts));
            }
            term.premise = Some(Rc::new(premise));
        }
    }

    fn view(&mut self, typed: &Typed) -> Option<View> {
        let TypedKind::Call(function, arguments) = &typed.kind else {
            return None;
        };
        let [argument] = arguments.as_slice() else {
            return None;
        };
        let known = [
            Function::Size,
            Function::LowerAscii,
            Function::UpperAscii,
            Function::Trim,
        ];
        if !known.contains(function) || !matches!(argument.ty, Type::String | Type::List(_)) {
            return None;
        }
        let (base, default) = match (&argument.kind, &argument.ty) {
            (TypedKind::Call(Function::OrValue, parts), Type::String) => match parts.as_slice() {
                [optional, default] => match &default.kind {
                    TypedKind::Constant(Constant::String(text)) => {
                        (self.of(optional), Some(Rc::from(text.as_str())))
                    }
                    _ => return None,
                },
                _ => return None,
            },
            _ => (self.of(argument), None),
        };
        Some(View {
            base,
            default,
            function: *function,
        })
    }

    /// The values that a term with an order can have.
    fn numbers(&self, typed: &Typed, ty: &Type) -> Option<Numbers> {
        let every = Numbers::every(ty)?;
        let least = |low: i128| Some(Numbers::between(low, i64::MAX.into()));
        match &typed.kind {
            TypedKind::Field(field) => match field {
                Field::RequestTokens
                | Field::RequestMaxTokens
                | Field::RequestImages
                | Field::EndpointQueue => least(0),
                Field::RequestTurns => least(1),
                Field::Difficulty => Some(Numbers::between(0, place_of(1.0))),
                Field::Threshold => Some(match self.known.threshold {
                    Some(value) => Numbers::point(place_of(value)),
                    None => Numbers::between(0, place_of(1.0)),
                }),
                Field::CostEstimate | Field::CostCeiling => {
                    Some(Numbers::between(0, place_of(f64::MAX)))
                }
                _ => Some(every),
            },
            TypedKind::Call(function, arguments) => {
                let of_time = arguments
                    .first()
                    .is_some_and(|argument| argument.ty == Type::Timestamp);
                match function {
                    Function::Size => least(0),
                    Function::IndexOf | Function::LastIndexOf => least(-1),
                    Function::Hours if of_time => Some(Numbers::between(0, 23)),
                    Function::Minutes | Function::Seconds if of_time => {
                        Some(Numbers::between(0, 59))
                    }
                    Function::DayOfWeek => Some(Numbers::between(0, 6)),
                    Function::Month => Some(Numbers::between(0, 11)),
                    Function::Date => Some(Numbers::between(1, 31)),
                    Function::DayOfMonth => Some(Numbers::between(0, 30)),
                    Function::DayOfYear => Some(Numbers::between(0, 365)),
                    _ => Some(every),
                }
            }
            _ => Some(every),
        }
    }
}

/// An expression as text that says all of what it does and nothing of where it stands.
pub(crate) fn text_of(typed: &Typed) -> String {
    let mut text = String::new();
    write_text(typed, &mut text);
    text
}

fn write_text(typed: &Typed, out: &mut String) {
    // Writing to a string cannot fail.
    let _ = match &typed.kind {
        TypedKind::Constant(constant) => write!(out, "{constant:?}"),
        TypedKind::Field(field) => write!(out, "{field:?}"),
        TypedKind::Local(local) => write!(out, "local{local}"),
        TypedKind::Member(_, member) => write!(out, "{member:?}"),
        TypedKind::Lookup(map, key) => write!(out, "{map:?}[{key:?}]"),
        TypedKind::HasKey(map, key) => write!(out, "{map:?}.has({key:?})"),
        TypedKind::Call(function, _) => write!(out, "{function:?}"),
        TypedKind::And(..) => write!(out, "and"),
        TypedKind::Or(..) => write!(out, "or"),
        TypedKind::Conditional(..) => write!(out, "if"),
        TypedKind::List(_) => write!(out, "list"),
        TypedKind::Comprehension {
            kind,
            local,
            filter,
            ..
        } => {
            write!(out, "{kind:?}{local}{}", filter.is_some())
        }
        // What is not known here is the same only as itself.
        #[allow(unreachable_patterns, reason = "the language grows")]
        other => write!(out, "{other:?}@{:?}", typed.span),
    };
    out.push('(');
    typed.visit_children(&mut |child| {
        write_text(child, out);
        out.push(',');
    });
    out.push(')');
}

/// Whether evaluating it may fail on some call: whatever is not known to be total.
pub(crate) fn is_partial(typed: &Typed) -> bool {
    let own = match &typed.kind {
        TypedKind::Constant(_)
        | TypedKind::Field(_)
        | TypedKind::Local(_)
        | TypedKind::Member(..)
        | TypedKind::Lookup(..)
        | TypedKind::HasKey(..)
        | TypedKind::And(..)
        | TypedKind::Or(..)
        | TypedKind::Conditional(..)
        | TypedKind::List(_) => false,
        // Walks within walks could use up the steps that an evaluation has.
        TypedKind::Comprehension {
            range,
            body,
            filter,
            ..
        } => {
            let walks = |inner: &Typed| {
                let mut found = false;
                inner.visit(&mut |one| {
                    found |= matches!(&one.kind, TypedKind::Comprehension { range, .. } if !is_of_element(range));
                });
                found
            };
            walks(body) || filter.as_deref().is_some_and(walks) || walks(range)
        }
        TypedKind::Call(function, arguments) => !is_total(*function, arguments),
        #[allow(unreachable_patterns, reason = "the language grows")]
        _ => true,
    };
    let mut partial = own;
    typed.visit_children(&mut |child| partial = partial || is_partial(child));
    partial
}

/// A part of an element of the walk around.
fn is_of_element(range: &Typed) -> bool {
    match &range.kind {
        TypedKind::Member(record, _) => is_of_element(record),
        TypedKind::Local(_) => true,
        _ => false,
    }
}

fn is_total(function: Function, arguments: &[Typed]) -> bool {
    use Function as F;
    let doubles = || arguments.iter().all(|one| one.ty == Type::Double);
    let known = || arguments.iter().all(|one| one.ty != Type::Dyn);
    let texts = || arguments.iter().all(|one| one.ty == Type::String);
    match function {
        F::Equal
        | F::NotEqual
        | F::In
        | F::HasValue
        | F::OrValue
        | F::Or
        | F::Value
        | F::OptionalOf => true,
        F::Not | F::Less | F::LessOrEqual | F::Greater | F::GreaterOrEqual | F::Size => known(),
        F::Contains | F::StartsWith | F::EndsWith | F::Matches => texts(),
        F::LowerAscii | F::UpperAscii | F::Trim | F::IndexOf | F::LastIndexOf => texts(),
        F::ContainsIp | F::Family | F::IsLoopback => known(),
        F::Add | F::Subtract | F::Multiply | F::Divide => doubles(),
        F::Negate | F::Absolute | F::Ceiling | F::Floor | F::Round | F::Greatest | F::Least => {
            doubles()
        }
        F::Year | F::Month | F::DayOfYear | F::DayOfMonth | F::Date | F::DayOfWeek => known(),
        F::Hours | F::Minutes | F::Seconds | F::Milliseconds => known(),
        _ => false,
    }
}
