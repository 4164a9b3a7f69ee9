//! Notices that the plan, or a secret that it reads from a file, has changed.
//!
//! Folders are watched, not files: editors put a new file in the place of the old one, and Kubernetes puts a link to
//! another folder in the place of the one that the files are links into. What counts is what is read in the end: where
//! that is the same nothing has changed, whatever happened on the way.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use notify::{RecommendedWatcher, RecursiveMode, Watcher as _};
use ring::digest::{Digest, SHA256, digest};
use tokio::sync::Notify;
use tokio::task::spawn_blocking;
use tokio::time::{sleep, timeout};

use super::Current;

/// What happens within this of one another is one change.
const QUIET: Duration = Duration::from_millis(100);
/// The longest that one change may go on happening.
const MOST_QUIETS: usize = 20;
/// Between two looks where no event came: not every file system tells.
const PAUSE: Duration = Duration::from_secs(10);

/// What the files hold: the digest of each that can be read.
type Contents = Vec<(PathBuf, Option<Vec<u8>>)>;

/// Replaces the plan whenever its files have changed, for ever.
pub(crate) async fn watch(current: Arc<Current>) {
    if current.settings.source.is_none() {
        return;
    }
    let changed = Arc::new(Notify::new());
    let mut folders = Folders::new(&changed);
    folders.follow(&files(&current));
    let mut known = contents(files(&current)).await;
    // What is served was read before anything was watched.
    if is_outdated(&current).await {
        let _ = current.reload().await;
    }
    loop {
        if timeout(PAUSE, changed.notified()).await.is_ok() {
            settle(&changed).await;
        }
        let found = contents(files(&current)).await;
        if found == known {
            continue;
        }
        // Whatever comes of it: a plan that is refused is not tried again until it changes.
        let _ = current.reload().await;
        let files = files(&current);
        folders.follow(&files);
        known = with_new(found, files).await;
    }
}

/// Whether what would be read now is not the plan that is served.
async fn is_outdated(current: &Current) -> bool {
    let Some(source) = current.settings.source.clone() else {
        return false;
    };
    let read = spawn_blocking(move || source.read());
    let served = current.gateway().plan.source_hash();
    !matches!(read.await, Ok(Ok(plan)) if plan.source_hash() == served)
}

/// Waits until nothing happens for a moment.
async fn settle(changed: &Notify) {
    for _ in 0..MOST_QUIETS {
        if timeout(QUIET, changed.notified()).await.is_err() {
            return;
        }
    }
    sleep(QUIET).await;
}

/// What the files held before they were read; of those that only the new plan names, what they hold now.
async fn with_new(mut found: Contents, files: Vec<PathBuf>) -> Contents {
    found.retain(|(path, _)| files.contains(path));
    let is_new = |path: &PathBuf| !found.iter().any(|(known, _)| known == path);
    let new = files.into_iter().filter(is_new).collect();
    found.extend(contents(new).await);
    found.sort();
    found
}

/// The plan's files, and those of its secrets.
fn files(current: &Current) -> Vec<PathBuf> {
    let gateway = current.gateway();
    let secrets = &current.settings.secrets;
    let of_secrets = gateway
        .plan
        .secrets()
        .filter_map(|secret| secrets.file(secret.name(), secret.source()));
    let source = current.settings.source.iter();
    let mut files: Vec<PathBuf> = source
        .flat_map(|source| source.files())
        .chain(of_secrets)
        .chain(current.settings.upstream_tls.files())
        .collect();
    files.sort();
    files.dedup();
    files
}

async fn contents(files: Vec<PathBuf>) -> Contents {
    let read = move || {
        let digest_of = |path: &PathBuf| -> Option<Digest> {
            let bytes = std::fs::read(path).ok()?;
            Some(digest(&SHA256, &bytes))
        };
        let contents = files.into_iter().map(|path| {
            let digest = digest_of(&path).map(|digest| digest.as_ref().to_vec());
            (path, digest)
        });
        contents.collect()
    };
    spawn_blocking(read).await.unwrap_or_default()
}

/// The folders that are watched.
struct Folders {
    watcher: Option<RecommendedWatcher>,
    watched: BTreeSet<PathBuf>,
}

impl Folders {
    fn new(changed: &Arc<Notify>) -> Self {
        let changed = Arc::clone(changed);
        let watcher = notify::recommended_watcher(move |event: notify::Result<notify::Event>| {
            let is_read = event.is_ok_and(|event| event.kind.is_access());
            if !is_read {
                changed.notify_one();
            }
        });
        if let Err(error) = &watcher {
            tracing::warn!(%error, "changes of the plan are looked for every {PAUSE:?}: the system does not tell of them");
        }
        Self {
            watcher: watcher.ok(),
            watched: BTreeSet::new(),
        }
    }

    /// Watches the folders of these files too.
    fn follow(&mut self, files: &[PathBuf]) {
        let Some(watcher) = &mut self.watcher else {
            return;
        };
        for file in files {
            let folder = match file.parent() {
                Some(folder) if !folder.as_os_str().is_empty() => folder.to_owned(),
                _ => PathBuf::from("."),
            };
            if self.watched.contains(&folder) || !folder.is_dir() {
                continue;
            }
            match watcher.watch(&folder, RecursiveMode::NonRecursive) {
                Ok(()) => drop(self.watched.insert(folder)),
                Err(error) => {
                    tracing::warn!(%error, folder = %folder.display(), "changes here are looked for every {PAUSE:?}");
                }
            }
        }
    }
}
