//! What `waypost key` writes. No key but a new one, and of others only what names them.

use jiff::Timestamp;
use serde_json::{Value, json};
use waypost_runtime::{KeyEntry, KeyFile};

use super::{digest_of, name_of};
use crate::command::{Format, plural};

/// A key that was made.
pub(super) fn made(key: &str, entry: &KeyEntry, format: Format) -> String {
    match format {
        Format::Human => format!("{key}\n"),
        Format::Json => {
            let document = json!({"version": 1, "key": key, "entry": document(entry, None)});
            format!("{document}\n")
        }
    }
}

/// Keys that are revoked; `changed` of them just now.
pub(super) fn revoked<'e>(
    entries: impl Iterator<Item = &'e KeyEntry>,
    changed: usize,
    format: Format,
) -> String {
    match format {
        Format::Human => {
            let names: Vec<String> = entries.map(shown).collect();
            let verb = if changed == 0 {
                "was revoked before"
            } else {
                "revoked"
            };
            names
                .iter()
                .map(|name| format!("{verb}: {name}\n"))
                .collect()
        }
        Format::Json => {
            let entries: Vec<Value> = entries.map(|entry| document(entry, None)).collect();
            let document = json!({"version": 1, "changed": changed, "keys": entries});
            format!("{document}\n")
        }
    }
}

/// All keys of a file.
pub(super) fn list(file: &KeyFile, now: Timestamp, format: Format) -> String {
    if matches!(format, Format::Json) {
        let keys: Vec<Value> = file
            .keys
            .iter()
            .map(|entry| document(entry, Some(now)))
            .collect();
        return format!("{}\n", json!({"version": 1, "keys": keys}));
    }
    let head = [
        "id", "key", "team", "agent", "plan", "models", "state", "expires",
    ];
    let rows: Vec<[String; 8]> = std::iter::once(head.map(str::to_owned))
        .chain(file.keys.iter().map(|entry| row(entry, now)))
        .collect();
    let width = |column: usize| {
        let cells = rows.iter().filter_map(|row| row.get(column));
        cells.map(|cell| cell.chars().count()).max().unwrap_or(0)
    };
    let mut text = String::new();
    for row in &rows {
        let cells = row.iter().enumerate();
        let line: Vec<String> = cells
            .map(|(column, cell)| format!("{cell:width$}", width = width(column)))
            .collect();
        text.push_str(line.join("  ").trim_end());
        text.push('\n');
    }
    text.push_str(&plural(file.keys.len(), "key"));
    text.push('\n');
    text
}

fn row(entry: &KeyEntry, now: Timestamp) -> [String; 8] {
    let or_dash = |text: &str| {
        if text.is_empty() {
            "-".to_owned()
        } else {
            text.to_owned()
        }
    };
    [
        name_of(entry),
        match entry.begins.is_empty() {
            true => "-".to_owned(),
            false => format!("{}…", entry.begins),
        },
        or_dash(&entry.team),
        or_dash(&entry.agent),
        or_dash(&entry.plan),
        entry
            .models
            .as_ref()
            .map_or_else(|| "all".to_owned(), |models| or_dash(&models.join(","))),
        entry.state(now).to_owned(),
        or_dash(entry.expires.as_deref().unwrap_or_default()),
    ]
}

fn shown(entry: &KeyEntry) -> String {
    let begins = match entry.begins.is_empty() {
        true => String::new(),
        false => format!(" ({}…)", entry.begins),
    };
    format!("`{}`{begins}", name_of(entry))
}

/// An entry for machines; a key that stands in the file as it is stays there.
fn document(entry: &KeyEntry, now: Option<Timestamp>) -> Value {
    let mut document = json!({
        "id": name_of(entry),
        "sha256": digest_of(entry),
        "begins": entry.begins,
        "team": entry.team,
        "agent": entry.agent,
        "plan": entry.plan,
        "name": entry.name,
        "models": entry.models,
        "created": entry.created,
        "expires": entry.expires,
        "revoked": entry.revoked,
    });
    if let (Some(now), Some(members)) = (now, document.as_object_mut()) {
        members.insert("state".to_owned(), entry.state(now).into());
    }
    document
}
