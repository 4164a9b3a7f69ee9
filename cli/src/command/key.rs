//! `waypost key`: makes, revokes and lists the keys of a key file.
//!
//! Invariants: a key is printed once, when it is made, and never again: the file holds its digest; the file is
//! replaced as a whole or not at all, and only its owner may read it; what cannot be read is not overwritten.

use std::fs;
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use jiff::{SignedDuration, Timestamp, Unit};
use waypost_runtime::{KeyEntry, KeyFile, beginning, key_digest, new_key};

use super::Format;
use crate::failure::{Exit, Failure};
use crate::terminal::Terminal;

mod render;

/// Make, revoke and list the keys of a key file.
#[derive(Debug, Args)]
pub(crate) struct Key {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Add a key to a file and print it, this once
    New(New),
    /// Take a key back: the file keeps its entry, and calls with it are refused
    Revoke(Revoke),
    /// Show the keys of a file, without the keys themselves
    List(List),
}

/// Add a key to a file and print it, this once.
#[derive(Debug, Args)]
struct New {
    /// The key file; it is made if there is none
    file: PathBuf,
    /// What rules see as `caller.key`; a key of the same id is the same caller
    #[arg(long, value_parser = field)]
    id: Option<String>,
    /// The caller's team
    #[arg(long, value_parser = field)]
    team: Option<String>,
    /// The caller's agent
    #[arg(long, value_parser = field)]
    agent: Option<String>,
    /// The plan it pays for
    #[arg(long, value_parser = field)]
    plan: Option<String>,
    /// A name for people
    #[arg(long, value_parser = field)]
    name: Option<String>,
    /// A model that it may use; several times for several, `gpt-5*` for all that begin so
    #[arg(long = "model", value_name = "MODEL", value_parser = field)]
    models: Vec<String>,
    /// For how long: 90d, 12h; or until when: 2027-01-31
    #[arg(long, value_name = "WHEN", value_parser = expiry)]
    expires: Option<Timestamp>,
    /// How to write it
    #[arg(long, value_enum, default_value = "human")]
    format: Format,
}

/// Take a key back.
#[derive(Debug, Args)]
struct Revoke {
    /// The key file
    file: PathBuf,
    /// An id, the beginning of a key as `list` shows it, or of its digest
    which: String,
    /// How to write it
    #[arg(long, value_enum, default_value = "human")]
    format: Format,
}

/// Show the keys of a file.
#[derive(Debug, Args)]
struct List {
    /// The key file
    file: PathBuf,
    /// How to write it
    #[arg(long, value_enum, default_value = "human")]
    format: Format,
}

impl Key {
    pub(super) fn run(&self, terminal: &mut Terminal<'_>) -> Result<Exit, Failure> {
        let text = match &self.action {
            Action::New(new) => new.run(terminal)?,
            Action::Revoke(revoke) => revoke.run()?,
            Action::List(list) => list.run()?,
        };
        terminal.print(&text)?;
        Ok(Exit::Fine)
    }
}

impl New {
    fn run(&self, terminal: &mut Terminal<'_>) -> Result<String, Failure> {
        let _lock = Lock::take(&self.file)?;
        let mut file = match fs::exists(&self.file) {
            Ok(true) => read(&self.file)?,
            Ok(false) => KeyFile::default(),
            Err(error) => return Err(Failure::file("read", &self.file, error)),
        };
        let key = new_key().map_err(|error| Failure::Other(error.to_string()))?;
        let entry = KeyEntry {
            id: self.id.clone(),
            sha256: Some(key_digest(&key)),
            begins: beginning(&key).to_owned(),
            team: self.team.clone().unwrap_or_default(),
            agent: self.agent.clone().unwrap_or_default(),
            plan: self.plan.clone().unwrap_or_default(),
            name: self.name.clone().unwrap_or_default(),
            models: (!self.models.is_empty()).then(|| self.models.clone()),
            created: Some(now().to_string()),
            expires: self.expires.map(|until| until.to_string()),
            ..KeyEntry::default()
        };
        file.keys.push(entry.clone());
        write(&self.file, &file)?;
        if matches!(self.format, Format::Human) {
            terminal.note("the key is shown this once: the file holds only its digest")?;
        }
        Ok(render::made(&key, &entry, self.format))
    }
}

impl Revoke {
    fn run(&self) -> Result<String, Failure> {
        let _lock = Lock::take(&self.file)?;
        let mut file = read(&self.file)?;
        let chosen = chosen(&file, &self.which)?;
        let mut revoked = Vec::new();
        for (index, entry) in file.keys.iter_mut().enumerate() {
            if chosen.contains(&index) && entry.revoked.is_none() {
                entry.revoked = Some(now().to_string());
                revoked.push(index);
            }
        }
        // Once more changes nothing, not even the file.
        if !revoked.is_empty() {
            write(&self.file, &file)?;
        }
        let entries = chosen.iter().filter_map(|index| file.keys.get(*index));
        Ok(render::revoked(entries, revoked.len(), self.format))
    }
}

