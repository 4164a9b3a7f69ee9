//! The open documents, the files around them, and what came of checking them.
//!
//! Invariants: an open document's text counts, not the file's; a file that another one imports is checked as a part of
//! that one, since by itself it may not be whole; each compilation is checked once for a state of its texts.

use std::cell::{OnceCell, RefCell};
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use waypost_compiler::index::Index;
use waypost_compiler::{Ceilings, Checked, Date, import_path};
use waypost_lang::syntax::{TokenKind, tokens};
use waypost_lang::{Diagnostic, FileId};

use super::position::Lines;
use super::uri;

/// Imports are followed at most through so many files.
const MOST_FILES: usize = 10_000;

/// What the server reads besides what the client sends.
pub trait Files {
    /// The text of a file.
    fn read(&self, path: &str) -> Option<String>;
    /// Every `.route` file in a folder and the folders in it.
    fn routes(&self, folder: &str) -> Vec<String>;
}

/// A document as the client has it.
#[derive(Debug, Clone)]
pub(crate) struct Document {
    /// Its address, as the client writes it.
    pub(crate) uri: String,
    /// Its text.
    pub(crate) text: String,
    /// The client's number of this text.
    pub(crate) version: i32,
}

/// A file and all it imports, checked.
#[derive(Debug)]
pub(crate) struct Analysis {
    /// What came of it.
    pub(crate) checked: Checked,
    /// Where the lines of each file begin.
    pub(crate) lines: Vec<Lines>,
    today: Option<Date>,
    found: OnceCell<Vec<Diagnostic>>,
    index: OnceCell<Index>,
    ceilings: OnceCell<Option<Ceilings>>,
}

impl Analysis {
    /// Errors and lints; the lints run when first asked for.
    pub(crate) fn found(&self) -> &[Diagnostic] {
        let lint = || waypost_compiler::lint(&self.checked, self.today);
        self.found.get_or_init(lint)
    }

    /// Where names stand; gathered when first asked for.
    pub(crate) fn index(&self) -> &Index {
        let gather = || Index::new(&self.checked.files, &self.checked.sources);
        self.index.get_or_init(gather)
    }

    /// What it can spend at worst, where it has no errors; worked out when first asked for.
    pub(crate) fn ceilings(&self) -> Option<&Ceilings> {
        let ceilings = self.ceilings.get_or_init(|| {
            let program = self.checked.program.as_ref();
            program.map(waypost_compiler::ceiling)
        });
        ceilings.as_ref()
    }

    /// The file called `name`.
    pub(crate) fn file(&self, name: &str) -> Option<FileId> {
        let mut files = self.checked.sources.files();
        files
            .find(|(_, file)| file.name() == name)
            .map(|(id, _)| id)
    }
}

/// All that is known.
pub(crate) struct Project {
    files: Box<dyn Files>,
    today: Option<Date>,
    documents: BTreeMap<String, Document>,
    folders: Vec<String>,
    /// What each known file imports.
    imports: BTreeMap<String, Vec<String>>,
    analyses: RefCell<BTreeMap<String, Rc<Analysis>>>,
}

impl Project {
    pub(crate) fn new(files: Box<dyn Files>, today: Option<Date>) -> Self {
        Self {
            files,
            today,
            documents: BTreeMap::new(),
            folders: Vec::new(),
            imports: BTreeMap::new(),
            analyses: RefCell::default(),
        }
    }

    /// Searches these folders for files that import what is open.
    pub(crate) fn set_folders(&mut self, folders: Vec<String>) {
        self.folders = folders;
        self.look_around();
    }

    /// Reads again what lies in the folders: files may have come, gone or changed.
    pub(crate) fn look_around(&mut self) {
        self.imports.clear();
        let mut found = BTreeSet::new();
        for folder in &self.folders {
            found.extend(self.files.routes(folder).into_iter().take(MOST_FILES));
        }
        for path in found {
            if let Some(text) = self.text(&path) {
                self.imports.insert(path.clone(), imports(&path, &text));
            }
        }
        for (name, document) in &self.documents {
            let imported = imports(name, &document.text);
            self.imports.insert(name.clone(), imported);
        }
        self.analyses.borrow_mut().clear();
    }

