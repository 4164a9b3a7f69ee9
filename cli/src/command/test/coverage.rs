//! Which rules no test reached.

use serde_json::{Value, json};
use waypost_compiler::testing::Coverage;
use waypost_lang::render::Color;

use crate::table::{self, Column};

/// A share in tenths of a percent: `62.5%`.
fn percent(coverage: &Coverage) -> String {
    let share = coverage.per_mille();
    match share % 10 {
        0 => format!("{}%", share / 10),
        tenth => format!("{}.{tenth}%", share / 10),
    }
}

/// The share, and the rules that no test reached with their lines.
pub(super) fn human(coverage: &Coverage, color: Color) -> String {
    let mut text = format!(
        "coverage: tests reach {} of {} rules, {}\n",
        coverage.reached(),
        coverage.total(),
        percent(coverage)
    );
    let missed: Vec<[String; 3]> = coverage
        .rules()
        .filter(|(_, tests)| *tests == 0)
        .map(|(rule, _)| {
            let name = match rule.kind {
                "keep" => "session".to_owned(),
                _ => format!("{:?}", rule.label),
            };
            let place = format!("{}:{}", rule.file, rule.line);
            [place, rule.kind.to_owned(), name]
        })
        .collect();
    if missed.is_empty() {
        return text;
    }
    let widest = |column: usize| {
        let cells = missed.iter().filter_map(|cells| cells.get(column));
        cells.map(|cell| cell.chars().count()).max().unwrap_or(0)
    };
    let columns = [
        Column::left("", widest(0)),
        Column::left("", widest(1)),
        Column::left("", widest(2)),
    ];
    for cells in &missed {
        let mark = match color {
            Color::Always => "\u{1b}[33mno test\u{1b}[0m",
            Color::Never => "no test",
        };
        let line = table::line(&columns, cells.iter().map(String::as_str));
        text.push_str(&format!("  {mark}  {line}"));
    }
    text
}

/// `{"rules":8,"reached":5,"percent":62.5,"all":[{"kind","label","file","line","tests"}]}`
pub(super) fn json(coverage: &Coverage) -> Value {
    let all: Vec<Value> = coverage
        .rules()
        .map(|(rule, tests)| {
            json!({
                "kind": rule.kind, "label": rule.label,
                "file": rule.file, "line": rule.line, "tests": tests,
            })
        })
        .collect();
    // Tenths of a percent are exact in the text of the number.
    let percent = f64::from(u32::try_from(coverage.per_mille()).unwrap_or(0)) / 10.0;
    json!({
        "rules": coverage.total(), "reached": coverage.reached(), "percent": percent, "all": all,
    })
}
