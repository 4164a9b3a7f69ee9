//! WP0445: a pattern without anchors decides over a name.

use waypost_lang::cel::typed::{Constant, Field, Function, Member, Typed, TypedKind};
use waypost_lang::{Diagnostic, codes};

use super::Subject;

/// Finds `matches` over names and headers with a pattern that also matches inside a longer text.
pub(super) fn check(subject: &Subject<'_>, found: &mut Vec<Diagnostic>) {
    for expression in subject.expressions() {
        expression.visit(&mut |typed| {
            let TypedKind::Call(Function::Matches, arguments) = &typed.kind else {
                return;
            };
            let [value, written] = arguments.as_slice() else {
                return;
            };
            let TypedKind::Constant(Constant::String(pattern)) = &written.kind else {
                return;
            };
            if is_name(value) && !is_anchored(pattern) {
                let name = subject.sources.text(value.span);
                found.push(
                    codes::UNANCHORED_PATTERN
                        .warning(
                            written.span,
                            format!("`{name}` matches wherever it has `{pattern}` inside"),
                        )
                        .label("no `^` and no `$`")
                        .help(format!(
                            "write `^(?:{pattern})$`; for a part, `contains` says what is meant"
                        )),
                );
            }
        });
    }
}

/// Whether the author thought of what stands around the match.
fn is_anchored(pattern: &str) -> bool {
    let marks = ["^", "$", r"\A", r"\z", r"\b"];
    marks.iter().any(|mark| pattern.contains(mark))
        || pattern.starts_with(".*")
        || pattern.ends_with(".*")
}

/// Something that is compared as a whole: a name, a key, a header.
fn is_name(value: &Typed) -> bool {
    match &value.kind {
        TypedKind::Field(
            Field::CallerKey
            | Field::CallerTeam
            | Field::CallerAgent
            | Field::CallerPlan
            | Field::CallerName
            | Field::RequestModel
            | Field::RequestPath,
        )
        | TypedKind::Member(_, Member::ToolName | Member::ToolCallName) => true,
        TypedKind::Call(Function::OrValue | Function::Value | Function::LowerAscii, arguments) => {
            arguments.first().is_some_and(|one| {
                matches!(one.kind, TypedKind::Lookup(Field::RequestHeaders, _)) || is_name(one)
            })
        }
        _ => false,
    }
}
