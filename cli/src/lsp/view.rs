//! One document as a request sees it: its text, its tree, the compilation that it is a part of.

use std::rc::Rc;

use lsp_types::{Location, Position, Range, Uri};
use waypost_compiler::index::{Occurrence, Symbol};
use waypost_lang::source::Span;
use waypost_lang::syntax::tree::{File, Item};
use waypost_lang::{FileId, SourceMap};

use super::position::{Encoding, Lines};
use super::project::{Analysis, Project};
use super::uri;

/// What the client can do that answers depend on.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Client {
    /// What its columns count.
    pub(crate) encoding: Encoding,
    /// Whether completions may hold places to fill in.
    pub(crate) snippets: bool,
    /// Whether it can show packs of the standard library.
    pub(crate) packs: bool,
    /// Whether a token may span lines.
    pub(crate) long_tokens: bool,
    /// Whether it takes links between places rather than places.
    pub(crate) related: bool,
}

/// A document in its compilation.
pub(crate) struct View<'a> {
    /// Everything else.
    pub(crate) project: &'a Project,
    /// The compilation.
    pub(crate) analysis: Rc<Analysis>,
    /// The document in it.
    pub(crate) file: FileId,
    /// The client.
    pub(crate) client: Client,
}

impl<'a> View<'a> {
    /// The document `name` as a part of each compilation that holds it; never empty for a text that can be read.
    pub(crate) fn all(project: &'a Project, name: &str, client: Client) -> Vec<Self> {
        let views: Vec<Self> = project
            .roots(name)
            .iter()
            .filter_map(|root| Self::of(project, root, name, client))
            .collect();
        if views.is_empty() {
            // What imports it no longer reaches it.
            return Self::of(project, name, name, client).into_iter().collect();
        }
        views
    }

    fn of(project: &'a Project, root: &str, name: &str, client: Client) -> Option<Self> {
        let analysis = project.analysis(root);
        let file = analysis.file(name)?;
        Some(Self {
            project,
            analysis,
            file,
            client,
        })
    }

    pub(crate) fn sources(&self) -> &SourceMap {
        &self.analysis.checked.sources
    }

    pub(crate) fn text(&self) -> &str {
        self.text_of(self.file)
    }

    pub(crate) fn text_of(&self, file: FileId) -> &str {
        self.sources().file(file).map_or("", |file| file.text())
    }

    pub(crate) fn lines(&self) -> &Lines {
        self.lines_of(self.file)
    }

    fn lines_of(&self, file: FileId) -> &Lines {
        const NONE: &Lines = &Lines::NONE;
        let lines = self.analysis.lines.get(usize::from(file.0));
        lines.unwrap_or(NONE)
    }

    /// The document's tree.
    pub(crate) fn tree(&self) -> Option<&File> {
        self.analysis.checked.files.get(usize::from(self.file.0))
    }

    /// Every statement of the compilation.
    pub(crate) fn items(&self) -> impl Iterator<Item = &Item> {
        self.analysis
            .checked
            .files
            .iter()
            .flat_map(|file| &file.items)
    }

    pub(crate) fn offset(&self, at: Position) -> u32 {
        self.lines().offset(self.text(), at, self.client.encoding)
    }

    pub(crate) fn position(&self, offset: u32) -> Position {
        self.lines()
            .position(self.text(), offset, self.client.encoding)
    }

    /// The range of a span, of whatever file.
    pub(crate) fn range(&self, span: Span) -> Range {
        self.lines_of(span.file)
            .range(self.text_of(span.file), span, self.client.encoding)
    }

    /// Whether the file is a pack of the standard library: it lies nowhere.
    pub(crate) fn is_pack(&self, file: FileId) -> bool {
        self.name_of(file).starts_with("std/")
    }

    pub(crate) fn name_of(&self, file: FileId) -> &str {
        self.sources().file(file).map_or("", |file| file.name())
    }

    /// The address of a file, if the client can show it.
    pub(crate) fn uri(&self, file: FileId) -> Option<Uri> {
        let name = self.name_of(file);
        let uri = match self.is_pack(file) {
            false => self.project.uri(name),
            true if self.client.packs => format!("{}{name}", uri::STANDARD),
            true => return None,
        };
        uri.parse().ok()
    }

    /// The place of a span, if the client can show it.
    pub(crate) fn location(&self, span: Span) -> Option<Location> {
        Some(Location::new(self.uri(span.file)?, self.range(span)))
    }

    /// The name at a byte of the document, and where.
    pub(crate) fn symbol(&self, offset: u32) -> Option<(&Occurrence, &Symbol)> {
        let occurrence = self.analysis.index().at(self.file, offset)?;
        let symbol = self.analysis.index().symbol(occurrence.symbol)?;
        Some((occurrence, symbol))
    }
}
