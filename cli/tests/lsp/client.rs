//! A client that says what it is told and waits for answers with a deadline.

use std::collections::VecDeque;
use std::io::{BufReader, Write as _};
use std::path::PathBuf;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::text::position;

/// Nothing takes so long.
const DEADLINE: Duration = Duration::from_secs(60);

/// The example's text.
pub(crate) const EXAMPLE: &str = include_str!("../../../examples/agents/agents.route");

/// The example with its suppressions made plain comments of the same length.
pub(crate) fn unsuppressed() -> String {
    EXAMPLE.replace("// allow(", "// (allow")
}

/// Where documents of tests lie that are on no disk.
pub(crate) const URI: &str = "file:///nowhere/agents.route";

pub(crate) struct Client {
    process: Child,
    input: Option<ChildStdin>,
    messages: Receiver<Value>,
    /// Come before they were waited for.
    early: VecDeque<Value>,
    last: i32,
    /// What `initialize` was answered with.
    pub(crate) initialized: Value,
}

impl Client {
    /// A running server that knows no folder and whose client can do the common things.
    pub(crate) fn start() -> Self {
        Self::with(json!({ "capabilities": capabilities() }))
    }

    /// A running server, initialized with these parameters.
    pub(crate) fn with(parameters: Value) -> Self {
        let mut client = Self::silent();
        client.initialized = client.request("initialize", parameters);
        client.notify("initialized", json!({}));
        client
    }

    /// A server that was told nothing yet.
    pub(crate) fn silent() -> Self {
        let mut process = Command::new(env!("CARGO_BIN_EXE_waypost"))
            .arg("lsp")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::inherit())
            .spawn()
            .unwrap();
        let output = process.stdout.take().unwrap();
        let (sender, messages) = channel();
        thread::spawn(move || {
            let mut output = BufReader::new(output);
            while let Some(message) = read(&mut output) {
                if sender.send(message).is_err() {
                    return;
                }
            }
        });
        Self {
            input: process.stdin.take(),
            process,
            messages,
            early: VecDeque::new(),
            last: 0,
            initialized: Value::Null,
        }
    }

    /// Sends these bytes as they are.
    pub(crate) fn raw(&mut self, bytes: &[u8]) {
        let input = self.input.as_mut().unwrap();
        input.write_all(bytes).unwrap();
        input.flush().unwrap();
    }

    pub(crate) fn send(&mut self, message: &Value) {
        self.raw(&frame(message));
    }

    pub(crate) fn notify(&mut self, method: &str, params: Value) {
        self.send(&json!({ "jsonrpc": "2.0", "method": method, "params": params }));
    }

    /// Asks, and does not wait.
    pub(crate) fn ask(&mut self, method: &str, params: Value) -> i32 {
        self.last += 1;
        let id = self.last;
        self.send(&json!({ "jsonrpc": "2.0", "id": id, "method": method, "params": params }));
        id
    }

    /// The whole answer to a request.
    pub(crate) fn answer(&mut self, id: i32) -> Value {
        self.wait(|message| message["id"] == id && message.get("method").is_none())
    }

    /// Asks, and waits for the result.
    pub(crate) fn request(&mut self, method: &str, params: Value) -> Value {
        let id = self.ask(method, params);
        let answer = self.answer(id);
        assert!(answer.get("error").is_none(), "{method}: {answer}");
        answer["result"].clone()
    }

    /// Asks, and waits for the error.
    pub(crate) fn refused(&mut self, method: &str, params: Value) -> (i64, String) {
        let id = self.ask(method, params);
        let answer = self.answer(id);
        let error = &answer["error"];
        let code = error["code"].as_i64().unwrap_or_else(|| panic!("{answer}"));
        (code, error["message"].as_str().unwrap().to_owned())
    }

    /// The next message that fits; others are kept.
    pub(crate) fn wait(&mut self, fits: impl Fn(&Value) -> bool) -> Value {
        if let Some(at) = self.early.iter().position(&fits) {
            return self.early.remove(at).unwrap();
        }
        let until = Instant::now() + DEADLINE;
        loop {
            let left = until.saturating_duration_since(Instant::now());
            let message = self
                .messages
                .recv_timeout(left)
                .expect("an answer before the deadline");
            if fits(&message) {
                return message;
            }
            self.early.push_back(message);
        }
    }

    pub(crate) fn open(&mut self, uri: &str, text: &str) {
        let document = json!({ "uri": uri, "languageId": "route", "version": 1, "text": text });
        self.notify("textDocument/didOpen", json!({ "textDocument": document }));
    }

    /// Replaces the whole text.
    pub(crate) fn replace(&mut self, uri: &str, version: i32, text: &str) {
        let params = json!({
            "textDocument": { "uri": uri, "version": version },
            "contentChanges": [{ "text": text }],
        });
        self.notify("textDocument/didChange", params);
    }

    /// What is found in a document, when it is next said.
    pub(crate) fn findings(&mut self, uri: &str) -> Vec<Value> {
        let message = self.wait(|message| {
            message["method"] == "textDocument/publishDiagnostics"
                && message["params"]["uri"] == uri
        });
        let found = message["params"]["diagnostics"].as_array();
        found.unwrap().clone()
    }

    /// What is found in this version of a document.
    pub(crate) fn findings_of(&mut self, uri: &str, version: i32) -> Vec<Value> {
        let message = self.wait(|message| {
            message["method"] == "textDocument/publishDiagnostics"
                && message["params"]["uri"] == uri
                && message["params"]["version"] == version
        });
        let found = message["params"]["diagnostics"].as_array();
        found.unwrap().clone()
    }

    /// How many messages of a method have come and were not waited for.
    pub(crate) fn early(&self, method: &str) -> usize {
        let early = self.early.iter();
        early.filter(|message| message["method"] == method).count()
    }

    /// Asks about the place of the mark in `marked`, whose text is opened first.
    pub(crate) fn ask_at(&mut self, method: &str, marked: &str) -> Value {
        let (text, at) = split(marked);
        self.open(URI, &text);
        let params = json!({ "textDocument": { "uri": URI }, "position": position(&text, at) });
        self.request(method, params)
    }

    /// Ends the server in order; its exit code.
    pub(crate) fn end(mut self) -> i32 {
        self.request("shutdown", Value::Null);
        self.notify("exit", Value::Null);
        self.code()
    }

    /// Waits for the process; its exit code.
    pub(crate) fn code(mut self) -> i32 {
        let until = Instant::now() + DEADLINE;
        drop(self.input.take());
        while let Ok(message) = self
            .messages
            .recv_timeout(until.saturating_duration_since(Instant::now()))
        {
            self.early.push_back(message);
        }
        self.process.wait().unwrap().code().unwrap()
    }
}

