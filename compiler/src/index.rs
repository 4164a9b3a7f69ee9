//! Where every name of a compilation is declared and used: what editors ask for, and what a rename must change.
//!
//! Pure code over the trees, so it works in files that do not check: a name that nothing declares is a symbol without
//! definitions. Invariants: occurrences stand in the order of files and positions and never overlap; a name means what
//! the resolver takes it for (after `on` and `try` a model before a tier).

mod collect;
mod expressions;

use waypost_lang::source::Span;
use waypost_lang::syntax::tree::File;
use waypost_lang::{FileId, SourceMap};

use collect::Collector;

/// What a name stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum SymbolKind {
    /// `tier weak { … }`
    Tier,
    /// `model gpt-5.1 { … }`
    Model,
    /// `catalog gpt-5.1 { … }`: what a model takes its figures from.
    Catalog,
    /// `pool phi { … }`
    Pool,
    /// `provider aoai { … }`
    Provider,
    /// `secret aoai_key = …`
    Secret,
    /// `let LONG = 24000`
    Constant,
    /// `content batch { … }`
    Content,
    /// The label of an `escalate`: what `escalated by` in a test speaks of.
    Escalation,
    /// The label of a rule, limit or budget of the policy.
    Rule,
    /// The variable of a macro: `t` of `request.tools.exists(t, …)`. Each macro has its own.
    Variable,
}

/// The number of a symbol in its [`Index`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SymbolId(usize);

/// How an occurrence is written, and so how another name would be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// The bare name.
    Bare,
    /// What stands between the double quotes of a string.
    Quoted,
    /// A whole string literal that says it in another way: with escapes, in single quotes.
    Literal,
}

/// A name at one place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Occurrence {
    /// Where.
    pub span: Span,
    /// Of what.
    pub symbol: SymbolId,
    /// Whether it declares it.
    pub definition: bool,
    /// How it is written.
    pub form: Form,
}

/// A name with all its places.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Symbol {
    /// What it stands for.
    pub kind: SymbolKind,
    /// As it is written.
    pub name: String,
    /// Where it is declared; several for sections that are merged, or by mistake.
    pub definitions: Vec<Span>,
    /// Where it is used.
    pub references: Vec<Span>,
}

/// All names of a compilation.
#[derive(Debug, Clone, Default)]
pub struct Index {
    symbols: Vec<Symbol>,
    occurrences: Vec<Occurrence>,
}

impl Index {
    /// The names in `files`, whose texts `sources` holds.
    #[must_use]
    pub fn new(files: &[File], sources: &SourceMap) -> Self {
        Collector::new(files, sources).collect(files)
    }

    /// The name at, or just before, the byte `offset`.
    #[must_use]
    pub fn at(&self, file: FileId, offset: u32) -> Option<&Occurrence> {
        let after = self
            .occurrences
            .partition_point(|one| (one.span.file, one.span.start) <= (file, offset));
        let before = self.occurrences.get(..after).unwrap_or_default();
        let found = before.last()?;
        (found.span.file == file && found.span.touches(offset)).then_some(found)
    }

    /// A symbol of this index.
    #[must_use]
    pub fn symbol(&self, id: SymbolId) -> Option<&Symbol> {
        self.symbols.get(id.0)
    }

    /// Every symbol, in the order in which it was first met.
    pub fn symbols(&self) -> impl Iterator<Item = &Symbol> {
        self.symbols.iter()
    }

    /// The symbol of this kind and name; of variables, the first.
    #[must_use]
    pub fn find(&self, kind: SymbolKind, name: &str) -> Option<&Symbol> {
        let mut symbols = self.symbols.iter();
        symbols.find(|one| one.kind == kind && one.name == name)
    }

    /// Every place of a symbol.
    pub fn of_symbol(&self, id: SymbolId) -> impl Iterator<Item = &Occurrence> {
        self.occurrences.iter().filter(move |one| one.symbol == id)
    }

    /// Every place in a file.
    #[must_use]
    pub fn in_file(&self, file: FileId) -> &[Occurrence] {
        let start = self.occurrences.partition_point(|one| one.span.file < file);
        let end = self
            .occurrences
            .partition_point(|one| one.span.file <= file);
        self.occurrences.get(start..end).unwrap_or_default()
    }
}

impl SymbolKind {
    /// As messages call it.
    #[must_use]
    pub const fn noun(self) -> &'static str {
        match self {
            Self::Tier => "tier",
            Self::Model => "model",
            Self::Catalog => "catalog entry",
            Self::Pool => "pool",
            Self::Provider => "provider",
            Self::Secret => "secret",
            Self::Constant => "constant",
            Self::Content => "content section",
            Self::Escalation => "escalation",
            Self::Rule => "rule",
            Self::Variable => "variable",
        }
    }

    /// Whether its name is a label: any text, in quotes.
    #[must_use]
    pub const fn is_label(self) -> bool {
        matches!(self, Self::Escalation | Self::Rule)
    }
}
