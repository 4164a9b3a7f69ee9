//! The clauses of `"%s of %d".format([a, b])`, held against what is formatted.

use super::function::Invocation;
use super::partial::written_elements;
use super::{Type, article, text_of};
use crate::codes::PARTIAL_OPERATION;
use crate::diagnostic::Diagnostic;

/// Why the call could fail, if it could.
pub(super) fn refusal(call: &Invocation<'_>) -> Option<Diagnostic> {
    let [text, list] = call.arguments.as_slice() else {
        return None;
    };
    let [text_expr, list_expr] = call.exprs.as_slice() else {
        return None;
    };
    let Some(clauses) = text_of(text).map(clauses) else {
        return Some(
            PARTIAL_OPERATION
                .error(
                    text_expr.span,
                    format!("the format `{text_expr}` is only known at run time"),
                )
                .label("what it says could be wrong then")
                .help("write the format as a string: `\"%s\"`"),
        );
    };
    let Some(elements) = written_elements(list) else {
        return Some(
            PARTIAL_OPERATION
                .error(list_expr.span, "the list may not have what the format asks")
                .label("its elements are only known at run time")
                .help("write the list out: `[a, b]`"),
        );
    };
    let Some(clauses) = clauses else {
        return Some(
            PARTIAL_OPERATION
                .error(text_expr.span, "the format has a clause that means nothing")
                .label("clauses are `%s %d %f %e %b %o %x %X`, and `%%` for a percent sign")
                .help("write one of these clauses"),
        );
    };
    if clauses.len() > elements.len() {
        let message = format!(
            "the format asks for {}, the list has {}",
            clauses.len(),
            elements.len()
        );
        return Some(
            PARTIAL_OPERATION
                .error(list_expr.span, message)
                .label("an element is missing")
                .help("write an element for each clause"),
        );
    }
    let (clause, element) = clauses
        .iter()
        .zip(&elements)
        .find(|(clause, element)| !takes(**clause, element))?;
    Some(
        PARTIAL_OPERATION
            .error(
                call.span,
                format!("`%{clause}` does not take {}", article(element)),
            )
            .label("this cannot be formatted")
            .help("write `%s`, which takes any value but an optional"),
    )
}

/// The letters of the clauses, if all of them mean something.
fn clauses(text: &str) -> Option<Vec<char>> {
    let mut found = Vec::new();
    let mut rest = text;
    while let Some((_, after)) = rest.split_once('%') {
        if let Some(after) = after.strip_prefix('%') {
            rest = after;
            continue;
        }
        let (precise, after) = match after.strip_prefix('.') {
            Some(digits) => {
                let after = digits.trim_start_matches(|c: char| c.is_ascii_digit());
                let digits = digits.strip_suffix(after).unwrap_or("");
                if digits.is_empty() || digits.len() > 2 {
                    return None;
                }
                (true, after)
            }
            None => (false, after),
        };
        let clause = after.chars().next()?;
        if !"sdfebxXo".contains(clause) || precise && !"fe".contains(clause) {
            return None;
        }
        found.push(clause);
        rest = after.strip_prefix(clause)?;
    }
    Some(found)
}

fn takes(clause: char, ty: &Type) -> bool {
    match (clause, ty) {
        ('s', Type::List(element)) => takes(clause, element),
        ('s', Type::Map(_, value)) => takes(clause, value),
        (
            's',
            Type::Optional(_)
            | Type::Record(_)
            | Type::Struct(_)
            | Type::Ip
            | Type::Cidr
            | Type::Dyn,
        ) => false,
        ('s', _)
        | ('d' | 'o' | 'b' | 'x' | 'X', Type::Int | Type::Uint)
        | ('b', Type::Bool)
        | ('x' | 'X', Type::String | Type::Bytes)
        | ('f' | 'e', Type::Double) => true,
        _ => false,
    }
}
