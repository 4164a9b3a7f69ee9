//! Operators between two operands.

use super::call::type_name;
use super::mistake::article;
use super::types::{are_comparable, is_number, is_open, is_ordered, sum_type, unify};
use super::{Checker, TYPE_MISMATCH, Type, Typed, TypedKind, constant_of, text_of, unknown};
use crate::cel::expression::{BinaryOperator, Expr, ExprKind, Literal};
use crate::cel::print::quote;
use crate::cel::typed::{Constant, Field, Function};
use crate::codes::{CONSTANT_FAILS, PARTIAL_OPERATION, UNKNOWN_IDENTIFIER};
use crate::diagnostic::{Diagnostic, Edit};
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
        for (one, other) in [(left, right), (right, left)] {
            if self.is_total() && self.is_nothing(one) {
                return self.nothing(operator, one, other);
            }
        }
        let left = self.compared_value(left, operator, right);
        let right = self.compared_value(right, operator, left_expr);
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
    pub(super) fn known_value(&self, typed: Typed) -> Typed {
        match &typed.ty {
            Type::Optional(inner) if self.is_total() && self.has_value(&typed) => {
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

    /// An operand. A claim that is ordered with a literal is to be of the literal's type.
    fn compared_value(&mut self, expr: &Expr, operator: BinaryOperator, other: &Expr) -> Typed {
        let orders = matches!(
            operator,
            BinaryOperator::Less
                | BinaryOperator::LessOrEqual
                | BinaryOperator::Greater
                | BinaryOperator::GreaterOrEqual
        );
        let is_part = matches!(expr.kind, ExprKind::Select { .. } | ExprKind::Index { .. });
        self.ordered_with = match &other.kind {
            ExprKind::Literal(literal) if orders && is_part => match literal {
                Literal::Int(_) => Some(("int", "0")),
                Literal::Double(_) => Some(("double", "0.0")),
                Literal::String(_) => Some(("string", "\"\"")),
                _ => None,
            },
            _ => None,
        };
        let typed = self.value(expr);
        self.ordered_with = None;
        typed
    }

    /// A comparison with a word for nothing: with what is there instead, if the type says what.
    fn nothing(&mut self, operator: BinaryOperator, word: &Expr, other: &Expr) -> Typed {
        let compared = self.value(other);
        let compares = matches!(operator, BinaryOperator::Equal | BinaryOperator::NotEqual);
        let (span, absent) = match &compared.ty {
            Type::Error => return unknown(word.span),
            _ if !compares => return self.value(word),
            Type::String => (word.span, "\"\""),
            Type::Int => (word.span, "0"),
            Type::Optional(_) => (word.span, "optional.none()"),
            _ => return self.value(word),
        };
        let edit = Edit {
            span,
            text: absent.to_owned(),
        };
        self.report(
            UNKNOWN_IDENTIFIER
                .error(span, format!("`{word}` is not known here"))
                .label(format!("a field that was not sent is `{absent}`"))
                .help(format!("write `{other} {operator} {absent}`"))
                .fix(format!("write `{absent}`"), [edit]),
        )
    }

    fn order(&mut self, operands: Operands<'_>, function: Function) -> Typed {
        if self.refuses(&operands.left.ty) {
            return self.dynamic_beside(
                operands.left_expr,
                &format!("`{}` takes values of one type", operands.operator),
                type_name(&operands.right.ty),
            );
        }
        if self.refuses(&operands.right.ty) {
            return self.dynamic_beside(
                operands.right_expr,
                &format!("`{}` takes values of one type", operands.operator),
                type_name(&operands.left.ty),
            );
        }
        let (left, right) = (&operands.left.ty, &operands.right.ty);
        let ordered = is_ordered(left) && left == right
            || !self.is_total() && (is_open(left) || is_open(right));
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
        for (typed, expr, other) in [
            (&operands.left, operands.left_expr, &operands.right),
            (&operands.right, operands.right_expr, &operands.left),
        ] {
            if self.refuses(&typed.ty) {
                return self.dynamic_beside(
                    expr,
                    &format!("`{}` takes values of one type", operands.operator),
                    type_name(&other.ty),
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
        if divides && self.is_total() && ty != Type::Double && !self.check_divisor(&operands, &ty) {
            return unknown(operands.expr.span);
        }
        self.apply(
            operands.expr.span,
            function,
            vec![operands.left, operands.right],
            ty,
        )
    }

    /// Says whether an integer divisor is known not to be 0.
    fn check_divisor(&mut self, operands: &Operands<'_>, ty: &Type) -> bool {
        let (left, right) = (operands.left_expr, operands.right_expr);
        match constant_of(&operands.right) {
            Some(Constant::Int(0) | Constant::Uint(0)) => {
                self.report(
                    CONSTANT_FAILS
                        .error(operands.expr.span, "the division by 0 has no value")
                        .label("this always fails")
                        .help("write another divisor"),
                );
                return false;
            }
            Some(_) => return true,
            None if self.is_not_zero(&operands.right) => return true,
            None => {}
        }
        let zero = if *ty == Type::Uint { "0u" } else { "0" };
        let divisor = match right.kind {
            ExprKind::Conditional { .. } | ExprKind::Binary { .. } => format!("({right:#})"),
            _ => format!("{right:#}"),
        };
        let test = format!("{divisor} != {zero}");
        let help = if operands.operator == BinaryOperator::Divide {
            format!(
                "test it first: `{test} && …`, or divide doubles: `double({left}) / double({right})`"
            )
        } else {
            format!("test it first: `{test} && …`")
        };
        let finding = PARTIAL_OPERATION
            .error(operands.expr.span, format!("`{right}` can be 0"))
            .label("a division by 0 would fail")
            .help(help);
        let finding = self.defaulted(finding, &test, operands.expr.span, ty);
        self.report(finding);
        false
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
        if let Some(help) = self.chained().or_else(|| self.not_for_strings()) {
            return Repair::Help(help);
        }
        let sides = [
            (&self.left, &self.right, self.right_expr),
            (&self.right, &self.left, self.left_expr),
        ];
        for (one, other, other_expr) in sides {
            let boolean = match &other_expr.kind {
                ExprKind::Literal(Literal::String(text)) => {
                    Some(text).filter(|text| text.parse::<bool>().is_ok())
                }
                _ => None,
            };
            if let (Type::Bool, Some(boolean)) = (&one.ty, boolean) {
                return Repair::Edit(other.span, boolean.clone());
            }
            let number = match &other_expr.kind {
                ExprKind::Literal(Literal::String(text)) => text.parse::<f64>().ok().map(|_| text),
                _ => None,
            };
            if let (true, Some(number)) = (is_number(&one.ty), number) {
                return Repair::Edit(other.span, number.clone());
            }
            if let (Type::Duration, ExprKind::Literal(Literal::Int(seconds))) =
                (&one.ty, &other_expr.kind)
            {
                return Repair::Edit(other.span, format!("duration(\"{seconds}s\")"));
            }
            let null = matches!(other_expr.kind, ExprKind::Literal(Literal::Null));
            match one.ty {
                Type::String if null => return Repair::Edit(other.span, "\"\"".to_owned()),
                Type::Int if null => return Repair::Edit(other.span, "0".to_owned()),
                _ => {}
            }
            if let (Type::String, ExprKind::Identifier(name)) = (&other.ty, &other_expr.kind)
                && is_number(&one.ty)
                && text_of(other).is_some_and(|text| text.parse::<f64>().is_ok())
            {
                let help = format!(
                    "`{name}` is text: write its number without quotes where it is declared"
                );
                return Repair::Help(help);
            }
            let is_literal = matches!(other_expr.kind, ExprKind::Literal(_));
            if one.ty == Type::String && is_literal && is_number(&other.ty) {
                return Repair::Edit(other.span, quote(&other_expr.to_string()));
            }
        }
        self.conversion()
    }

    /// `1 < x < 10`, which CEL reads as `(1 < x) < 10`.
    fn chained(&self) -> Option<String> {
        let ExprKind::Binary {
            operator, right, ..
        } = &self.left_expr.kind
        else {
            return None;
        };
        let compares = |operator: BinaryOperator| {
            operator.precedence() == BinaryOperator::Less.precedence()
                && operator != BinaryOperator::In
        };
        (compares(operator.value) && compares(self.operator) && is_number(&self.right.ty)).then(
            || {
                format!(
                    "write `{} && {right} {} {}`",
                    self.left_expr, self.operator, self.right_expr
                )
            },
        )
    }

    /// Arithmetic that no conversion to a string would mend.
    fn not_for_strings(&self) -> Option<String> {
        let arithmetic = matches!(
            self.operator,
            BinaryOperator::Subtract
                | BinaryOperator::Multiply
                | BinaryOperator::Divide
                | BinaryOperator::Remainder
        );
        let string = self.left.ty == Type::String || self.right.ty == Type::String;
        (arithmetic && string).then(|| {
            format!(
                "`{}` takes numbers; strings have functions such as `size`, `replace` and `split`",
                self.operator
            )
        })
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
        for (ty, zero) in [(Type::String, "\"\""), (Type::Int, "0")] {
            if with_types(&ty, &Type::Null) {
                return Repair::Help(format!(
                    "a field that was not sent is `{zero}`: compare with that"
                ));
            }
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