    /// Takes over the text of a document.
    pub(crate) fn open(&mut self, uri: &str, text: String, version: i32) {
        let name = uri::name(uri);
        let document = Document {
            uri: uri.to_owned(),
            text,
            version,
        };
        self.documents.insert(name, document);
        self.look_around();
    }

    /// Takes over a new text of an open document.
    pub(crate) fn change(&mut self, uri: &str, text: String, version: i32) {
        let name = uri::name(uri);
        let Some(document) = self.documents.get_mut(&name) else {
            return;
        };
        document.version = version;
        document.text = text;
        let now = imports(&name, &document.text);
        let same = self.imports.get(&name) == Some(&now);
        self.imports.insert(name.clone(), now);
        let mut analyses = self.analyses.borrow_mut();
        match same {
            true => analyses.retain(|_, analysis| analysis.file(&name).is_none()),
            false => analyses.clear(),
        }
    }

    /// Lets the file's text count again.
    pub(crate) fn close(&mut self, uri: &str) {
        self.documents.remove(&uri::name(uri));
        self.look_around();
    }

    /// An open document.
    pub(crate) fn document(&self, name: &str) -> Option<&Document> {
        self.documents.get(name)
    }

    /// Every open document's name.
    pub(crate) fn open_names(&self) -> impl Iterator<Item = &str> {
        self.documents.keys().map(String::as_str)
    }

    /// Every known file's name.
    pub(crate) fn known_names(&self) -> impl Iterator<Item = &str> {
        self.imports.keys().map(String::as_str)
    }

    /// The address of a file, as the client writes it if it has it open.
    pub(crate) fn uri(&self, name: &str) -> String {
        match self.documents.get(name) {
            Some(document) => document.uri.clone(),
            None => uri::of_path(name),
        }
    }

    /// The files that are checked for the sake of `name`: those that import it and are imported by none, or itself.
    pub(crate) fn roots(&self, name: &str) -> Vec<String> {
        let mut seen = BTreeSet::from([name]);
        let mut pending = vec![name];
        let mut roots = BTreeSet::new();
        while let Some(file) = pending.pop() {
            let importers: Vec<&str> = self
                .imports
                .iter()
                .filter(|(_, imported)| imported.iter().any(|one| one == file))
                .map(|(importer, _)| importer.as_str())
                .collect();
            if importers.is_empty() {
                roots.insert(file.to_owned());
            }
            pending.extend(importers.into_iter().filter(|one| seen.insert(one)));
        }
        if roots.is_empty() {
            roots.insert(name.to_owned());
        }
        roots.into_iter().collect()
    }

    /// The compilation that starts at `root`, checked.
    pub(crate) fn analysis(&self, root: &str) -> Rc<Analysis> {
        if let Some(analysis) = self.analyses.borrow().get(root) {
            return Rc::clone(analysis);
        }
        let analysis = Rc::new(self.check(root));
        self.analyses
            .borrow_mut()
            .insert(root.to_owned(), Rc::clone(&analysis));
        analysis
    }

    fn check(&self, root: &str) -> Analysis {
        let text = self.text(root).unwrap_or_default();
        let loader = |path: &str| self.text(path);
        let checked = waypost_compiler::check(root, &text, &loader);
        let lines = checked.sources.files();
        Analysis {
            lines: lines.map(|(_, file)| Lines::new(file.text())).collect(),
            today: self.today,
            found: OnceCell::new(),
            index: OnceCell::new(),
            ceilings: OnceCell::new(),
            checked,
        }
    }

    fn text(&self, name: &str) -> Option<String> {
        match self.documents.get(name) {
            Some(document) => Some(document.text.clone()),
            None => self.files.read(name),
        }
    }
}

/// What a text imports, std packs left out: found by its tokens, line by line, so that a keystroke costs little.
fn imports(name: &str, text: &str) -> Vec<String> {
    let lines = text.lines().map(str::trim_start);
    let statements = lines.filter(|line| line.starts_with("import"));
    let mut found = Vec::new();
    for statement in statements {
        let path = tokens(statement).find(|token| token.kind == TokenKind::Text);
        let path = path.map(|token| token.text(statement).trim_matches('"'));
        let own = path.filter(|path| !path.starts_with("std/"));
        found.extend(own.map(|path| import_path(name, path)));
    }
    found
}
