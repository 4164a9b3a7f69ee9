//! WP0442: a text is compared with a value that it never has.

use waypost_lang::cel::typed::{Constant, Field, Function, Member, Typed, TypedKind};
use waypost_lang::diagnostic::nearest;
use waypost_lang::{Diagnostic, codes};

use super::Subject;
use super::comparison::comparisons;

const ROLES: &[&str] = &[
    "system",
    "developer",
    "user",
    "assistant",
    "tool",
    "function",
];
const PATHS: &[&str] = &[
    "/v1/chat/completions",
    "/v1/completions",
    "/v1/embeddings",
    "/v1/responses",
    "/v1/messages",
];
const FORMATS: &[&str] = &["", "text", "json_object", "json_schema"];

/// Finds comparisons whose outcome is the same for every call.
pub(super) fn check(subject: &Subject<'_>, found: &mut Vec<Diagnostic>) {
    for expression in subject.expressions() {
        for comparison in comparisons(expression)
            .into_iter()
            .filter(|one| one.is_equality())
        {
            let equal = comparison.operator == Function::Equal;
            for one in comparison.both() {
                found.extend(impossible(subject, one.left, one.right, equal));
            }
        }
        expression.visit(&mut |typed| {
            if let TypedKind::Call(Function::In, arguments) = &typed.kind
                && let [value, list] = arguments.as_slice()
            {
                found.extend(in_list(subject, value, list));
            }
        });
    }
}

fn impossible(
    subject: &Subject<'_>,
    value: &Typed,
    constant: &Typed,
    equal: bool,
) -> Option<Diagnostic> {
    let TypedKind::Constant(Constant::String(text)) = &constant.kind else {
        return None;
    };
    let outcome = if equal { "false" } else { "true" };
    let label = format!("so this is {outcome} for every call");
    finding(subject, value, text, constant, label)
}

fn in_list(subject: &Subject<'_>, value: &Typed, list: &Typed) -> Option<Diagnostic> {
    let TypedKind::Constant(Constant::List(elements)) = &list.kind else {
        return None;
    };
    elements.iter().find_map(|element| match element {
        Constant::String(text) => {
            let label = format!("`{text}` in this list matches nothing");
            finding(subject, value, text, list, label)
        }
        _ => None,
    })
}

fn finding(
    subject: &Subject<'_>,
    value: &Typed,
    text: &str,
    at: &Typed,
    label: String,
) -> Option<Diagnostic> {
    let help = match possible(value) {
        Some(values) if !values.contains(&text) => match nearest(text, values.iter().copied()) {
            Some(near) => format!("did you mean `{near}`?"),
            None => format!("it is one of `{}`", listed(values)),
        },
        None if is_lowered(value, Function::LowerAscii) && text != text.to_ascii_lowercase() => {
            format!("write `{}`", text.to_ascii_lowercase())
        }
        None if is_lowered(value, Function::UpperAscii) && text != text.to_ascii_uppercase() => {
            format!("write `{}`", text.to_ascii_uppercase())
        }
        _ => return None,
    };
    let what = subject.sources.text(value.span);
    let diagnostic = codes::IMPOSSIBLE_VALUE
        .warning(at.span, format!("`{what}` is never `{text}`"))
        .label(label)
        .help(help);
    Some(diagnostic)
}

fn listed(values: &[&str]) -> String {
    let named: Vec<&str> = values
        .iter()
        .filter(|one| !one.is_empty())
        .copied()
        .collect();
    named.join("`, `")
}

/// All values that it can have, where those are few.
const fn possible(value: &Typed) -> Option<&'static [&'static str]> {
    match &value.kind {
        TypedKind::Member(_, Member::MessageRole) => Some(ROLES),
        TypedKind::Field(Field::RequestPath) => Some(PATHS),
        TypedKind::Field(Field::RequestResponseFormat) => Some(FORMATS),
        _ => None,
    }
}

fn is_lowered(value: &Typed, by: Function) -> bool {
    matches!(&value.kind, TypedKind::Call(function, _) if *function == by)
}
