//! The commands, one file each.

mod build;
mod check;
mod completions;
mod diff;
mod explain;
mod fmt;
mod key;
mod lint;
mod lsp;
mod run;
mod spend;
mod test;
mod why;

use clap::{Subcommand, ValueEnum};
use waypost_lang::codes;
use waypost_lang::diagnostic::nearest;

use crate::failure::{Exit, Failure};
use crate::terminal::Terminal;

/// What to do.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Say what is wrong with .route files
    Check(check::Check),
    /// Say what will go wrong as well, and mend it
    Lint(lint::Lint),
    /// Write .route files in the one style
    Fmt(fmt::Fmt),
    /// Run the `test` blocks of .route files through their compiled plans
    Test(test::Test),
    /// Write the plan and the Kubernetes manifests
    Build(build::Build),
    /// Say what changes in behaviour from one file to another
    Diff(diff::Diff),
    /// Explain decisions on recorded requests, rule by rule
    Why(why::Why),
    /// Say what a .route file can spend at most, and which rule sets it
    Spend(spend::Spend),
    /// Compile if needed, and serve
    Run(run::Run),
    /// Make, revoke and list the keys of callers
    Key(key::Key),
    /// Explain a diagnostic, or list them all
    Explain(explain::Explain),
    /// Serve editors over standard input and output
    Lsp(lsp::Lsp),
    /// Write a shell's completions
    Completions(completions::Completions),
}

impl Command {
    /// Does it.
    pub(crate) fn run(&self, terminal: &mut Terminal<'_>) -> Result<Exit, Failure> {
        match self {
            Self::Check(command) => command.run(terminal),
            Self::Lint(command) => command.run(terminal),
            Self::Fmt(command) => command.run(terminal),
            Self::Test(command) => command.run(terminal),
            Self::Build(command) => command.run(terminal),
            Self::Diff(command) => command.run(terminal),
            Self::Why(command) => command.run(terminal),
            Self::Spend(command) => command.run(terminal),
            Self::Run(command) => command.run(terminal),
            Self::Key(command) => command.run(terminal),
            Self::Explain(command) => command.run(terminal),
            Self::Lsp(command) => command.run(terminal),
            Self::Completions(command) => command.run(terminal),
        }
    }
}

/// For people or for machines.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// For people
    Human,
    /// One JSON document
    Json,
}

/// `1 file`, `2 files`.
pub(crate) fn plural(count: usize, noun: &str) -> String {
    let ending = if count == 1 { "" } else { "s" };
    format!("{count} {noun}{ending}")
}

/// No diagnostic is called so; the nearest one that is.
fn unknown_code(text: &str) -> Failure {
    let upper = text.to_ascii_uppercase();
    let numbers = codes::ALL.iter().map(|code| code.number);
    let names = codes::ALL.iter().map(|code| code.name);
    let near = nearest(text, names).or_else(|| nearest(&upper, numbers));
    let next = near.map_or_else(
        || "`waypost explain` lists them all".to_owned(),
        |name| format!("did you mean `{name}`?"),
    );
    Failure::Other(format!("no diagnostic is called `{text}`: {next}"))
}
