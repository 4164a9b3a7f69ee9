//! The server's core: messages in, messages out. It knows no stream and no clock.
//!
//! Invariants: before `initialize` every request is refused, after `shutdown` too; each request gets exactly one answer.

mod capabilities;
mod requests;

use std::collections::{BTreeMap, BTreeSet};

use lsp_server::{ErrorCode, Message, Notification, Request, RequestId, Response};
use lsp_types::{
    Diagnostic, DidChangeTextDocumentParams, DidCloseTextDocumentParams, DidOpenTextDocumentParams,
    InitializeParams, PublishDiagnosticsParams,
};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use waypost_compiler::Date;

use super::diagnostics;
use super::position::Lines;
use super::project::{Files, Project};
use super::uri;
use super::view::{Client, View};
use crate::failure::Exit;

/// Where the conversation is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    Starting,
    Running,
    ShutDown,
}

/// A language server without its streams.
pub struct Server {
    stage: Stage,
    client: Client,
    project: Project,
    /// The documents whose findings the client shows, and those.
    published: BTreeMap<String, Vec<Diagnostic>>,
    /// Documents to show again, though nothing of theirs may have changed.
    edited: BTreeSet<String>,
    exit: Option<Exit>,
    watches: bool,
}

/// Why a request has no result.
#[derive(Debug)]
struct Refusal {
    code: i32,
    message: String,
}

impl Refusal {
    fn new(code: ErrorCode, message: impl Into<String>) -> Self {
        Self {
            code: code as i32,
            message: message.into(),
        }
    }
}

impl Server {
    /// A server that reads `files`, and holds what has a date of its own against `today`.
    #[must_use]
    pub fn new(files: Box<dyn Files>, today: Option<Date>) -> Self {
        Self {
            stage: Stage::Starting,
            client: capabilities::client(&InitializeParams::default()),
            project: Project::new(files, today),
            published: BTreeMap::new(),
            edited: BTreeSet::new(),
            exit: None,
            watches: false,
        }
    }

    /// Handles one message; what is to be sent for it, findings excepted: see [`Server::publish`].
    pub fn handle(&mut self, message: Message) -> Vec<Message> {
        match message {
            Message::Request(request) => vec![self.request(request).into()],
            Message::Notification(notification) => self.notification(notification),
            Message::Response(_) => Vec::new(),
        }
    }

    /// Whether a text has changed since the findings were last published.
    #[must_use]
    pub fn is_edited(&self) -> bool {
        !self.edited.is_empty()
    }

    /// How the process ends, once the client has said `exit`.
    #[must_use]
    pub const fn exit(&self) -> Option<Exit> {
        self.exit
    }

    /// How the process ends when the client goes without a word.
    #[must_use]
    pub fn ended(&self) -> Exit {
        Exit::findings(self.stage != Stage::ShutDown)
    }

    /// Checks what was edited, and says what is now found where that has changed.
    pub fn publish(&mut self) -> Vec<Message> {
        let edited = std::mem::take(&mut self.edited);
        let found = self.findings();
        let mut messages = Vec::new();
        let gone = self
            .published
            .keys()
            .filter(|name| !found.contains_key(*name));
        for name in gone.cloned().collect::<Vec<_>>() {
            messages.extend(self.show(&name, Vec::new()));
            self.published.remove(&name);
        }
        for (name, diagnostics) in found {
            let same = self.published.get(&name) == Some(&diagnostics);
            if !same || edited.contains(&name) {
                messages.extend(self.show(&name, diagnostics.clone()));
                self.published.insert(name, diagnostics);
            }
        }
        messages
    }

    /// What is found in every file of every compilation that an open document is a part of.
    fn findings(&self) -> BTreeMap<String, Vec<Diagnostic>> {
        let mut found: BTreeMap<String, Vec<Diagnostic>> = BTreeMap::new();
        let mut done = BTreeSet::new();
        for name in self.project.open_names() {
            for view in View::all(&self.project, name, self.client) {
                let root = view.name_of(waypost_lang::FileId(0)).to_owned();
                if !done.insert(root) {
                    continue;
                }
                for (file, diagnostics) in diagnostics::by_file(&view) {
                    let known = found.entry(file).or_default();
                    if known.is_empty() {
                        *known = diagnostics;
                        continue;
                    }
                    for diagnostic in diagnostics {
                        if !known.contains(&diagnostic) {
                            known.push(diagnostic);
                        }
                    }
                }
            }
        }
        found
    }

