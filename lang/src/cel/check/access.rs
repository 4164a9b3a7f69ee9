//! What is read of a value: fields, keys and elements.

use super::mistake::{article, is_whole_text};
use super::types::is_open;
use super::{Checker, Type, Typed, TypedKind, call, constant, constant_of, text_of, unknown};
use crate::cel::expression::{Expr, ExprKind};
use crate::cel::print::{field_name, quote};
use crate::cel::typed::{Constant, Field, Function};
use crate::codes::{
    CONSTANT_FAILS, MISSING_KEY, PARTIAL_OPERATION, TYPE_MISMATCH, UNKNOWN_LITERAL,
};
use crate::diagnostic::{Diagnostic, Edit};
use crate::source::{Span, Spanned};

/// A part that is read of something: how, and how it was written.
#[derive(Clone, Copy)]
struct Part<'a> {
    expr: &'a Expr,
    operand: &'a Expr,
    /// The field's name, if it is one, or the index.
    field: Option<&'a Spanned<String>>,
    index: Option<&'a Expr>,
    optional: bool,
}

impl Part<'_> {
    /// As it is written if it may be absent.
    fn written(&self) -> String {
        match (self.field, self.index) {
            (Some(field), _) => format!(".?{}", field_name(&field.value)),
            (_, Some(index)) => format!("[?{index:#}]"),
            _ => String::new(),
        }
    }

    fn noun(&self) -> &'static str {
        match self.field {
            Some(_) => "fields",
            None => "elements",
        }
    }
}

