//! A prompt that shows what a redaction hides: made from its pattern, and held against all the redactions of both files.

use regex::NoExpand;
use regex_syntax::hir::{Class, Hir, HirKind};
use serde_json::json;
use waypost_policies::plan::pattern;

use super::request::{self, Values};
use super::slots::Slot;
use super::{Redacted, Side, Witness, decide_request};
use crate::program::{Program, Redaction};

/// How often what may come any number of times comes.
const REPEATS: u32 = 3;
/// The most characters of a prompt that is made.
const LONGEST: usize = 2_000;

/// Where a redaction acts, in words, and whether one does there.
type Place = (&'static str, fn(&Redaction) -> bool);

const PLACES: [Place; 3] = [
    ("sent upstream", |one| one.request),
    ("in logs", |one| one.logs),
    ("in the answer", |one| one.response),
];

/// A call whose prompt the files show differently because of the redaction of this name.
pub(super) fn witness(old: Side<'_>, new: Side<'_>, name: &str) -> Option<Witness> {
    let named = [old, new]
        .into_iter()
        .flat_map(|side| &side.program.policy.redactions)
        .filter(|one| one.what() == name);
    let prompts: Vec<String> = named.flat_map(|one| samples(&one.pattern)).collect();
    let (prompt, redacted) = prompts.into_iter().find_map(|prompt| {
        let redacted = PLACES.iter().find_map(|(place, acts)| {
            let shown = |side: Side<'_>| shown(side.program, &prompt, *acts);
            let (old, new) = (shown(old), shown(new));
            (old != new).then_some(Redacted { place, old, new })
        })?;
        Some((prompt, redacted))
    })?;
    let model = first_name(new.program);
    let values = Values::from([(Slot::Prompt, json!(prompt))]);
    let request = request::envelope(&values, &model);
    Some(Witness {
        after: None,
        old: decide_request(old.plan, &request)?,
        new: decide_request(new.plan, &request)?,
        prompt: Some(redacted),
        request,
    })
}

fn first_name(program: &Program) -> String {
    let mut accepts = program.contents.iter().flat_map(|one| &one.accepts);
    let name = accepts.find(|accept| !accept.prefix);
    name.map_or_else(String::new, |accept| accept.name.clone())
}

/// The prompt after all redactions of one place, in their order.
fn shown(program: &Program, prompt: &str, acts: fn(&Redaction) -> bool) -> String {
    let redactions = program.policy.redactions.iter();
    let patterns = redactions.filter(|one| acts(one)).filter_map(|one| {
        let pattern = pattern(&one.pattern).ok()?;
        Some((pattern, &one.replacement))
    });
    patterns.fold(prompt.to_owned(), |text, (pattern, replacement)| {
        let hidden = pattern.replace_all(&text, NoExpand(replacement));
        hidden.into_owned()
    })
}

/// Texts that the pattern finds something in; none where none was made.
fn samples(text: &str) -> Vec<String> {
    let (Ok(tree), Ok(finds)) = (regex_syntax::parse(text), pattern(text)) else {
        return Vec::new();
    };
    let made = [0, 1].into_iter().flat_map(|choice| {
        let mut text = String::new();
        write(&tree, choice, &mut text);
        [text.clone(), format!("it is {text} here")]
    });
    made.filter(|text| !text.is_empty() && finds.is_match(text))
        .collect()
}

/// Writes something that the tree matches; `choice` says which alternative is taken. What stands around it is not looked at.
fn write(tree: &Hir, choice: usize, text: &mut String) {
    if text.len() > LONGEST {
        return;
    }
    match tree.kind() {
        HirKind::Empty | HirKind::Look(_) => {}
        HirKind::Literal(literal) => text.push_str(&String::from_utf8_lossy(&literal.0)),
        HirKind::Class(class) => text.extend(member(class)),
        HirKind::Repetition(repetition) => {
            let count = match (repetition.min, repetition.max) {
                (0, Some(1)) => u32::from(choice > 0),
                (least, most) => REPEATS.clamp(least, most.unwrap_or(u32::MAX)),
            };
            for _ in 0..count {
                write(&repetition.sub, choice, text);
            }
        }
        HirKind::Capture(capture) => write(&capture.sub, choice, text),
        HirKind::Concat(parts) => parts.iter().for_each(|part| write(part, choice, text)),
        HirKind::Alternation(parts) => {
            let part = parts.get(choice % parts.len().max(1));
            part.into_iter().for_each(|part| write(part, choice, text));
        }
    }
}

/// A character of a class, a letter or a digit where it has one.
fn member(class: &Class) -> Option<char> {
    let ranges: Vec<(char, char)> = match class {
        Class::Unicode(class) => class.iter().map(|one| (one.start(), one.end())).collect(),
        Class::Bytes(class) => {
            let ranges = class.iter();
            ranges
                .map(|one| (char::from(one.start()), char::from(one.end())))
                .collect()
        }
    };
    let within = |letter: &char| {
        ranges
            .iter()
            .any(|(first, last)| (first..=last).contains(&letter))
    };
    let plain = ['a', '4', 'A', '1'].into_iter().find(within);
    plain.or_else(|| ranges.first().map(|range| range.0))
}