impl Drop for Client {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// What most clients can do.
pub(crate) fn capabilities() -> Value {
    json!({ "textDocument": {
        "completion": { "completionItem": { "snippetSupport": true } },
        "publishDiagnostics": { "relatedInformation": true },
    } })
}

/// The text without its mark, and where that stood.
pub(crate) fn split(marked: &str) -> (String, usize) {
    let at = marked.find('¦').expect("a mark");
    (marked.replacen('¦', "", 1), at)
}

pub(crate) fn frame(message: &Value) -> Vec<u8> {
    let body = message.to_string();
    format!("Content-Length: {}\r\n\r\n{body}", body.len()).into_bytes()
}

fn read(output: &mut impl std::io::BufRead) -> Option<Value> {
    let mut length = 0;
    loop {
        let mut line = String::new();
        if output.read_line(&mut line).ok()? == 0 {
            return None;
        }
        if line == "\r\n" {
            break;
        }
        let (name, value) = line.trim_end().split_once(": ")?;
        if name.eq_ignore_ascii_case("content-length") {
            length = value.parse().ok()?;
        }
    }
    let mut body = vec![0; length];
    output.read_exact(&mut body).ok()?;
    serde_json::from_slice(&body).ok()
}

/// A folder of one test's own, empty at its start.
pub(crate) fn folder(name: &str) -> PathBuf {
    let path = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("lsp-{name}"));
    let _ = std::fs::remove_dir_all(&path);
    std::fs::create_dir_all(&path).unwrap();
    path
}
