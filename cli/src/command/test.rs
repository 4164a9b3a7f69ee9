//! `waypost test`: runs `test` blocks through the compiled plan.
//!
//! `--format json`: `{"version":1,"passed":1,"failed":1,"tests":[{"name":…,"file":…,"line":…,"passed":false,
//! "failures":[{"file":…,"line":…,"column":…,"message":…}]}]}`.

use clap::Args;
use serde_json::{Value, json};
use waypost_compiler::testing::{self, Outcome};
use waypost_lang::SourceMap;
use waypost_lang::render::Color;

use super::{Format, plural};
use crate::compile::{Compiled, Warnings, compile};
use crate::failure::{Exit, Failure};
use crate::input::PathArguments;
use crate::terminal::Terminal;

/// Run the `test` blocks of .route files through their compiled plans.
#[derive(Debug, Args)]
pub(crate) struct Test {
    #[command(flatten)]
    paths: PathArguments,
    /// Only tests whose name contains this
    #[arg(long, value_name = "TEXT")]
    filter: Option<String>,
    /// How to write the results
    #[arg(long, value_enum, default_value = "human")]
    format: Format,
}

/// How many tests came to what.
#[derive(Debug, Default)]
struct Tally {
    passed: usize,
    failed: usize,
    /// Files that did not compile.
    broken: usize,
    entries: Vec<Value>,
}

impl Test {
    pub(super) fn run(&self, terminal: &mut Terminal<'_>) -> Result<Exit, Failure> {
        let inputs = self.paths.read(terminal)?;
        let mut tally = Tally::default();
        for input in &inputs {
            match compile(input, Warnings::Silent, terminal)? {
                Some(compiled) => self.run_file(&compiled, &mut tally, terminal)?,
                None => tally.broken += 1,
            }
        }
        let Tally { passed, failed, .. } = tally;
        if self.format == Format::Json {
            let document = json!({
                "version": 1, "passed": passed, "failed": failed, "tests": tally.entries,
            });
            terminal.print(&format!("{document}\n"))?;
        }
        let count = plural(passed + failed, "test");
        let broken = match tally.broken {
            0 => String::new(),
            broken => format!(", {} did not compile", plural(broken, "file")),
        };
        terminal.note(&format!(
            "{count}: {passed} passed, {failed} failed{broken}"
        ))?;
        Ok(Exit::findings(failed > 0 || tally.broken > 0))
    }

    fn run_file(
        &self,
        compiled: &Compiled,
        tally: &mut Tally,
        terminal: &mut Terminal<'_>,
    ) -> Result<(), Failure> {
        let Compiled {
            sources,
            program,
            plan,
            ..
        } = compiled;
        let wanted = |name: &str| self.filter.as_ref().is_none_or(|part| name.contains(part));
        for test in program.tests.iter().filter(|test| wanted(&test.name.value)) {
            let outcome = testing::run(test, program, plan);
            match outcome.passed() {
                true => tally.passed += 1,
                false => tally.failed += 1,
            }
            match self.format {
                Format::Json => tally.entries.push(entry(sources, &outcome)),
                Format::Human => {
                    terminal.print(&human(sources, &outcome, terminal.output_color()))?;
                }
            }
        }
        Ok(())
    }
}

fn human(sources: &SourceMap, outcome: &Outcome, color: Color) -> String {
    let (mark, style) = match outcome.passed() {
        true => ("ok", "32"),
        false => ("FAILED", "1;31"),
    };
    let mark = match color {
        Color::Always => format!("\u{1b}[{style}m{mark}\u{1b}[0m"),
        Color::Never => mark.to_owned(),
    };
    let (file, line, _) = sources.position(outcome.span);
    let mut text = format!("{mark} {} ({file}:{line})\n", outcome.name);
    for mismatch in &outcome.mismatches {
        let (file, line, _) = sources.position(mismatch.span);
        text.push_str(&format!("   {file}:{line}: {}\n", mismatch.message));
    }
    text
}

fn entry(sources: &SourceMap, outcome: &Outcome) -> Value {
    let (file, line, _) = sources.position(outcome.span);
    let failure = |mismatch: &testing::Mismatch| {
        let (file, line, column) = sources.position(mismatch.span);
        json!({ "file": file, "line": line, "column": column, "message": mismatch.message })
    };
    let failures: Vec<Value> = outcome.mismatches.iter().map(failure).collect();
    json!({
        "name": outcome.name, "file": file, "line": line,
        "passed": outcome.passed(), "failures": failures,
    })
}
