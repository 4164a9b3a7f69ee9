//! `waypost test`: runs `test` blocks through the compiled plan.

use clap::{Args, ValueEnum};
use serde_json::{Value, json};
use waypost_compiler::testing::{self, Coverage, Outcome};
use waypost_lang::SourceMap;
use waypost_lang::render::junit;

use super::plural;
use crate::compile::{Compiled, Warnings, finish};
use crate::failure::{Exit, Failure};
use crate::input::PathArguments;
use crate::inspection::check_all;
use crate::terminal::Terminal;
use crate::watch::watch;

mod coverage;
mod filter;
mod human;

/// Run the `test` blocks of .route files through their compiled plans.
#[derive(Debug, Args)]
pub(crate) struct Test {
    #[command(flatten)]
    paths: PathArguments,
    /// Stay, and do it again whenever one of the files or their imports changes
    #[arg(long)]
    watch: bool,
    /// Only tests whose name contains this
    #[arg(long, value_name = "TEXT")]
    filter: Option<String>,
    /// Also say which rules no test reached
    #[arg(long)]
    coverage: bool,
    /// How to write the results
    #[arg(long, value_enum, default_value = "human")]
    format: TestFormat,
}

/// How results are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum TestFormat {
    /// For people
    Human,
    /// One JSON document
    Json,
    /// JUnit XML
    Junit,
}

/// What the tests came to.
#[derive(Debug, Default)]
struct Tally {
    passed: usize,
    failed: usize,
    /// Files that did not compile.
    broken: usize,
    entries: Vec<Value>,
    suites: Vec<junit::Suite>,
    coverage: Coverage,
    /// The names of tests that the filter left out.
    left_out: Vec<String>,
}

impl Test {
    pub(super) fn run(&self, terminal: &mut Terminal<'_>) -> Result<Exit, Failure> {
        match self.watch {
            true => watch(&self.paths, terminal, |terminal| self.once(terminal)),
            false => self.once(terminal),
        }
    }

    fn once(&self, terminal: &mut Terminal<'_>) -> Result<Exit, Failure> {
        let inputs = self.paths.read(terminal)?;
        let mut tally = Tally::default();
        // What another imports is tested with it; by itself it may not be whole.
        for (input, checked) in check_all(&inputs) {
            match finish(checked, &input.name, Warnings::Silent, terminal)? {
                Some(compiled) => self.run_file(&compiled, &mut tally, terminal)?,
                None => tally.broken += 1,
            }
        }
        if let Some(part) = &self.filter
            && tally.passed + tally.failed + tally.broken == 0
        {
            return Err(filter::matches_nothing(part, &tally.left_out));
        }
        self.write(&tally, terminal)?;
        let Tally { passed, failed, .. } = tally;
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
        tally.coverage.declare(plan, sources);
        let mut cases = Vec::new();
        for test in &program.tests {
            let name = &test.name.value;
            if self
                .filter
                .as_ref()
                .is_some_and(|part| !name.contains(part))
            {
                tally.left_out.push(name.clone());
                continue;
            }
            let outcome = testing::run(test, program, plan);
            match outcome.passed() {
                true => tally.passed += 1,
                false => tally.failed += 1,
            }
            tally.coverage.add(&outcome, plan, sources);
            match self.format {
                TestFormat::Json => tally.entries.push(entry(sources, &outcome)),
                TestFormat::Junit => cases.push(case(sources, &outcome)),
                TestFormat::Human => {
                    terminal.print(&human::render(sources, &outcome, terminal.output_color()))?;
                }
            }
        }
        let mut files = sources.files();
        let name = files.next().map_or("", |(_, file)| file.name()).to_owned();
        tally.suites.push(junit::Suite { name, cases });
        Ok(())
    }

    /// What is written once all tests have run.
    fn write(&self, tally: &Tally, terminal: &mut Terminal<'_>) -> Result<(), Failure> {
        let color = terminal.output_color();
        match self.format {
            TestFormat::Human if self.coverage => {
                terminal.print(&coverage::human(&tally.coverage, color))
            }
            TestFormat::Human => Ok(()),
            TestFormat::Junit => {
                terminal.print(&junit::document(&tally.suites))?;
                match self.coverage {
                    true => terminal.say(&coverage::human(&tally.coverage, terminal.error_color())),
                    false => Ok(()),
                }
            }
            TestFormat::Json => {
                let mut document = json!({
                    "version": 1, "passed": tally.passed, "failed": tally.failed, "tests": tally.entries,
                });
                if self.coverage
                    && let Some(fields) = document.as_object_mut()
                {
                    fields.insert("coverage".to_owned(), coverage::json(&tally.coverage));
                }
                terminal.print(&format!("{document}\n"))
            }
        }
    }
}

fn entry(sources: &SourceMap, outcome: &Outcome) -> Value {
    let (file, line, _) = sources.position(outcome.span);
    let failure = |mismatch: &testing::Mismatch| {
        let (file, line, column) = sources.position(mismatch.span);
        json!({ "file": file, "line": line, "column": column, "message": mismatch.message })
    };
    let failures: Vec<Value> = outcome.mismatches.iter().map(failure).collect();
    let compared = outcome.compared.iter();
    let compared: Vec<Value> = compared
        .map(|one| json!({ "expected": one.expected, "came": one.came }))
        .collect();
    json!({
        "name": outcome.name, "file": file, "line": line,
        "passed": outcome.passed(), "failures": failures, "expectations": compared,
    })
}

fn case(sources: &SourceMap, outcome: &Outcome) -> junit::Case {
    let (file, line, _) = sources.position(outcome.span);
    let first = outcome.mismatches.first();
    junit::Case {
        name: outcome.name.clone(),
        file: file.to_owned(),
        line,
        failure: first.map(|mismatch| junit::Failure {
            kind: "expectation".to_owned(),
            message: mismatch.message.clone(),
            text: human::failures(sources, outcome),
        }),
    }
}
