//! `in`, and the names that are compared with `tier` and `model`.

use super::mistake::article;
use super::types::are_comparable;
use super::{Checker, TYPE_MISMATCH, Type, Typed, TypedKind, text_of, unknown};
use crate::cel::expression::{Expr, ExprKind};
use crate::cel::print::quote;
use crate::cel::typed::{Constant, Field, Function};
use crate::codes::UNKNOWN_LITERAL;
use crate::diagnostic::{Edit, nearest};

impl Checker<'_> {
    pub(super) fn membership(&mut self, expr: &Expr, left: &Expr, right: &Expr) -> Typed {
        let (left_expr, right_expr) = (left, right);
        let left = self.operand(left);
        let right = self.right_of_in(right);
        if left.ty == Type::Error || right.ty == Type::Error {
            return unknown(expr.span);
        }
        match (&right.kind, &right.ty) {
            (TypedKind::Field(map), Type::Map(..)) => {
                let map = *map;
                let kind = match self.constant_key(left_expr, &left) {
                    Some(key) if self.check_key(map, &key, true) => {
                        TypedKind::HasKey(map, key.value)
                    }
                    _ => return unknown(expr.span),
                };
                Typed {
                    span: expr.span,
                    ty: Type::Bool,
                    kind,
                }
            }
            (_, Type::Map(key, _)) => {
                if !are_comparable(&left.ty, key) {
                    return self.never_in(expr, (left_expr, &left), (right_expr, &right));
                }
                self.apply(expr.span, Function::In, vec![left, right], Type::Bool)
            }
            (_, Type::List(element)) => {
                if !are_comparable(&left.ty, element) {
                    return self.never_in(expr, (left_expr, &left), (right_expr, &right));
                }
                if self.has_undeclared_element(&left, right_expr, &right) {
                    return unknown(expr.span);
                }
                self.apply(expr.span, Function::In, vec![left, right], Type::Bool)
            }
            // A claim that is no list has no elements.
            (_, Type::Dyn | Type::Nothing) if !matches!(left.ty, Type::Record(_)) => {
                self.apply(expr.span, Function::In, vec![left, right], Type::Bool)
            }
            (_, ty) => self.not_a_list(left_expr, right_expr, ty),
        }
    }

    /// The right operand; an optional that is known to have a value stands for the value.
    fn right_of_in(&mut self, expr: &Expr) -> Typed {
        let typed = self.any(expr);
        self.known_value(typed)
    }

    fn never_in(&mut self, expr: &Expr, left: (&Expr, &Typed), right: (&Expr, &Typed)) -> Typed {
        let message = format!(
            "`{}` is {}, `{}` is {}",
            left.0,
            article(&left.1.ty),
            right.0,
            article(&right.1.ty)
        );
        self.report(
            TYPE_MISMATCH
                .error(expr.span, message)
                .label("no element is ever equal to it")
                .because(left.1.span, left.1.ty.to_string())
                .because(right.1.span, right.1.ty.to_string())
                .help(format!("compare with a list of {}s", left.1.ty)),
        )
    }

    fn not_a_list(&mut self, left: &Expr, right: &Expr, ty: &Type) -> Typed {
        let help = match ty {
            Type::String if matches!(right.kind, ExprKind::Literal(_)) => format!(
                "write `{left} == {right}`, or a list: `{left} in [{right}]`; a part of a text is `{right}.contains({left})`"
            ),
            Type::String => format!("write `{right}.contains({left})`"),
            Type::Cidr => format!("write `{right}.containsIP({left})`"),
            Type::Optional(_) => format!("say what a missing one means: `{right}.orValue([])`"),
            _ => "write a list: `[\"a\", \"b\"]`".to_owned(),
        };
        let message = format!("`in` takes a list or a map, `{right}` is {}", article(ty));
        self.report(
            TYPE_MISMATCH
                .error(right.span, message)
                .label(ty.to_string())
                .help(help),
        )
    }

    fn has_undeclared_element(&mut self, fact: &Typed, list_expr: &Expr, list: &Typed) -> bool {
        let elements: Vec<Typed> = match (&list_expr.kind, &list.kind) {
            // A constant list no longer knows where its elements were written.
            (ExprKind::List(elements), _) => elements
                .iter()
                .filter_map(|(_, element)| match &element.kind {
                    ExprKind::Literal(literal) => {
                        Some(super::constant(element.span, super::literal_value(literal)))
                    }
                    _ => None,
                })
                .collect(),
            (_, TypedKind::Constant(Constant::List(elements))) => elements
                .iter()
                .map(|element| super::constant(list.span, element.clone()))
                .collect(),
            _ => return false,
        };
        elements
            .iter()
            .any(|element| self.is_undeclared(fact, element, element.span != list.span))
    }

    /// Reports a string that is compared with `tier` or `model` and is the name of none.
    pub(super) fn is_undeclared(
        &mut self,
        fact: &Typed,
        literal: &Typed,
        may_replace: bool,
    ) -> bool {
        let (what, names) = match fact.kind {
            TypedKind::Field(Field::Tier) => ("tier", self.scope.tiers),
            TypedKind::Field(Field::Model) => ("model", self.scope.models),
            _ => return false,
        };
        let Some(text) = text_of(literal) else {
            return false;
        };
        if names.has(text) {
            return false;
        }
        let names = names.list();
        let finding = UNKNOWN_LITERAL
            .error(literal.span, format!("there is no {what} `{text}`"))
            .label("this is never true");
        let finding = match nearest(text, names.iter().copied()) {
            Some(meant) => {
                let title = format!("write `{}`", quote(meant));
                let edit = Edit {
                    span: literal.span,
                    text: quote(meant),
                };
                let finding = finding.help(title.clone());
                if may_replace {
                    finding.fix(title, [edit])
                } else {
                    finding
                }
            }
            None if names.is_empty() => finding.help(format!("declare a {what} of this name")),
            None => finding.help(format!("the {what}s are `{}`", names.join("`, `"))),
        };
        self.report(finding);
        true
    }
}
