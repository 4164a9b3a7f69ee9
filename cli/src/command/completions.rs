//! `waypost completions`: a shell's completions, from the same table as the help.

use clap::{Args, CommandFactory as _};
use clap_complete::{Shell, generate};

use crate::arguments::Arguments;
use crate::failure::{Exit, Failure};
use crate::terminal::Terminal;

/// Write a shell's completions.
#[derive(Debug, Args)]
pub(crate) struct Completions {
    /// The shell
    #[arg(value_enum)]
    shell: Shell,
}

impl Completions {
    pub(super) fn run(&self, terminal: &mut Terminal<'_>) -> Result<Exit, Failure> {
        let mut script = Vec::new();
        generate(
            self.shell,
            &mut Arguments::command(),
            "waypost",
            &mut script,
        );
        terminal.print(&String::from_utf8_lossy(&script))?;
        Ok(Exit::Fine)
    }
}
