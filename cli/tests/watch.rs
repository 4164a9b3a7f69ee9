//! `--watch` of the binary: it does its work again when a file, or one that it imports, changes.
#![cfg(unix)]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "tests"
)]

use std::io::{BufRead as _, BufReader, Read};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

const SOUND: &str = r#"waypost 1
provider lab { kind openai-compatible  url "http://127.0.0.1:9/v1"  auth none }
model small { via lab  context 128k  output 4k  price input $0.04  output $0.08 }
tier only { try small }
content { accept "auto"  start only }
policy { callers { anonymous allow } }
"#;

/// A folder of one test's own, empty at its start.
fn folder(name: &str) -> PathBuf {
    let path = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("watch-{name}"));
    let _ = std::fs::remove_dir_all(&path);
    std::fs::create_dir_all(&path).unwrap();
    path
}

/// A watching command, ended with the test.
struct Watching {
    child: Child,
    lines: Receiver<String>,
}

impl Drop for Watching {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Watching {
    fn start(arguments: &[&str]) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_waypost"))
            .args(arguments)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let (sender, lines) = channel();
        let streams: [Box<dyn Read + Send>; 2] = [
            Box::new(child.stdout.take().unwrap()),
            Box::new(child.stderr.take().unwrap()),
        ];
        for stream in streams {
            let sender = sender.clone();
            std::thread::spawn(move || {
                for line in BufReader::new(stream).lines().map_while(Result::ok) {
                    let _ = sender.send(line);
                }
            });
        }
        Self { child, lines }
    }

    /// Waits until each of these has been in a line, in any order: there are two streams. Watching is announced when
    /// all is ready for the next change.
    fn until(&self, ends: &[&str]) -> Vec<String> {
        let mut said: Vec<String> = Vec::new();
        loop {
            let missing = |end: &&&str| !said.iter().any(|line| line.contains(**end));
            let Some(missing) = ends.iter().find(missing) else {
                return said;
            };
            let line = self.lines.recv_timeout(Duration::from_secs(30));
            said.push(line.unwrap_or_else(|_| {
                panic!("no `{missing}` within 30 seconds: {said:#?}");
            }));
        }
    }
}

#[test]
fn check_runs_again_when_the_file_changes() {
    let file = folder("check").join("a.route");
    std::fs::write(&file, SOUND).unwrap();
    let watching = Watching::start(&["check", "--watch", file.to_str().unwrap()]);
    let said = watching.until(&["watching 1 file", "no errors in 1 file"]);
    assert!(
        !said.iter().any(|line| line.contains('\u{1b}')),
        "{said:#?}"
    );
    std::fs::write(&file, SOUND.replace("start only", "start onyl")).unwrap();
    watching.until(&["no tier called `onyl`", "watching 1 file"]);
    // As editors do: a new file in the place of the old one.
    let other = file.with_extension("new");
    std::fs::write(&other, SOUND).unwrap();
    std::fs::rename(&other, &file).unwrap();
    watching.until(&["no errors in 1 file"]);
}

#[test]
fn an_imported_file_is_watched_wherever_it_lies() {
    let folder = folder("import");
    std::fs::create_dir_all(folder.join("parts")).unwrap();
    let part = folder.join("parts/part.route");
    std::fs::write(&part, "waypost 1\nlet LONG = 24k\n").unwrap();
    let file = folder.join("a.route");
    let text = SOUND.replace("waypost 1\n", "waypost 1\nimport \"parts/part.route\"\n");
    std::fs::write(&file, text).unwrap();
    let watching = Watching::start(&["lint", "--watch", file.to_str().unwrap()]);
    watching.until(&["watching 2 files"]);
    std::fs::write(&part, "waypost 1\nlet LONG =\n").unwrap();
    watching.until(&["part.route"]);
}

#[test]
fn tests_run_again_and_the_command_ends_when_it_is_told_to() {
    let folder = folder("test");
    let file = folder.join("a.route");
    let test = "test \"t\" { given { prompt \"hi\" } expect { tier only } }\n";
    std::fs::write(&file, format!("{SOUND}{test}")).unwrap();
    let mut watching = Watching::start(&["test", "--watch", folder.to_str().unwrap()]);
    watching.until(&["ok t", "watching 1 file"]);
    std::fs::write(
        folder.join("b.route"),
        format!("{SOUND}{}", test.replace("\"t\"", "\"new\"")),
    )
    .unwrap();
    watching.until(&["ok new", "watching 2 files"]);
    let id = watching.child.id().to_string();
    assert!(
        Command::new("kill")
            // Not SIGINT: whoever runs the tests in the background has it ignored, and children inherit that.
            .args(["-TERM", &id])
            .status()
            .unwrap()
            .success()
    );
    let status = watching.child.wait().unwrap();
    assert_eq!(
        std::os::unix::process::ExitStatusExt::signal(&status),
        Some(15)
    );
}

#[test]
fn standard_input_cannot_be_watched() {
    let output = Command::new(env!("CARGO_BIN_EXE_waypost"))
        .args(["check", "--watch", "-"])
        .stdin(Stdio::null())
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(2));
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(said.contains("`--watch` needs files"), "{said}");
}
