//! The functions called on a value, one row an overload, and what becomes of a call that fits none.

use std::net::IpAddr;

use super::mistake::article;
use super::{Checker, Function, TYPE_MISMATCH, Type, Typed, text_of, unknown};
use crate::cel::expression::Expr;
use crate::cel::typed::Constant;
use crate::codes::PARTIAL_OPERATION;
use crate::source::{Span, Spanned};

/// What a function takes or gives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Bool,
    Int,
    String,
    Timestamp,
    Duration,
    /// A string that must be known now: what it says is prepared once.
    Constant,
    /// An address, or a constant string that is one.
    Address,
    Network,
    Strings,
}

impl Kind {
    fn ty(self) -> Type {
        match self {
            Self::Bool => Type::Bool,
            Self::Int => Type::Int,
            Self::String | Self::Constant => Type::String,
            Self::Timestamp => Type::Timestamp,
            Self::Duration => Type::Duration,
            Self::Address => Type::Ip,
            Self::Network => Type::Cidr,
            Self::Strings => Type::List(Box::new(Type::String)),
        }
    }

    fn takes(self, ty: &Type) -> bool {
        match (self, ty) {
            (Self::Address, Type::String) => true,
            _ => *ty == self.ty(),
        }
    }
}

/// One overload.
pub(super) struct Overload {
    name: &'static str,
    function: Function,
    receiver: Kind,
    arguments: &'static [Kind],
    result: Kind,
}

const fn row(
    name: &'static str,
    function: Function,
    receiver: Kind,
    arguments: &'static [Kind],
    result: Kind,
) -> Overload {
    Overload {
        name,
        function,
        receiver,
        arguments,
        result,
    }
}

use Kind::{Address, Bool, Duration, Int, Network, String as Text, Strings, Timestamp};
const ZONE: &[Kind] = &[Kind::Constant];

const OVERLOADS: &[Overload] = &[
    row("contains", Function::Contains, Text, &[Text], Bool),
    row("startsWith", Function::StartsWith, Text, &[Text], Bool),
    row("endsWith", Function::EndsWith, Text, &[Text], Bool),
    row("matches", Function::Matches, Text, &[Kind::Constant], Bool),
    row("lowerAscii", Function::LowerAscii, Text, &[], Text),
    row("upperAscii", Function::UpperAscii, Text, &[], Text),
    row("trim", Function::Trim, Text, &[], Text),
    row("replace", Function::Replace, Text, &[Text, Text], Text),
    row("indexOf", Function::IndexOf, Text, &[Text], Int),
    row("lastIndexOf", Function::LastIndexOf, Text, &[Text], Int),
    row("split", Function::Split, Text, &[Text], Strings),
    row("reverse", Function::Reverse, Text, &[], Text),
    row("join", Function::Join, Strings, &[], Text),
    row("join", Function::Join, Strings, &[Text], Text),
    row(
        "containsIP",
        Function::ContainsIp,
        Network,
        &[Address],
        Bool,
    ),
    row("family", Function::Family, Address, &[], Int),
    row("isLoopback", Function::IsLoopback, Address, &[], Bool),
    row("getFullYear", Function::Year, Timestamp, &[], Int),
    row("getFullYear", Function::Year, Timestamp, ZONE, Int),
    row("getMonth", Function::Month, Timestamp, &[], Int),
    row("getMonth", Function::Month, Timestamp, ZONE, Int),
    row("getDayOfYear", Function::DayOfYear, Timestamp, &[], Int),
    row("getDayOfYear", Function::DayOfYear, Timestamp, ZONE, Int),
    row("getDayOfMonth", Function::DayOfMonth, Timestamp, &[], Int),
    row("getDayOfMonth", Function::DayOfMonth, Timestamp, ZONE, Int),
    row("getDate", Function::Date, Timestamp, &[], Int),
    row("getDate", Function::Date, Timestamp, ZONE, Int),
    row("getDayOfWeek", Function::DayOfWeek, Timestamp, &[], Int),
    row("getDayOfWeek", Function::DayOfWeek, Timestamp, ZONE, Int),
    row("getHours", Function::Hours, Timestamp, &[], Int),
    row("getHours", Function::Hours, Timestamp, ZONE, Int),
    row("getHours", Function::Hours, Duration, &[], Int),
    row("getMinutes", Function::Minutes, Timestamp, &[], Int),
    row("getMinutes", Function::Minutes, Timestamp, ZONE, Int),
    row("getMinutes", Function::Minutes, Duration, &[], Int),
    row("getSeconds", Function::Seconds, Timestamp, &[], Int),
    row("getSeconds", Function::Seconds, Timestamp, ZONE, Int),
    row("getSeconds", Function::Seconds, Duration, &[], Int),
    row(
        "getMilliseconds",
        Function::Milliseconds,
        Timestamp,
        &[],
        Int,
    ),
    row(
        "getMilliseconds",
        Function::Milliseconds,
        Timestamp,
        ZONE,
        Int,
    ),
    row(
        "getMilliseconds",
        Function::Milliseconds,
        Duration,
        &[],
        Int,
    ),
];

