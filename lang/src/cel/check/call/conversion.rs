//! Conversions, and the constructors of times and addresses.

use super::article;
use crate::cel::check::function::read_address;
use crate::cel::check::{
    Checker, TYPE_MISMATCH, Type, Typed, constant, constant_of, text_of, unknown,
};
use crate::cel::expression::Expr;
use crate::cel::time;
use crate::cel::typed::{Constant, Function};
use crate::codes::PARTIAL_OPERATION;

impl Checker<'_> {
    /// `int`, `uint`, `double`, `string`.
    pub(super) fn conversion(&mut self, expr: &Expr, name: &str, argument: &Expr) -> Typed {
        let typed = self.operand(argument);
        let (function, ty) = match name {
            "int" => (Function::ToInt, Type::Int),
            "uint" => (Function::ToUint, Type::Uint),
            "double" => (Function::ToDouble, Type::Double),
            _ => (Function::ToString, Type::String),
        };
        match converts(&ty, &typed.ty) {
            _ if typed.ty == Type::Error => unknown(expr.span),
            Conversion::Always => self.apply(expr.span, function, vec![typed], ty),
            Conversion::Sometimes if constant_of(&typed).is_some() => {
                self.apply(expr.span, function, vec![typed], ty)
            }
            Conversion::Sometimes if typed.ty == Type::Dyn => {
                self.dynamic(argument, &format!("`{name}` converts values of one type"))
            }
            Conversion::Sometimes => self.may_not_convert(expr, name, argument, &typed.ty),
            Conversion::Never => {
                let help = match &typed.ty {
                    Type::Optional(_) => {
                        format!("say what a missing one means: `{argument}.orValue(…)`")
                    }
                    _ => "convert a number, a string or a time".to_owned(),
                };
                self.report(
                    TYPE_MISMATCH
                        .error(
                            expr.span,
                            format!("`{argument}` is {} and has no `{name}`", article(&typed.ty)),
                        )
                        .label(typed.ty.to_string())
                        .help(help),
                )
            }
        }
    }

    fn may_not_convert(&mut self, expr: &Expr, name: &str, argument: &Expr, ty: &Type) -> Typed {
        let (label, help) = match ty {
            Type::String => (
                "the text may be no number",
                format!("compare the text: `{argument} == \"5\"`"),
            ),
            Type::Double => (
                "the number may be too large for 64 bits",
                "compare it as a double: `… > 0.5`, or use `math.floor(…)`".to_owned(),
            ),
            Type::Bytes => (
                "the bytes may be no UTF-8",
                "compare the bytes themselves".to_owned(),
            ),
            _ => (
                "the number may be negative or too large",
                format!("leave it as it is: numbers of all types compare, `{argument} > 5`"),
            ),
        };
        self.report(
            PARTIAL_OPERATION
                .error(expr.span, format!("`{name}` can fail on {}", article(ty)))
                .label(label)
                .help(help),
        )
    }

    pub(super) fn timestamp(&mut self, expr: &Expr, argument: &Expr) -> Typed {
        let typed = self.operand(argument);
        match (constant_of(&typed), &typed.ty) {
            (_, Type::Error) => unknown(expr.span),
            (_, Type::Timestamp) => typed,
            (Some(Constant::String(text)), _) => match time::parse_timestamp(text) {
                Some((seconds, rest)) => constant(expr.span, Constant::Timestamp(seconds, rest)),
                None => {
                    self.constant_fails(argument.span, "times look like \"2026-01-31T08:00:00Z\"")
                }
            },
            (Some(Constant::Int(seconds)), _) => match time::timestamp(*seconds, 0) {
                Some((seconds, rest)) => constant(expr.span, Constant::Timestamp(seconds, rest)),
                None => {
                    self.constant_fails(argument.span, "the time is not in the years 1 to 9999")
                }
            },
            (_, ty) => {
                let ty = ty.clone();
                self.only_constant(
                    expr,
                    "timestamp",
                    argument,
                    &ty,
                    "timestamp(\"2026-01-31T08:00:00Z\")",
                )
            }
        }
    }

    pub(super) fn duration(&mut self, expr: &Expr, argument: &Expr) -> Typed {
        let typed = self.operand(argument);
        match (text_of(&typed), &typed.ty) {
            (_, Type::Error) => unknown(expr.span),
            (_, Type::Duration) => typed,
            (Some(text), _) => match time::parse_duration(text) {
                Some(nanoseconds) => constant(expr.span, Constant::Duration(nanoseconds)),
                None => self.constant_fails(
                    argument.span,
                    "durations look like \"1h30m\" or \"250ms\", up to 292 years",
                ),
            },
            (None, ty) => {
                let ty = ty.clone();
                self.only_constant(expr, "duration", argument, &ty, "duration(\"1h30m\")")
            }
        }
    }

    pub(super) fn ip(&mut self, expr: &Expr, argument: &Expr) -> Typed {
        let typed = self.operand(argument);
        match (text_of(&typed), &typed.ty) {
            (_, Type::Error) => unknown(expr.span),
            (_, Type::Ip) => typed,
            (Some(text), _) => {
                let address = self.parse_address(argument.span, text);
                Typed {
                    span: expr.span,
                    ..address
                }
            }
            (None, Type::String) => self.unknown_address(expr.span),
            (None, ty) => {
                let ty = ty.clone();
                self.only_constant(expr, "ip", argument, &ty, "ip(\"10.0.0.1\")")
            }
        }
    }

    pub(super) fn cidr(&mut self, expr: &Expr, argument: &Expr) -> Typed {
        let typed = self.operand(argument);
        match (text_of(&typed), &typed.ty) {
            (_, Type::Error) => unknown(expr.span),
            (Some(text), _) => match parse_network(text) {
                Some(network) => constant(expr.span, network),
                None => self.constant_fails(argument.span, "networks look like \"10.0.0.0/8\""),
            },
            (None, ty) => {
                let ty = ty.clone();
                self.only_constant(expr, "cidr", argument, &ty, "cidr(\"10.0.0.0/8\")")
            }
        }
    }

    fn only_constant(
        &mut self,
        expr: &Expr,
        name: &str,
        argument: &Expr,
        ty: &Type,
        example: &str,
    ) -> Typed {
        if *ty != Type::String && *ty != Type::Int {
            return self.wrong_operand(name, "a constant string", argument, ty);
        }
        self.report(
            PARTIAL_OPERATION
                .error(
                    expr.span,
                    format!("`{name}` can fail on what is only known at run time"),
                )
                .label(format!("`{argument}` may be anything"))
                .help(format!("write a constant: `{example}`")),
        )
    }
}

