//! Operators between two operands.

use super::mistake::article;
use super::{
    Checker, TYPE_MISMATCH, Type, Typed, TypedKind, common, constant_of, text_of, unify, unknown,
};
use crate::cel::expression::{BinaryOperator, Expr, ExprKind, Literal};
use crate::cel::print::quote;
use crate::cel::typed::{Constant, Field, Function};
use crate::codes::{CONSTANT_FAILS, PARTIAL_OPERATION, UNKNOWN_LITERAL};
use crate::diagnostic::{Diagnostic, Edit, nearest};
use crate::source::Span;

impl Checker<'_> {
    pub(super) fn binary(
        &mut self,
        expr: &Expr,
        operator: BinaryOperator,
        left: &Expr,
        right: &Expr,
    ) -> Typed {
        let (left_expr, right_expr) = (left, right);
        let (left, right) = (self.value(left), self.value(right));
        if left.ty == Type::Error || right.ty == Type::Error {
            return unknown(expr.span);
        }
        let both_optional = matches!(
            (&left.ty, &right.ty),
            (Type::Optional(_), Type::Optional(_))
        );
        let (left, right) = if both_optional {
            (left, right)
        } else {
            (self.known_value(left), self.known_value(right))
        };
        let operands = Operands {
            expr,
            operator,
            left_expr,
            right_expr,
            left,
            right,
        };
        match operator {
            BinaryOperator::Equal => self.equality(operands, Function::Equal),
            BinaryOperator::NotEqual => self.equality(operands, Function::NotEqual),
            BinaryOperator::Less => self.order(operands, Function::Less),
            BinaryOperator::LessOrEqual => self.order(operands, Function::LessOrEqual),
            BinaryOperator::Greater => self.order(operands, Function::Greater),
            BinaryOperator::GreaterOrEqual => self.order(operands, Function::GreaterOrEqual),
            _ => self.arithmetic(operands),
        }
    }

    /// The value of an optional that is known to have one; anything else as it is.
    fn known_value(&self, typed: Typed) -> Typed {
        match &typed.ty {
            Type::Optional(inner) if self.has_value(&typed) => {
                let ty = (**inner).clone();
                super::call(typed.span, Function::Value, vec![typed], ty)
            }
            _ => typed,
        }
    }

    fn equality(&mut self, operands: Operands<'_>, function: Function) -> Typed {
        if !are_comparable(&operands.left.ty, &operands.right.ty) {
            return self.report(operands.mismatch("these are never equal"));
        }
        let (left, right) = (&operands.left, &operands.right);
        if self.is_undeclared(left, right, true) || self.is_undeclared(right, left, true) {
            return unknown(operands.expr.span);
        }
        self.apply(
            operands.expr.span,
            function,
            vec![operands.left, operands.right],
            Type::Bool,
        )
    }

    fn order(&mut self, operands: Operands<'_>, function: Function) -> Typed {
        if operands.left.ty == Type::Dyn {
            return self.dynamic(
                operands.left_expr,
                &format!("`{}` takes values of one type", operands.operator),
            );
        }
        if operands.right.ty == Type::Dyn {
            return self.dynamic(
                operands.right_expr,
                &format!("`{}` takes values of one type", operands.operator),
            );
        }
        let (left, right) = (&operands.left.ty, &operands.right.ty);
        let ordered = matches!(
            left,
            Type::Bool | Type::String | Type::Bytes | Type::Timestamp | Type::Duration
        ) && left == right;
        if !(ordered || is_number(left) && is_number(right)) {
            return self.report(operands.mismatch("these have no order"));
        }
        let tier = [&operands.left, &operands.right]
            .into_iter()
            .any(|operand| operand.kind == TypedKind::Field(Field::Tier));
        if tier {
            return self.report(
                TYPE_MISMATCH
                    .error(
                        operands.expr.span,
                        format!("`{}` compares letters, not tiers", operands.operator),
                    )
                    .label("`tier` is a string here")
                    .help(
                        "name the tiers: `tier == \"strong\"` or `tier in [\"weak\", \"strong\"]`",
                    ),
            );
        }
        self.apply(
            operands.expr.span,
            function,
            vec![operands.left, operands.right],
            Type::Bool,
        )
    }

    fn arithmetic(&mut self, operands: Operands<'_>) -> Typed {
        for (typed, expr) in [
            (&operands.left, operands.left_expr),
            (&operands.right, operands.right_expr),
        ] {
            if typed.ty == Type::Dyn {
                return self.dynamic(
                    expr,
                    &format!("`{}` takes values of one type", operands.operator),
                );
            }
        }
        let mut operands = operands;
        if operands.operator == BinaryOperator::Add {
            unify(&mut operands.left, &mut operands.right);
        }
        let Some(ty) = sum_type(operands.operator, &operands.left.ty, &operands.right.ty) else {
            let label = format!("`{}` does not take these", operands.operator);
            return self.report(operands.mismatch(&label));
        };
        let function = match operands.operator {
            BinaryOperator::Add => Function::Add,
            BinaryOperator::Subtract => Function::Subtract,
            BinaryOperator::Multiply => Function::Multiply,
            BinaryOperator::Divide => Function::Divide,
            _ => Function::Remainder,
        };
        let divides = matches!(function, Function::Divide | Function::Remainder);
        if divides && ty != Type::Double && !self.check_divisor(&operands) {
            return unknown(operands.expr.span);
        }
        self.apply(
            operands.expr.span,
            function,
            vec![operands.left, operands.right],
            ty,
        )
    }

    /// Says whether an integer divisor is known and not 0.
    fn check_divisor(&mut self, operands: &Operands<'_>) -> bool {
        let right = operands.right_expr;
        match constant_of(&operands.right) {
            Some(Constant::Int(0) | Constant::Uint(0)) => {
                self.report(
                    CONSTANT_FAILS
                        .error(operands.expr.span, "the division by 0 has no value")
                        .label("this always fails")
                        .help("write another divisor"),
                );
                false
            }
            Some(_) => true,
            None => {
                let left = operands.left_expr;
                let help = if operands.operator == BinaryOperator::Divide {
                    format!(
                        "compare products instead (`a > b * {right}`), or divide doubles: `double({left}) / double({right})`"
                    )
                } else {
                    "write a constant".to_owned()
                };
                self.report(
                    PARTIAL_OPERATION
                        .error(operands.expr.span, format!("`{right}` can be 0"))
                        .label("a division by 0 would fail")
                        .help(help),
                );
                false
            }
        }
    }

    pub(super) fn membership(&mut self, expr: &Expr, left: &Expr, right: &Expr) -> Typed {
        let (left_expr, right_expr) = (left, right);
        let left = self.operand(left);
        let right = self.any(right);
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
            (_, Type::Dyn) if !matches!(left.ty, Type::Record(_)) => {
                self.apply(expr.span, Function::In, vec![left, right], Type::Bool)
            }
            (_, ty) => self.not_a_list(left_expr, right_expr, ty),
        }
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
    fn is_undeclared(&mut self, fact: &Typed, literal: &Typed, may_replace: bool) -> bool {
        let (what, names) = match fact.kind {
            TypedKind::Field(Field::Tier) => ("tier", self.scope.tiers),
            TypedKind::Field(Field::Model) => ("model", self.scope.models),
            _ => return false,
        };
        let Some(text) = text_of(literal) else {
            return false;
        };
        if names.contains(&text) {
            return false;
        }
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

struct Operands<'a> {
    expr: &'a Expr,
    operator: BinaryOperator,
    left_expr: &'a Expr,
    right_expr: &'a Expr,
    left: Typed,
    right: Typed,
}