/// The names of all functions that are called on a value.
pub(super) fn method_names() -> impl Iterator<Item = &'static str> {
    OVERLOADS.iter().map(|overload| overload.name)
}

/// The overloads of one name.
pub(super) fn overloads(name: &str) -> Vec<&'static Overload> {
    OVERLOADS
        .iter()
        .filter(|overload| overload.name == name)
        .collect()
}

/// A call that is being matched with its overloads.
pub(super) struct MethodCall<'a> {
    pub(super) span: Span,
    pub(super) receiver_expr: &'a Expr,
    pub(super) receiver: Typed,
    pub(super) function: &'a Spanned<String>,
    pub(super) arguments: &'a [Expr],
}

impl Checker<'_> {
    /// Calls one of `overloads`, which is not empty.
    pub(super) fn method(&mut self, call: MethodCall<'_>, overloads: &[&Overload]) -> Typed {
        let name = &call.function.value;
        let fitting: Vec<_> = overloads
            .iter()
            .filter(|overload| overload.receiver.takes(&call.receiver.ty))
            .collect();
        if fitting.is_empty() {
            let takes = overloads
                .first()
                .map_or(Type::Error, |overload| overload.receiver.ty());
            return self.wrong_operand(
                name,
                &article(&takes),
                call.receiver_expr,
                &call.receiver.ty,
            );
        }
        let by_count = fitting
            .iter()
            .find(|overload| overload.arguments.len() == call.arguments.len());
        let Some(overload) = by_count else {
            let counts = fitting.iter().map(|overload| overload.arguments.len());
            let counts: std::collections::BTreeSet<usize> = counts.collect();
            return self.wrong_count(
                call.span,
                name,
                &counts.into_iter().collect::<Vec<_>>(),
                call.arguments.len(),
            );
        };
        let mut typed = vec![self.address(call.receiver, overload.receiver)];
        for (kind, argument) in overload.arguments.iter().zip(call.arguments) {
            typed.push(self.argument(name, *kind, argument));
        }
        if typed.iter().any(|argument| argument.ty == Type::Error) {
            return unknown(call.span);
        }
        self.apply(call.span, overload.function, typed, overload.result.ty())
    }

    fn argument(&mut self, function: &str, kind: Kind, expr: &Expr) -> Typed {
        let typed = self.operand(expr);
        if !kind.takes(&typed.ty) {
            return self.wrong_operand(function, &article(&kind.ty()), expr, &typed.ty);
        }
        if kind == Kind::Constant && text_of(&typed).is_none() {
            let (what, help) = if function == "matches" {
                (
                    "the pattern",
                    "write the pattern as a string, or use `contains`",
                )
            } else {
                (
                    "the time zone",
                    "write the zone as a string: `\"Europe/Berlin\"`",
                )
            };
            return self.report(
                PARTIAL_OPERATION
                    .error(
                        expr.span,
                        format!("{what} `{expr}` is only known at run time"),
                    )
                    .label("what it says could be wrong then")
                    .help(help),
            );
        }
        self.address(typed, kind)
    }

    /// Reads a constant string as the address that the function takes.
    fn address(&mut self, typed: Typed, kind: Kind) -> Typed {
        if kind != Kind::Address || typed.ty != Type::String {
            return typed;
        }
        match text_of(&typed).map(str::to_owned) {
            Some(text) => self.parse_address(typed.span, &text),
            None => self.unknown_address(typed.span),
        }
    }

    pub(super) fn parse_address(&mut self, span: Span, text: &str) -> Typed {
        match read_address(text) {
            Some(address) => super::constant(span, Constant::Ip(address.to_canonical())),
            None => self.constant_fails(span, "the text is no IP address"),
        }
    }

    pub(super) fn unknown_address(&mut self, span: Span) -> Typed {
        self.report(
            PARTIAL_OPERATION
                .error(span, "the address is only known at run time")
                .label("the text may be no address")
                .help("write a constant: `ip(\"10.0.0.1\")`; the caller's address is `source.ip`"),
        )
    }

    pub(super) fn wrong_count(
        &mut self,
        span: Span,
        name: &str,
        takes: &[usize],
        found: usize,
    ) -> Typed {
        let takes: Vec<String> = takes.iter().map(usize::to_string).collect();
        let takes = takes.join(" or ");
        let noun = if takes == "1" {
            "argument"
        } else {
            "arguments"
        };
        self.report(
            TYPE_MISMATCH
                .error(
                    span,
                    format!("`{name}` takes {takes} {noun}, found {found}"),
                )
                .label("this call")
                .help(format!("give it {takes} {noun}")),
        )
    }
}

/// The address that a text is. The standard refuses a dotted part inside of IPv6.
pub(super) fn read_address(text: &str) -> Option<IpAddr> {
    let is_mixed = text.contains(':') && text.contains('.');
    text.parse().ok().filter(|_| !is_mixed)
}
