//! The wording that findings about types share.

use super::{Checker, Expr, Function, TYPE_MISMATCH, Type, Typed, TypedKind, text_of, unknown};
use crate::cel::expression::ExprKind;
use crate::cel::typed::Record;
use crate::codes::{CONSTANT_FAILS, PARTIAL_OPERATION};
use crate::source::Span;

/// `an int`, `a string`.
pub(super) fn article(ty: &Type) -> String {
    match ty {
        Type::Error | Type::Null => ty.to_string(),
        Type::Dyn | Type::Nothing => "of a type known only at run time".to_owned(),
        Type::Int | Type::Ip | Type::Optional(_) => format!("an {ty}"),
        _ => format!("a {ty}"),
    }
}

/// Whether what stands for an expression in a message is all of it, so that it may be written into the file.
pub(super) fn is_whole_text(text: &str) -> bool {
    !text.contains('…')
}

/// What to write if a list is asked what it `contains`.
fn as_membership(expr: &Expr, element: &Type) -> String {
    let field = match element {
        Type::Record(Record::Message) => "role",
        Type::Record(Record::Tool | Record::ToolCall) => "name",
        _ => return format!("write `… in {expr}`"),
    };
    format!("ask its elements: `{expr}.exists(x, x.{field} == \"…\")`")
}

/// What to write if `expr` stands where a condition belongs.
pub(super) fn as_condition(expr: &Expr, ty: &Type) -> String {
    if let ExprKind::Literal(_) = expr.kind {
        return "compare a field with it, or write `true` or `false`".to_owned();
    }
    match ty {
        Type::String => format!("compare it: `{expr} != \"\"`"),
        Type::Int => format!("compare it: `{expr} > 0`"),
        Type::Double => format!("compare it: `{expr} > 0.5`"),
        Type::List(_) => format!("compare its size: `size({expr}) > 0`"),
        Type::Optional(_) => format!("ask for its value: `{expr}.hasValue()`"),
        _ => format!("compare it: `{expr} == …`"),
    }
}

/// Where a constant goes wrong and why: for texts, what they should look like.
pub(super) fn why_not_computed(typed: &Typed, failure: &str) -> (Span, String) {
    let TypedKind::Call(function, arguments) = &typed.kind else {
        return (typed.span, failure.to_owned());
    };
    let text = arguments.first().filter(|one| text_of(one).is_some());
    let form = match function {
        Function::ToTimestamp => "times look like \"2026-01-31T08:00:00Z\"",
        Function::ToDuration => "durations look like \"1h30m\" or \"250ms\", up to 292 years",
        Function::ToIp | Function::IsCanonical => "the text is no IP address",
        Function::ToCidr => "networks look like \"10.0.0.0/8\"",
        Function::ToInt | Function::ToUint => "the text is no whole number",
        Function::ToDouble => "the text is no number",
        Function::ToBool => "the text is neither `true` nor `false`",
        Function::Base64Decode => "the text is not base64",
        _ => return (typed.span, failure.to_owned()),
    };
    match text {
        Some(text) => (text.span, form.to_owned()),
        None => (typed.span, failure.to_owned()),
    }
}

impl Checker<'_> {
    /// A value whose type is known only at run time stands where one type is needed.
    pub(super) fn dynamic(&mut self, expr: &Expr, why: &str) -> Typed {
        self.report(
            PARTIAL_OPERATION
                .error(expr.span, format!("{why}, `{expr}` may be of any type"))
                .label("a token may carry any JSON here")
                .help("compare it with a constant: `… == \"text\"` or `… == true`, which is false for any other type"),
        )
    }

    /// The same, where a value of `ty` would do: the test of it makes the whole compile.
    pub(super) fn dynamic_beside(&mut self, expr: &Expr, why: &str, ty: Option<&str>) -> Typed {
        let Some(ty) = ty.filter(|_| self.clause.is_some()) else {
            return self.dynamic(expr, why);
        };
        let test = format!("type({expr:#}) == {ty}");
        let finding = PARTIAL_OPERATION
            .error(expr.span, format!("{why}, `{expr}` may be of any type"))
            .label("a token may carry any JSON here")
            .help(format!("test its type first: `{test} && …`"));
        let finding = self.guarded(finding, &test);
        self.report(finding)
    }

    pub(super) fn map_as_value(&mut self, expr: &Expr) -> Typed {
        let help = match &expr.kind {
            ExprKind::Identifier(_) | ExprKind::Select { .. } => {
                format!(
                    "read one key: `{expr}[?\"key\"].orValue(\"\")`, or ask for one: `\"key\" in {expr}`"
                )
            }
            _ => "read one key: `[?\"key\"].orValue(\"\")`".to_owned(),
        };
        self.report(
            TYPE_MISMATCH
                .error(
                    expr.span,
                    format!("`{expr}` is a map, which is only read by key"),
                )
                .label("a plan reads the keys that it names, and no others")
                .help(help),
        )
    }

    /// An operand that the operator does not take.
    pub(super) fn wrong_operand(
        &mut self,
        operator: &str,
        takes: &str,
        expr: &Expr,
        ty: &Type,
    ) -> Typed {
        match ty {
            Type::Error => return unknown(expr.span),
            Type::Dyn => return self.dynamic(expr, &format!("`{operator}` takes {takes}")),
            _ => {}
        }
        let is_text = takes == "a string";
        let help = match ty {
            Type::Optional(_) => format!("say what a missing one means: `{expr}.orValue(…)`"),
            Type::List(element) if operator == "contains" => as_membership(expr, element),
            Type::Int | Type::Uint | Type::Double | Type::Bool if is_text => match &expr.kind {
                ExprKind::Literal(_) => format!("write it as a string: `\"{expr}\"`"),
                _ => format!("make a string of it: `string({expr})`"),
            },
            _ => format!("write {takes}"),
        };
        self.report(
            TYPE_MISMATCH
                .error(
                    expr.span,
                    format!("`{operator}` takes {takes}, `{expr}` is {}", article(ty)),
                )
                .label(ty.to_string())
                .help(help),
        )
    }

    pub(super) fn constant_fails(&mut self, span: Span, failure: &str) -> Typed {
        self.report(
            CONSTANT_FAILS
                .error(span, format!("the constant cannot be computed: {failure}"))
                .label("this is always so")
                .help("write a constant that has a value"),
        )
    }
}