impl Checker<'_> {
    pub(super) fn select(
        &mut self,
        expr: &Expr,
        operand: &Expr,
        field: &Spanned<String>,
        optional: bool,
    ) -> Typed {
        if !optional && let Some(found) = self.qualified_name(expr) {
            return found;
        }
        if let Some(group) = self.group(operand) {
            let fact = self.field_of(group, expr.span, field);
            return if optional {
                optional_of(expr.span, fact)
            } else {
                fact
            };
        }
        let part = Part {
            expr,
            operand,
            field: Some(field),
            index: None,
            optional,
        };
        let base = self.base(&part);
        let key = constant(field.span, Constant::String(field.value.clone()));
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
            (_, Type::Record(_) | Type::Struct(_)) => {
                let member = self.member(expr.span, base, field);
                if optional {
                    optional_of(expr.span, member)
                } else {
                    member
                }
            }
            (_, Type::Optional(inner)) if matches!(**inner, Type::Record(_) | Type::Struct(_)) => {
                self.member_of_optional(expr, base, field)
            }
            _ => self.part(part, base, key),
        }
    }

    pub(super) fn index(
        &mut self,
        expr: &Expr,
        operand: &Expr,
        index: &Expr,
        optional: bool,
    ) -> Typed {
        let part = Part {
            expr,
            operand,
            field: None,
            index: Some(index),
            optional,
        };
        let base = self.base(&part);
        let parts = std::mem::take(&mut self.parts);
        let key = self.operand(index);
        self.parts = parts;
        if base.ty == Type::Error || key.ty == Type::Error {
            return unknown(expr.span);
        }
        if let (TypedKind::Field(map), Type::Map(..)) = (&base.kind, &base.ty) {
            let map = *map;
            return match self.constant_key(index, &key) {
                Some(key) if self.check_key(map, &key, true) => {
                    self.lookup(expr.span, map, &key.value, optional)
                }
                _ => unknown(expr.span),
            };
        }
        self.part(part, base, key)
    }

    /// What a part is read of. A missing key in it is mended together with the parts that are read of it.
    fn base(&mut self, part: &Part<'_>) -> Typed {
        self.parts.push((part.expr.span, part.written()));
        let base = self.any(part.operand);
        self.parts.pop();
        base
    }

    /// A part of a list, a map, a value of any type, or an optional of one.
    fn part(&mut self, part: Part<'_>, base: Typed, key: Typed) -> Typed {
        let (container, is_chained) = match &base.ty {
            Type::Optional(inner) => (inner.as_ref().clone(), true),
            ty => (ty.clone(), false),
        };
        let value = match &container {
            Type::List(element) if part.field.is_none() => {
                if !self.is_index(&key) {
                    return self.not_an_index(&key);
                }
                element.as_ref().clone()
            }
            Type::Map(key_type, value) => {
                if !super::types::are_comparable(key_type, &key.ty) {
                    return self.never_a_key(&part, key_type, &key);
                }
                value.as_ref().clone()
            }
            ty if is_open(ty) => Type::Dyn,
            ty => {
                let ty = ty.clone();
                return self.has_no_parts(&part, &ty);
            }
        };
        let span = part.expr.span;
        let optional_type = Type::Optional(Box::new(value.clone()));
        if !self.is_total() {
            let (strict, lenient) = match part.field {
                Some(_) => (Function::Select, Function::OptionalSelect),
                None => (Function::Index, Function::OptionalIndex),
            };
            return if part.optional || is_chained {
                self.apply(span, lenient, vec![base, key], optional_type)
            } else {
                self.apply(span, strict, vec![base, key], value)
            };
        }
        let function = if is_open(&container) {
            Function::Part
        } else {
            Function::OptionalIndex
        };
        let length = match constant_of(&base) {
            Some(Constant::List(elements)) => Some(elements.len()),
            _ => None,
        };
        let found = self.apply(span, function, vec![base, key], optional_type);
        if part.optional || is_chained || found.ty == Type::Error {
            return found;
        }
        match &found.kind {
            TypedKind::Constant(Constant::Present(value)) => {
                return constant(span, value.as_ref().clone());
            }
            TypedKind::Constant(Constant::Absent) => return self.never_there(&part, length),
            _ if self.has_value(&found) => return call(span, Function::Value, vec![found], value),
            _ => {}
        }
        self.may_be_missing(&part, &container, &value)
    }

    fn is_index(&self, key: &Typed) -> bool {
        matches!(key.ty, Type::Int | Type::Uint)
            || !self.is_total() && (is_open(&key.ty) || key.ty == Type::Double)
    }

    fn not_an_index(&mut self, key: &Typed) -> Typed {
        let message = format!("an index is an int, this is {}", article(&key.ty));
        self.report(
            TYPE_MISMATCH
                .error(key.span, message)
                .label(key.ty.to_string())
                .help("write a whole number, from 0"),
        )
    }

    fn never_a_key(&mut self, part: &Part<'_>, key_type: &Type, key: &Typed) -> Typed {
        let operand = part.operand;
        let message = format!(
            "the keys of `{operand}` are {key_type}s, this is {}",
            article(&key.ty)
        );
        self.report(
            TYPE_MISMATCH
                .error(key.span, message)
                .label(key.ty.to_string())
                .help(format!("write {}", article(key_type))),
        )
    }

    fn has_no_parts(&mut self, part: &Part<'_>, ty: &Type) -> Typed {
        let operand = part.operand;
        if let Type::Optional(_) = ty {
            return self.report(
                TYPE_MISMATCH
                    .error(
                        operand.span,
                        format!("`{operand}` may be absent, so it has no {}", part.noun()),
                    )
                    .label("an optional")
                    .help(format!(
                        "say what a missing one means: `{operand}.orValue(…)`"
                    )),
            );
        }
        let message = format!("`{operand}` is {} and has no {}", article(ty), part.noun());
        let (span, label, help) = match part.field {
            Some(field) => (
                field.span,
                "no such field",
                "use it as it is, or call a function on it",
            ),
            None => (
                part.expr.span,
                "only lists and maps have elements",
                "use a function of strings such as `contains` or `startsWith`",
            ),
        };
        self.report(TYPE_MISMATCH.error(span, message).label(label).help(help))
    }

    fn never_there(&mut self, part: &Part<'_>, length: Option<usize>) -> Typed {
        let finding = match length {
            Some(length) => CONSTANT_FAILS
                .error(part.expr.span, "the index is out of range")
                .label(format!("the list has {length} elements, counted from 0"))
                .help("write an index that is in the list"),
            None => CONSTANT_FAILS
                .error(part.expr.span, "the key is not in the map")
                .label("this always fails")
                .help("write a key that is in the map"),
        };
        self.report(finding)
    }

    fn may_be_missing(&mut self, part: &Part<'_>, container: &Type, value: &Type) -> Typed {
        let (expr, operand) = (part.expr, part.operand);
        let default = default_of(value);
        let total =
            default.map(|default| format!("{operand:#}{}.orValue({default})", part.written()));
        if let Type::List(_) = container {
            let finding = PARTIAL_OPERATION
                .error(expr.span, format!("`{expr}` can be out of range"))
                .label("the list may be shorter");
            let index = part.index.map(|index| &index.kind);
            if let Some(ExprKind::Literal(crate::cel::expression::Literal::Int(at))) = index {
                let test = format!("size({operand:#}) > {at}");
                let finding = finding.help(format!(
                    "test its size first: `{test} && …`, or write `{operand}{}`, which is an optional",
                    part.written()
                ));
                let finding = self.guarded(finding, &test);
                return self.report(finding);
            }
            return self.report(finding.help(format!(
                "write `{operand}{}`, which is an optional, or look through the list: `list.exists(x, …)`",
                part.written()
            )));
        }
        let finding = MISSING_KEY
            .error(expr.span, format!("`{expr}` can be missing"))
            .label(match container {
                Type::Map(..) => "the map may not have this key",
                _ => "not every token has this part in its claim",
            });
        let Some(total) = total.filter(|_| self.parts.is_empty()) else {
            let total = format!("{operand}{}", part.written());
            return self.report(finding.help(format!(
                "write `{total}`, which is an optional, and say what a missing one means: `.orValue(…)`"
            )));
        };
        let finding = finding.help(format!("say what a missing one means: `{total}`"));
        self.report(if is_whole_text(&total) {
            let edit = Edit {
                span: expr.span,
                text: total.clone(),
            };
            finding.fix(format!("write `{total}`"), [edit])
        } else {
            finding
        })
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

    /// Reads a key of a map of the call.
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
        if !self.is_total() || self.has_key(map, key) {
            return call(span, Function::Value, vec![lookup], *value);
        }
        let (path, key) = (map.path(), quote(key));
        let parts: String = self
            .parts
            .iter()
            .rev()
            .map(|(_, part)| part.as_str())
            .collect();
        let whole = self.parts.first().map_or(span, |(whole, _)| *whole);
        let claim = self
            .ordered_with
            .take()
            .filter(|_| map == Field::CallerClaims);
        let default = claim.map_or("\"\"", |(_, default)| default);
        let total = format!("{path}[?{key}]{parts}.orValue({default})");
        let (label, what) = match map {
            Field::RequestHeaders => ("not every call sends this header", "header"),
            Field::RequestMetadata => ("not every call sends this key", "key"),
            Field::CallerClaims => ("not every token has this claim", "claim"),
            _ => ("not every endpoint has this label", "label"),
        };
        let finding = MISSING_KEY
            .error(span, format!("`{path}[{key}]` can be missing"))
            .label(label)
            .help(format!("say what a missing {what} means: `{total}`"));
        if let Some((ty, _)) = claim {
            let finding = self.ordered_claim(finding, whole, &total, ty);
            return self.report(finding);
        }
        let edit = Edit {
            span: whole,
            text: total.clone(),
        };
        self.report(finding.fix(format!("write `{total}`"), [edit]))
    }

    /// Offers for a claim that is ordered both the value that a missing one has and the test of its type.
    fn ordered_claim(&self, finding: Diagnostic, claim: Span, total: &str, ty: &str) -> Diagnostic {
        let test = format!("type({total}) == {ty}");
        let help =
            format!("say what a missing claim means, and test its type: `{test} && {total} …`");
        let mut finding = self.guarded(finding, &test).help(help);
        let Some(fix) = &mut finding.fix else {
            return finding;
        };
        match fix.edits.first_mut() {
            Some(first) if first.span.start == claim.start => {
                first.text.push_str(total);
                first.span = claim;
            }
            _ => fix.edits.insert(
                1,
                Edit {
                    span: claim,
                    text: total.to_owned(),
                },
            ),
        }
        finding
    }

    /// `messages[?0].role`: the field of what may be absent, which may be absent then.
    fn member_of_optional(
        &mut self,
        expr: &Expr,
        optional: Typed,
        field: &Spanned<String>,
    ) -> Typed {
        self.once(expr.span, optional, |checker, optional| {
            let Type::Optional(inner) = &optional.ty else {
                return unknown(expr.span);
            };
            let inner = inner.as_ref().clone();
            let value = call(
                optional.span,
                Function::Value,
                vec![optional.clone()],
                inner,
            );
            let member = checker.member(expr.span, value, field);
            let present = optional_of(expr.span, member);
            checker.if_present(expr.span, optional, present)
        })
    }
}

/// What a missing value of a type is usually taken for.
pub(super) fn default_of(ty: &Type) -> Option<&'static str> {
    Some(match ty {
        Type::String | Type::Dyn => "\"\"",
        Type::Int => "0",
        Type::Uint => "0u",
        Type::Double => "0.0",
        Type::Bool => "false",
        Type::List(_) => "[]",
        Type::Map(..) => "{}",
        _ => return None,
    })
}

/// `.?field` of something that is always there, or may be absent itself.
pub(super) fn optional_of(span: Span, typed: Typed) -> Typed {
    match &typed.ty {
        Type::Error | Type::Optional(_) => typed,
        Type::Map(..) if matches!(typed.kind, TypedKind::Field(_)) => typed,
        ty => {
            let ty = Type::Optional(Box::new(ty.clone()));
            call(span, Function::OptionalOf, vec![typed], ty)
        }
    }
}
