//! What a checked expression reads: its facts, keys, patterns and zones.

use std::collections::BTreeSet;

use super::typed::{Constant, Field, Function, Typed, TypedKind};
use crate::source::{Span, Spanned};

impl Typed {
    /// The expressions directly inside, in the order of evaluation.
    #[must_use]
    pub fn children(&self) -> Vec<&Self> {
        let mut children = Vec::new();
        self.visit_children(&mut |child| children.push(child));
        children
    }

    /// Calls `visit` on each expression directly inside, in the order of evaluation.
    pub fn visit_children<'a>(&'a self, visit: &mut dyn FnMut(&'a Self)) {
        match &self.kind {
            TypedKind::Constant(_)
            | TypedKind::Field(_)
            | TypedKind::Local(_)
            | TypedKind::Variable(_)
            | TypedKind::Fail(_)
            | TypedKind::Lookup(..)
            | TypedKind::HasKey(..) => {}
            TypedKind::Member(record, _) => visit(record),
            TypedKind::Call(_, arguments) | TypedKind::List(arguments) => {
                arguments.iter().for_each(visit);
            }
            TypedKind::And(left, right) | TypedKind::Or(left, right) => {
                visit(left);
                visit(right);
            }
            TypedKind::Conditional(condition, then, otherwise) => {
                visit(condition);
                visit(then);
                visit(otherwise);
            }
            TypedKind::Comprehension {
                range,
                filter,
                body,
                ..
            } => {
                visit(range);
                filter.iter().for_each(|filter| visit(filter));
                visit(body);
            }
            TypedKind::OptionalList(elements) => {
                elements.iter().for_each(|element| visit(&element.value));
            }
            TypedKind::Map(entries) => {
                for entry in entries {
                    visit(&entry.key);
                    visit(&entry.value);
                }
            }
            TypedKind::Bind { value, body, .. } => {
                visit(value);
                visit(body);
            }
        }
    }

    /// Calls `visit` on this expression and on every one inside.
    pub fn visit<'a>(&'a self, visit: &mut dyn FnMut(&'a Self)) {
        visit(self);
        self.visit_children(&mut |child| child.visit(visit));
    }

    /// How deep its tree is; a leaf is 1.
    #[must_use]
    pub fn depth(&self) -> u32 {
        let below = self.children().into_iter().map(Self::depth).max();
        below.unwrap_or(0) + 1
    }

    /// Every fact that it may read, maps included.
    #[must_use]
    pub fn fields(&self) -> BTreeSet<Field> {
        let mut fields = BTreeSet::new();
        self.visit(&mut |typed| match typed.kind {
            TypedKind::Field(field) | TypedKind::Lookup(field, _) | TypedKind::HasKey(field, _) => {
                fields.insert(field);
            }
            _ => {}
        });
        fields
    }

    /// Every key that it may read, with its map.
    #[must_use]
    pub fn map_keys(&self) -> BTreeSet<(Field, &str)> {
        let mut keys = BTreeSet::new();
        self.visit(&mut |typed| match &typed.kind {
            TypedKind::Lookup(field, key) | TypedKind::HasKey(field, key) => {
                keys.insert((*field, key.as_str()));
            }
            _ => {}
        });
        keys
    }

    /// The patterns of its `matches`. They are constants, but their syntax is not checked here: the compiler,
    /// which has the engine that runs them, reports one that does not compile at its span (WP0210).
    #[must_use]
    pub fn patterns(&self) -> Vec<Spanned<&str>> {
        self.constant_arguments(&|function| function == Function::Matches)
    }

    /// The time zones of its `getHours("Europe/Berlin")` and the like. They are constants, but whether they exist
    /// is not checked here: the compiler, which has the zone database, reports one that does not (WP0209).
    #[must_use]
    pub fn zones(&self) -> Vec<Spanned<&str>> {
        self.constant_arguments(&|function| {
            (Function::Year..=Function::Milliseconds).contains(&function)
        })
    }

    fn constant_arguments(&self, is_meant: &dyn Fn(Function) -> bool) -> Vec<Spanned<&str>> {
        let mut found = Vec::new();
        self.visit(&mut |typed| {
            if let TypedKind::Call(function, arguments) = &typed.kind
                && is_meant(*function)
                && let Some(argument) = arguments.get(1)
                && let TypedKind::Constant(Constant::String(text)) = &argument.kind
            {
                found.push(Spanned::new(text.as_str(), argument.span));
            }
        });
        found
    }

    /// Calls `visit` on each expression directly inside.
    pub(super) fn each_child(&mut self, visit: &mut dyn FnMut(&mut Self)) {
        match &mut self.kind {
            TypedKind::Constant(_)
            | TypedKind::Field(_)
            | TypedKind::Local(_)
            | TypedKind::Variable(_)
            | TypedKind::Fail(_)
            | TypedKind::Lookup(..)
            | TypedKind::HasKey(..) => {}
            TypedKind::Member(record, _) => visit(record),
            TypedKind::Call(_, arguments) | TypedKind::List(arguments) => {
                arguments.iter_mut().for_each(visit);
            }
            TypedKind::OptionalList(elements) => {
                for element in elements {
                    visit(&mut element.value);
                }
            }
            TypedKind::Map(entries) => {
                for entry in entries {
                    visit(&mut entry.key);
                    visit(&mut entry.value);
                }
            }
            TypedKind::And(left, right) | TypedKind::Or(left, right) => {
                visit(left);
                visit(right);
            }
            TypedKind::Conditional(condition, then, otherwise) => {
                visit(condition);
                visit(then);
                visit(otherwise);
            }
            TypedKind::Bind { value, body, .. } => {
                visit(value);
                visit(body);
            }
            TypedKind::Comprehension {
                range,
                filter,
                body,
                ..
            } => {
                visit(range);
                if let Some(filter) = filter {
                    visit(filter);
                }
                visit(body);
            }
        }
    }

    /// The same expression as if written nowhere, to compare two of them by what they do.
    #[must_use]
    pub fn without_spans(&self) -> Self {
        fn clear(typed: &mut Typed) {
            typed.span = Span::default();
            typed.each_child(&mut clear);
        }
        let mut typed = self.clone();
        clear(&mut typed);
        typed
    }
}
