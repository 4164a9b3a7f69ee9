//! `waypost spend`: what a file can spend at worst, per tier, caller and file, and the rule that sets it; with `--live`
//! what a runtime has spent.

use std::path::PathBuf;

use clap::Args;
use waypost_compiler::ceiling;

use super::Format;
use crate::compile::{Warnings, compile};
use crate::failure::{Exit, Failure};
use crate::input::InputName;
use crate::terminal::Terminal;

pub(super) mod human;
mod json;
mod live;

/// Say what a .route file can spend at most, and which rule sets it; or what a runtime has spent.
#[derive(Debug, Args)]
pub(crate) struct Spend {
    /// A .route file, or - for standard input
    #[arg(value_name = "FILE", required_unless_present = "live")]
    path: Option<PathBuf>,
    #[command(flatten)]
    name: InputName,
    /// Ask the admin port of a runtime what calls have cost since its start
    #[arg(long, value_name = "ADDRESS", num_args = 0..=1, default_missing_value = "127.0.0.1:9901")]
    #[arg(conflicts_with = "path")]
    live: Option<String>,
    /// How to write it
    #[arg(long, value_enum, default_value = "human")]
    format: Format,
}

impl Spend {
    pub(super) fn run(&self, terminal: &mut Terminal<'_>) -> Result<Exit, Failure> {
        if let Some(address) = &self.live {
            let document = live::fetch(address)?;
            let text = match self.format {
                Format::Human => live::render(&document),
                Format::Json => format!("{document}\n"),
            };
            terminal.print(&text)?;
            return Ok(Exit::Fine);
        }
        // The command line asks for one of the two.
        let Some(path) = &self.path else {
            return Err(Failure::Other("name a file, or `--live`".to_owned()));
        };
        let input = self.name.read_file(path, terminal)?;
        let Some(compiled) = compile(&input, Warnings::Silent, terminal)? else {
            return Ok(Exit::Findings);
        };
        let ceilings = ceiling(&compiled.program);
        let text = match self.format {
            Format::Human => human::render(&compiled, &ceilings),
            Format::Json => json::render(&compiled, &ceilings, &input.name),
        };
        terminal.print(&text)?;
        Ok(Exit::Fine)
    }
}
