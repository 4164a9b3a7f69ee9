//! Findings in the format asked for: one list of formats for every command that has findings.

use clap::ValueEnum;
use waypost_compiler::Checked;
use waypost_lang::render::{self, Found, junit};

use crate::failure::Failure;
use crate::terminal::Terminal;

/// How findings are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum ReportFormat {
    /// With the lines that it is about
    Human,
    /// One line for each: file:line:column: error[CODE] message
    Concise,
    /// One JSON document
    Json,
    /// SARIF 2.1.0, for code scanning
    Sarif,
    /// GitHub workflow commands: annotations of the changed files
    Github,
    /// JUnit XML
    Junit,
}

/// What was found in each checked file, as renderers take it.
pub(crate) fn found(results: &[Checked]) -> Vec<Found<'_>> {
    let found = results.iter().map(|checked| Found {
        sources: &checked.sources,
        diagnostics: &checked.diagnostics,
    });
    found.collect()
}

impl ReportFormat {
    /// Writes what was found in each file as a result.
    pub(crate) fn print(
        self,
        found: &[Found<'_>],
        terminal: &mut Terminal<'_>,
    ) -> Result<(), Failure> {
        let color = terminal.output_color();
        let each = |render: &dyn Fn(&Found<'_>) -> String| found.iter().map(render).collect();
        let text: String = match self {
            Self::Human => each(&|one| render::human(one.sources, one.diagnostics, color)),
            Self::Concise => each(&|one| render::concise(one.sources, one.diagnostics)),
            Self::Github => each(&|one| render::github(one.sources, one.diagnostics)),
            Self::Json => render::json(found),
            Self::Sarif => render::sarif(found),
            Self::Junit => junit::findings(found),
        };
        terminal.print(&text)
    }
}
