//! `--fix` and `--diff`: applies safe fixes to the files that were given, and to no others.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::Write as _;
use std::path::Path;

use waypost_compiler::fix;
use waypost_lang::render::Color;
use waypost_lang::{Diagnostic, SourceMap};

use super::Selection;
use crate::command::plural;
use crate::difference;
use crate::failure::Failure;
use crate::input::{Input, Origin};
use crate::inspection::{check_all, plain, today};
use crate::terminal::Terminal;

/// What fixes make of the files.
#[derive(Debug)]
pub(super) struct Repair {
    /// The new texts of those that change, by plain name.
    changed: BTreeMap<String, String>,
    /// How many fixes were applied.
    pub(super) applied: usize,
}

/// Fixes what can be fixed, in memory.
pub(super) fn repair(inputs: &[Input], selection: &Selection) -> Repair {
    let given: BTreeSet<&str> = inputs.iter().map(|input| plain(&input.name)).collect();
    let mut repair = Repair {
        changed: BTreeMap::new(),
        applied: 0,
    };
    let today = today();
    for (input, _) in check_all(inputs) {
        let changed = repair.changed.clone();
        let loader = |path: &str| match changed.get(plain(path)) {
            Some(text) => Some(text.clone()),
            None => fs::read_to_string(path).ok(),
        };
        let text = changed.get(plain(&input.name)).unwrap_or(&input.text);
        let wanted = |sources: &SourceMap, one: &Diagnostic| {
            let edits = one.fix.iter().flat_map(|fix| &fix.edits);
            let mut files = edits.map(|edit| sources.position(edit.span).0);
            selection.wants(one) && files.all(|name| given.contains(plain(name)))
        };
        let fixed = fix(&input.name, text, &loader, today, &wanted);
        let named = fixed.changed.into_iter();
        let named = named.map(|(name, text)| (plain(&name).to_owned(), text));
        repair.changed.extend(named);
        repair.applied += fixed.applied;
    }
    repair
}

impl Repair {
    fn new_text(&self, input: &Input) -> Option<&String> {
        let text = self.changed.get(plain(&input.name))?;
        Some(text).filter(|text| **text != input.text)
    }

    /// As `diff -u` writes it.
    pub(super) fn difference(&self, inputs: &[Input], color: Color) -> String {
        let each = inputs.iter().filter_map(|input| {
            let text = self.new_text(input)?;
            let (name, old) = (&input.name, &input.text);
            Some(difference::unified(name, "fixed", old, text, color))
        });
        each.collect()
    }

    /// Writes the files that change; what came from standard input goes to the output.
    pub(super) fn deliver(
        &self,
        inputs: &mut [Input],
        terminal: &mut Terminal<'_>,
    ) -> Result<(), Failure> {
        let mut files = 0;
        for input in inputs {
            let text = self.new_text(input).cloned();
            files += usize::from(text.is_some());
            if input.origin == Origin::Standard {
                terminal.print(text.as_ref().unwrap_or(&input.text))?;
            } else if let Some(text) = &text {
                write(Path::new(&input.name), text)?;
            }
            if let Some(text) = text {
                input.text = text;
            }
        }
        if self.applied == 0 {
            return Ok(());
        }
        let (applied, files) = (plural(self.applied, "finding"), plural(files, "file"));
        terminal.note(&format!("fixed {applied} in {files}"))
    }
}

/// Replaces the file in one step: whoever reads it meanwhile sees the old text or the new one.
fn write(path: &Path, text: &str) -> Result<(), Failure> {
    let failed = |error| Failure::file("write", path, error);
    // A link stays one: the file that it leads to is replaced.
    let target = fs::canonicalize(path).map_err(failed)?;
    let mut beside = target.clone().into_os_string();
    beside.push(format!(".{}.new", std::process::id()));
    let beside = Path::new(&beside);
    let written = || {
        let mut file = fs::File::create(beside)?;
        file.write_all(text.as_bytes())?;
        file.set_permissions(fs::metadata(&target)?.permissions())?;
        file.sync_all()?;
        fs::rename(beside, &target)
    };
    written().map_err(|error| {
        // What is left of an attempt helps nobody.
        let _ = fs::remove_file(beside);
        failed(error)
    })
}
