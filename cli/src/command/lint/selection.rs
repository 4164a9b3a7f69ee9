//! `--select` and `--ignore`: which warnings are wanted.

use waypost_lang::{Code, Diagnostic, codes};

use crate::command::unknown_code;
use crate::failure::Failure;

/// Which warnings are wanted.
#[derive(Debug)]
pub(super) struct Selection {
    /// All of them where none is named.
    selected: Vec<Code>,
    ignored: Vec<Code>,
}

impl Selection {
    /// Reads what was written after `--select` and `--ignore`.
    pub(super) fn new(select: &[String], ignore: &[String]) -> Result<Self, Failure> {
        let meant = |written: &[String]| -> Result<Vec<Code>, Failure> {
            let mut codes = Vec::new();
            for text in written {
                codes.extend(meant(text.trim())?);
            }
            Ok(codes)
        };
        let selected = match meant(select)? {
            codes if select.is_empty() => codes::ALL.iter().copied().chain(codes).collect(),
            codes => codes,
        };
        Ok(Self {
            selected,
            ignored: meant(ignore)?,
        })
    }

    /// Errors are always wanted: a file that does not compile is never fine.
    pub(super) fn wants(&self, one: &Diagnostic) -> bool {
        one.is_error() || (self.selected.contains(&one.code) && !self.ignored.contains(&one.code))
    }
}

/// The codes that a word means: a code, the beginning of some, or a name.
fn meant(text: &str) -> Result<Vec<Code>, Failure> {
    let upper = text.to_ascii_uppercase();
    let is_meant = |code: &&Code| {
        code.name == text || (upper.starts_with("WP") && code.number.starts_with(&upper))
    };
    let codes: Vec<Code> = codes::ALL.iter().filter(is_meant).copied().collect();
    if codes.is_empty() {
        return Err(unknown_code(text));
    }
    Ok(codes)
}
