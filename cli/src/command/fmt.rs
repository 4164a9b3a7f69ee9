//! `waypost fmt`: one style, no options.

use std::fs;
use std::path::Path;

use clap::Args;
use waypost_lang::{SourceMap, syntax};

use super::plural;
use crate::compile::report;
use crate::difference;
use crate::failure::{Exit, Failure};
use crate::input::{Input, Origin, PathArguments};
use crate::terminal::Terminal;

/// Write .route files in the one style.
#[derive(Debug, Args)]
pub(crate) struct Fmt {
    #[command(flatten)]
    paths: PathArguments,
    /// Change nothing; name the files that would change
    #[arg(long)]
    check: bool,
    /// Change nothing; show what would change
    #[arg(long)]
    diff: bool,
}

impl Fmt {
    pub(super) fn run(&self, terminal: &mut Terminal<'_>) -> Result<Exit, Failure> {
        let inputs = self.paths.read(terminal)?;
        let (mut changed, mut unreadable) = (0, 0);
        for input in &inputs {
            match syntax::format(&input.text) {
                Ok(text) => {
                    changed += usize::from(text != input.text);
                    self.deliver(input, &text, terminal)?;
                }
                Err(diagnostics) => {
                    unreadable += 1;
                    let mut sources = SourceMap::default();
                    sources.add(&*input.name, &*input.text);
                    report(&sources, &diagnostics, terminal)?;
                }
            }
        }
        let keeps = self.check || self.diff;
        if changed == 0 {
            let files = plural(inputs.len(), "file");
            terminal.note(&format!("nothing to rewrite in {files}"))?;
            return Ok(Exit::findings(unreadable > 0));
        }
        let verb = if keeps { "would be" } else { "was" };
        let verb = if changed == 1 || keeps { verb } else { "were" };
        terminal.note(&format!(
            "{} of {} {verb} rewritten",
            changed,
            plural(inputs.len(), "file")
        ))?;
        Ok(Exit::findings(unreadable > 0 || (keeps && changed > 0)))
    }

    fn deliver(
        &self,
        input: &Input,
        text: &str,
        terminal: &mut Terminal<'_>,
    ) -> Result<(), Failure> {
        let changed = text != input.text;
        if self.diff {
            let color = terminal.output_color();
            let (name, old) = (&input.name, &input.text);
            let difference = difference::unified(name, "formatted", old, text, color);
            return terminal.print(&difference);
        }
        if self.check {
            return match changed {
                true => terminal.print(&format!("{}\n", input.name)),
                false => Ok(()),
            };
        }
        if input.origin == Origin::Standard {
            return terminal.print(text);
        }
        if changed {
            let path = Path::new(&input.name);
            fs::write(path, text).map_err(|error| Failure::file("write", path, error))?;
        }
        Ok(())
    }
}
