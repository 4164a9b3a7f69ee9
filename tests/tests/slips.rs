//! Broken variants of two sound files, as people break files: each slip is one mistake and gives one finding.
//!
//! `tests/slips/*.slips` holds them: those in `reuse.slips` break `reuse.route`, which builds on the other, `base.route`. A slip is a title, the lines taken out (`-`), those put in for them (`+`),
//! how many mistakes that is if not one a hunk (`= 2`), and what is said of it (`>`):
//! `line:column-column CODE message | label | help | fix`. `WAYPOST_BLESS=1` writes what is said anew.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    reason = "tests"
)]

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use waypost_compiler::{Checked, check};
use waypost_lang::Diagnostic;
use waypost_lang::syntax::{TokenKind, tokens};

const BASE: &str = include_str!("../slips/base.route");

/// Imports, overlays, a catalog and demands, on top of [`BASE`].
const REUSE: &str = include_str!("../slips/reuse.route");

fn compile(text: &str) -> Checked {
    check("slip.route", text, &|path: &str| {
        (path == "base.route").then(|| BASE.to_owned())
    })
}

fn errors(checked: &Checked) -> Vec<&Diagnostic> {
    let all = checked.diagnostics.iter();
    all.filter(|found| found.is_error()).collect()
}

/// One way to break the file.
struct Slip {
    title: String,
    /// The file that it breaks.
    base: &'static str,
    /// Lines taken out, lines put in.
    hunks: Vec<(Vec<String>, Vec<String>)>,
    mistakes: usize,
    expected: Vec<String>,
}

impl Slip {
    fn read(base: &'static str, text: &str) -> Self {
        let mut lines = text.lines();
        let mut slip = Self {
            title: lines.next().unwrap().to_owned(),
            base,
            hunks: Vec::new(),
            mistakes: 0,
            expected: Vec::new(),
        };
        for line in lines {
            if let Some(old) = line.strip_prefix('-') {
                match slip.hunks.last_mut() {
                    Some((olds, news)) if news.is_empty() => olds.push(old.to_owned()),
                    _ => slip.hunks.push((vec![old.to_owned()], Vec::new())),
                }
            } else if let Some(new) = line.strip_prefix('+') {
                slip.hunks.last_mut().unwrap().1.push(new.to_owned());
            } else if let Some(number) = line.strip_prefix("= ") {
                slip.mistakes = number.parse().unwrap();
            } else if let Some(said) = line.strip_prefix("> ") {
                slip.expected.push(said.to_owned());
            }
        }
        if slip.mistakes == 0 {
            slip.mistakes = slip.hunks.len();
        }
        slip
    }

    fn apply(&self) -> String {
        let mut text = format!("\n{}", self.base);
        for (old, new) in &self.hunks {
            let old = format!("\n{}\n", old.join("\n"));
            let count = text.matches(&old).count();
            assert_eq!(count, 1, "{}: {old}", self.title);
            text = text.replacen(&old, &format!("\n{}\n", new.join("\n")), 1);
        }
        text[1..].to_owned()
    }

    /// The slip as its file has it, with what is said of it now.
    fn write(&self, said: &[String]) -> String {
        let mut text = format!("## {}\n", self.title);
        for (old, new) in &self.hunks {
            old.iter()
                .for_each(|line| writeln!(text, "-{line}").unwrap());
            new.iter()
                .for_each(|line| writeln!(text, "+{line}").unwrap());
        }
        if self.mistakes != self.hunks.len() {
            writeln!(text, "= {}", self.mistakes).unwrap();
        }
        said.iter()
            .for_each(|line| writeln!(text, "> {line}").unwrap());
        text
    }
}

fn said(checked: &Checked) -> Vec<String> {
    let line = |found: &&Diagnostic| {
        let (_, line, column) = checked.sources.position(found.primary.span);
        let length = found.primary.span.end - found.primary.span.start;
        let mut text = format!(
            "{line}:{column}-{} {} {} | {} | {}",
            column + length,
            found.code.number,
            found.message,
            found.primary.message,
            found.help.as_deref().unwrap_or("-")
        );
        if let Some(fix) = &found.fix {
            write!(text, " | fix: {}", fix.title).unwrap();
        }
        text
    };
    errors(checked).iter().map(line).collect()
}

fn files() -> Vec<(PathBuf, Vec<Slip>)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("slips");
    let entries = std::fs::read_dir(folder).unwrap();
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    paths.retain(|path| path.extension().is_some_and(|one| one == "slips"));
    paths.sort();
    let read = |path: PathBuf| {
        let text = std::fs::read_to_string(&path).unwrap();
        let slips = format!("\n{text}");
        let base = if path.ends_with("reuse.slips") {
            REUSE
        } else {
            BASE
        };
        let slips = slips.split("\n## ").skip(1);
        let slips = slips.map(|slip| Slip::read(base, slip)).collect();
        (path, slips)
    };
    paths.into_iter().map(read).collect()
}

#[test]
fn the_bases_are_sound() {
    for base in [BASE, REUSE] {
        assert_eq!(said(&compile(base)), Vec::<String>::new());
    }
}

