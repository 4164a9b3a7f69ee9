//! Random edits of the example against the server's core: it never fails, and all ranges lie inside the document.

use lsp_server::{Message, Notification, Request};
use proptest::prelude::*;
use serde_json::{Value, json};
use waypost_cli::lsp::{Files, Server};

use crate::client::{EXAMPLE, URI};
use crate::text::{everything, position};

struct NoFiles;

impl Files for NoFiles {
    fn read(&self, _: &str) -> Option<String> {
        None
    }

    fn routes(&self, _: &str) -> Vec<String> {
        Vec::new()
    }
}

fn server() -> Server {
    let mut server = Server::new(Box::new(NoFiles), None);
    let params = json!({ "capabilities": {} });
    ask(&mut server, "initialize", params);
    server
}

fn ask(server: &mut Server, method: &str, params: Value) -> Value {
    let request = Request {
        id: 1.into(),
        method: method.to_owned(),
        params,
    };
    let answers = server.handle(Message::Request(request));
    match answers.as_slice() {
        [Message::Response(response)] => response.result.clone().unwrap_or(Value::Null),
        other => panic!("one answer: {other:?}"),
    }
}

fn notify(server: &mut Server, method: &str, params: Value) {
    server.handle(Message::Notification(Notification {
        method: method.to_owned(),
        params,
    }));
}

/// Every range of a value lies inside the text.
fn check_ranges(value: &Value, text: &str) {
    match value {
        Value::Object(fields) => {
            let place = fields.get("line").zip(fields.get("character"));
            if let Some((line, character)) = place {
                let line = usize::try_from(line.as_u64().unwrap()).unwrap();
                let width = text
                    .split('\n')
                    .nth(line)
                    .map(|one| one.encode_utf16().count());
                let character = usize::try_from(character.as_u64().unwrap()).unwrap();
                assert!(
                    width.is_some_and(|width| character <= width),
                    "{value} of:\n{text}"
                );
            }
            // What lies in another file is held against that one elsewhere.
            let elsewhere = fields.get("uri").is_some_and(|uri| uri != URI);
            if !elsewhere {
                fields.values().for_each(|one| check_ranges(one, text));
            }
        }
        Value::Array(elements) => elements.iter().for_each(|one| check_ranges(one, text)),
        _ => {}
    }
}

/// A piece of text that breaks, or that an author would type.
fn piece() -> impl Strategy<Value = String> {
    let words = [
        "",
        "",
        "{",
        "}",
        "\"",
        "(",
        ")",
        "when ",
        "\n",
        "\r\n",
        "🙂",
        "é",
        "tier ",
        "strong",
        "request.",
        "t.",
        "$5",
        " / day",
        "//",
        "///",
        "import \"std/agents.route\"\n",
        "\"\"\"",
        "'",
        "[?",
        "]",
        "let A = A\n",
        "\u{feff}",
        "per ",
        "\\",
    ];
    prop_oneof![
        8 => prop::sample::select(words.to_vec()).prop_map(str::to_owned),
        1 => ".{0,6}",
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    #[test]
    fn random_edits_never_break_the_server(edits in prop::collection::vec((any::<prop::sample::Index>(), 0_usize..40, piece()), 1..12)) {
        let mut server = server();
        let mut text = EXAMPLE.to_owned();
        let document = json!({ "uri": URI, "languageId": "route", "version": 0, "text": text });
        notify(&mut server, "textDocument/didOpen", json!({ "textDocument": document }));
        for (version, (at, length, new)) in edits.into_iter().enumerate() {
            let start = at.index(text.len() + 1);
            let boundary = |at: usize| (0..=at).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0);
            let (start, end) = (boundary(start), boundary((start + length).min(text.len())));
            // Positions within `\r\n` do not exist.
            let start = if text[..start].ends_with('\r') { start - 1 } else { start };
            let end = if text[..end].ends_with('\r') && text[end..].starts_with('\n') { end + 1 } else { end };
            let range = json!({ "start": position(&text, start), "end": position(&text, end) });
            let old_carriage = text.contains('\r') || new.contains('\r');
            let change = match old_carriage {
                // Lone `\r` ends a line for the protocol, which this test's own arithmetic does not know.
                true => {
                    text.replace_range(start..end, &new);
                    text = text.replace('\r', "");
                    json!({ "text": text })
                }
                false => {
                    text.replace_range(start..end, &new);
                    json!({ "range": range, "text": new })
                }
            };
            let params = json!({ "textDocument": { "uri": URI, "version": version + 1 }, "contentChanges": [change] });
            notify(&mut server, "textDocument/didChange", params);
            questions(&mut server, &text, start.min(text.len()));
        }
        // The edits were all understood: what the server formats is what is here.
        for message in server.publish() {
            if let Message::Notification(one) = message {
                check_ranges(&one.params["diagnostics"], &text);
            }
        }
        let document = json!({ "uri": URI, "languageId": "route", "version": 99, "text": text });
        let params = json!({ "textDocument": { "uri": URI } });
        let incremental = ask(&mut server, "textDocument/semanticTokens/full", params.clone());
        notify(&mut server, "textDocument/didOpen", json!({ "textDocument": document }));
        prop_assert_eq!(incremental, ask(&mut server, "textDocument/semanticTokens/full", params));
    }
}

