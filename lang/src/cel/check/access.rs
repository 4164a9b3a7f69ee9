//! What is read of a value: fields, keys and elements.

use super::mistake::article;
use super::{Checker, Type, Typed, TypedKind, call, constant, constant_of, text_of, unknown};
use crate::cel::expression::Expr;
use crate::cel::print::quote;
use crate::cel::typed::{Constant, Field, Function};
use crate::codes::{
    CONSTANT_FAILS, MISSING_KEY, NOT_IN_THIS_BUILD, PARTIAL_OPERATION, TYPE_MISMATCH,
    UNKNOWN_LITERAL,
};
use crate::diagnostic::Edit;
use crate::source::{Span, Spanned};

impl Checker<'_> {
    pub(super) fn select(
        &mut self,
        expr: &Expr,
        operand: &Expr,
        field: &Spanned<String>,
        optional: bool,
    ) -> Typed {
        if let Some(group) = self.group(operand) {
            let fact = self.field_of(group, expr.span, field);
            return if optional {
                optional_of(expr.span, fact)
            } else {
                fact
            };
        }
        let base = self.any(operand);
        match (&base.kind, &base.ty) {
            (_, Type::Error) => unknown(expr.span),
            (TypedKind::Field(map), Type::Map(..)) => {
                let map = *map;
                if self.check_key(map, field, false) {
                    self.lookup(expr.span, map, &field.value, optional)
                } else {
                    unknown(expr.span)
                }
            }
            (_, Type::Record(record)) => {
                let record = *record;
                let member = self.member(expr.span, base, record, field);
                if optional {
                    optional_of(expr.span, member)
                } else {
                    member
                }
            }
            (_, Type::Dyn) => self.report(
                NOT_IN_THIS_BUILD
                    .error(
                        expr.span,
                        format!("the parts of `{operand}` cannot be read yet"),
                    )
                    .label("this version reads the claims themselves")
                    .help("compare the claim as a whole: `… == \"text\"`"),
            ),
            (_, Type::Optional(_)) => self.missing_value(operand, "fields"),
            (_, ty) => {
                let message = format!("`{operand}` is {} and has no fields", article(ty));
                self.report(
                    TYPE_MISMATCH
                        .error(field.span, message)
                        .label("no such field")
                        .help("use it as it is, or call a function on it"),
                )
            }
        }
    }

    pub(super) fn index(
        &mut self,
        expr: &Expr,
        operand: &Expr,
        index: &Expr,
        optional: bool,
    ) -> Typed {
        let base = self.any(operand);
        let key = self.value(index);
        match (&base.kind, &base.ty) {
            (_, Type::Error) => unknown(expr.span),
            _ if key.ty == Type::Error => unknown(expr.span),
            (TypedKind::Field(map), Type::Map(..)) => {
                let map = *map;
                match self.constant_key(index, &key) {
                    Some(key) if self.check_key(map, &key, true) => {
                        self.lookup(expr.span, map, &key.value, optional)
                    }
                    _ => unknown(expr.span),
                }
            }
            (_, Type::List(_)) => self.element(expr, &base, &key, optional),
            (_, Type::Optional(_)) => self.missing_value(operand, "elements"),
            (_, Type::Dyn) => self.report(
                NOT_IN_THIS_BUILD
                    .error(
                        expr.span,
                        format!("the parts of `{operand}` cannot be read yet"),
                    )
                    .label("this version reads the claims themselves")
                    .help("compare the claim as a whole: `… == \"text\"`"),
            ),
            (_, ty) => {
                let message = format!("`{operand}` is {} and has no elements", article(ty));
                self.report(
                    TYPE_MISMATCH
                        .error(expr.span, message)
                        .label("only lists and maps have elements")
                        .help("use a function of strings such as `contains` or `startsWith`"),
                )
            }
        }
    }

    /// The key that `key` is, if it is a string that is known now.
    pub(super) fn constant_key(&mut self, expr: &Expr, key: &Typed) -> Option<Spanned<String>> {
        if let Some(text) = text_of(key) {
            return Some(Spanned::new(text.to_owned(), expr.span));
        }
        match key.ty {
            Type::Error => {}
            Type::String => {
                self.report(
                    PARTIAL_OPERATION
                        .error(
                            expr.span,
                            format!("the key `{expr}` is only known at run time"),
                        )
                        .label("a plan reads the keys that it names, and no others")
                        .help("write the key as a string: `[?\"x-team\"]`"),
                );
            }
            _ => {
                self.report(
                    TYPE_MISMATCH
                        .error(
                            expr.span,
                            format!("keys are strings, `{expr}` is {}", article(&key.ty)),
                        )
                        .label(key.ty.to_string())
                        .help(format!(
                            "write the key as a string: `{}`",
                            quote(&expr.to_string())
                        )),
                );
            }
        }
        None
    }

    /// Says whether a key can be found at all; header names arrive in lower case.
    pub(super) fn check_key(&mut self, map: Field, key: &Spanned<String>, is_string: bool) -> bool {
        let lower = key.value.to_ascii_lowercase();
        if map != Field::RequestHeaders || lower == key.value {
            return true;
        }
        let text = if is_string { quote(&lower) } else { lower };
        let finding = UNKNOWN_LITERAL
            .error(key.span, format!("no header is called `{}`", key.value))
            .label("header names are lower case here")
            .help(format!("write `{text}`"));
        let title = format!("write `{text}`");
        let edit = Edit {
            span: key.span,
            text,
        };
        self.report(if is_string {
            finding.fix(title, [edit])
        } else {
            finding
        });
        false
    }

    /// Reads a key of a map.
    fn lookup(&mut self, span: Span, map: Field, key: &str, optional: bool) -> Typed {
        let Type::Map(_, value) = map.ty() else {
            return unknown(span);
        };
        let lookup = Typed {
            span,
            ty: Type::Optional(value.clone()),
            kind: TypedKind::Lookup(map, key.to_owned()),
        };
        if optional {
            return lookup;
        }
        if self.has_key(map, key) {
            return call(span, Function::Value, vec![lookup], *value);
        }
        let (path, key) = (map.path(), quote(key));
        let total = format!("{path}[?{key}].orValue(\"\")");
        let (label, what) = match map {
            Field::RequestHeaders => ("not every call sends this header", "header"),
            Field::RequestMetadata => ("not every call sends this key", "key"),
            Field::CallerClaims => ("not every token has this claim", "claim"),
            _ => ("not every endpoint has this label", "label"),
        };
        self.report(
            MISSING_KEY
                .error(span, format!("`{path}[{key}]` can be missing"))
                .label(label)
                .help(format!("say what a missing {what} means: `{total}`"))
                .fix(format!("write `{total}`"), [Edit { span, text: total }]),
        )
    }

    fn element(&mut self, expr: &Expr, list: &Typed, index: &Typed, optional: bool) -> Typed {
        if !matches!(index.ty, Type::Int | Type::Uint) {
            let message = format!("an index is an int, this is {}", article(&index.ty));
            return self.report(
                TYPE_MISMATCH
                    .error(index.span, message)
                    .label(index.ty.to_string())
                    .help("write a whole number, from 0"),
            );
        }
        if let (Some(Constant::List(elements)), Some(at)) = (constant_of(list), constant_of(index))
        {
            return self.constant_element(expr.span, elements, at, optional);
        }
        if optional {
            return self.report(
                NOT_IN_THIS_BUILD
                    .error(expr.span, "optional elements of lists cannot be read yet")
                    .label("this version looks through lists with macros")
                    .help("write `list.exists(x, …)` or `list.filter(x, …)`"),
            );
        }
        self.report(
            PARTIAL_OPERATION
                .error(expr.span, format!("`{expr}` can be out of range"))
                .label("the list may be shorter")
                .help("look through the list: `list.exists(x, …)`"),
        )
    }

    fn constant_element(
        &mut self,
        span: Span,
        elements: &[Constant],
        at: &Constant,
        optional: bool,
    ) -> Typed {
        let at = match at {
            Constant::Int(at) => usize::try_from(*at).ok(),
            Constant::Uint(at) => usize::try_from(*at).ok(),
            _ => None,
        };
        match at.and_then(|at| elements.get(at)) {
            Some(element) if optional => optional_of(span, constant(span, element.clone())),
            Some(element) => constant(span, element.clone()),
            None if optional => constant(span, Constant::Absent),
            None => self.report(
                CONSTANT_FAILS
                    .error(span, "the index is out of range")
                    .label(format!(
                        "the list has {} elements, counted from 0",
                        elements.len()
                    ))
                    .help("write an index that is in the list"),
            ),
        }
    }

    fn missing_value(&mut self, operand: &Expr, what: &str) -> Typed {
        self.report(
            TYPE_MISMATCH
                .error(
                    operand.span,
                    format!("`{operand}` may be absent, so it has no {what}"),
                )
                .label("an optional")
                .help(format!(
                    "say what a missing one means: `{operand}.orValue(…)`"
                )),
        )
    }
}

/// `.?field` of something that is always there, or may be absent itself.
pub(super) fn optional_of(span: Span, typed: Typed) -> Typed {
    match &typed.ty {
        Type::Error | Type::Optional(_) | Type::Map(..) => typed,
        ty => {
            let ty = Type::Optional(Box::new(ty.clone()));
            call(span, Function::OptionalOf, vec![typed], ty)
        }
    }
}
