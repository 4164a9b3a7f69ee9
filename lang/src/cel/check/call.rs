//! Calls: macros, conversions, constructors, optionals, and the functions of [`super::function`].

mod binding;
mod conversion;
mod macros;
mod optional;

use super::function::{self, MethodCall};
use super::mistake::article;
use super::types::is_number;
use super::{Checker, TYPE_MISMATCH, Type, Typed, standard, unknown};
use crate::cel::expression::{Expr, ExprKind};
use crate::cel::typed::Function;
use crate::codes::{NOT_IN_THIS_BUILD, PARTIAL_OPERATION, UNKNOWN_FUNCTION};
use crate::diagnostic::{Edit, nearest};
use crate::source::Spanned;

/// Functions that are called on nothing.
const GLOBAL: &[&str] = &[
    "has",
    "size",
    "matches",
    "int",
    "uint",
    "double",
    "string",
    "timestamp",
    "duration",
    "ip",
    "cidr",
];

const MACROS: &[&str] = &["all", "exists", "exists_one", "existsOne", "map", "filter"];

const OPTIONAL_METHODS: &[&str] = &["hasValue", "value", "orValue", "or"];

const MATH: &[&str] = &["greatest", "least", "abs", "ceil", "floor", "round"];

/// Names that group functions.
const NAMESPACES: &[&str] = &[
    "math", "optional", "cel", "strings", "lists", "sets", "base64", "regex", "ip", "cidr",
];

