//! Applies the fixes of findings until none is left to apply.
//!
//! Invariants: no file is left worse: a fix that brings an error is taken back; fixes of one round do not overlap;
//! the number of rounds is bounded; packs of the standard library are never changed.

use std::collections::{BTreeMap, BTreeSet};

use waypost_lang::diagnostic::Fix;
use waypost_lang::{Code, Diagnostic, SourceMap, Span};

use crate::check::{Checked, check};
use crate::lints::{Date, lint};
use crate::load::Loader;
use crate::standard;

/// A fix may bring the next one to light, but not for ever.
const MAXIMUM_ROUNDS: usize = 20;

/// What came of fixing a file and all it imports.
#[derive(Debug)]
pub struct Fixed {
    /// The new text of each file that changed, by name.
    pub changed: BTreeMap<String, String>,
    /// How many fixes were applied.
    pub applied: usize,
}

/// Fixes the file `name` with content `text`, and what it imports through `loader`, as far as findings have a fix and
/// `wanted` says so.
#[must_use]
pub fn fix(
    name: &str,
    text: &str,
    loader: &dyn Loader,
    today: Option<Date>,
    wanted: &dyn Fn(&SourceMap, &Diagnostic) -> bool,
) -> Fixed {
    let mut fixer = Fixer {
        name,
        text,
        loader,
        today,
        changed: BTreeMap::new(),
        refused: BTreeSet::new(),
        applied: 0,
    };
    for _ in 0..MAXIMUM_ROUNDS {
        if !fixer.round(wanted) {
            break;
        }
    }
    Fixed {
        changed: fixer.changed,
        applied: fixer.applied,
    }
}

struct Fixer<'a> {
    name: &'a str,
    text: &'a str,
    loader: &'a dyn Loader,
    today: Option<Date>,
    changed: BTreeMap<String, String>,
    /// Fixes that would do harm, as [`signature`] writes them.
    refused: BTreeSet<String>,
    applied: usize,
}

impl Fixer<'_> {
    /// Checks the files as they would be with `changed`.
    fn look(&self, changed: &BTreeMap<String, String>) -> (Checked, Vec<Diagnostic>) {
        let loader = |path: &str| {
            let edited = changed.get(path).cloned();
            edited.or_else(|| self.loader.load(path))
        };
        let text = changed.get(self.name).map_or(self.text, String::as_str);
        let checked = check(self.name, text, &loader);
        let found = lint(&checked, self.today);
        (checked, found)
    }

    /// Applies what can be applied at once; says whether that was anything.
    fn round(&mut self, wanted: &dyn Fn(&SourceMap, &Diagnostic) -> bool) -> bool {
        let (checked, before) = self.look(&self.changed);
        let sources = &checked.sources;
        let chosen = self.choose(&before, sources, wanted);
        if chosen.is_empty() {
            return false;
        }
        let all: Vec<&Fix> = chosen.iter().map(|(_, fix)| *fix).collect();
        let together = edited(&self.changed, sources, &all);
        if !is_worse(&before, &self.look(&together).1, &chosen) {
            self.changed = together;
            self.applied += all.len();
            return true;
        }
        self.one_by_one(&before, sources, &chosen)
    }

    /// The first that does no harm; all before it are refused from now on.
    fn one_by_one(
        &mut self,
        before: &[Diagnostic],
        sources: &SourceMap,
        chosen: &[(Code, &Fix)],
    ) -> bool {
        for one in chosen {
            let alone = edited(&self.changed, sources, &[one.1]);
            if !is_worse(before, &self.look(&alone).1, std::slice::from_ref(one)) {
                self.changed = alone;
                self.applied += 1;
                return true;
            }
            self.refused.insert(signature(one.1, sources));
        }
        false
    }

    /// Wanted fixes that touch none of one another's edits, in the order of the findings.
    fn choose<'d>(
        &self,
        found: &'d [Diagnostic],
        sources: &SourceMap,
        wanted: &dyn Fn(&SourceMap, &Diagnostic) -> bool,
    ) -> Vec<(Code, &'d Fix)> {
        let mut taken: Vec<Span> = Vec::new();
        let mut chosen = Vec::new();
        for one in found.iter().filter(|one| wanted(sources, one)) {
            let Some(fix) = one.fix.as_ref().filter(|fix| !fix.edits.is_empty()) else {
                continue;
            };
            let spans = || fix.edits.iter().map(|edit| edit.span);
            let free = spans().all(|span| taken.iter().all(|other| !touch(span, *other)));
            let ours = spans().all(|span| !is_pack(span, sources));
            if free && ours && !self.refused.contains(&signature(fix, sources)) {
                taken.extend(spans());
                chosen.push((one.code, fix));
            }
        }
        chosen
    }
}

fn touch(left: Span, right: Span) -> bool {
    left.file == right.file && left.start <= right.end && right.start <= left.end
}

fn is_pack(span: Span, sources: &SourceMap) -> bool {
    sources.file(span.file).is_none_or(|file| {
        let pack = standard::pack(file.name());
        pack.is_some_and(|text| text == file.text())
    })
}

/// What a fix does, in words that do not move with it.
fn signature(fix: &Fix, sources: &SourceMap) -> String {
    let mut text = fix.title.clone();
    for edit in &fix.edits {
        let (file, _, _) = sources.position(edit.span);
        for part in [file, sources.text(edit.span), &edit.text] {
            text.push('\u{0}');
            text.push_str(part);
        }
    }
    text
}

/// The files with these fixes applied, beside those that changed before.
fn edited(
    changed: &BTreeMap<String, String>,
    sources: &SourceMap,
    fixes: &[&Fix],
) -> BTreeMap<String, String> {
    let mut files = changed.clone();
    let mut edits: Vec<_> = fixes.iter().flat_map(|fix| &fix.edits).collect();
    edits.sort_by_key(|edit| std::cmp::Reverse((edit.span.file, edit.span.start)));
    for edit in edits {
        let Some(file) = sources.file(edit.span.file) else {
            continue;
        };
        let name = file.name().to_owned();
        let text = files.entry(name).or_insert_with(|| file.text().to_owned());
        let range = edit.span.start as usize..edit.span.end as usize;
        if text.get(range.clone()).is_some() {
            text.replace_range(range, &edit.text);
        }
    }
    files
}

/// Whether the fixes brought an error. One that mends an error may bring to light what that error hid; it may not make
/// the text harder to read.
fn is_worse(before: &[Diagnostic], after: &[Diagnostic], fixed: &[(Code, &Fix)]) -> bool {
    let errors = |list: &[Diagnostic]| list.iter().filter(|one| one.is_error()).count();
    let unreadable = |list: &[Diagnostic]| {
        let mut errors = list.iter().filter(|one| one.is_error());
        errors
            .by_ref()
            .filter(|one| one.code.number.starts_with("WP00"))
            .count()
    };
    let of = |list: &[Diagnostic], code: Code| list.iter().filter(|one| one.code == code).count();
    let mends = fixed.iter().any(|(code, fix)| {
        let found = before
            .iter()
            .find(|one| one.code == *code && one.fix.as_ref() == Some(fix));
        found.is_some_and(Diagnostic::is_error) && of(after, *code) < of(before, *code)
    });
    unreadable(after) > unreadable(before) || (!mends && errors(after) > errors(before))
}