    fn show(&self, name: &str, diagnostics: Vec<Diagnostic>) -> Option<Message> {
        let version = self.project.document(name).map(|one| one.version);
        let params = PublishDiagnosticsParams {
            uri: self.project.uri(name).parse().ok()?,
            diagnostics,
            version,
        };
        let method = "textDocument/publishDiagnostics".to_owned();
        Some(Notification::new(method, params).into())
    }

    fn request(&mut self, request: Request) -> Response {
        let Request { id, method, params } = request;
        let result = match (self.stage, method.as_str()) {
            (Stage::Starting, "initialize") => self.initialize(params),
            (Stage::Starting, _) => Err(Refusal::new(
                ErrorCode::ServerNotInitialized,
                "the first request must be `initialize`",
            )),
            (Stage::ShutDown, _) => Err(Refusal::new(
                ErrorCode::InvalidRequest,
                "the server has been shut down",
            )),
            (Stage::Running, "initialize") => Err(Refusal::new(
                ErrorCode::InvalidRequest,
                "the server is initialized already",
            )),
            (Stage::Running, "shutdown") => {
                self.stage = Stage::ShutDown;
                Ok(Value::Null)
            }
            (Stage::Running, method) => self.answer(method, params),
        };
        response(id, result)
    }

    fn initialize(&mut self, params: Value) -> Result<Value, Refusal> {
        let params: InitializeParams = read(params)?;
        self.client = capabilities::client(&params);
        self.watches = capabilities::can_watch(&params);
        self.stage = Stage::Running;
        self.project.set_folders(capabilities::folders(&params));
        Ok(json!({
            "capabilities": capabilities::server(self.client),
            "serverInfo": { "name": "waypost", "version": env!("CARGO_PKG_VERSION") },
        }))
    }

    fn notification(&mut self, notification: Notification) -> Vec<Message> {
        let Notification { method, params } = notification;
        if method == "exit" {
            self.exit = Some(self.ended());
            return Vec::new();
        }
        if self.stage != Stage::Running {
            return Vec::new();
        }
        match method.as_str() {
            "initialized" if self.watches => return vec![capabilities::watch()],
            "textDocument/didOpen" => self.opened(params),
            "textDocument/didChange" => self.changed(params),
            "textDocument/didClose" => self.closed(params),
            "textDocument/didSave"
            | "workspace/didChangeWatchedFiles"
            | "workspace/didChangeWorkspaceFolders" => {
                self.project.look_around();
                self.edit_all();
            }
            _ => {}
        }
        Vec::new()
    }

    fn opened(&mut self, params: Value) {
        let Ok(params) = read::<DidOpenTextDocumentParams>(params) else {
            return;
        };
        let document = params.text_document;
        let uri = document.uri.as_str();
        self.project.open(uri, document.text, document.version);
        self.edited.insert(uri::name(uri));
    }

    fn changed(&mut self, params: Value) {
        let Ok(params) = read::<DidChangeTextDocumentParams>(params) else {
            return;
        };
        let uri = params.text_document.uri.as_str();
        let name = uri::name(uri);
        let Some(document) = self.project.document(&name) else {
            return;
        };
        let mut text = document.text.clone();
        for change in params.content_changes {
            match change.range {
                None => text = change.text,
                Some(range) => {
                    let lines = Lines::new(&text);
                    let encoding = self.client.encoding;
                    let start = lines.offset(&text, range.start, encoding) as usize;
                    let end = lines.offset(&text, range.end, encoding) as usize;
                    text.replace_range(start.min(end)..end.max(start), &change.text);
                }
            }
        }
        self.project.change(uri, text, params.text_document.version);
        self.edited.insert(name);
    }

    fn closed(&mut self, params: Value) {
        let Ok(params) = read::<DidCloseTextDocumentParams>(params) else {
            return;
        };
        let uri = params.text_document.uri.as_str();
        self.project.close(uri);
        // It may still be a part of what is open: its findings are then shown again.
        self.edited.insert(uri::name(uri));
        self.edit_all();
    }

    fn edit_all(&mut self) {
        let open = self.project.open_names().map(str::to_owned);
        self.edited.extend(open);
    }
}

fn response(id: RequestId, result: Result<Value, Refusal>) -> Response {
    match result {
        Ok(value) => Response::new_ok(id, value),
        Err(refusal) => Response::new_err(id, refusal.code, refusal.message),
    }
}

/// The parameters of a message, or that they are none.
fn read<T: DeserializeOwned>(params: Value) -> Result<T, Refusal> {
    serde_json::from_value(params)
        .map_err(|error| Refusal::new(ErrorCode::InvalidParams, error.to_string()))
}
