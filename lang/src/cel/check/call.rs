//! Calls: macros, conversions, optionals, and the functions of [`super::standard`].

mod binding;
mod conversion;
mod macros;
mod optional;

pub(super) use conversion::type_name;

use super::mistake::{article, is_whole_text};
use super::signature::{Place, names, overloads};
use super::types::{is_number, is_open};
use super::{Checker, Constant, TYPE_MISMATCH, Type, Typed, constant, unknown};
use crate::cel::expression::{Expr, ExprKind};
use crate::cel::typed::Function;
use crate::codes::UNKNOWN_FUNCTION;
use crate::diagnostic::{Edit, nearest};
use crate::source::Spanned;

/// Functions that are called on nothing and have no row in [`super::standard`].
const GLOBAL: &[&str] = &[
    "has",
    "type",
    "dyn",
    "int",
    "uint",
    "double",
    "string",
    "bool",
    "bytes",
    "timestamp",
    "duration",
];

const MACROS: &[&str] = &[
    "all",
    "exists",
    "exists_one",
    "existsOne",
    "map",
    "filter",
    "transformList",
    "transformMap",
    "transformMapEntry",
];

const OPTIONAL_METHODS: &[&str] = &["hasValue", "value", "orValue", "or"];

/// Names that group functions.
const GROUPS: &[&str] = &[
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
        if let Some(group) = self.function_group(receiver) {
            return self.grouped(expr, group, function, arguments);
        }
        let name = function.value.as_str();
        if MACROS.contains(&name) {
            return self.comprehension(expr, receiver, function, arguments);
        }
        if OPTIONAL_METHODS.contains(&name) {
            return self.optional_method(expr, receiver, function, arguments);
        }
        match name {
            "optMap" | "optFlatMap" => self.map_optional(expr, receiver, function, arguments),
            "sortBy" => self.sort_by(expr, receiver, function, arguments),
            _ => {
                let overloads = overloads(name, |place| place == Place::Method);
                if overloads.is_empty() {
                    return self.unknown_function(expr, Some(receiver), function, arguments);
                }
                let exprs = std::iter::once(receiver).chain(arguments).collect();
                self.invoke(expr, name, &overloads, exprs)
            }
        }
    }

    /// The group of functions that an expression names, unless a variable hides it.
    fn function_group(&self, receiver: &Expr) -> Option<&'static str> {
        let ExprKind::Identifier(name) = &receiver.kind else {
            return None;
        };
        let is_local = self.locals.iter().any(|local| local.name == *name);
        let is_known = is_local || (self.scope.constants)(name).is_some();
        GROUPS
            .iter()
            .copied()
            .find(|group| group == name && !is_known)
    }

    fn global(&mut self, expr: &Expr, function: &Spanned<String>, arguments: &[Expr]) -> Typed {
        let name = function.value.strip_prefix('.').unwrap_or(&function.value);
        if let Some(declared) = self.declared(expr, name, arguments) {
            return declared;
        }
        if !GLOBAL.contains(&name) {
            let overloads = overloads(name, |place| place == Place::Global);
            if overloads.is_empty() {
                return self.unknown_function(expr, None, function, arguments);
            }
            return self.invoke(expr, name, &overloads, arguments.iter().collect());
        }
        let [argument] = arguments else {
            return self.wrong_count(expr.span, name, &[1], arguments.len());
        };
        match name {
            "has" => self.has(expr, argument),
            "type" => self.type_of(expr, argument),
            "dyn" => self.forgotten(expr, argument),
            _ => self.conversion(expr, name, argument),
        }
    }

    fn grouped(
        &mut self,
        expr: &Expr,
        group: &'static str,
        function: &Spanned<String>,
        arguments: &[Expr],
    ) -> Typed {
        let name = function.value.as_str();
        match (group, name, arguments) {
            ("cel", "bind", _) => return self.bind(expr, function, arguments),
            ("cel", "block", _) => return self.block(expr, arguments),
            ("cel", "index" | "iterVar", _) => {
                if let Some(name) = binding::block_name(name, arguments)
                    && let Some(found) = self.local_of(expr.span, &name)
                {
                    return found;
                }
            }
            ("optional", "none", []) => return constant(expr.span, Constant::Absent),
            ("math", "greatest" | "least", [_, ..]) => {
                return self.extreme(expr, function, arguments);
            }
            _ => {}
        }
        let overloads = overloads(name, |place| place == Place::Group(group));
        if overloads.is_empty() {
            return self.no_function(function, group);
        }
        self.invoke(expr, name, &overloads, arguments.iter().collect())
    }

    /// `math.greatest` and `math.least` of a list, or of any number of numbers, two at a time.
    fn extreme(&mut self, expr: &Expr, function: &Spanned<String>, arguments: &[Expr]) -> Typed {
        let operation = if function.value == "greatest" {
            Function::Greatest
        } else {
            Function::Least
        };
        if let [argument] = arguments {
            return self.extreme_of_one(expr, function, operation, argument);
        }
        let mut result: Option<Typed> = None;
        for argument in arguments {
            let typed = self.operand(argument);
            if !is_number(&typed.ty) && (self.is_total() || !is_open(&typed.ty)) {
                return self.wrong_operand(&function.value, "numbers", argument, &typed.ty);
            }
            result = match result {
                None => Some(typed),
                Some(before) if before.ty == typed.ty => {
                    let ty = typed.ty.clone();
                    Some(self.apply(expr.span, operation, vec![before, typed], ty))
                }
                Some(before) if !self.is_total() => {
                    Some(self.apply(expr.span, operation, vec![before, typed], Type::Dyn))
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

    /// A number is its own greatest; a list may have none, so it is refused unless it is known to have one.
    fn extreme_of_one(
        &mut self,
        expr: &Expr,
        function: &Spanned<String>,
        operation: Function,
        argument: &Expr,
    ) -> Typed {
        let typed = self.operand(argument);
        let ty = match &typed.ty {
            Type::Error => return unknown(expr.span),
            ty if is_number(ty) => ty.clone(),
            Type::List(element) if is_number(element) => element.as_ref().clone(),
            Type::List(element) if is_open(element) && !self.is_total() => Type::Dyn,
            ty if is_open(ty) && !self.is_total() => Type::Dyn,
            ty => {
                let ty = ty.clone();
                return self.wrong_operand(
                    &function.value,
                    "numbers or a list of numbers",
                    argument,
                    &ty,
                );
            }
        };
        let is_list = matches!(typed.ty, Type::List(_));
        if is_list && self.is_total() && self.least_size(&typed) == 0 {
            let test = format!("size({argument:#}) > 0");
            let finding = crate::codes::PARTIAL_OPERATION
                .error(
                    expr.span,
                    format!("`{}` fails on an empty list", function.value),
                )
                .label("the list may be empty")
                .help(format!("test its size first: `{test} && …`"));
            let finding = self.guarded(finding, &test);
            return self.report(finding);
        }
        self.apply(expr.span, operation, vec![typed], ty)
    }

    /// A call of a function that there is none of: rewritten, if another language would write it so.
    fn unknown_function(
        &mut self,
        expr: &Expr,
        receiver: Option<&Expr>,
        function: &Spanned<String>,
        arguments: &[Expr],
    ) -> Typed {
        let Some(right) = written_elsewhere(receiver, &function.value, arguments) else {
            return self.no_function(function, "");
        };
        let name = match receiver {
            Some(receiver) => format!("{receiver}.{}", function.value),
            None => function.value.clone(),
        };
        let finding = UNKNOWN_FUNCTION
            .error(function.span, format!("there is no function `{name}`"))
            .label("not a function of CEL")
            .help(format!("write `{right}`"));
        let edit = Edit {
            span: expr.span,
            text: right.clone(),
        };
        self.report(if is_whole_text(&right) {
            finding.fix(format!("write `{right}`"), [edit])
        } else {
            finding
        })
    }

    fn no_function(&mut self, function: &Spanned<String>, namespace: &str) -> Typed {
        let name = function.value.strip_prefix('.').unwrap_or(&function.value);
        if let Some((_, place)) = names().find(|(known, _)| *known == name) {
            return self.misplaced(function, name, place);
        }
        let candidates = GLOBAL
            .iter()
            .chain(MACROS)
            .chain(OPTIONAL_METHODS)
            .chain(&["optMap", "optFlatMap", "sortBy"])
            .copied()
            .chain(names().map(|(name, _)| name));
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

impl Checker<'_> {
    /// A function that there is, and that is written in another way.
    fn misplaced(&mut self, function: &Spanned<String>, name: &str, place: Place) -> Typed {
        let written = match place {
            Place::Global => format!("{name}(…)"),
            Place::Group(group) => format!("{group}.{name}(…)"),
            Place::Method => format!("….{name}(…)"),
        };
        self.report(
            UNKNOWN_FUNCTION
                .error(function.span, format!("`{name}` is not called like this"))
                .label("a function of CEL that is written in another way")
                .help(format!("write `{written}`")),
        )
    }
}

/// A call as CEL writes it, for some that other languages write in an order of their own.
fn written_elsewhere(receiver: Option<&Expr>, name: &str, arguments: &[Expr]) -> Option<String> {
    let module = match receiver.map(|receiver| &receiver.kind) {
        Some(ExprKind::Identifier(module)) => module.as_str(),
        _ => "",
    };
    let right = match (module, name, arguments) {
        ("re", "match" | "search" | "fullmatch", [pattern, text])
        | ("regex", "match", [pattern, text]) => format!("{text:#}.matches({pattern:#})"),
        ("strings", "HasPrefix" | "hasPrefix", [text, part]) => {
            format!("{text:#}.startsWith({part:#})")
        }
        (_, "get", [key]) => format!("{:#}[?{key:#}].orValue(\"\")", receiver?),
        (_, "get", [key, default]) => format!("{:#}[?{key:#}].orValue({default:#})", receiver?),
        (_, _, [text, part]) if receiver.is_none() => {
            let method = match name.to_ascii_lowercase().as_str() {
                "startswith" | "starts_with" | "hasprefix" => "startsWith",
                "endswith" | "ends_with" | "hassuffix" => "endsWith",
                "contains" => "contains",
                "matches" => "matches",
                "regex_match" => return Some(format!("{part:#}.matches({text:#})")),
                _ => return None,
            };
            format!("{text:#}.{method}({part:#})")
        }
        _ => return None,
    };
    Some(right)
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
        ("hour", "getHours"),
        ("hours", "getHours"),
        ("getHour", "getHours"),
        ("minute", "getMinutes"),
        ("minutes", "getMinutes"),
        ("weekday", "getDayOfWeek"),
        ("dayOfWeek", "getDayOfWeek"),
        ("getDay", "getDayOfWeek"),
        ("month", "getMonth"),
        ("year", "getFullYear"),
    ];
    OTHER_NAMES
        .iter()
        .find(|(other, _)| *other == name)
        .map(|(_, ours)| *ours)
}
