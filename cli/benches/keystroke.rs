//! A keystroke in a file of 2,000 lines: from `didChange` to the answer of a completion, and to all findings, through the
//! server's core.
//!
//! divan shows the median, the mean and the slowest; before it runs, the 99th percentile of as many strokes is printed, which
//! it does not show.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a benchmark of fixed input"
)]

use std::fmt::Write as _;
use std::time::{Duration, Instant};

use lsp_server::{Message, Notification, Request};
use serde_json::{Value, json};
use waypost_cli::lsp::{Files, Server};

/// The one of the command.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const URI: &str = "file:///bench/large.route";
/// Strokes that are timed for the percentiles.
const STROKES: usize = 2_000;

struct NoFiles;

impl Files for NoFiles {
    fn read(&self, _: &str) -> Option<String> {
        None
    }

    fn routes(&self, _: &str) -> Vec<String> {
        Vec::new()
    }
}

/// A file as a platform team has one: many models, tiers and rules, comments, tests.
fn large() -> String {
    let mut text = String::from(
        "waypost 1\n\nsecret keys = k8s(\"llm/callers\", \"keys.json\")\nsecret api = k8s(\"llm/api\", \"key\")\n\nprovider cloud {\n  kind openai\n  auth secret api\n}\n\n",
    );
    for model in 0..120 {
        let _ = write!(
            text,
            "// The model of team {model}.\nmodel m{model} {{\n  via     cloud  deployment \"model-{model}\"\n  context 400k  output 128k\n  price   input $1.25  cached $0.125  output $10.00\n}}\n\n"
        );
    }
    let tiers: Vec<String> = (0..40).map(|tier| format!("t{tier}")).collect();
    let _ = writeln!(text, "tiers {}", tiers.join(" < "));
    for tier in 0..40 {
        let (first, second) = (tier * 3, tier * 3 + 1);
        let _ = writeln!(
            text,
            "tier t{tier} {{ try m{first}  then m{second}  timeout 60s }}"
        );
    }
    text.push_str("\ncontent {\n  accept \"auto\"\n  start t0\n");
    for rule in 0..620 {
        let tier = rule % 39 + 1;
        let _ = writeln!(
            text,
            "  escalate to t{tier} \"rule {rule}\" when request.tokens > {} && request.tools.exists(t, t.name.startsWith(\"write_{rule}\"))",
            1000 + rule * 10
        );
    }
    text.push_str("}\n\npolicy {\n  callers { keys secret keys }\n");
    for rule in 0..250 {
        let _ = writeln!(
            text,
            "  cap at t{} \"cap {rule}\" when caller.plan == \"plan-{rule}\"",
            rule % 40
        );
        let _ = writeln!(
            text,
            "  limit {} requests / 1m \"limit {rule}\" per caller.key on m{}",
            100 + rule,
            rule % 120
        );
    }
    text.push_str("}\n");
    text
}

/// A server that has the file open, with the place of a figure in its middle.
fn server() -> (Server, usize, usize) {
    let text = large();
    let line = text
        .lines()
        .position(|line| line.contains("\"rule 250\""))
        .unwrap();
    let column = text.lines().nth(line).unwrap().find("> ").unwrap() + 2;
    let mut server = Server::new(Box::new(NoFiles), None);
    server.handle(Message::Request(Request {
        id: 1.into(),
        method: "initialize".to_owned(),
        params: json!({ "capabilities": {} }),
    }));
    let document = json!({ "uri": URI, "languageId": "route", "version": 1, "text": text });
    notify(
        &mut server,
        "textDocument/didOpen",
        json!({ "textDocument": document }),
    );
    assert_eq!(findings(&server.publish()), 0, "the file is sound");
    (server, line, column)
}

/// How many errors are shown.
fn findings(messages: &[Message]) -> usize {
    let mut errors = 0;
    for message in messages {
        if let Message::Notification(one) = message {
            let found = one.params["diagnostics"].as_array().unwrap();
            errors += found.iter().filter(|one| one["severity"] == 1).count();
        }
    }
    errors
}

fn notify(server: &mut Server, method: &str, params: Value) {
    server.handle(Message::Notification(Notification {
        method: method.to_owned(),
        params,
    }));
}

/// Types a digit, or takes it back.
fn change(server: &mut Server, line: usize, column: usize, number: usize) {
    let (text, end) = match number % 2 {
        0 => ("9", column),
        _ => ("", column + 1),
    };
    let range = json!({ "start": { "line": line, "character": column }, "end": { "line": line, "character": end } });
    let params = json!({
        "textDocument": { "uri": URI, "version": number + 2 },
        "contentChanges": [{ "range": range, "text": text }],
    });
    notify(server, "textDocument/didChange", params);
}

fn ask(server: &mut Server, method: &str, line: usize, column: usize) {
    let position = json!({ "line": line, "character": column });
    let answers = server.handle(Message::Request(Request {
        id: 2.into(),
        method: method.to_owned(),
        params: json!({ "textDocument": { "uri": URI }, "position": position }),
    }));
    let answered = |one: &Message| matches!(one, Message::Response(one) if one.error.is_none());
    assert!(answers.iter().all(answered), "{method} is answered");
}

/// How long each stroke took to a mark on its way.
struct Times {
    name: &'static str,
    all: Vec<Duration>,
}

impl Times {
    fn new(name: &'static str) -> Self {
        Self {
            name,
            all: Vec::new(),
        }
    }

    fn print(mut self) {
        self.all.sort_unstable();
        let share = |percent: usize| self.all[self.all.len() * percent / 100];
        println!(
            "{}: p50 {:.2?}, p99 {:.2?}, slowest {:.2?}",
            self.name,
            share(50),
            share(99),
            self.all[self.all.len() - 1],
        );
    }
}

fn percentiles() {
    let (mut server, line, column) = server();
    let mut answered = Times::new("until a completion is answered");
    let mut said = Times::new("until all findings are said");
    for number in 0..STROKES {
        let start = Instant::now();
        change(&mut server, line, column, number);
        // Every second pair asks, as an editor does while a word is typed; what it asks comes before the findings.
        if number / 2 % 2 == 0 {
            ask(&mut server, "textDocument/completion", line, column);
            answered.all.push(start.elapsed());
        }
        divan::black_box(server.publish());
        said.all.push(start.elapsed());
    }
    println!("{} lines, {STROKES} strokes", large().lines().count());
    answered.print();
    said.print();
}

#[divan::bench]
fn keystroke(bencher: divan::Bencher<'_, '_>) {
    let (mut server, line, column) = server();
    let mut number = 0;
    bencher.bench_local(|| {
        change(&mut server, line, column, number);
        number += 1;
        server.publish()
    });
}

fn main() {
    percentiles();
    divan::main();
}