#[test]
fn each_slip_is_said_once_and_says_what_to_do() {
    let bless = std::env::var_os("WAYPOST_BLESS").is_some();
    let (mut count, mut wrong) = (0, String::new());
    for (path, slips) in files() {
        let mut blessed = Vec::new();
        for slip in &slips {
            let checked = compile(&slip.apply());
            let said = said(&checked);
            if said.len() != slip.mistakes || (!bless && said != slip.expected) {
                write!(wrong, "\n{}", slip.write(&said)).unwrap();
            }
            for found in errors(&checked) {
                assert!(
                    !found.primary.message.is_empty(),
                    "{}: no label",
                    slip.title
                );
                assert!(found.help.is_some(), "{}: no help", slip.title);
                assert!(!found.message.ends_with('.'), "{}", slip.title);
                assert!(
                    !found.message.starts_with(char::is_uppercase),
                    "{}",
                    slip.title
                );
            }
            blessed.push(slip.write(&said));
            count += 1;
        }
        if bless {
            std::fs::write(path, blessed.join("\n")).unwrap();
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
    assert!(count >= 250, "{count} slips");
}

/// What a fix changes is the mistake: fewer findings are left, and none that was not there.
#[test]
fn a_fix_takes_its_mistake_away() {
    let mut fixed = 0;
    for slip in files().into_iter().flat_map(|(_, slips)| slips) {
        let text = slip.apply();
        let checked = compile(&text);
        let found = errors(&checked);
        for one in found.iter().filter(|one| one.fix.is_some()) {
            let mut edits = one.fix.clone().unwrap().edits;
            edits.sort_by_key(|edit| std::cmp::Reverse(edit.span.start));
            let mut edited = text.clone();
            for edit in edits {
                let range = edit.span.start as usize..edit.span.end as usize;
                edited.replace_range(range, &edit.text);
            }
            let left = compile(&edited);
            assert!(
                errors(&left).len() < found.len(),
                "{}: {:?}\n{edited}",
                slip.title,
                said(&left)
            );
            fixed += 1;
        }
    }
    assert!(fixed >= 100, "{fixed} fixes");
}

/// The errors that are of how a text is written, not of what it says.
fn unreadable(text: &str) -> Vec<String> {
    let mut said = said(&compile(text));
    said.retain(|one| one.contains(" WP00"));
    said
}

/// What editors, transfers and wrong file names make of a file: one mistake gives one finding; an archive whose first
/// line reads as words is besides said to have no edition.
#[test]
fn a_file_of_another_encoding_or_kind_is_said_once() {
    let utf16 = BASE
        .chars()
        .fold(String::new(), |text, c| text + &format!("{c}\0"));
    let crlf = BASE.replace('\n', "\r\n");
    let cases: [(&str, &str, usize); 13] = [
        ("a byte order mark", &format!("\u{feff}{BASE}"), 0),
        ("two of them", &format!("\u{feff}\u{feff}{BASE}"), 1),
        ("carriage returns", &crlf, 0),
        ("both", &format!("\u{feff}{crlf}"), 0),
        ("no newline at its end", BASE.trim_end(), 0),
        ("many of them", &format!("{BASE}{}", "\r\n".repeat(9)), 0),
        ("a zero at its end", &format!("{BASE}\0"), 1),
        ("empty", "", 1),
        ("blank", " \n\t\r\n", 1),
        ("only a mark", "\u{feff}", 1),
        ("UTF-16", &utf16, 1),
        (
            "a program",
            "\u{7f}ELF\u{2}\u{1}\u{1}\0\0\0\0\0\0\u{3}\0>\0\u{1}\0\n\0@\u{5}\0\n{\0}(\0",
            1,
        ),
        (
            "an archive",
            "PK\u{3}\u{4}\n\0\0\u{8}\0\u{1}\n\0a.route\0\n",
            2,
        ),
    ];
    let mut wrong = String::new();
    for (name, text, expected) in cases {
        let said = said(&compile(text));
        if said.len() != expected {
            write!(wrong, "\n{name}: {said:#?}").unwrap();
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}

#[test]
fn carriage_returns_change_no_finding() {
    for slip in files().into_iter().flat_map(|(_, slips)| slips) {
        let text = slip.apply();
        let codes = |text: &str| {
            let checked = compile(text);
            let place = |found: &&Diagnostic| {
                let (_, line, column) = checked.sources.position(found.primary.span);
                (line, column, found.code.number)
            };
            errors(&checked).iter().map(place).collect::<Vec<_>>()
        };
        let crlf = text.replace('\n', "\r\n");
        assert_eq!(codes(&crlf), codes(&text), "{}", slip.title);
    }
}

/// Wherever a file breaks off, that is said once of each block that is left open, and of the statement that is cut.
#[test]
fn a_file_that_breaks_off_is_said_of_what_is_open() {
    let mut wrong = String::new();
    for end in (0..BASE.len()).filter(|end| BASE.is_char_boundary(*end)) {
        let text = &BASE[..end];
        let said = unreadable(text);
        let unclosed = said.iter().filter(|one| one.contains(" WP0007 ")).count();
        let open = tokens(text).fold(0, |open, token| match token.kind {
            TokenKind::OpenBrace | TokenKind::OpenParen => open + 1,
            TokenKind::CloseBrace | TokenKind::CloseParen => open - 1,
            _ if token.text(text) == "[" => open + 1,
            _ if token.text(text) == "]" => open - 1,
            _ => open,
        });
        // Of a word that is cut: it is no word, and something is missing behind it.
        let cut = said.len() - unclosed;
        if unclosed > open || cut > 2 {
            let last = text.lines().last();
            write!(wrong, "\n{end} {last:?} {open}: {said:#?}").unwrap();
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}
