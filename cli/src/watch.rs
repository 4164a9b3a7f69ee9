//! `--watch`: does a command's work again whenever one of its files, or a file that they import, changes.
//!
//! Folders are watched, not files: editors put a new file in the place of the old one, and an import that is not there
//! yet may come. What happens within a moment is one change. It ends with the process, on Ctrl-C.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::Duration;

use notify::{EventKind, RecommendedWatcher, RecursiveMode, Watcher as _};

use crate::command::plural;
use crate::failure::{Exit, Failure};
use crate::input::PathArguments;
use crate::inspection::check_all;
use crate::terminal::Terminal;

/// An editor that saves writes several times within this.
const QUIET: Duration = Duration::from_millis(60);

/// Runs `work` now and after every change, until the process is ended.
pub(crate) fn watch(
    paths: &PathArguments,
    terminal: &mut Terminal<'_>,
    mut work: impl FnMut(&mut Terminal<'_>) -> Result<Exit, Failure>,
) -> Result<Exit, Failure> {
    if paths.has_standard_input() {
        let message = "standard input does not change: `--watch` needs files or folders";
        return Err(Failure::Other(message.to_owned()));
    }
    let (sender, events) = channel();
    let mut watcher = notify::recommended_watcher(sender).map_err(|error| failed(&error))?;
    let mut folders = Folders::default();
    loop {
        // Before the files are read: what changes while they are is seen.
        folders.follow(paths, &mut watcher)?;
        terminal.clear()?;
        match work(terminal) {
            Ok(_) => {}
            Err(failure) if failure.is_closed_output() => return Err(failure),
            // A file that is gone may be on its way back.
            Err(failure) => terminal.complain(&failure.to_string())?,
        }
        folders.follow(paths, &mut watcher)?;
        let files = plural(folders.files.len(), "file");
        terminal.note(&format!("watching {files}, Ctrl-C ends it"))?;
        terminal.flush()?;
        folders.wait(&events)?;
    }
}

/// What is watched.
#[derive(Debug, Default)]
struct Folders {
    /// The files that matter: given, found, or imported.
    files: BTreeSet<PathBuf>,
    /// The folders that were given: every .route file in them matters.
    searched: Vec<PathBuf>,
    watched: BTreeSet<PathBuf>,
}

impl Folders {
    /// Watches the folders of all files as they are now; what was watched stays so.
    fn follow(
        &mut self,
        paths: &PathArguments,
        watcher: &mut RecommendedWatcher,
    ) -> Result<(), Failure> {
        let (files, folders): (Vec<&Path>, Vec<&Path>) =
            paths.paths().partition(|path| !path.is_dir());
        self.files.extend(files.into_iter().map(absolute));
        self.searched = folders.into_iter().map(absolute).collect();
        for folder in self.searched.clone() {
            self.add(folder, RecursiveMode::Recursive, watcher)?;
        }
        if let Ok(inputs) = paths.read_files() {
            for (_, checked) in check_all(&inputs) {
                let names = checked.sources.files().map(|(_, file)| file.name());
                let found = names.map(Path::new).filter(|path| path.exists());
                self.files.extend(found.map(absolute));
            }
        }
        let parents = self.files.iter().filter_map(|file| file.parent());
        let parents: BTreeSet<PathBuf> = parents.map(Path::to_owned).collect();
        for folder in parents {
            let covered = self.searched.iter().any(|one| folder.starts_with(one));
            if !covered {
                self.add(folder, RecursiveMode::NonRecursive, watcher)?;
            }
        }
        Ok(())
    }

    fn add(
        &mut self,
        folder: PathBuf,
        mode: RecursiveMode,
        watcher: &mut RecommendedWatcher,
    ) -> Result<(), Failure> {
        if self.watched.contains(&folder) || !folder.is_dir() {
            return Ok(());
        }
        watcher
            .watch(&folder, mode)
            .map_err(|error| failed(&error))?;
        self.watched.insert(folder);
        Ok(())
    }

    /// Until one of the files has changed, and for a moment nothing more.
    fn wait(&self, events: &Receiver<notify::Result<notify::Event>>) -> Result<(), Failure> {
        loop {
            let event = events.recv().map_err(|_| ended())?;
            if event.is_ok_and(|event| self.concerns(&event)) {
                break;
            }
        }
        loop {
            match events.recv_timeout(QUIET) {
                Ok(_) => {}
                Err(RecvTimeoutError::Timeout) => return Ok(()),
                Err(RecvTimeoutError::Disconnected) => return Err(ended()),
            }
        }
    }

    /// Whether it changed a file that matters, or any .route file beside one.
    fn concerns(&self, event: &notify::Event) -> bool {
        if matches!(event.kind, EventKind::Access(_)) {
            return false;
        }
        let matters = |path: &PathBuf| {
            let is_route = path.extension().is_some_and(|ending| ending == "route");
            is_route || self.files.contains(path)
        };
        event.need_rescan() || event.paths.iter().any(matters)
    }
}

/// The path from the root, without following a link in its last part: a link that is put elsewhere is a change.
fn absolute(path: &Path) -> PathBuf {
    let folder = match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    match (folder.canonicalize(), path.file_name()) {
        (Ok(folder), Some(name)) => folder.join(name),
        _ => path.canonicalize().unwrap_or_else(|_| path.to_owned()),
    }
}

fn failed(error: &notify::Error) -> Failure {
    Failure::Other(format!("cannot watch for changes: {error}"))
}

fn ended() -> Failure {
    Failure::Other("the system stopped telling of changes".to_owned())
}
