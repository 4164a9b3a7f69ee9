//! Macros that name an expression: `cel.bind`, `optMap`, `optFlatMap`. The name is written out where it is used,
//! so a plan knows nothing of it.

use super::optional::not_optional;
use crate::cel::check::{Checker, Local, Meaning, Type, Typed, TypedKind, call, guard, unknown};
use crate::cel::expression::{Expr, ExprKind};
use crate::cel::parser::MAXIMUM_DEPTH;
use crate::cel::typed::{Constant, Function};
use crate::source::Spanned;

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
        let value = self.value(value);
        let typed = self.with_name(variable, function, value, body);
        Typed {
            span: expr.span,
            ..typed
        }
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
        let inner = match &optional.ty {
            Type::Error => return unknown(expr.span),
            Type::Optional(inner) => (**inner).clone(),
            ty => return self.report(not_optional(expr, receiver, &function.value, ty)),
        };
        let [variable, body] = arguments else {
            return self.wrong_count(expr.span, &function.value, &[2], arguments.len());
        };
        let is_present = call(
            expr.span,
            Function::HasValue,
            vec![optional.clone()],
            Type::Bool,
        );
        let value = call(receiver.span, Function::Value, vec![optional], inner);
        let guards = guard::implied(&is_present, true);
        let body_typed = self.under(guards, |checker| {
            checker.with_name(variable, function, value, body)
        });
        let then = match (function.value.as_str(), &body_typed.ty) {
            (_, Type::Error) => return unknown(expr.span),
            ("optMap", ty) => {
                let ty = Type::Optional(Box::new(ty.clone()));
                call(body.span, Function::OptionalOf, vec![body_typed], ty)
            }
            (_, Type::Optional(_)) => body_typed,
            (name, ty) => {
                let ty = ty.clone();
                return self.wrong_operand(name, "an optional", body, &ty);
            }
        };
        let ty = then.ty.clone();
        let absent = Typed {
            span: expr.span,
            ty: ty.clone(),
            kind: TypedKind::Constant(Constant::Absent),
        };
        Typed {
            span: expr.span,
            ty,
            kind: TypedKind::Conditional(Box::new(is_present), Box::new(then), Box::new(absent)),
        }
    }

    /// Checks `body` with the name that `variable` is standing for `value`.
    fn with_name(
        &mut self,
        variable: &Expr,
        function: &Spanned<String>,
        value: Typed,
        body: &Expr,
    ) -> Typed {
        let ExprKind::Identifier(name) = &variable.kind else {
            return self.not_a_variable(variable, function);
        };
        // Trees are walked by recursion, and each name may add a whole tree to another.
        if value.depth() > MAXIMUM_DEPTH {
            return self.too_large(variable.span);
        }
        self.locals.push(Local {
            name: name.clone(),
            meaning: Meaning::Bound(value),
        });
        let typed = self.value(body);
        self.locals.pop();
        typed
    }
}
