//! Reads a file and, recursively, what it imports.
//!
//! Invariants: each file is read once; an import that is missing or leads back is reported at the statement
//! that asks for it; files stand in the order they were reached, the one asked for first.

use std::collections::BTreeMap;

use waypost_lang::codes;
use waypost_lang::diagnostic::{Edit, nearest};
use waypost_lang::source::{FileId, Span};
use waypost_lang::syntax::tree::{File, ItemKind, Text};
use waypost_lang::{Diagnostic, SourceMap, syntax};

use crate::findings::Findings;
use crate::imports::Imports;
use crate::standard;
use crate::unread::Unread;

/// Gives the text of imported files; the compiler itself reads none.
pub trait Loader {
    /// The text of the file at `path`: the importing file's folder and the path written, joined and without
    /// `.` and `..` where they can be resolved. Paths that begin with `std/` are never asked for.
    fn load(&self, path: &str) -> Option<String>;
}

impl<F: Fn(&str) -> Option<String>> Loader for F {
    fn load(&self, path: &str) -> Option<String> {
        self(path)
    }
}

/// Imports deeper than this are taken for a mistake; it bounds the recursion.
const MAXIMUM_DEPTH: usize = 64;

/// All files of a compilation, parsed.
#[derive(Debug, Default)]
pub(crate) struct Loaded {
    /// Their texts.
    pub(crate) sources: SourceMap,
    /// Their trees, in the order of [`SourceMap::files`].
    pub(crate) files: Vec<File>,
    /// Every comment, in the same order.
    pub(crate) comments: Vec<Span>,
    /// Which of them imports which.
    pub(crate) imports: Imports,
    /// What could not be read of them.
    pub(crate) unread: Unread,
}

/// Where a file comes from: the same words may name a pack and a file.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Place {
    Standard(String),
    Path(String),
}

impl Place {
    fn name(&self) -> &str {
        match self {
            Self::Standard(name) | Self::Path(name) => name,
        }
    }

    /// What `written` means in the file at this place.
    fn join(&self, written: &str) -> Self {
        if written.starts_with("std/") {
            return Self::Standard(written.to_owned());
        }
        match self {
            Self::Standard(name) => Self::Standard(join(name, written)),
            Self::Path(name) => Self::Path(join(name, written)),
        }
    }
}

/// Parses `text` and everything it imports.
pub(crate) fn load(name: &str, text: &str, loader: &dyn Loader, findings: &mut Findings) -> Loaded {
    let mut importer = Importer {
        loader,
        findings,
        loaded: Loaded::default(),
        seen: BTreeMap::new(),
        path: Vec::new(),
    };
    importer.read(Place::Path(join("", name)), name, text);
    importer.loaded
}

struct Importer<'a> {
    loader: &'a dyn Loader,
    findings: &'a mut Findings,
    loaded: Loaded,
    seen: BTreeMap<Place, FileId>,
    /// The files being read, outermost first, each with the import it is being read for next.
    path: Vec<(Place, Span)>,
}

impl Importer<'_> {
    fn read(&mut self, place: Place, name: &str, text: &str) -> FileId {
        let id = self.loaded.sources.add(name, text);
        let parsed = syntax::parse(id, text);
        self.loaded.unread.add(text, &parsed);
        self.findings.extend(parsed.diagnostics);
        let imports: Vec<Text> = imports(&parsed.file).cloned().collect();
        self.loaded.files.push(parsed.file);
        self.loaded.comments.extend(parsed.comments);
        self.seen.insert(place.clone(), id);
        for import in imports {
            self.path.push((place.clone(), import.span));
            self.import(place.join(&import.value), &import);
            self.path.pop();
        }
        id
    }

    fn import(&mut self, target: Place, import: &Text) {
        if let Some(from) = self.path.iter().position(|(place, _)| *place == target) {
            self.findings.push(self.cycle(from, &target, import));
        } else if let Some(known) = self.seen.get(&target) {
            // Another file imports it too; it is merged once.
            self.loaded.imports.add(import.span, *known);
        } else if self.path.len() > MAXIMUM_DEPTH {
            self.loaded.unread.missing_import();
            let message = format!("imports nest deeper than {MAXIMUM_DEPTH} files");
            self.findings.push(
                codes::IMPORT_NOT_FOUND
                    .error(import.span, message)
                    .label("not followed")
                    .help("import the files from one place rather than each from the next"),
            );
        } else if let Some(text) = self.text_of(&target) {
            let name = target.name().to_owned();
            let read = self.read(target, &name, &text);
            self.loaded.imports.add(import.span, read);
        } else {
            self.loaded.unread.missing_import();
            self.findings.push(not_found(&target, import));
        }
    }

    fn text_of(&self, target: &Place) -> Option<String> {
        match target {
            Place::Standard(name) => standard::pack(name).map(str::to_owned),
            Place::Path(path) => self.loader.load(path),
        }
    }

    fn cycle(&self, from: usize, target: &Place, import: &Text) -> Diagnostic {
        let message = format!("`{}` ends up importing itself", target.name());
        let last = codes::IMPORT_CYCLE
            .error(import.span, message)
            .label("leads back to a file that is being imported")
            .help("move what both files need into a third that imports neither");
        // The last entry of the path is this very import.
        let before = self.path.get(from..).unwrap_or_default();
        let before = before.split_last().map_or(before, |(_, rest)| rest);
        before.iter().fold(last, |diagnostic, (place, span)| {
            diagnostic.because(*span, format!("`{}` imports it from here", place.name()))
        })
    }
}

