//! `waypost check`: errors only, the fast gate.

use std::collections::BTreeSet;

use clap::Args;
use waypost_compiler::Checked;
use waypost_lang::render;

use super::plural;
use crate::compile;
use crate::failure::{Exit, Failure};
use crate::input::{Input, Origin, PathArguments};
use crate::report::{self, ReportFormat};
use crate::terminal::Terminal;

/// Say what is wrong with .route files.
#[derive(Debug, Args)]
pub(crate) struct Check {
    #[command(flatten)]
    paths: PathArguments,
    /// How to write what was found
    #[arg(long, value_enum, default_value = "human")]
    format: ReportFormat,
}

impl Check {
    pub(super) fn run(&self, terminal: &mut Terminal<'_>) -> Result<Exit, Failure> {
        let inputs = self.paths.read(terminal)?;
        let mut results = check_all(&inputs);
        let mut said = BTreeSet::new();
        let found = results.iter().flat_map(|checked| &checked.diagnostics);
        let warnings = found.filter(|found| !found.is_error()).count();
        for checked in &mut results {
            let Checked {
                sources,
                diagnostics,
                ..
            } = checked;
            diagnostics.retain(|found| {
                // A file that two others import is checked twice and complained of once.
                let line = render::concise(sources, std::slice::from_ref(found));
                found.is_error() && said.insert(line)
            });
        }
        self.format.print(&report::found(&results), terminal)?;
        for checked in &results {
            if let Some(summary) = render::summary(&checked.sources, &checked.diagnostics) {
                terminal.note(&summary)?;
            }
        }
        let failed = !said.is_empty();
        if !failed {
            terminal.note(&format!("no errors in {}", plural(results.len(), "file")))?;
        }
        if warnings > 0 {
            let warnings = plural(warnings, "warning");
            terminal.note(&format!("{warnings}: `waypost build` and `run` print them"))?;
        }
        Ok(Exit::findings(failed))
    }
}

/// Checks each. A file that was found in a folder and that another of them imports is only a part of that one: by
/// itself it may not be whole.
fn check_all(inputs: &[Input]) -> Vec<Checked> {
    let mut kept: Vec<(&Input, Checked)> = Vec::new();
    for input in inputs {
        let imported = |kept: &[(&Input, Checked)]| {
            kept.iter()
                .any(|(_, checked)| imports(checked, &input.name))
        };
        if input.origin == Origin::Found && imported(&kept) {
            continue;
        }
        let checked = compile::check(input);
        kept.retain(|(earlier, _)| {
            earlier.origin != Origin::Found || !imports(&checked, &earlier.name)
        });
        kept.push((input, checked));
    }
    kept.into_iter().map(|(_, checked)| checked).collect()
}

fn imports(checked: &Checked, name: &str) -> bool {
    let imported = checked.sources.files().skip(1);
    let plain = name.strip_prefix("./").unwrap_or(name);
    imported.into_iter().any(|(_, file)| file.name() == plain)
}