enum Conversion {
    Always,
    Sometimes,
    Never,
}

fn converts(to: &Type, from: &Type) -> Conversion {
    match (to, from) {
        (Type::Int, Type::Int | Type::Timestamp)
        | (Type::Uint, Type::Uint)
        | (Type::Double, Type::Int | Type::Uint | Type::Double) => Conversion::Always,
        (
            Type::String,
            Type::String
            | Type::Bool
            | Type::Int
            | Type::Uint
            | Type::Double
            | Type::Timestamp
            | Type::Duration
            | Type::Ip
            | Type::Cidr,
        ) => Conversion::Always,
        (Type::Int, Type::Uint | Type::Double | Type::String)
        | (Type::Uint, Type::Int | Type::Double | Type::String)
        | (Type::Double, Type::String)
        | (Type::String, Type::Bytes)
        | (_, Type::Dyn) => Conversion::Sometimes,
        _ => Conversion::Never,
    }
}

/// `10.0.0.0/8`
fn parse_network(text: &str) -> Option<Constant> {
    let (address, prefix) = text.split_once('/')?;
    let address = read_address(address)?;
    let bits = if address.is_ipv4() { 32 } else { 128 };
    let is_number = prefix.bytes().all(|byte| byte.is_ascii_digit());
    let prefix: u8 = prefix.parse().ok()?;
    (is_number && prefix <= bits).then_some(Constant::Cidr(address, prefix))
}
