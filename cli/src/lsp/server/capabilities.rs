//! What the client can do, and what the server says it can.

use lsp_server::{Message, Request, RequestId};
use lsp_types::{ClientCapabilities, InitializeParams};
use serde_json::{Value, json};

use crate::lsp::actions::EXPLAIN;
use crate::lsp::position::Encoding;
use crate::lsp::tokens;
use crate::lsp::uri;
use crate::lsp::view::Client;

/// What answers depend on.
pub(super) fn client(params: &InitializeParams) -> Client {
    let ClientCapabilities {
        general,
        text_document,
        ..
    } = &params.capabilities;
    let offered = general.as_ref();
    let offered = offered.and_then(|general| general.position_encodings.as_deref());
    let document = text_document.as_ref();
    let item = document
        .and_then(|one| one.completion.as_ref())
        .and_then(|one| one.completion_item.as_ref());
    let tokens = document.and_then(|one| one.semantic_tokens.as_ref());
    let published = document.and_then(|one| one.publish_diagnostics.as_ref());
    let options = params.initialization_options.as_ref();
    let packs = options.and_then(|options| options.get("standardPacks"));
    Client {
        encoding: Encoding::negotiate(offered),
        snippets: item.and_then(|item| item.snippet_support) == Some(true),
        packs: packs.and_then(Value::as_bool) == Some(true),
        long_tokens: tokens.and_then(|one| one.multiline_token_support) == Some(true),
        related: published.and_then(|one| one.related_information) == Some(true),
    }
}

/// Whether the client tells of files that come, go or change, if asked.
pub(super) fn can_watch(params: &InitializeParams) -> bool {
    let workspace = params.capabilities.workspace.as_ref();
    let watched = workspace.and_then(|one| one.did_change_watched_files);
    watched.and_then(|one| one.dynamic_registration) == Some(true)
}

/// Asks to be told of them.
pub(super) fn watch() -> Message {
    let watchers = json!([{ "globPattern": "**/*.route" }]);
    let registration = json!({
        "id": "waypost-files",
        "method": "workspace/didChangeWatchedFiles",
        "registerOptions": { "watchers": watchers },
    });
    Message::Request(Request {
        id: RequestId::from("waypost-watch".to_owned()),
        method: "client/registerCapability".to_owned(),
        params: json!({ "registrations": [registration] }),
    })
}

/// The folders that the client has open.
pub(super) fn folders(params: &InitializeParams) -> Vec<String> {
    let folders = params.workspace_folders.iter().flatten();
    let mut folders: Vec<String> = folders
        .map(|folder| uri::name(folder.uri.as_str()))
        .collect();
    #[allow(deprecated, reason = "older clients name one folder so")]
    let root = params.root_uri.as_ref();
    if folders.is_empty() {
        folders.extend(root.map(|root| uri::name(root.as_str())));
    }
    folders.retain(|folder| folder.starts_with('/'));
    folders
}

/// What the server can do.
pub(super) fn server(client: Client) -> Value {
    json!({
        "positionEncoding": client.encoding.kind(),
        "textDocumentSync": { "openClose": true, "change": 2, "save": { "includeText": false } },
        "hoverProvider": true,
        "completionProvider": { "triggerCharacters": [".", "\"", " ", "(", "$"] },
        "signatureHelpProvider": { "triggerCharacters": ["(", ","] },
        "definitionProvider": true,
        "referencesProvider": true,
        "documentHighlightProvider": true,
        "documentSymbolProvider": true,
        "codeActionProvider": { "codeActionKinds": ["quickfix", "source.fixAll"] },
        "documentFormattingProvider": true,
        "documentRangeFormattingProvider": true,
        "renameProvider": { "prepareProvider": true },
        "foldingRangeProvider": true,
        "inlayHintProvider": true,
        "executeCommandProvider": { "commands": [EXPLAIN] },
        "semanticTokensProvider": { "legend": tokens::legend(), "full": true },
        "workspace": { "workspaceFolders": { "supported": true, "changeNotifications": true } },
    })
}
