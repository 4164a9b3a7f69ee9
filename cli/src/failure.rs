//! How a command ends, and why one could not do its work.

use std::io;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// How the process ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// All is well.
    Fine,
    /// There are findings, or tests failed.
    Findings,
    /// The command could not do its work.
    Failed,
}

impl Exit {
    /// [`Exit::Findings`] if there are any.
    pub(crate) const fn findings(any: bool) -> Self {
        if any { Self::Findings } else { Self::Fine }
    }

    /// The number that the shell sees.
    #[must_use]
    pub const fn code(self) -> u8 {
        match self {
            Self::Fine => 0,
            Self::Findings => 1,
            Self::Failed => 2,
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        exit.code().into()
    }
}

/// Why a command could not do its work.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Failure {
    /// A file or folder.
    #[error("cannot {verb} `{}`: {}", path.display(), reason(source))]
    File {
        /// `read`, `write`, …
        verb: &'static str,
        path: PathBuf,
        source: io::Error,
    },
    /// The output is gone or full.
    #[error("cannot write the output: {0}")]
    Output(#[source] io::Error),
    /// Anything else that has one cause.
    #[error("{0}")]
    Other(String),
}

impl Failure {
    /// Why `path` could not be had.
    pub(crate) fn file(verb: &'static str, path: &Path, source: io::Error) -> Self {
        Self::File {
            verb,
            path: path.to_owned(),
            source,
        }
    }

    /// Whether the reader of the output has gone: `waypost … | head`.
    pub(crate) fn is_closed_output(&self) -> bool {
        matches!(self, Self::Output(error) if error.kind() == io::ErrorKind::BrokenPipe)
    }
}

/// The system's words in our spelling.
fn reason(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::NotFound => "there is no such file".to_owned(),
        io::ErrorKind::PermissionDenied => "permission denied".to_owned(),
        io::ErrorKind::IsADirectory => "it is a folder".to_owned(),
        io::ErrorKind::InvalidData => "it is not UTF-8".to_owned(),
        _ => error.to_string(),
    }
}
