//! The files beside the open documents.

use std::fs;
use std::path::Path;

use super::project::Files;

/// A file larger than this is none of ours.
const LARGEST: u64 = 16 << 20;
/// Folders are searched so deep.
const DEEPEST: usize = 12;
/// So many files and folders are looked at, at most: a home folder opened by mistake must not stop the editor.
const MOST_ENTRIES: usize = 50_000;
/// Folders of others' files.
const SKIPPED: &[&str] = &["node_modules", "target", "vendor", "dist"];

/// The file system.
#[derive(Debug, Clone, Copy, Default)]
pub struct Disk;

impl Files for Disk {
    fn read(&self, path: &str) -> Option<String> {
        let path = Path::new(path);
        let small = fs::metadata(path).is_ok_and(|one| one.is_file() && one.len() <= LARGEST);
        // A path that does not begin at the root would depend on where the editor was started.
        let text = (small && path.is_absolute()).then(|| fs::read_to_string(path))?;
        text.ok()
    }

    fn routes(&self, folder: &str) -> Vec<String> {
        let mut found = Vec::new();
        let mut left = MOST_ENTRIES;
        search(Path::new(folder), DEEPEST, &mut left, &mut found);
        found.sort();
        found
    }
}

/// Folders that begin with a dot, and links, are left out; what cannot be read is not there.
fn search(folder: &Path, depth: usize, left: &mut usize, found: &mut Vec<String>) {
    let Ok(entries) = fs::read_dir(folder) else {
        return;
    };
    for entry in entries.flatten() {
        if *left == 0 {
            return;
        }
        *left -= 1;
        let Ok(kind) = entry.file_type() else {
            continue;
        };
        let name = entry.file_name();
        let name = name.to_string_lossy();
        let skipped = name.starts_with('.') || SKIPPED.contains(&&*name);
        let path = entry.path();
        if kind.is_dir() && !skipped && depth > 0 {
            search(&path, depth - 1, left, found);
        } else if kind.is_file() && name.ends_with(".route") {
            found.extend(path.to_str().map(str::to_owned));
        }
    }
}