impl Checker<'_> {
    pub(super) fn call(
        &mut self,
        expr: &Expr,
        receiver: Option<&Expr>,
        function: &Spanned<String>,
        arguments: &[Expr],
    ) -> Typed {
        let Some(receiver) = receiver else {
            return self.global(expr, function, arguments);
        };
        if let Some(namespace) = self.namespace(receiver) {
            return self.qualified(expr, namespace, function, arguments);
        }
        let name = function.value.as_str();
        if MACROS.contains(&name) {
            return self.comprehension(expr, receiver, function, arguments);
        }
        if OPTIONAL_METHODS.contains(&name) {
            return self.optional_method(expr, receiver, function, arguments);
        }
        if matches!(name, "optMap" | "optFlatMap") {
            return self.map_optional(expr, receiver, function, arguments);
        }
        if name == "size" && arguments.is_empty() {
            return self.size(expr, receiver);
        }
        let overloads = function::overloads(name);
        if overloads.is_empty() {
            return self.unknown_function(function, "");
        }
        let typed = self.operand(receiver);
        if typed.ty == Type::Error {
            return unknown(expr.span);
        }
        let call = MethodCall {
            span: expr.span,
            receiver_expr: receiver,
            receiver: typed,
            function,
            arguments,
        };
        self.method(call, &overloads)
    }

    /// The group of functions that an expression names, unless a variable hides it.
    fn namespace(&self, receiver: &Expr) -> Option<&'static str> {
        let ExprKind::Identifier(name) = &receiver.kind else {
            return None;
        };
        let is_local = self.locals.iter().any(|local| local.name == *name);
        let is_known = is_local || (self.scope.constants)(name).is_some();
        NAMESPACES
            .iter()
            .copied()
            .find(|namespace| namespace == name && !is_known)
    }

    fn global(&mut self, expr: &Expr, function: &Spanned<String>, arguments: &[Expr]) -> Typed {
        let name = function.value.strip_prefix('.').unwrap_or(&function.value);
        if name == "matches"
            && let [text, pattern] = arguments
        {
            let pattern = std::slice::from_ref(pattern);
            return self.call(expr, Some(text), function, pattern);
        }
        if !GLOBAL.contains(&name) {
            return self.unknown_function(function, "");
        }
        let [argument] = arguments else {
            let takes = if name == "matches" { 2 } else { 1 };
            return self.wrong_count(expr.span, name, &[takes], arguments.len());
        };
        match name {
            "has" => self.has(expr, argument),
            "size" => self.size(expr, argument),
            "timestamp" => self.timestamp(expr, argument),
            "duration" => self.duration(expr, argument),
            "ip" => self.ip(expr, argument),
            "cidr" => self.cidr(expr, argument),
            "matches" => self.wrong_count(expr.span, name, &[2], 1),
            _ => self.conversion(expr, name, argument),
        }
    }

    fn qualified(
        &mut self,
        expr: &Expr,
        namespace: &str,
        function: &Spanned<String>,
        arguments: &[Expr],
    ) -> Typed {
        let name = function.value.as_str();
        match (namespace, name, arguments) {
            ("cel", "bind", _) => self.bind(expr, function, arguments),
            ("optional", "none", []) => super::constant(expr.span, super::Constant::Absent),
            ("optional", "of", [argument]) => {
                let typed = self.value(argument);
                if typed.ty == Type::Error {
                    return unknown(expr.span);
                }
                let ty = Type::Optional(Box::new(typed.ty.clone()));
                super::call(expr.span, Function::OptionalOf, vec![typed], ty)
            }
            ("math", "greatest" | "least", [_, ..]) => self.extreme(expr, function, arguments),
            ("math", name, [argument]) if MATH.contains(&name) => self.math(expr, name, argument),
            ("optional", "of", _) | ("math", "abs" | "ceil" | "floor" | "round", _) => {
                self.wrong_count(expr.span, name, &[1], arguments.len())
            }
            _ => self.unknown_function(function, namespace),
        }
    }

    /// `math.greatest` and `math.least` of any number of numbers, two at a time.
    fn extreme(&mut self, expr: &Expr, function: &Spanned<String>, arguments: &[Expr]) -> Typed {
        let operation = if function.value == "greatest" {
            Function::Greatest
        } else {
            Function::Least
        };
        let mut result: Option<Typed> = None;
        for argument in arguments {
            let typed = self.operand(argument);
            if !is_number(&typed.ty) {
                return self.wrong_operand(&function.value, "numbers", argument, &typed.ty);
            }
            result = match result {
                None => Some(typed),
                Some(before) if before.ty == typed.ty => {
                    let ty = typed.ty.clone();
                    Some(self.apply(expr.span, operation, vec![before, typed], ty))
                }
                Some(before) => {
                    let message = format!("`{}` takes numbers of one type", function.value);
                    return self.report(
                        TYPE_MISMATCH
                            .error(expr.span, message)
                            .label(format!(
                                "{} and {}",
                                article(&before.ty),
                                article(&typed.ty)
                            ))
                            .help("convert the whole numbers with `double(…)`"),
                    );
                }
            };
        }
        result.unwrap_or_else(|| unknown(expr.span))
    }

    fn math(&mut self, expr: &Expr, name: &str, argument: &Expr) -> Typed {
        let typed = self.operand(argument);
        let function = match name {
            "abs" => Function::Absolute,
            "ceil" => Function::Ceiling,
            "floor" => Function::Floor,
            _ => Function::Round,
        };
        let takes = if name == "abs" {
            "a number"
        } else {
            "a double"
        };
        if typed.ty != Type::Double && !(name == "abs" && is_number(&typed.ty)) {
            return self.wrong_operand(name, takes, argument, &typed.ty);
        }
        let ty = typed.ty.clone();
        self.apply(expr.span, function, vec![typed], ty)
    }

    fn size(&mut self, expr: &Expr, argument: &Expr) -> Typed {
        let typed = self.operand(argument);
        match typed.ty {
            Type::Error => unknown(expr.span),
            Type::String | Type::Bytes | Type::List(_) => {
                self.apply(expr.span, Function::Size, vec![typed], Type::Int)
            }
            ty => self.wrong_operand("size", "a string or a list", argument, &ty),
        }
    }

    fn unknown_function(&mut self, function: &Spanned<String>, namespace: &str) -> Typed {
        let name = function.value.strip_prefix('.').unwrap_or(&function.value);
        if let Some(instead) = standard::partial(name) {
            return self.report(
                PARTIAL_OPERATION
                    .error(function.span, format!("`{name}` can be out of range"))
                    .label("the text or list may be shorter")
                    .help(instead),
            );
        }
        if standard::is_missing(name) {
            return self.report(
                NOT_IN_THIS_BUILD
                    .error(function.span, format!("`{name}` is not in this version"))
                    .label("a function of the standard")
                    .help("write the condition with operators, `exists`, `all` or the functions of strings"),
            );
        }
        let candidates = GLOBAL
            .iter()
            .chain(MACROS)
            .chain(OPTIONAL_METHODS)
            .chain(MATH)
            .copied()
            .chain(function::method_names());
        let shown = if namespace.is_empty() {
            name.to_owned()
        } else {
            format!("{namespace}.{name}")
        };
        let finding = UNKNOWN_FUNCTION
            .error(function.span, format!("there is no function `{shown}`"))
            .label("not a function of CEL");
        self.report(match nearest(name, candidates).or_else(|| same_letters(name)) {
            Some(meant) if meant == name => finding.help(format!(
                "write it after what it is asked of: `x.{name}(…)` for `{name}(x, …)`"
            )),
            Some(meant) => finding.help(format!("write `{meant}`")).fix(
                format!("write `{meant}`"),
                [Edit {
                    span: function.span,
                    text: meant.to_owned(),
                }],
            ),
            None => finding.help("strings have `contains`, `startsWith`, `endsWith`, `matches`; lists have `exists`, `all`, `size`"),
        })
    }
}

/// What other languages call a function of CEL.
fn same_letters(name: &str) -> Option<&'static str> {
    const OTHER_NAMES: &[(&str, &str)] = &[
        ("len", "size"),
        ("length", "size"),
        ("count", "size"),
        ("lower", "lowerAscii"),
        ("toLower", "lowerAscii"),
        ("toLowerCase", "lowerAscii"),
        ("upper", "upperAscii"),
        ("toUpper", "upperAscii"),
        ("toUpperCase", "upperAscii"),
        ("includes", "contains"),
        ("starts_with", "startsWith"),
        ("ends_with", "endsWith"),
        ("hasPrefix", "startsWith"),
        ("hasSuffix", "endsWith"),
        ("any", "exists"),
        ("some", "exists"),
        ("every", "all"),
        ("float", "double"),
        ("str", "string"),
    ];
    OTHER_NAMES
        .iter()
        .find(|(other, _)| *other == name)
        .map(|(_, ours)| *ours)
}
