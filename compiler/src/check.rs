//! From text to a checked program: load, resolve, check.
//!
//! Invariants: a program comes out iff no diagnostic is an error; diagnostics stand in the order of files and
//! positions, each once.

use waypost_lang::syntax::tree::File;
use waypost_lang::{Diagnostic, SourceMap, Span};

use crate::findings::Findings;
use crate::imports::Imports;
use crate::load::{self, Loader};
use crate::{Program, checks, demands, resolve};

/// What came of checking a file and all it imports.
#[derive(Debug)]
pub struct Checked {
    /// Every file read, the one asked for first.
    pub sources: SourceMap,
    /// Their trees, in the same order.
    pub files: Vec<File>,
    /// Every comment of every file, by file and position, the slashes included.
    pub comments: Vec<Span>,
    /// Which file imports which.
    pub imports: Imports,
    /// The checked program; absent if there are errors.
    pub program: Option<Program>,
    /// Everything found, by file and position.
    pub diagnostics: Vec<Diagnostic>,
}

/// Checks the file `name` with content `text`, and what it imports through `loader`.
#[must_use]
pub fn check(name: &str, text: &str, loader: &dyn Loader) -> Checked {
    let mut findings = Findings::default();
    let mut loaded = load::load(name, text, loader, &mut findings);
    findings.set_unread(std::mem::take(&mut loaded.unread));
    let reads_well = !findings.has_errors();
    let resolved = resolve::resolve(&loaded, &mut findings);
    if let Some(program) = &resolved {
        checks::check_program(program, &mut findings);
        // A `keep` may be among what could not be read.
        if reads_well {
            findings.extend(checks::window::nameless_sessions(program));
        }
        // What an organisation demands is asked of a file that is sound.
        if !findings.has_errors() {
            let (sources, imports) = (&loaded.sources, &loaded.imports);
            findings.extend(demands::check(program, sources, imports));
        }
    }
    let diagnostics = findings.into_sorted();
    let failed = diagnostics.iter().any(Diagnostic::is_error);
    Checked {
        sources: loaded.sources,
        files: loaded.files,
        comments: loaded.comments,
        imports: loaded.imports,
        program: resolved.filter(|_| !failed),
        diagnostics,
    }
}
