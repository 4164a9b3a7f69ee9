//! WP0444: a word is looked for in what people write, in one spelling only.

use waypost_lang::cel::typed::{Constant, Field, Function, Member, Typed, TypedKind};
use waypost_lang::{Diagnostic, codes};

use super::Subject;
use crate::edits::insertion;

/// Fewer letters are a mark or a word of code rather than a word.
const SHORTEST: usize = 3;

/// Finds `request.prompt.contains("derive")`, which misses "Derive".
pub(super) fn check(subject: &Subject<'_>, found: &mut Vec<Diagnostic>) {
    for expression in subject.expressions() {
        expression.visit(&mut |typed| {
            let TypedKind::Call(function, arguments) = &typed.kind else {
                return;
            };
            let searches = matches!(
                function,
                Function::Contains | Function::StartsWith | Function::EndsWith
            );
            if let (true, [text, word]) = (searches, arguments.as_slice())
                && let Some(spelling) = plain_words(word).filter(|_| is_prose(text))
            {
                found.push(finding(subject, typed, text, spelling));
            }
        });
    }
}

fn finding(subject: &Subject<'_>, whole: &Typed, text: &Typed, spelling: &str) -> Diagnostic {
    let name = subject.sources.text(text.span);
    let mut letters = spelling.chars();
    let capital: String = letters
        .next()
        .map(|one| one.to_ascii_uppercase())
        .into_iter()
        .chain(letters)
        .collect();
    codes::CASE_SENSITIVE_TEXT
        .warning(
            whole.span,
            format!("`{spelling}` is found in one spelling only"),
        )
        .label(format!(
            "`{capital}`, as at the beginning of a sentence, is not found"
        ))
        .help(format!("compare in lower case: `{name}.lowerAscii()`"))
        .fix(
            "compare in lower case",
            [insertion(text.span, ".lowerAscii()")],
        )
}

/// What people write.
const fn is_prose(text: &Typed) -> bool {
    matches!(
        text.kind,
        TypedKind::Field(Field::RequestPrompt) | TypedKind::Member(_, Member::MessageContent)
    )
}

/// Words in lower case, and nothing that looks like code.
fn plain_words(word: &Typed) -> Option<&str> {
    let TypedKind::Constant(Constant::String(text)) = &word.kind else {
        return None;
    };
    let plain = text
        .chars()
        .all(|one| one.is_ascii_lowercase() || one == ' ');
    let letters = text.chars().filter(char::is_ascii_lowercase).count();
    (plain && letters >= SHORTEST && !text.starts_with(' ')).then_some(text)
}
