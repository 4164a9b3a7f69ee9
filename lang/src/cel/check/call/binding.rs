//! Macros that name an expression: `cel.bind`, `optMap`, `optFlatMap`, `cel.block`.

use super::optional::not_optional;
use crate::cel::check::{
    Checker, Constant, Local, Meaning, Type, Typed, TypedKind, call, constant, unknown,
};
use crate::cel::expression::{Expr, ExprKind, Literal};
use crate::cel::parser::MAXIMUM_DEPTH;
use crate::cel::typed::Function;
use crate::codes::EXPRESSION_SYNTAX;
use crate::source::{Span, Spanned};

impl Checker<'_> {
    /// `cel.bind(name, value, body)`
    pub(super) fn bind(
        &mut self,
        expr: &Expr,
        function: &Spanned<String>,
        arguments: &[Expr],
    ) -> Typed {
        let [variable, value, body] = arguments else {
            return self.wrong_count(expr.span, "bind", &[3], arguments.len());
        };
        let Some(name) = variable_name(variable) else {
            return self.not_a_variable(variable, function);
        };
        let value = self.apart(value);
        self.with_name(expr.span, name, value, |checker| checker.apart(body))
    }

    /// `cel.block([a, b], body)`: `cel.index(0)` is `a` in `b` and in the body.
    pub(super) fn block(&mut self, expr: &Expr, arguments: &[Expr]) -> Typed {
        let [list, body] = arguments else {
            return self.wrong_count(expr.span, "block", &[2], arguments.len());
        };
        let ExprKind::List(values) = &list.kind else {
            return self.wrong_operand("block", "a list that is written out", list, &Type::Nothing);
        };
        // Every later stage walks a tree by recursion, and each value is a level of it.
        if self.bound.len() + values.len() > MAXIMUM_DEPTH as usize {
            return self.report(
                EXPRESSION_SYNTAX
                    .error(list.span, "the block is too long")
                    .label(format!("more than {MAXIMUM_DEPTH} values"))
                    .help("write several rules"),
            );
        }
        self.block_from(expr.span, values, 0, body)
    }

    fn block_from(&mut self, span: Span, values: &[(bool, Expr)], at: usize, body: &Expr) -> Typed {
        let Some((_, value)) = values.get(at) else {
            return self.apart(body);
        };
        let value = self.apart(value);
        self.with_name(span, format!("@index{at}"), value, |checker| {
            checker.block_from(span, values, at + 1, body)
        })
    }

    /// `o.optMap(name, body)`: the body of the value, or nothing. In `optFlatMap` the body is an optional itself.
    pub(super) fn map_optional(
        &mut self,
        expr: &Expr,
        receiver: &Expr,
        function: &Spanned<String>,
        arguments: &[Expr],
    ) -> Typed {
        let optional = self.value(receiver);
        match &optional.ty {
            Type::Error => return unknown(expr.span),
            Type::Optional(_) => {}
            ty if super::super::types::is_open(ty) && !self.is_total() => {}
            ty => return self.report(not_optional(expr, receiver, &function.value, ty)),
        }
        let [variable, body] = arguments else {
            return self.wrong_count(expr.span, &function.value, &[2], arguments.len());
        };
        let Some(name) = variable_name(variable) else {
            return self.not_a_variable(variable, function);
        };
        self.once(expr.span, optional, |checker, optional| {
            let inner = match &optional.ty {
                Type::Optional(inner) => inner.as_ref().clone(),
                _ => Type::Dyn,
            };
            let is_present = has_value(expr.span, optional.clone());
            let value = call(
                receiver.span,
                Function::Value,
                vec![optional.clone()],
                inner,
            );
            let guards = checker.implied(&is_present, true);
            let body_typed = checker.under(guards, |checker| {
                checker.with_name(body.span, name, value, |checker| checker.apart(body))
            });
            let then = match (function.value.as_str(), &body_typed.ty) {
                (_, Type::Error) => return unknown(expr.span),
                ("optMap", ty) => {
                    let ty = Type::Optional(Box::new(ty.clone()));
                    call(body.span, Function::OptionalOf, vec![body_typed], ty)
                }
                (_, Type::Optional(_)) => body_typed,
                (_, ty) if super::super::types::is_open(ty) && !checker.is_total() => body_typed,
                (name, ty) => {
                    let ty = ty.clone();
                    return checker.wrong_operand(name, "an optional", body, &ty);
                }
            };
            checker.if_present(expr.span, optional, then)
        })
    }

    /// `then` if the optional has a value, or nothing.
    pub(in crate::cel::check) fn if_present(
        &mut self,
        span: Span,
        optional: Typed,
        then: Typed,
    ) -> Typed {
        if then.ty == Type::Error {
            return then;
        }
        match &optional.kind {
            TypedKind::Constant(Constant::Absent) => {
                return Typed {
                    ty: then.ty,
                    ..constant(span, Constant::Absent)
                };
            }
            TypedKind::Constant(Constant::Present(_)) => return then,
            _ => {}
        }
        let ty = then.ty.clone();
        let absent = Typed {
            ty: ty.clone(),
            ..constant(span, Constant::Absent)
        };
        let is_present = has_value(span, optional);
        Typed {
            span,
            ty,
            kind: TypedKind::Conditional(Box::new(is_present), Box::new(then), Box::new(absent)),
        }
    }

    /// What `check` makes of a value that it may write several times: a name for it if that would cost something.
    pub(in crate::cel::check) fn once(
        &mut self,
        span: Span,
        value: Typed,
        check: impl FnOnce(&mut Self, Typed) -> Typed,
    ) -> Typed {
        if is_cheap(&value) {
            return check(self, value);
        }
        let name = Typed {
            span: value.span,
            ty: value.ty.clone(),
            kind: TypedKind::Local(self.nesting),
        };
        self.named_value(span, value, |checker| check(checker, name))
    }

    /// Checks a body in which a name stands for `value`.
    fn with_name(
        &mut self,
        span: Span,
        name: String,
        value: Typed,
        check: impl FnOnce(&mut Self) -> Typed,
    ) -> Typed {
        let meaning = if is_cheap(&value) {
            Meaning::Bound(value.clone())
        } else {
            Meaning::Element(self.nesting, value.ty.clone())
        };
        let is_written_out = matches!(meaning, Meaning::Bound(_));
        self.locals.push(Local { name, meaning });
        let typed = if is_written_out {
            Typed {
                span,
                ..check(self)
            }
        } else {
            self.named_value(span, value, check)
        };
        self.locals.pop();
        typed
    }

    fn named_value(
        &mut self,
        span: Span,
        value: Typed,
        check: impl FnOnce(&mut Self) -> Typed,
    ) -> Typed {
        let local = self.nesting;
        self.nesting += 1;
        self.bound.push((local, value.clone()));
        let body = check(self);
        self.bound.pop();
        self.nesting -= 1;
        if body.ty == Type::Error || value.ty == Type::Error {
            return unknown(span);
        }
        if constant_body(&body) {
            return Typed { span, ..body };
        }
        Typed {
            span,
            ty: body.ty.clone(),
            kind: TypedKind::Bind {
                local,
                value: Box::new(value),
                body: Box::new(body),
            },
        }
    }
}

