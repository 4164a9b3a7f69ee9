//! Checks or lints several files, so that each finding comes up once.
//!
//! Invariant: a file that was found in a folder and that another of them imports is only a part of that one: by itself
//! it may not be whole.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{SystemTime, UNIX_EPOCH};

use waypost_compiler::{Checked, Date, lint};
use waypost_lang::{Diagnostic, SourceMap, codes, render};

use crate::compile;
use crate::input::{Input, Origin};

/// The inputs that are wholes of their own, each checked.
pub(crate) fn check_all(inputs: &[Input]) -> Vec<(&Input, Checked)> {
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
    kept
}

fn imports(checked: &Checked, name: &str) -> bool {
    let imported = checked.sources.files().skip(1);
    let plain = plain(name);
    imported.into_iter().any(|(_, file)| file.name() == plain)
}

/// A file's name as those who import it write it.
pub(crate) fn plain(name: &str) -> &str {
    name.strip_prefix("./").unwrap_or(name)
}

/// Adds what lints find to what was found in each.
pub(crate) fn lint_all(results: &mut [Checked]) {
    let today = today();
    for checked in results.iter_mut() {
        checked.diagnostics = lint(checked, today);
    }
    keep_useful_lines_quiet(results);
}

/// What a file holds that several import is unused only if it is for all of them: a suppression, a declaration, a model.
fn keep_useful_lines_quiet(results: &mut [Checked]) {
    let mut unused: BTreeMap<String, usize> = BTreeMap::new();
    for checked in &*results {
        for one in checked.diagnostics.iter().filter(|one| is_unused(one)) {
            *unused.entry(line(&checked.sources, one)).or_default() += 1;
        }
    }
    let holders: Vec<BTreeSet<String>> = results.iter().map(names).collect();
    for checked in results {
        let sources = &checked.sources;
        checked.diagnostics.retain(|one| {
            let (name, _, _) = sources.position(one.primary.span);
            let holding = holders.iter().filter(|names| names.contains(name)).count();
            !is_unused(one) || unused.get(&line(sources, one)) == Some(&holding)
        });
    }
}

fn is_unused(one: &Diagnostic) -> bool {
    [
        codes::UNUSED_SUPPRESSION,
        codes::UNUSED_DECLARATION,
        codes::UNREACHABLE_MODEL,
    ]
    .contains(&one.code)
}

fn names(checked: &Checked) -> BTreeSet<String> {
    let files = checked.sources.files();
    files.map(|(_, file)| file.name().to_owned()).collect()
}

/// A finding on one line, by which it is told from others.
fn line(sources: &SourceMap, one: &Diagnostic) -> String {
    render::concise(sources, std::slice::from_ref(one))
}

/// Leaves what is `wanted`, and each finding once: a file that two others import is checked twice. Says how many stay.
pub(crate) fn retain_once(results: &mut [Checked], wanted: impl Fn(&Diagnostic) -> bool) -> usize {
    let mut said = BTreeSet::new();
    for checked in results {
        let sources = &checked.sources;
        checked
            .diagnostics
            .retain(|one| wanted(one) && said.insert(line(sources, one)));
    }
    said.len()
}

/// Today in UTC; none on a machine whose clock stands before 1970.
pub(crate) fn today() -> Option<Date> {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).ok()?;
    let second = i64::try_from(since.as_secs()).ok()?;
    let date = jiff::Timestamp::from_second(second)
        .ok()?
        .to_zoned(jiff::tz::TimeZone::UTC)
        .date();
    Some(Date {
        year: u16::try_from(date.year()).ok()?,
        month: u8::try_from(date.month()).ok()?,
        day: u8::try_from(date.day()).ok()?,
    })
}

/// One line for the end, of all of them; `None` where nothing was found.
pub(crate) fn summary(results: &[Checked]) -> Option<String> {
    let parts = results.iter();
    let parts: Vec<_> = parts
        .map(|checked| (&checked.sources, &*checked.diagnostics))
        .collect();
    render::summary(&parts)
}
