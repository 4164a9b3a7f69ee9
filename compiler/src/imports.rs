//! Which file imports which: what an overlay may change, and whose word counts when two change the same.

use std::collections::BTreeSet;

use waypost_lang::source::{FileId, Span};

/// One `import` statement that was followed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Import {
    /// The path written; its file is the one that imports.
    pub span: Span,
    /// The file that it names.
    pub target: FileId,
}

/// Every import of a compilation, in the order in which the statements were reached. It has no circle.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Imports(Vec<Import>);

impl Imports {
    /// Notes an import.
    pub(crate) fn add(&mut self, span: Span, target: FileId) {
        self.0.push(Import { span, target });
    }

    /// Every one.
    pub fn iter(&self) -> impl Iterator<Item = Import> + '_ {
        self.0.iter().copied()
    }

    /// The file itself and all that it imports, directly or through others.
    #[must_use]
    pub fn closure(&self, file: FileId) -> BTreeSet<FileId> {
        let mut reached = BTreeSet::from([file]);
        let mut open = vec![file];
        while let Some(next) = open.pop() {
            for import in self.0.iter().filter(|import| import.span.file == next) {
                if reached.insert(import.target) {
                    open.push(import.target);
                }
            }
        }
        reached
    }

    /// Whether `file` imports `other`, directly or through others.
    #[must_use]
    pub fn reaches(&self, file: FileId, other: FileId) -> bool {
        file != other && self.closure(file).contains(&other)
    }
}
