//! A difference for people: each change with what it was and is, and a request that shows it.

use serde_json::Value;
use waypost_compiler::diff::{Change, ChangeKind, Place, Witness};
use waypost_lang::render::Color;

use super::Replayed;

/// Longer texts in a request are cut, in characters.
const LONGEST: usize = 200;

/// All changes, then the recorded requests that are decided differently.
pub(super) fn render(changes: &[Change], replayed: Option<&Replayed>, color: Color) -> String {
    let mut text = String::new();
    for change in changes {
        text.push_str(&headline(change, color));
        for detail in &change.details {
            text.push_str(&format!("    {detail}\n"));
        }
        match &change.witness {
            Some(found) => text.push_str(&witness(found, color)),
            None if change.is_rule => {
                text.push_str("    no single call was found that shows it\n");
            }
            None => {}
        }
        text.push('\n');
    }
    if let Some(replayed) = replayed {
        text.push_str(&format!(
            "{} of {} recorded requests are decided differently\n",
            replayed.moved.len(),
            replayed.total
        ));
        for one in &replayed.moved {
            text.push_str(&format!(
                "    request {}: {} -> {}\n",
                one.number, one.old, one.new
            ));
        }
    }
    text
}

fn headline(change: &Change, color: Color) -> String {
    let (sign, style) = match change.kind {
        ChangeKind::Added => ('+', "32"),
        ChangeKind::Removed => ('-', "31"),
        ChangeKind::Changed => ('~', "33"),
    };
    let place = |place: &Place| format!("{}:{}", place.file, place.line);
    let places: Vec<String> = change.old.iter().chain(&change.new).map(place).collect();
    let line = format!("{sign} {} {}", change.kind.name(), change.subject);
    let line = match color {
        Color::Always => format!("\u{1b}[1;{style}m{line}\u{1b}[0m"),
        Color::Never => line,
    };
    match places.is_empty() {
        true => format!("{line}\n"),
        false => format!("{line}  ({})\n", places.join(" -> ")),
    }
}

fn witness(witness: &Witness, color: Color) -> String {
    let after = witness.after.as_ref();
    let after = after.map_or_else(String::new, |after| format!("after {after}, "));
    let mut text = match &witness.prompt {
        None => format!(
            "    {after}a call goes from {} to {}:\n",
            witness.old, witness.new
        ),
        Some(prompt) => format!(
            "    {}, the prompt of a call goes from `{}` to `{}`:\n",
            prompt.place, prompt.old, prompt.new
        ),
    };
    let (request, is_whole) = shortened(&witness.request);
    let request = match color {
        Color::Always => format!("\u{1b}[36m{request}\u{1b}[0m"),
        Color::Never => request.to_string(),
    };
    text.push_str(&format!("    {request}\n"));
    if !is_whole {
        text.push_str("    (shortened: `--format json` has all of it)\n");
    }
    text
}

/// The request with its long texts cut, and whether none was.
fn shortened(value: &Value) -> (Value, bool) {
    match value {
        Value::String(text) if text.chars().count() > LONGEST => {
            let start: String = text.chars().take(20).collect();
            let length = text.chars().count();
            (format!("{start}… ({length} characters)").into(), false)
        }
        Value::Array(items) => {
            let items: Vec<(Value, bool)> = items.iter().map(shortened).collect();
            let is_whole = items.iter().all(|(_, is_whole)| *is_whole);
            (items.into_iter().map(|(item, _)| item).collect(), is_whole)
        }
        Value::Object(fields) => {
            let mut is_whole = true;
            let fields = fields.iter().map(|(name, value)| {
                let (value, whole) = shortened(value);
                is_whole &= whole;
                (name.clone(), value)
            });
            let fields = Value::Object(fields.collect());
            (fields, is_whole)
        }
        value => (value.clone(), true),
    }
}