impl List {
    fn run(&self) -> Result<String, Failure> {
        let file = read(&self.file)?;
        Ok(render::list(&file, now(), self.format))
    }
}

/// The entries that are meant: all keys of an id, or the one that begins so.
fn chosen(file: &KeyFile, which: &str) -> Result<Vec<usize>, Failure> {
    let entries = || file.keys.iter().enumerate();
    let by_id: Vec<usize> = entries()
        .filter(|(_, entry)| name_of(entry) == which)
        .map(|(index, _)| index)
        .collect();
    if !by_id.is_empty() {
        return Ok(by_id);
    }
    let digest = key_digest(which);
    let is_meant = |entry: &KeyEntry| {
        let hash = digest_of(entry).to_ascii_lowercase();
        hash == digest
            || (which.len() >= SHORTEST
                && (entry.begins.starts_with(which) || hash.starts_with(which)))
    };
    let found: Vec<usize> = entries()
        .filter(|(_, entry)| is_meant(entry))
        .map(|(index, _)| index)
        .collect();
    match found.len() {
        1 => Ok(found),
        0 => Err(Failure::Other(
            "no key has this id, or begins so: `waypost key list` shows those that there are"
                .to_owned(),
        )),
        count => Err(Failure::Other(format!(
            "{count} keys begin so: write more of it, or an id"
        ))),
    }
}

/// A shorter beginning could be any key's.
const SHORTEST: usize = 6;

/// What rules see as `caller.key`.
fn name_of(entry: &KeyEntry) -> String {
    match &entry.id {
        Some(id) => id.clone(),
        None => digest_of(entry).chars().take(12).collect(),
    }
}

fn digest_of(entry: &KeyEntry) -> String {
    let own = || entry.key.as_deref().map(key_digest);
    entry.sha256.clone().or_else(own).unwrap_or_default()
}

fn now() -> Timestamp {
    let now = Timestamp::now();
    now.round(Unit::Second).unwrap_or(now)
}

fn field(text: &str) -> Result<String, String> {
    match text.trim() {
        "" => Err("it is empty: leave it out".to_owned()),
        text => Ok(text.to_owned()),
    }
}

/// `90d` from now, or a day or moment to come.
fn expiry(text: &str) -> Result<Timestamp, String> {
    const FORM: &str =
        "write how long, such as `90d` or `12h`, or until when, such as `2027-01-31`";
    let hours = |text: &str, unit: i64| text.parse::<i64>().ok()?.checked_mul(unit);
    let span = match (text.strip_suffix('d'), text.strip_suffix('h')) {
        (Some(days), _) => hours(days, 24),
        (_, Some(count)) => hours(count, 1),
        _ => None,
    };
    let until = match span {
        Some(hours) => {
            // Longer than any key should live, and far from what a timestamp can hold.
            let hours = Some(hours).filter(|hours| *hours <= 100 * 366 * 24);
            hours.and_then(|hours| now().checked_add(SignedDuration::from_hours(hours)).ok())
        }
        None => waypost_runtime::moment(text),
    };
    match until {
        Some(until) if until > now() => Ok(until),
        Some(_) => Err("that is over already".to_owned()),
        None => Err(FORM.to_owned()),
    }
}

fn read(path: &Path) -> Result<KeyFile, Failure> {
    let text = fs::read_to_string(path).map_err(|error| Failure::file("read", path, error))?;
    KeyFile::parse(&text).map_err(|error| Failure::Other(format!("{}: {error}", path.display())))
}

/// Puts a new file in the place of the old one: whoever reads meanwhile sees one or the other.
fn write(path: &Path, file: &KeyFile) -> Result<(), Failure> {
    // A link is kept, and what it leads to replaced.
    let target = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    let beside = beside(&target, "new");
    let replace = || -> io::Result<()> {
        let mut options = fs::OpenOptions::new();
        let mut new = options
            .write(true)
            .create(true)
            .truncate(true)
            .mode(0o600)
            .open(&beside)?;
        new.write_all(file.to_json().as_bytes())?;
        new.sync_all()?;
        fs::rename(&beside, &target)
    };
    replace().map_err(|error| {
        // What is left half written is of no use to anybody.
        let _ = fs::remove_file(&beside);
        Failure::file("write", path, error)
    })
}

fn beside(path: &Path, ending: &str) -> PathBuf {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(".");
    name.push(ending);
    path.with_file_name(name)
}

/// Held while a file is changed, so that of two commands none loses the other's key.
struct Lock(fs::File);

impl Lock {
    fn take(path: &Path) -> Result<Self, Failure> {
        let folder = match path.parent() {
            Some(folder) if folder != Path::new("") => folder,
            _ => Path::new("."),
        };
        let failed = |error| Failure::file("write", path, error);
        let folder = fs::File::open(folder).map_err(failed)?;
        folder.lock().map_err(failed)?;
        Ok(Self(folder))
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
        // It ends with the file in any case.
        let _ = self.0.unlock();
    }
}
