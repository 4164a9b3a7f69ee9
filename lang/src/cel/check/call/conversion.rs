//! Conversions between types.

use super::article;
use crate::cel::check::types::is_open;
use crate::cel::check::{Checker, TYPE_MISMATCH, Type, Typed, constant, constant_of, unknown};
use crate::cel::expression::Expr;
use crate::cel::typed::{Constant, Function};
use crate::codes::PARTIAL_OPERATION;

impl Checker<'_> {
    /// `int`, `uint`, `double`, `string`, `bool`, `bytes`, `timestamp`, `duration`.
    pub(super) fn conversion(&mut self, expr: &Expr, name: &str, argument: &Expr) -> Typed {
        let typed = self.operand(argument);
        let (function, ty) = match name {
            "int" => (Function::ToInt, Type::Int),
            "uint" => (Function::ToUint, Type::Uint),
            "double" => (Function::ToDouble, Type::Double),
            "bool" => (Function::ToBool, Type::Bool),
            "bytes" => (Function::ToBytes, Type::Bytes),
            "timestamp" => (Function::ToTimestamp, Type::Timestamp),
            "duration" => (Function::ToDuration, Type::Duration),
            _ => (Function::ToString, Type::String),
        };
        match converts(&ty, &typed.ty) {
            _ if typed.ty == Type::Error => unknown(expr.span),
            Conversion::Same => Typed {
                span: expr.span,
                ..typed
            },
            Conversion::Always => self.apply(expr.span, function, vec![typed], ty),
            Conversion::Sometimes if !self.is_total() => {
                self.apply(expr.span, function, vec![typed], ty)
            }
            Conversion::Sometimes if constant_of(&typed).is_some() => {
                let typed = self.apply(expr.span, function, vec![typed], ty.clone());
                if constant_of(&typed).is_some() || typed.ty == Type::Error {
                    return typed;
                }
                self.may_not_convert(expr, name, argument, &ty)
            }
            Conversion::Sometimes if typed.ty == Type::Dyn => {
                let named = (type_name(&ty) == Some(name)).then_some(name);
                self.dynamic_beside(
                    argument,
                    &format!("`{name}` converts values of one type"),
                    named,
                )
            }
            Conversion::Sometimes if self.is_convertible(function, &typed) => {
                self.apply(expr.span, function, vec![typed], ty)
            }
            Conversion::Sometimes if typed.ty == Type::String => {
                self.may_not_read(expr, name, argument, &ty)
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

    /// `dyn(a)`: the value, its type forgotten.
    pub(super) fn forgotten(&mut self, expr: &Expr, argument: &Expr) -> Typed {
        let typed = self.operand(argument);
        match typed.ty {
            Type::Error => unknown(expr.span),
            Type::Record(_) | Type::Struct(_) if self.is_total() => {
                let ty = typed.ty.clone();
                self.wrong_operand("dyn", "a value other than a record", argument, &ty)
            }
            _ => Typed {
                span: expr.span,
                ty: Type::Dyn,
                kind: typed.kind,
            },
        }
    }

    /// `type(a)`
    pub(super) fn type_of(&mut self, expr: &Expr, argument: &Expr) -> Typed {
        let typed = self.operand(argument);
        match type_name(&typed.ty) {
            _ if typed.ty == Type::Error => unknown(expr.span),
            Some(name) if self.is_total() => constant(expr.span, Constant::Type(name.to_owned())),
            _ => self.apply(expr.span, Function::TypeOf, vec![typed], Type::Type),
        }
    }

    fn is_convertible(&self, function: Function, typed: &Typed) -> bool {
        let test = function.test_of_text();
        typed.ty == Type::String && test.is_some_and(|test| self.is_readable(test, typed))
    }

    /// A conversion of a text that is known at run time only: `test` says whether it has a value.
    fn may_not_read(&mut self, expr: &Expr, name: &str, argument: &Expr, ty: &Type) -> Typed {
        let mut letters = name.chars();
        let first = letters.next().map(|first| first.to_ascii_uppercase());
        let test: String = "is".chars().chain(first).chain(letters).collect();
        let test = format!("{test}({argument:#})");
        let label = match name {
            "bool" => "the text may be neither `true` nor `false`",
            "timestamp" => "the text may be no time",
            "duration" => "the text may be no duration",
            _ => "the text may be no number",
        };
        let finding = PARTIAL_OPERATION
            .error(expr.span, format!("`{name}` can fail on a string"))
            .label(label)
            .help(format!("test it first: `{test} && …`"));
        let finding = self.defaulted(finding, &test, expr.span, ty);
        self.report(finding)
    }

    fn may_not_convert(&mut self, expr: &Expr, name: &str, argument: &Expr, ty: &Type) -> Typed {
        let (label, help) = match ty {
            _ if matches!(name, "timestamp" | "duration") => {
                let example = match name {
                    "timestamp" => "timestamp(\"2026-01-31T08:00:00Z\")",
                    _ => "duration(\"1h30m\")",
                };
                return self.report(
                    PARTIAL_OPERATION
                        .error(
                            expr.span,
                            format!("`{name}` can fail on what is only known at run time"),
                        )
                        .label(format!("`{argument}` may be anything"))
                        .help(format!("write a constant: `{example}`")),
                );
            }
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
}

enum Conversion {
    /// It is of the type already.
    Same,
    Always,
    Sometimes,
    Never,
}

fn converts(to: &Type, from: &Type) -> Conversion {
    match (to, from) {
        (Type::Timestamp, Type::Timestamp)
        | (Type::Duration, Type::Duration)
        | (Type::Bool, Type::Bool)
        | (Type::Bytes, Type::Bytes) => Conversion::Same,
        (Type::Int, Type::Int | Type::Timestamp)
        | (Type::Uint, Type::Uint)
        | (Type::Double, Type::Int | Type::Uint | Type::Double)
        | (Type::Bytes, Type::String) => Conversion::Always,
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
        (_, from) if is_open(from) => Conversion::Sometimes,
        (Type::Int, Type::Uint | Type::Double | Type::String | Type::Duration)
        | (Type::Uint, Type::Int | Type::Double | Type::String)
        | (Type::Double | Type::Bool, Type::String)
        | (Type::String, Type::Bytes)
        | (Type::Timestamp | Type::Duration, Type::String | Type::Int) => Conversion::Sometimes,
        _ => Conversion::Never,
    }
}

/// The name of a type, if every value of it is of that one.
pub(in crate::cel::check) const fn type_name(ty: &Type) -> Option<&'static str> {
    Some(match ty {
        Type::Null => "null_type",
        Type::Bool => "bool",
        Type::Int => "int",
        Type::Uint => "uint",
        Type::Double => "double",
        Type::String => "string",
        Type::Bytes => "bytes",
        Type::Timestamp => "google.protobuf.Timestamp",
        Type::Duration => "google.protobuf.Duration",
        Type::Ip => "net.IP",
        Type::Cidr => "net.CIDR",
        Type::List(_) => "list",
        Type::Map(..) => "map",
        Type::Optional(_) => "optional_type",
        Type::Type => "type",
        _ => return None,
    })
}
