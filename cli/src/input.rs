//! The .route files that a command is given: by name, found in folders, or read from standard input.

use std::fs;
use std::path::{Path, PathBuf};

use clap::Args;

use crate::failure::Failure;
use crate::terminal::Terminal;

/// The name of standard input.
const STANDARD_INPUT: &str = "-";

/// One file.
#[derive(Debug, Args)]
pub(crate) struct FileArgument {
    /// A .route file, or - for standard input
    #[arg(value_name = "FILE")]
    path: PathBuf,
    #[command(flatten)]
    name: InputName,
}

/// One file, compiled or not.
#[derive(Debug, Clone, Args)]
pub(crate) struct PlanArgument {
    /// A .route file, a plan that `build` wrote, or - for standard input
    #[arg(value_name = "FILE|PLAN")]
    path: PathBuf,
    #[command(flatten)]
    name: InputName,
}

/// How standard input is called.
#[derive(Debug, Clone, Args)]
pub(crate) struct InputName {
    /// What standard input is called: in messages, and for where its imports are
    #[arg(long, value_name = "NAME", default_value = "stdin.route")]
    stdin_filename: String,
}

/// Files and folders.
#[derive(Debug, Args)]
pub(crate) struct PathArguments {
    /// .route files, folders to search for them, or - for standard input
    #[arg(required = true, value_name = "PATH")]
    paths: Vec<PathBuf>,
    #[command(flatten)]
    name: InputName,
}

/// A text to work on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Input {
    /// As messages show it.
    pub(crate) name: String,
    /// Its text.
    pub(crate) text: String,
    /// Where it came from.
    pub(crate) origin: Origin,
}

/// Where a text came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Origin {
    /// Its name was given.
    Named,
    /// It was found in a folder.
    Found,
    /// Standard input.
    Standard,
}

impl FileArgument {
    /// Reads it.
    pub(crate) fn read(&self, terminal: &mut Terminal<'_>) -> Result<Input, Failure> {
        self.name.read_file(&self.path, terminal)
    }
}

impl PlanArgument {
    /// Where this user keeps what belongs to this file from one run to the next; `None` where there is no such place.
    /// The folder has the file's whole path as its name, with `%` between its parts, as editors do.
    pub(crate) fn folder_of_its_own(&self) -> Option<PathBuf> {
        let path = std::fs::canonicalize(&self.path).ok()?;
        let name = path.to_str()?.replace(std::path::MAIN_SEPARATOR, "%");
        let variable = |name| std::env::var_os(name).filter(|value| !value.is_empty());
        let base = variable("XDG_STATE_HOME").map(PathBuf::from);
        let base = base.or_else(|| Some(PathBuf::from(variable("HOME")?).join(".local/state")))?;
        Some(base.join("waypost").join(name))
    }

    /// Whether it is standard input.
    pub(crate) fn is_standard_input(&self) -> bool {
        self.path.as_os_str() == STANDARD_INPUT
    }

    /// Where it is.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Its bytes, and what messages call it.
    pub(crate) fn read(&self, terminal: &mut Terminal<'_>) -> Result<(String, Vec<u8>), Failure> {
        let (name, bytes) = if self.is_standard_input() {
            (self.name.stdin_filename.clone(), terminal.read_input())
        } else {
            let name = self.path.to_string_lossy().into_owned();
            (name, fs::read(&self.path))
        };
        let bytes = bytes.map_err(|error| Failure::file("read", Path::new(&name), error))?;
        Ok((name, bytes))
    }
}

impl PathArguments {
    /// What was given.
    pub(crate) fn paths(&self) -> impl Iterator<Item = &Path> {
        self.paths.iter().map(PathBuf::as_path)
    }

    /// Whether standard input is among them.
    pub(crate) fn has_standard_input(&self) -> bool {
        self.paths().any(|path| path.as_os_str() == STANDARD_INPUT)
    }

    /// Reads them all but standard input.
    pub(crate) fn read_files(&self) -> Result<Vec<Input>, Failure> {
        let mut inputs = Vec::new();
        for path in self.paths() {
            if path.as_os_str() != STANDARD_INPUT {
                read_path(path, &mut inputs)?;
            }
        }
        Ok(inputs)
    }

    /// Reads them all: in the order given, those of a folder by name.
    pub(crate) fn read(&self, terminal: &mut Terminal<'_>) -> Result<Vec<Input>, Failure> {
        let mut inputs = Vec::new();
        for path in &self.paths {
            if path.as_os_str() == STANDARD_INPUT {
                inputs.push(self.name.read(terminal)?);
            } else {
                read_path(path, &mut inputs)?;
            }
        }
        Ok(inputs)
    }
}

impl InputName {
    /// Reads a file, or standard input where it is called `-`.
    pub(crate) fn read_file(
        &self,
        path: &Path,
        terminal: &mut Terminal<'_>,
    ) -> Result<Input, Failure> {
        if path.as_os_str() == STANDARD_INPUT {
            return self.read(terminal);
        }
        read(path, Origin::Named)
    }

    fn read(&self, terminal: &mut Terminal<'_>) -> Result<Input, Failure> {
        let failed = |error| Failure::file("read", Path::new("standard input"), error);
        let bytes = terminal.read_input().map_err(failed)?;
        let text = String::from_utf8(bytes)
            .map_err(|_| Failure::Other("standard input is not UTF-8".to_owned()))?;
        Ok(Input {
            name: self.stdin_filename.clone(),
            text,
            origin: Origin::Standard,
        })
    }
}

/// A file, or all of a folder by name.
fn read_path(path: &Path, inputs: &mut Vec<Input>) -> Result<(), Failure> {
    if !path.is_dir() {
        inputs.push(read(path, Origin::Named)?);
        return Ok(());
    }
    let mut found = Vec::new();
    search(path, &mut found)?;
    if found.is_empty() {
        let folder = path.display();
        return Err(Failure::Other(format!(
            "no .route file is in `{folder}` or its folders"
        )));
    }
    found.sort();
    for file in found {
        inputs.push(read(&file, Origin::Found)?);
    }
    Ok(())
}

fn read(path: &Path, origin: Origin) -> Result<Input, Failure> {
    let text = fs::read_to_string(path).map_err(|error| Failure::file("read", path, error))?;
    Ok(Input {
        name: path.to_string_lossy().into_owned(),
        text,
        origin,
    })
}

/// Folders that begin with a dot, and links, are left out: neither `.git` nor a circle is searched.
fn search(folder: &Path, found: &mut Vec<PathBuf>) -> Result<(), Failure> {
    let failed = |error| Failure::file("search", folder, error);
    for entry in fs::read_dir(folder).map_err(failed)? {
        let entry = entry.map_err(failed)?;
        let kind = entry.file_type().map_err(failed)?;
        let path = entry.path();
        let hidden = entry.file_name().to_string_lossy().starts_with('.');
        if kind.is_dir() && !hidden {
            search(&path, found)?;
        } else if kind.is_file()
            && path
                .extension()
                .is_some_and(|extension| extension == "route")
        {
            found.push(path);
        }
    }
    Ok(())
}
