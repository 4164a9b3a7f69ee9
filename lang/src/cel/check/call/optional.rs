//! What is called on an optional.

use crate::cel::check::access::default_of;
use crate::cel::check::mistake::{article, is_whole_text};
use crate::cel::check::types::{common, is_open};
use crate::cel::check::{Checker, Constant, TYPE_MISMATCH, Type, Typed, constant_of, unknown};
use crate::cel::expression::Expr;
use crate::cel::typed::Function;
use crate::codes::PARTIAL_OPERATION;
use crate::diagnostic::{Diagnostic, Edit};
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
            ty if is_open(ty) && !self.is_total() => Type::Dyn,
            ty => return self.report(not_optional(expr, receiver, &function.value, ty)),
        };
        match (function.value.as_str(), arguments) {
            ("hasValue", []) => {
                self.apply(expr.span, Function::HasValue, vec![optional], Type::Bool)
            }
            ("value", []) => self.guarded_value(expr, receiver, optional, inner),
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

    fn guarded_value(
        &mut self,
        expr: &Expr,
        receiver: &Expr,
        optional: Typed,
        inner: Type,
    ) -> Typed {
        if !self.is_total() || self.has_value(&optional) {
            return self.apply(expr.span, Function::Value, vec![optional], inner);
        }
        let default = default_of(&inner).unwrap_or("…");
        let finding = PARTIAL_OPERATION
            .error(expr.span, format!("`{expr}` fails when there is no value"))
            .label("nothing before this proves that there is one")
            .help(format!(
                "say what a missing one means: `.orValue({default})`, or ask `hasValue()` first"
            ));
        let total = format!("{receiver:#}.orValue({default})");
        self.report(if is_whole_text(&total) {
            let edit = Edit {
                span: expr.span,
                text: total.clone(),
            };
            finding.fix(format!("write `{total}`"), [edit])
        } else {
            finding
        })
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
        let ty = common(&expected, &other.ty);
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
        if constant_of(&optional) == Some(&Constant::Absent) && self.is_total() {
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