fn imports(file: &File) -> impl Iterator<Item = &Text> {
    file.items.iter().filter_map(|item| match &item.kind {
        ItemKind::Import(path) => Some(path),
        _ => None,
    })
}

fn not_found(target: &Place, import: &Text) -> Diagnostic {
    let packs: Vec<&str> = standard::PACKS.iter().map(|(name, _)| *name).collect();
    let message = format!("nothing to import at `{}`", import.value);
    match target {
        Place::Standard(name) => {
            let diagnostic = codes::IMPORT_NOT_FOUND
                .error(import.span, message)
                .label("the standard library has no such pack");
            match nearest(name, packs.iter().copied()) {
                Some(near) => diagnostic
                    .help(format!("write `{near}`"))
                    .fix(format!("write `{near}`"), [replace(import, near)]),
                None => diagnostic.help(format!(
                    "packs are `{}`; a file of your own is written `./{}`",
                    packs.join("`, `"),
                    import.value
                )),
            }
        }
        Place::Path(path) => codes::IMPORT_NOT_FOUND
            .error(import.span, message)
            .label(format!("`{path}` is no file of text that can be read"))
            .help(format!(
                "a path starts at the folder of the file that imports it; packs are `{}`",
                packs.join("`, `")
            )),
    }
}

fn replace(import: &Text, path: &str) -> Edit {
    Edit {
        span: import.span,
        text: format!("\"{path}\""),
    }
}

/// `written` as seen from the folder of `file`, with `.` and `..` resolved as far as they can be: what a [`Loader`] is asked
/// for. Paths that begin with `std/` are packs, not files.
#[must_use]
pub fn join(file: &str, written: &str) -> String {
    let folder = file.rsplit_once('/').map_or("", |(folder, _)| folder);
    let (root, joined) = if written.starts_with('/') {
        ("/", written.to_owned())
    } else if folder.is_empty() && !file.starts_with('/') {
        ("", written.to_owned())
    } else {
        let root = if file.starts_with('/') { "/" } else { "" };
        (root, format!("{folder}/{written}"))
    };
    let mut parts: Vec<&str> = Vec::new();
    for part in joined.split('/') {
        match (part, parts.last()) {
            ("" | ".", _) => {}
            ("..", Some(last)) if *last != ".." => {
                parts.pop();
            }
            (part, _) => parts.push(part),
        }
    }
    format!("{root}{}", parts.join("/"))
}

#[cfg(test)]
mod tests {
    use super::join;

    #[test]
    fn paths_are_relative_to_the_importing_file() {
        assert_eq!(join("a.route", "b.route"), "b.route");
        assert_eq!(join("x/a.route", "./b.route"), "x/b.route");
        assert_eq!(join("x/y/a.route", "../b.route"), "x/b.route");
        assert_eq!(join("x/a.route", "../../b.route"), "../b.route");
        assert_eq!(join("/etc/w/a.route", "b.route"), "/etc/w/b.route");
        assert_eq!(join("x/a.route", "/etc/b.route"), "/etc/b.route");
        assert_eq!(join("/a.route", "b.route"), "/b.route");
    }
}