impl Operands<'_> {
    fn mismatch(&self, label: &str) -> Diagnostic {
        let message = format!(
            "`{}` is {}, `{}` is {}",
            self.left_expr,
            article(&self.left.ty),
            self.right_expr,
            article(&self.right.ty)
        );
        let finding = TYPE_MISMATCH
            .error(self.expr.span, message)
            .label(label)
            .because(self.left.span, self.left.ty.to_string())
            .because(self.right.span, self.right.ty.to_string());
        match self.repair() {
            Repair::Edit(span, text) => finding
                .help(format!("write `{text}`"))
                .fix(format!("write `{text}`"), [Edit { span, text }]),
            Repair::Help(help) => finding.help(help),
        }
    }

    /// What was probably meant.
    fn repair(&self) -> Repair {
        let sides = [
            (&self.left, &self.right, self.right_expr),
            (&self.right, &self.left, self.left_expr),
        ];
        for (one, other, other_expr) in sides {
            let number = match &other_expr.kind {
                ExprKind::Literal(Literal::String(text)) => text.parse::<f64>().ok().map(|_| text),
                _ => None,
            };
            if let (true, Some(number)) = (is_number(&one.ty), number) {
                return Repair::Edit(other.span, number.clone());
            }
            let is_literal = matches!(other_expr.kind, ExprKind::Literal(_));
            if one.ty == Type::String && is_literal && is_number(&other.ty) {
                return Repair::Edit(other.span, quote(&other_expr.to_string()));
            }
        }
        self.conversion()
    }

    /// How to make the types agree.
    fn conversion(&self) -> Repair {
        let with_types = |a: &Type, b: &Type| {
            (self.left.ty == *a && self.right.ty == *b)
                || (self.left.ty == *b && self.right.ty == *a)
        };
        let sides = [(&self.left, self.left_expr), (&self.right, self.right_expr)];
        if let Some((_, expr)) = sides
            .iter()
            .find(|(typed, _)| matches!(typed.ty, Type::Optional(_)))
        {
            return Repair::Help(format!("say what a missing one means: `{expr}.orValue(…)`"));
        }
        let whole = sides
            .iter()
            .find(|(typed, _)| matches!(typed.ty, Type::Int | Type::Uint));
        if let (Some((_, expr)), true) = (
            whole,
            with_types(&Type::Int, &Type::Double) || with_types(&Type::Uint, &Type::Double),
        ) {
            return Repair::Help(format!("write `double({expr})`"));
        }
        if with_types(&Type::Ip, &Type::String) {
            return Repair::Help("write the address as `ip(\"10.0.0.1\")`".to_owned());
        }
        if with_types(&Type::Timestamp, &Type::String) {
            return Repair::Help(
                "write the time as `timestamp(\"2026-01-01T00:00:00Z\")`".to_owned(),
            );
        }
        if with_types(&Type::Duration, &Type::String) {
            return Repair::Help("write the duration as `duration(\"1h\")`".to_owned());
        }
        let is_records =
            |ty: &Type| matches!(ty, Type::List(element) if matches!(**element, Type::Record(_)));
        if let Some((_, expr)) = sides.iter().find(|(typed, _)| is_records(&typed.ty)) {
            return Repair::Help(format!("compare its size: `size({expr}) == 0`"));
        }
        if with_types(&Type::String, &Type::Null) {
            return Repair::Help(
                "a field that was not sent is `\"\"`: compare with that".to_owned(),
            );
        }
        if matches!(self.left.ty, Type::Record(_)) {
            return Repair::Help(format!("name one of its fields: `{}.name`", self.left_expr));
        }
        Repair::Help(
            "compare values of one type, or convert one with `string(…)` or `double(…)`".to_owned(),
        )
    }
}

