//! `waypost explain`: what a diagnostic means, why it matters, an example, the fix.
//!
//! `--format json`: `{"version":1,"code":"WP0203","name":"missing-key","explanation":…}` with the explanation in
//! Markdown; without a code `{"version":1,"codes":[{"code":…,"name":…}]}`.

use clap::Args;
use serde_json::{Value, json};
use waypost_lang::Code;
use waypost_lang::codes;
use waypost_lang::render::Color;

use super::{Format, unknown_code};
use crate::failure::{Exit, Failure};
use crate::markdown;
use crate::terminal::Terminal;

/// Explain a diagnostic, or list them all.
#[derive(Debug, Args)]
pub(crate) struct Explain {
    /// A code or its name: WP0203, missing-key
    code: Option<String>,
    /// How to write it
    #[arg(long, value_enum, default_value = "human")]
    format: Format,
}

impl Explain {
    pub(super) fn run(&self, terminal: &mut Terminal<'_>) -> Result<Exit, Failure> {
        let color = terminal.output_color();
        let text = match &self.code {
            None => self.list(color),
            Some(text) => self.one(codes::find(text).ok_or_else(|| unknown_code(text))?, color),
        };
        terminal.print(&text)?;
        Ok(Exit::Fine)
    }

    fn one(&self, code: Code, color: Color) -> String {
        match self.format {
            Format::Json => {
                let document = json!({
                    "version": 1, "code": code.number, "name": code.name,
                    "explanation": code.explanation,
                });
                format!("{document}\n")
            }
            Format::Human => {
                let title = format!("{} {}", code.number, code.name);
                let title = match color {
                    Color::Always => format!("\u{1b}[1m{title}\u{1b}[0m"),
                    Color::Never => title,
                };
                format!("{title}\n\n{}", markdown::render(body(code), color))
            }
        }
    }

    fn list(&self, color: Color) -> String {
        match self.format {
            Format::Json => {
                let all: Vec<Value> = codes::ALL.iter().copied().map(entry).collect();
                format!("{}\n", json!({ "version": 1, "codes": all }))
            }
            Format::Human => codes::ALL
                .iter()
                .map(|code| match color {
                    Color::Always => format!("\u{1b}[1m{}\u{1b}[0m  {}\n", code.number, code.name),
                    Color::Never => format!("{}  {}\n", code.number, code.name),
                })
                .collect(),
        }
    }
}

fn entry(code: Code) -> Value {
    json!({ "code": code.number, "name": code.name })
}

/// The explanation without its own title.
fn body(code: Code) -> &'static str {
    let text = code.explanation.trim_start();
    match text.split_once('\n') {
        Some((title, rest)) if title.starts_with("# ") => rest.trim_start(),
        _ => text,
    }
}
