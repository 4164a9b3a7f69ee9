//! The binary itself: exit codes, signals, a reader that goes away, and the demo over sockets.
#![cfg(unix)]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "tests"
)]

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};

const EXAMPLE: &str = concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/../examples/agents/agents.route"
);

fn waypost() -> Command {
    Command::new(env!("CARGO_BIN_EXE_waypost"))
}

#[test]
fn exit_codes_are_those_of_the_process() {
    let code = |arguments: &[&str]| waypost().args(arguments).output().unwrap().status.code();
    assert_eq!(code(&["check", EXAMPLE]), Some(0));
    assert_eq!(code(&["check", "/no/such.route"]), Some(2));
    assert_eq!(code(&["nonsense"]), Some(2));
}

#[test]
fn standard_input_is_read() {
    let mut child = waypost()
        .args(["check", "-", "--format", "concise"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    child
        .stdin
        .take()
        .unwrap()
        .write_all(b"waypost 1\ntiers <\n")
        .unwrap();
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(output.stdout.starts_with(b"stdin.route:2:"));
}

#[test]
fn a_reader_that_goes_away_is_no_complaint() {
    let mut child = waypost()
        .args(["completions", "zsh"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    let mut complaints = String::new();
    child
        .stderr
        .take()
        .unwrap()
        .read_to_string(&mut complaints)
        .unwrap();
    assert_eq!(complaints, "");
    assert_eq!(child.wait().unwrap().code(), Some(0));
}

/// A running demo, ended with the test.
struct Demo {
    child: Child,
    address: String,
    rest_of_stderr: BufReader<std::process::ChildStderr>,
    said: String,
}

impl Drop for Demo {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Demo {
    fn start() -> Self {
        let mut child = waypost()
            .args(["run", EXAMPLE, "--demo"])
            .args(["--listen", "127.0.0.1:0", "--admin", "127.0.0.1:0"])
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut stderr = BufReader::new(child.stderr.take().unwrap());
        let (mut said, mut address) = (String::new(), None);
        while !said.ends_with("Ctrl-C stops\n") {
            let mut line = String::new();
            assert_ne!(
                stderr.read_line(&mut line).unwrap(),
                0,
                "ended early: {said}"
            );
            if let Some((_, rest)) = line.split_once("OpenAI's API at http://") {
                address = rest.trim().strip_suffix("/v1").map(str::to_owned);
            }
            said.push_str(&line);
        }
        Self {
            child,
            address: address.expect("the address is said"),
            rest_of_stderr: stderr,
            said,
        }
    }

    fn ask(&self, key: &str, body: &str) -> String {
        let mut stream = TcpStream::connect(&self.address).unwrap();
        write!(
            stream,
            "POST /v1/chat/completions HTTP/1.1\r\nhost: demo\r\nconnection: close\r\nauthorization: Bearer {key}\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
            body.len()
        )
        .unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer
    }

    /// Ctrl-C; the decisions shown, and what was said at the end.
    fn interrupt(mut self) -> (String, String) {
        let id = self.child.id().to_string();
        assert!(
            Command::new("kill")
                .args(["-INT", &id])
                .status()
                .unwrap()
                .success()
        );
        let mut table = String::new();
        self.child
            .stdout
            .take()
            .unwrap()
            .read_to_string(&mut table)
            .unwrap();
        let mut said = String::new();
        self.rest_of_stderr.read_to_string(&mut said).unwrap();
        assert_eq!(self.child.wait().unwrap().code(), Some(0), "{said}");
        (table, said)
    }
}

#[test]
fn the_demo_answers_shows_decisions_and_sums_up() {
    let demo = Demo::start();
    assert!(
        demo.said.contains("-H 'Authorization: Bearer demo'"),
        "{}",
        demo.said
    );
    assert!(
        demo.said.contains("stand-ins for the missing secrets"),
        "{}",
        demo.said
    );
    let weak = r#"{"model":"auto","messages":[{"role":"user","content":"What is 2+2?"}]}"#;
    let answer = demo.ask("demo", weak);
    assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
    assert!(answer.contains("x-waypost-tier: weak"), "{answer}");
    assert!(answer.contains("2+2 = 4."), "{answer}");
    assert!(demo.ask("wrong", weak).starts_with("HTTP/1.1 401 "));
    let tool = r#"{"type":"function","function":{"name":"write_file"}}"#;
    let strong = format!(
        r#"{{"model":"auto","tools":[{tool}],"messages":[{{"role":"user","content":"hello"}}]}}"#
    );
    assert!(demo.ask("demo", &strong).contains("x-waypost-tier: strong"));
    let (table, said) = demo.interrupt();
    let lines: Vec<&str> = table.lines().collect();
    assert!(lines.first().unwrap().starts_with("time "), "{table}");
    assert!(table.contains("  phi-4-mini  "), "{table}");
    assert!(table.contains("  writes to the world  "), "{table}");
    let column = |line: &str, word: &str| line.find(word);
    let model = column(lines.first().unwrap(), "model");
    assert!(
        lines.iter().any(|line| column(line, "phi-4-mini") == model),
        "{table}"
    );
    let end = said.lines().last().unwrap();
    assert!(end.contains("weak 50%, strong 50%"), "{said}");
    assert!(end.contains("all by gpt-5.1: $"), "{said}");
}

#[test]
fn a_taken_address_is_a_failure() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let output = waypost()
        .args([
            "run",
            EXAMPLE,
            "--demo",
            "--listen",
            &address,
            "--admin",
            "127.0.0.1:0",
        ])
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(2));
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.lines().last().unwrap().contains(&address), "{said}");
}
