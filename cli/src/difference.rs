//! What would change in a file, as `diff -u` writes it.

use similar::{ChangeTag, TextDiff};
use waypost_lang::render::Color;

/// The difference between two texts of the file `name`; nothing where nothing changes. `how` says where the new one
/// comes from.
pub(crate) fn unified(name: &str, how: &str, old: &str, new: &str, color: Color) -> String {
    let difference = TextDiff::from_lines(old, new);
    let plain = difference
        .unified_diff()
        .header(name, &format!("{name} ({how})"))
        .to_string();
    if color == Color::Never {
        return plain;
    }
    plain.lines().map(colored).collect()
}

fn colored(line: &str) -> String {
    let tag = match line.as_bytes() {
        [b'+', b'+', b'+', ..] | [b'-', b'-', b'-', ..] => None,
        [b'+', ..] => Some(ChangeTag::Insert),
        [b'-', ..] => Some(ChangeTag::Delete),
        _ => Some(ChangeTag::Equal),
    };
    match tag {
        None => format!("\u{1b}[1m{line}\u{1b}[0m\n"),
        Some(ChangeTag::Insert) => format!("\u{1b}[32m{line}\u{1b}[0m\n"),
        Some(ChangeTag::Delete) => format!("\u{1b}[31m{line}\u{1b}[0m\n"),
        Some(ChangeTag::Equal) => format!("{line}\n"),
    }
}