fn constant_body(body: &Typed) -> bool {
    matches!(body.kind, TypedKind::Constant(_))
}

fn has_value(span: Span, optional: Typed) -> Typed {
    call(span, Function::HasValue, vec![optional], Type::Bool)
}

/// Whether an expression may as well be evaluated where its name stands.
fn is_cheap(typed: &Typed) -> bool {
    match &typed.kind {
        TypedKind::Constant(_)
        | TypedKind::Field(_)
        | TypedKind::Local(_)
        | TypedKind::Variable(_)
        | TypedKind::Lookup(..)
        | TypedKind::HasKey(..) => true,
        TypedKind::Member(record, _) => is_cheap(record),
        TypedKind::Call(Function::Value | Function::OptionalOf | Function::Select, arguments) => {
            arguments.iter().all(is_cheap)
        }
        _ => false,
    }
}

/// The name that a macro gives: an identifier, or the `cel.iterVar(0, 0)` of an optimized expression.
pub(super) fn variable_name(expr: &Expr) -> Option<String> {
    match &expr.kind {
        ExprKind::Identifier(name) if !name.starts_with('.') => Some(name.clone()),
        ExprKind::Call {
            receiver: Some(receiver),
            function,
            arguments,
        } if receiver.kind == ExprKind::Identifier("cel".to_owned()) => {
            block_name(&function.value, arguments)
        }
        _ => None,
    }
}

/// The name behind `cel.index(0)` and `cel.iterVar(0, 0)`.
pub(super) fn block_name(function: &str, arguments: &[Expr]) -> Option<String> {
    let number = |expr: &Expr| match &expr.kind {
        ExprKind::Literal(Literal::Int(number)) => Some(*number),
        _ => None,
    };
    match (function, arguments) {
        ("index", [at]) => Some(format!("@index{}", number(at)?)),
        ("iterVar", [depth, at]) => Some(format!("@it:{}:{}", number(depth)?, number(at)?)),
        _ => None,
    }
}
