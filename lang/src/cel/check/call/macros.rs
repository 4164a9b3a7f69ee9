//! `has`, and the macros over lists and maps.

use super::article;
use super::binding::variable_name;
use crate::cel::check::mistake::as_condition;
use crate::cel::check::partial::Clause;
use crate::cel::check::types::is_open;
use crate::cel::check::{
    Checker, Constant, Local, Meaning, TYPE_MISMATCH, Type, Typed, TypedKind, constant,
    constant_of, unknown,
};
use crate::cel::expression::{Expr, ExprKind};
use crate::cel::print::quote;
use crate::cel::typed::{Comprehension, Function};
use crate::codes::{NOT_A_BOOL, PARTIAL_OPERATION};
use crate::source::Spanned;

/// A macro over a list or map, read but not checked.
struct Macro<'a> {
    kind: Comprehension,
    first: String,
    second: Option<String>,
    filter: Option<&'a Expr>,
    body: &'a Expr,
}

impl Checker<'_> {
    pub(super) fn has(&mut self, expr: &Expr, argument: &Expr) -> Typed {
        let ExprKind::Select {
            operand,
            field,
            optional: false,
        } = &argument.kind
        else {
            return self.not_a_field(expr, argument);
        };
        if self.group(operand).is_some() {
            return self.has_fact(expr, argument);
        }
        let base = self.any(operand);
        let key = constant(field.span, Constant::String(field.value.clone()));
        let is_map = |ty: &Type| matches!(ty, Type::Map(..)) || is_open(ty);
        match (&base.kind, &base.ty) {
            (_, Type::Error) => unknown(expr.span),
            (TypedKind::Field(map), Type::Map(..)) => {
                let map = *map;
                if !self.check_key(map, field, false) {
                    return unknown(expr.span);
                }
                Typed {
                    span: expr.span,
                    ty: Type::Bool,
                    kind: TypedKind::HasKey(map, field.value.clone()),
                }
            }
            (_, Type::Optional(inner)) if is_map(inner) => self.has_part(expr, base.clone(), key),
            (_, ty) if is_map(ty) => self.has_part(expr, base, key),
            _ => self.has_fact(expr, argument),
        }
    }

    fn has_part(&mut self, expr: &Expr, base: Typed, key: Typed) -> Typed {
        if !self.is_total() {
            return self.apply(expr.span, Function::HasField, vec![base, key], Type::Bool);
        }
        let (container, value) = match &base.ty {
            Type::Optional(inner) => (inner.as_ref().clone(), inner.as_ref()),
            ty => (ty.clone(), ty),
        };
        let value = match value {
            Type::Map(key_type, value) => {
                if !super::super::types::are_comparable(key_type, &key.ty) {
                    let ty = base.ty.clone();
                    return self.wrong_operand("has", "a map with strings as keys", expr, &ty);
                }
                value.as_ref().clone()
            }
            _ => Type::Dyn,
        };
        let function = if is_open(&container) {
            Function::Part
        } else {
            Function::OptionalIndex
        };
        let ty = Type::Optional(Box::new(value));
        let found = self.apply(expr.span, function, vec![base, key], ty);
        self.apply(expr.span, Function::HasValue, vec![found], Type::Bool)
    }

    fn has_fact(&mut self, expr: &Expr, argument: &Expr) -> Typed {
        let typed = self.any(argument);
        match typed.ty {
            Type::Error => unknown(expr.span),
            Type::Optional(_) => self.apply(expr.span, Function::HasValue, vec![typed], Type::Bool),
            ty => self.always_there(expr, argument, &ty),
        }
    }

    fn not_a_field(&mut self, expr: &Expr, argument: &Expr) -> Typed {
        let help = match &argument.kind {
            ExprKind::Index { operand, index, .. } => format!("write `{index} in {operand}`"),
            _ => "write `has(request.headers.name)`, or `\"name\" in request.headers`".to_owned(),
        };
        self.report(
            TYPE_MISMATCH
                .error(expr.span, "`has` takes a field")
                .label("this is none")
                .help(help),
        )
    }

    fn always_there(&mut self, expr: &Expr, argument: &Expr, ty: &Type) -> Typed {
        let help = match ty {
            Type::Map(..) => format!("ask for one key: {} in {argument}", quote("key")),
            _ => as_condition(argument, ty),
        };
        self.report(
            TYPE_MISMATCH
                .error(expr.span, format!("`{argument}` is always there"))
                .label("this is always true")
                .help(help),
        )
    }

    pub(super) fn comprehension(
        &mut self,
        expr: &Expr,
        receiver: &Expr,
        function: &Spanned<String>,
        arguments: &[Expr],
    ) -> Typed {
        let range = self.operand(receiver);
        let (key, element) = match &range.ty {
            Type::Error => return unknown(expr.span),
            Type::List(element) => (Type::Int, element.as_ref().clone()),
            Type::Map(key, value) => (key.as_ref().clone(), value.as_ref().clone()),
            ty if is_open(ty) && !self.is_total() => (Type::Dyn, Type::Dyn),
            ty => {
                let ty = ty.clone();
                return self.wrong_operand(&function.value, "a list or a map", receiver, &ty);
            }
        };
        let found = match self.parts_of_macro(expr, function, arguments) {
            Ok(found) => found,
            Err(reported) => return reported,
        };
        let is_map = matches!(range.ty, Type::Map(..));
        let (local, nesting, names) = (self.nesting, self.nesting, self.locals.len());
        let (first, second) = match (&found.second, is_map) {
            (None, true) => (key.clone(), None),
            (None, false) => (element.clone(), None),
            (Some(name), _) => (key.clone(), Some((name.clone(), element.clone()))),
        };
        self.name_element(found.first.clone(), first.clone());
        let second = second.map(|(name, ty)| self.name_element(name, ty));
        let filter = found
            .filter
            .map(|filter| self.condition(filter, &function.value));
        let guards = filter
            .as_ref()
            .map_or_else(Vec::new, |filter| self.implied(filter, true));
        let body = self.under(guards, |checker| checker.macro_body(&found, function));
        self.locals.truncate(names);
        self.nesting = nesting;
        if body.ty == Type::Error {
            return unknown(expr.span);
        }
        let Some(ty) = self.macro_type(&found, &range.ty, &key, &first, &body) else {
            let ty = body.ty.clone();
            return self.wrong_operand(&function.value, "a map of one entry", found.body, &ty);
        };
        if found.kind == Comprehension::TransformMapEntry && self.is_total() {
            return self.may_repeat_keys(expr, function);
        }
        let typed = Typed {
            span: expr.span,
            ty,
            kind: TypedKind::Comprehension {
                kind: found.kind,
                range: Box::new(range),
                local,
                second,
                filter: filter.map(Box::new),
                body: Box::new(body),
            },
        };
        self.computed_if_closed(typed)
    }

    fn name_element(&mut self, name: String, ty: Type) -> u16 {
        let local = self.nesting;
        self.nesting += 1;
        let meaning = Meaning::Element(local, ty);
        self.locals.push(Local { name, meaning });
        local
    }

    fn macro_body(&mut self, found: &Macro<'_>, function: &Spanned<String>) -> Typed {
        match found.kind {
            Comprehension::Map
            | Comprehension::TransformList
            | Comprehension::TransformMap
            | Comprehension::TransformMapEntry => self.apart(found.body),
            _ => self.body(found.body, &function.value),
        }
    }

    /// The type that a macro gives; none if its body gives what it cannot take.
    fn macro_type(
        &self,
        found: &Macro<'_>,
        range: &Type,
        key: &Type,
        element: &Type,
        body: &Typed,
    ) -> Option<Type> {
        let ty = Box::new(body.ty.clone());
        Some(match found.kind {
            Comprehension::Map | Comprehension::TransformList => Type::List(ty),
            Comprehension::Filter => match range {
                Type::Map(..) => Type::List(Box::new(element.clone())),
                ty if is_open(ty) => Type::List(Box::new(Type::Dyn)),
                range => range.clone(),
            },
            Comprehension::TransformMap => Type::Map(Box::new(key.clone()), ty),
            Comprehension::TransformMapEntry => match &body.ty {
                Type::Map(..) => body.ty.clone(),
                open if is_open(open) && !self.is_total() => Type::Dyn,
                _ => return None,
            },
            _ => Type::Bool,
        })
    }

    fn may_repeat_keys(&mut self, expr: &Expr, function: &Spanned<String>) -> Typed {
        self.report(
            PARTIAL_OPERATION
                .error(
                    expr.span,
                    format!("`{}` fails if two entries have one key", function.value),
                )
                .label("the keys are only known at run time")
                .help("keep the keys with `transformMap`, or make a list with `transformList`"),
        )
    }

    /// A macro over constants that reads nothing else is one.
    fn computed_if_closed(&mut self, typed: Typed) -> Typed {
        let TypedKind::Comprehension { range, local, .. } = &typed.kind else {
            return typed;
        };
        let mut is_closed = constant_of(range).is_some() && self.evaluates();
        typed.visit(&mut |inner| {
            is_closed &= match &inner.kind {
                TypedKind::Field(_)
                | TypedKind::Variable(_)
                | TypedKind::Lookup(..)
                | TypedKind::HasKey(..) => false,
                TypedKind::Local(number) => number >= local,
                _ => true,
            };
        });
        if is_closed {
            self.computed(typed)
        } else {
            typed
        }
    }

    /// `list.sortBy(x, key)`: sorts the list by a second one, of the keys.
    pub(super) fn sort_by(
        &mut self,
        expr: &Expr,
        receiver: &Expr,
        function: &Spanned<String>,
        arguments: &[Expr],
    ) -> Typed {
        let [variable, key] = arguments else {
            return self.wrong_count(expr.span, "sortBy", &[2], arguments.len());
        };
        let Some(name) = variable_name(variable) else {
            return self.not_a_variable(variable, function);
        };
        let list = self.operand(receiver);
        let element = match &list.ty {
            Type::Error => return unknown(expr.span),
            Type::List(element) => element.as_ref().clone(),
            ty if is_open(ty) && !self.is_total() => Type::Dyn,
            ty => {
                let ty = ty.clone();
                return self.wrong_operand("sortBy", "a list", receiver, &ty);
            }
        };
        self.once(expr.span, list, |checker, list| {
            let (local, names) = (checker.nesting, checker.locals.len());
            checker.name_element(name, element);
            let body = checker.apart(key);
            checker.locals.truncate(names);
            checker.nesting = local;
            let is_ordered = super::super::types::is_ordered(&body.ty);
            if body.ty == Type::Error || checker.is_total() && !is_ordered {
                let ty = body.ty.clone();
                return checker.wrong_operand("sortBy", "a number, a string or a time", key, &ty);
            }
            let ty = list.ty.clone();
            let keys = Typed {
                span: key.span,
                ty: Type::List(Box::new(body.ty.clone())),
                kind: TypedKind::Comprehension {
                    kind: Comprehension::Map,
                    range: Box::new(list.clone()),
                    local,
                    second: None,
                    filter: None,
                    body: Box::new(body),
                },
            };
            let keys = checker.computed_if_closed(keys);
            checker.apply(expr.span, Function::SortByKeys, vec![list, keys], ty)
        })
    }

    /// The variables, the condition and the body of a macro; or what stands for a call that has none.
    fn parts_of_macro<'a>(
        &mut self,
        expr: &Expr,
        function: &Spanned<String>,
        arguments: &'a [Expr],
    ) -> Result<Macro<'a>, Typed> {
        let (kind, takes): (Comprehension, &[usize]) = match function.value.as_str() {
            "all" => (Comprehension::All, &[2, 3]),
            "exists" => (Comprehension::Exists, &[2, 3]),
            "map" => (Comprehension::Map, &[2, 3]),
            "filter" => (Comprehension::Filter, &[2]),
            "transformList" => (Comprehension::TransformList, &[3, 4]),
            "transformMap" => (Comprehension::TransformMap, &[3, 4]),
            "transformMapEntry" => (Comprehension::TransformMapEntry, &[3, 4]),
            _ => (Comprehension::ExistsOne, &[2, 3]),
        };
        let (first, second, filter, body) = match (kind, arguments) {
            (Comprehension::Map, [first, filter, body]) => (first, None, Some(filter), body),
            (Comprehension::Map | Comprehension::Filter, [first, body])
            | (
                Comprehension::All | Comprehension::Exists | Comprehension::ExistsOne,
                [first, body],
            ) => (first, None, None, body),
            (Comprehension::Map | Comprehension::Filter, _) => {
                return Err(self.wrong_count(expr.span, &function.value, takes, arguments.len()));
            }
            (_, [first, second, body]) => (first, Some(second), None, body),
            (
                Comprehension::TransformList
                | Comprehension::TransformMap
                | Comprehension::TransformMapEntry,
                [first, second, filter, body],
            ) => (first, Some(second), Some(filter), body),
            _ => return Err(self.wrong_count(expr.span, &function.value, takes, arguments.len())),
        };
        let Some(first_name) = variable_name(first) else {
            return Err(self.not_a_variable(first, function));
        };
        let second_name = match second {
            None => None,
            Some(second) => match variable_name(second) {
                Some(name) => Some(name),
                None => return Err(self.not_a_variable(second, function)),
            },
        };
        Ok(Macro {
            kind,
            first: first_name,
            second: second_name,
            filter,
            body,
        })
    }

    /// The condition of a macro.
    fn body(&mut self, expr: &Expr, name: &str) -> Typed {
        let clause = self.clause.replace(Clause::of(expr));
        let typed = self.value(expr);
        self.clause = clause;
        match &typed.ty {
            Type::Bool | Type::Error => typed,
            ty if is_open(ty) && !self.is_total() => typed,
            Type::Dyn => self.dynamic(expr, &format!("`{name}` takes a condition")),
            ty => {
                let help = as_condition(expr, ty);
                self.report(
                    NOT_A_BOOL
                        .error(
                            expr.span,
                            format!("`{name}` takes a condition, `{expr}` is {}", article(ty)),
                        )
                        .label(ty.to_string())
                        .help(help),
                )
            }
        }
    }

    pub(super) fn not_a_variable(&mut self, variable: &Expr, function: &Spanned<String>) -> Typed {
        self.report(
            TYPE_MISMATCH
                .error(
                    variable.span,
                    format!("`{variable}` is not the name of a variable"),
                )
                .label("the name of each element belongs here")
                .help(format!("write `list.{}(x, …)`", function.value)),
        )
    }
}
