//! What is called on an optional.

use crate::cel::check::mistake::article;
use crate::cel::check::types::{common, holds_nothing};
use crate::cel::check::{Checker, TYPE_MISMATCH, Type, Typed, unknown};
use crate::cel::expression::Expr;
use crate::cel::typed::Function;
use crate::codes::PARTIAL_OPERATION;
use crate::diagnostic::Diagnostic;
use crate::source::Spanned;

impl Checker<'_> {
    pub(super) fn optional_method(
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
        match (function.value.as_str(), arguments) {
            ("hasValue", []) => {
                self.apply(expr.span, Function::HasValue, vec![optional], Type::Bool)
            }
            ("value", []) => self.guarded_value(expr, optional, inner),
            ("orValue", [other]) => {
                let other_typed = self.operand(other);
                self.otherwise(
                    expr,
                    Function::OrValue,
                    optional,
                    (other, other_typed),
                    inner,
                )
            }
            ("or", [other]) => {
                let other_typed = self.value(other);
                let ty = optional.ty.clone();
                self.otherwise(expr, Function::Or, optional, (other, other_typed), ty)
            }
            (name, _) => {
                let takes = usize::from(name.starts_with("or"));
                self.wrong_count(expr.span, name, &[takes], arguments.len())
            }
        }
    }

    fn guarded_value(&mut self, expr: &Expr, optional: Typed, inner: Type) -> Typed {
        if self.has_value(&optional) {
            return crate::cel::check::call(expr.span, Function::Value, vec![optional], inner);
        }
        let default = match inner {
            Type::String | Type::Dyn => "\"\"",
            Type::Int => "0",
            Type::Double => "0.0",
            Type::Bool => "false",
            _ => "…",
        };
        self.report(
            PARTIAL_OPERATION
                .error(expr.span, format!("`{expr}` fails when there is no value"))
                .label("nothing before this proves that there is one")
                .help(format!(
                    "say what a missing one means: `.orValue({default})`, or ask `hasValue()` first"
                )),
        )
    }

    fn otherwise(
        &mut self,
        expr: &Expr,
        function: Function,
        optional: Typed,
        (other_expr, other): (&Expr, Typed),
        expected: Type,
    ) -> Typed {
        if other.ty == Type::Error {
            return unknown(expr.span);
        }
        let ty = if holds_nothing(&optional) {
            Some(other.ty.clone())
        } else if holds_nothing(&other) && expected != Type::Dyn {
            common(&expected, &other.ty).map(|_| expected.clone())
        } else {
            common(&expected, &other.ty)
        };
        let Some(ty) = ty else {
            let message = format!(
                "the value is {}, `{other_expr}` is {}",
                article(&expected),
                article(&other.ty)
            );
            return self.report(
                TYPE_MISMATCH
                    .error(other.span, message)
                    .label(other.ty.to_string())
                    .help(format!("write {}", article(&expected))),
            );
        };
        if holds_nothing(&optional) {
            return Typed {
                span: expr.span,
                ty,
                kind: other.kind,
            };
        }
        self.apply(expr.span, function, vec![optional, other], ty)
    }
}

/// A method of optionals is called on something that is none.
pub(super) fn not_optional(expr: &Expr, receiver: &Expr, name: &str, ty: &Type) -> Diagnostic {
    let message = format!("`{name}` is for optionals, `{receiver}` is {}", article(ty));
    TYPE_MISMATCH
        .error(expr.span, message)
        .label("it is always there")
        .help(format!("write `{receiver}`"))
}
