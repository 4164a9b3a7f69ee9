//! The binary: what it says and how it exits.

#![allow(clippy::unwrap_used, reason = "tests")]

use std::io::{BufRead as _, BufReader};
use std::path::PathBuf;
use std::process::{Command, Stdio};

use waypost_policies::plan::{Draft, encode};

fn binary() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_waypost-runtime"));
    command.env_remove("RUST_LOG");
    command
}

fn file(name: &str, bytes: &[u8]) -> PathBuf {
    let path = std::env::temp_dir().join(format!("waypost-{}-{name}", std::process::id()));
    std::fs::write(&path, bytes).unwrap();
    path
}

fn refuses(arguments: &[&str], reason: &str) {
    let output = binary().args(arguments).output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    let text = String::from_utf8(output.stderr).unwrap();
    assert!(text.contains(reason), "{text}");
}

#[test]
fn a_plan_that_is_missing_or_none_is_refused() {
    refuses(&["/nowhere/plan.waypost"], "plan `/nowhere/plan.waypost`: ");
    let path = file("none", b"not a plan");
    refuses(&[path.to_str().unwrap()], "plan `");
    std::fs::remove_file(path).unwrap();
    refuses(&[], "Usage: waypost-runtime");
}

#[test]
fn bounds_that_cannot_be_meant_are_refused() {
    refuses(&["plan", "--body-limit", "0"], "0 is not in 1..=65535");
    refuses(&["plan", "--body-limit", "99999999999999"], "--body-limit");
    refuses(&["plan", "--listen", "8080"], "an address with a port");
    refuses(&["plan", "--tls-certificate", "a"], "--tls-key");
    refuses(&["plan", "--client-authority", "a"], "--tls-certificate");
    refuses(&["plan", "--upstream-key", "a"], "--upstream-certificate");
    refuses(&["plan", "--drain", "18446744073709551615"], "--drain");
}

#[test]
fn it_serves_until_it_is_told_to_stop() {
    let path = file("empty", &encode(&Draft::default()));
    let mut server = binary()
        .arg(&path)
        .args(["--listen", "127.0.0.1:0", "--admin", "127.0.0.1:0"])
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(server.stderr.take().unwrap()).lines();
    assert!(lines.any(|line| line.unwrap().contains("serving address=127.0.0.1:")));
    let pid = server.id().to_string();
    let signal = |name: &str| {
        let mut kill = Command::new("kill");
        assert!(kill.args([name, &pid]).status().unwrap().success());
    };
    signal("-HUP");
    assert!(lines.any(|line| line.unwrap().contains("a new plan is served")));
    signal("-TERM");
    assert_eq!(server.wait().unwrap().code(), Some(0));
    std::fs::remove_file(path).unwrap();
}