enum Repair {
    Edit(Span, String),
    Help(String),
}

pub(super) fn is_number(ty: &Type) -> bool {
    matches!(ty, Type::Int | Type::Uint | Type::Double)
}

/// Whether values of these types may be equal. Records have no equality of their own.
pub(super) fn are_comparable(left: &Type, right: &Type) -> bool {
    match (left, right) {
        (Type::Record(_), _) | (_, Type::Record(_)) => false,
        (Type::Dyn, _) | (_, Type::Dyn) => true,
        (Type::List(left), Type::List(right)) | (Type::Optional(left), Type::Optional(right)) => {
            are_comparable(left, right)
        }
        _ => (is_number(left) && is_number(right)) || common(left, right).is_some(),
    }
}

/// The type of `left operator right`, if the operator takes them.
fn sum_type(operator: BinaryOperator, left: &Type, right: &Type) -> Option<Type> {
    use BinaryOperator::{Add, Divide, Multiply, Remainder, Subtract};
    match (operator, left, right) {
        (Add | Subtract | Multiply | Divide | Remainder, Type::Int, Type::Int) => Some(Type::Int),
        (Add | Subtract | Multiply | Divide | Remainder, Type::Uint, Type::Uint) => {
            Some(Type::Uint)
        }
        (Add | Subtract | Multiply | Divide, Type::Double, Type::Double) => Some(Type::Double),
        (Add, Type::String, Type::String) => Some(Type::String),
        (Add, Type::Bytes, Type::Bytes) => Some(Type::Bytes),
        (Add, Type::List(_), Type::List(_)) => common(left, right),
        (Add | Subtract, Type::Timestamp, Type::Duration) => Some(Type::Timestamp),
        (Add, Type::Duration, Type::Timestamp) => Some(Type::Timestamp),
        (Add | Subtract, Type::Duration, Type::Duration) => Some(Type::Duration),
        (Subtract, Type::Timestamp, Type::Timestamp) => Some(Type::Duration),
        _ => None,
    }
}
