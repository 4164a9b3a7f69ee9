//! `waypost check`: errors only, the fast gate.

use clap::Args;
use waypost_compiler::Checked;
use waypost_lang::Diagnostic;

use super::plural;
use crate::failure::{Exit, Failure};
use crate::input::PathArguments;
use crate::inspection::{check_all, retain_once, summary};
use crate::report::{self, ReportFormat};
use crate::terminal::Terminal;
use crate::watch::watch;

/// Say what is wrong with .route files.
#[derive(Debug, Args)]
pub(crate) struct Check {
    #[command(flatten)]
    paths: PathArguments,
    /// Stay, and do it again whenever one of the files or their imports changes
    #[arg(long)]
    watch: bool,
    /// How to write what was found
    #[arg(long, value_enum, default_value = "human")]
    format: ReportFormat,
}

impl Check {
    pub(super) fn run(&self, terminal: &mut Terminal<'_>) -> Result<Exit, Failure> {
        match self.watch {
            true => watch(&self.paths, terminal, |terminal| self.once(terminal)),
            false => self.once(terminal),
        }
    }

    fn once(&self, terminal: &mut Terminal<'_>) -> Result<Exit, Failure> {
        let inputs = self.paths.read(terminal)?;
        let checked = check_all(&inputs);
        let mut results: Vec<Checked> = checked.into_iter().map(|(_, checked)| checked).collect();
        let found = results.iter().flat_map(|checked| &checked.diagnostics);
        let warnings = found.filter(|found| !found.is_error()).count();
        let errors = retain_once(&mut results, Diagnostic::is_error);
        self.format.print(&report::found(&results), terminal)?;
        if let Some(summary) = summary(&results) {
            terminal.note(&summary)?;
        }
        if errors == 0 {
            terminal.note(&format!("no errors in {}", plural(results.len(), "file")))?;
        }
        if warnings > 0 {
            let warnings = plural(warnings, "warning");
            terminal.note(&format!("{warnings}: `waypost lint` shows them"))?;
        }
        Ok(Exit::findings(errors > 0))
    }
}
