//! `waypost lint`: errors and warnings, and their fixes.
//!
//! Exit code: 1 for errors, and for warnings with `--deny-warnings`; with `--diff` also when something would change.

mod fixes;
mod selection;

use clap::Args;
use waypost_compiler::Checked;
use waypost_compiler::ceiling::excesses;
use waypost_lang::{Diagnostic, render};

use self::fixes::{Repair, repair};
use self::selection::Selection;
use super::plural;
use super::spend::human::shared;
use crate::failure::{Exit, Failure};
use crate::input::{Input, Origin, PathArguments};
use crate::inspection::{check_all, lint_all, retain_once, summary};
use crate::report::{self, ReportFormat};
use crate::terminal::Terminal;
use crate::watch::watch;

/// Say what is wrong with .route files and what will go wrong, and mend it.
#[derive(Debug, Args)]
pub(crate) struct Lint {
    #[command(flatten)]
    paths: PathArguments,
    /// Stay, and do it again whenever one of the files or their imports changes
    #[arg(long, conflicts_with_all = ["fix", "diff"])]
    watch: bool,
    /// Apply the fixes that are safe
    #[arg(long)]
    fix: bool,
    /// Change nothing; show what --fix would change
    #[arg(long)]
    diff: bool,
    /// Warn of these only: codes, their beginnings, or names; errors are always said
    #[arg(long, value_name = "CODE", value_delimiter = ',')]
    select: Vec<String>,
    /// Do not warn of these
    #[arg(long, value_name = "CODE", value_delimiter = ',')]
    ignore: Vec<String>,
    /// Exit with 1 for warnings too
    #[arg(long)]
    deny_warnings: bool,
    /// How to write what was found
    #[arg(long, value_enum, default_value = "human")]
    format: ReportFormat,
}

impl Lint {
    pub(super) fn run(&self, terminal: &mut Terminal<'_>) -> Result<Exit, Failure> {
        match self.watch {
            true => watch(&self.paths, terminal, |terminal| self.once(terminal)),
            false => self.once(terminal),
        }
    }

    fn once(&self, terminal: &mut Terminal<'_>) -> Result<Exit, Failure> {
        let selection = Selection::new(&self.select, &self.ignore)?;
        let mut inputs = self.paths.read(terminal)?;
        if self.fix || self.diff {
            let repair = repair(&inputs, &selection);
            if self.diff {
                return show(&repair, &inputs, terminal);
            }
            repair.deliver(&mut inputs, terminal)?;
        }
        self.report(&inputs, &selection, terminal)
    }

    fn report(
        &self,
        inputs: &[Input],
        selection: &Selection,
        terminal: &mut Terminal<'_>,
    ) -> Result<Exit, Failure> {
        let checked = check_all(inputs);
        let mut results: Vec<Checked> = checked.into_iter().map(|(_, checked)| checked).collect();
        lint_all(&mut results);
        let count = retain_once(&mut results, |one| selection.wants(one));
        let from_input = inputs.iter().any(|input| input.origin == Origin::Standard);
        if self.fix && from_input {
            // The fixed text is the result.
            let color = terminal.error_color();
            for checked in &results {
                terminal.say(&render::human(
                    &checked.sources,
                    &checked.diagnostics,
                    color,
                ))?;
            }
        } else {
            self.format.print(&report::found(&results), terminal)?;
        }
        for checked in &results {
            let program = checked.program.as_ref();
            if let Some(note) = program.and_then(|program| shared(&excesses(program))) {
                terminal.note(&note)?;
            }
        }
        if let Some(summary) = summary(&results) {
            terminal.note(&summary)?;
        }
        if count == 0 {
            terminal.note(&format!(
                "nothing found in {}",
                plural(results.len(), "file")
            ))?;
        }
        let mut found = results.iter().flat_map(|checked| &checked.diagnostics);
        let failed = found.any(|one: &Diagnostic| self.deny_warnings || one.is_error());
        Ok(Exit::findings(failed))
    }
}

/// What `--fix` would do.
fn show(repair: &Repair, inputs: &[Input], terminal: &mut Terminal<'_>) -> Result<Exit, Failure> {
    terminal.print(&repair.difference(inputs, terminal.output_color()))?;
    let applied = plural(repair.applied, "finding");
    terminal.note(&format!("{applied} would be fixed"))?;
    Ok(Exit::findings(repair.applied > 0))
}
