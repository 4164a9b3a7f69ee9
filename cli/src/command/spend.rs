//! `waypost spend`: what a file can spend at worst, per tier, caller and file, and the rule that sets it.

use clap::Args;
use waypost_compiler::ceiling;

use super::Format;
use crate::compile::{Warnings, compile};
use crate::failure::{Exit, Failure};
use crate::input::FileArgument;
use crate::terminal::Terminal;

mod human;
mod json;

/// Say what a .route file can spend at most, and which rule sets it.
#[derive(Debug, Args)]
pub(crate) struct Spend {
    #[command(flatten)]
    file: FileArgument,
    /// How to write it
    #[arg(long, value_enum, default_value = "human")]
    format: Format,
}

impl Spend {
    pub(super) fn run(&self, terminal: &mut Terminal<'_>) -> Result<Exit, Failure> {
        let input = self.file.read(terminal)?;
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