/// The files that explanations show: short, and everything of the language is in one of them.
fn shown() -> Vec<&'static str> {
    let explanations = waypost_lang::codes::ALL.iter().map(|code| code.explanation);
    let blocks = explanations.flat_map(|text| text.split("```route\n").skip(1));
    blocks
        .filter_map(|block| block.split("```").next())
        .collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 32, ..ProptestConfig::default() })]

    #[test]
    fn every_place_of_a_damaged_file_can_be_asked_about(
        which in any::<prop::sample::Index>(),
        edits in prop::collection::vec((any::<prop::sample::Index>(), 0_usize..20, piece()), 0..4),
    ) {
        let shown = shown();
        prop_assert!(shown.len() > 100);
        let mut text = shown[which.index(shown.len())].to_owned();
        for (at, length, new) in edits {
            let start = at.index(text.len() + 1);
            let boundary = |at: usize| (0..=at).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0);
            let (start, end) = (boundary(start), boundary((start + length).min(text.len())));
            text.replace_range(start..end, &new);
        }
        // Lone `\r` ends a line for the protocol, which this test's own arithmetic does not know.
        let text = text.replace('\r', "");
        let mut server = server();
        let document = json!({ "uri": URI, "languageId": "route", "version": 0, "text": text });
        notify(&mut server, "textDocument/didOpen", json!({ "textDocument": document }));
        for at in (0..=text.len()).filter(|at| text.is_char_boundary(*at)) {
            let place = json!({ "textDocument": { "uri": URI }, "position": position(&text, at) });
            for method in ["textDocument/hover", "textDocument/completion"] {
                let answer = ask(&mut server, method, place.clone());
                check_ranges(&answer, &text);
            }
        }
    }
}

fn questions(server: &mut Server, text: &str, at: usize) {
    let at = (0..=at)
        .rev()
        .find(|at| text.is_char_boundary(*at))
        .unwrap_or(0);
    let document = json!({ "uri": URI });
    let place = json!({ "textDocument": document, "position": position(text, at) });
    let whole = json!({ "textDocument": document });
    let mut ranged = json!({ "textDocument": document, "range": everything() });
    ranged["context"] = json!({ "diagnostics": [] });
    ranged["options"] = json!({ "tabSize": 2, "insertSpaces": true });
    let mut references = place.clone();
    references["context"] = json!({ "includeDeclaration": true });
    let mut renamed = place.clone();
    renamed["newName"] = json!("new-name");
    let questions = [
        ("textDocument/hover", &place),
        ("textDocument/completion", &place),
        ("textDocument/signatureHelp", &place),
        ("textDocument/definition", &place),
        ("textDocument/documentHighlight", &place),
        ("textDocument/references", &references),
        ("textDocument/prepareRename", &place),
        ("textDocument/rename", &renamed),
        ("textDocument/documentSymbol", &whole),
        ("textDocument/codeAction", &ranged),
        ("textDocument/inlayHint", &ranged),
        ("textDocument/rangeFormatting", &ranged),
    ];
    for (method, params) in questions {
        let answer = ask(server, method, params.clone());
        check_ranges(&answer, text);
    }
    ask(server, "textDocument/foldingRange", whole);
}
