//! The life of a server: beginning, end, and what must not end it.

use serde_json::{Value, json};

use crate::client::{Client, EXAMPLE, URI, frame};

#[test]
fn it_ends_with_0_after_a_shutdown_and_with_1_without() {
    assert_eq!(Client::start().end(), 0);
    let mut client = Client::start();
    client.notify("exit", Value::Null);
    assert_eq!(client.code(), 1);
    // A client that goes away is an exit without a shutdown.
    assert_eq!(Client::start().code(), 1);
}

#[test]
fn requests_come_after_initialize_and_before_shutdown() {
    let mut client = Client::silent();
    let hover =
        json!({ "textDocument": { "uri": URI }, "position": { "line": 0, "character": 0 } });
    assert_eq!(
        client.refused("textDocument/hover", hover.clone()).0,
        -32002
    );
    client.request("initialize", json!({ "capabilities": {} }));
    assert_eq!(
        client
            .refused("initialize", json!({ "capabilities": {} }))
            .0,
        -32600
    );
    assert_eq!(
        client.request("textDocument/hover", hover.clone()),
        Value::Null
    );
    client.request("shutdown", Value::Null);
    assert_eq!(client.refused("textDocument/hover", hover).0, -32600);
    client.notify("exit", Value::Null);
    assert_eq!(client.code(), 0);
}

#[test]
fn what_is_not_known_or_not_understood_is_said_and_survived() {
    let mut client = Client::start();
    assert_eq!(client.refused("no/such", json!({})).0, -32601);
    assert_eq!(
        client.refused("textDocument/hover", json!({ "a": 1 })).0,
        -32602
    );
    client.notify("$/no/such", json!({}));
    client.notify("textDocument/didOpen", json!("nonsense"));
    client.notify("textDocument/didChange", json!({ "textDocument": {} }));
    client.raw(b"GET / HTTP/1.1\r\nHost: here\r\n\r\n");
    client.raw(b"Content-Length: 9\r\n\r\nnot json!");
    let refused = client.wait(|message| message["id"].is_null() && message.get("error").is_some());
    assert_eq!(refused["error"]["code"], -32700);
    client.raw(b"Content-Length: 4\r\n\r\n\xff\xfe\xfd\xfc");
    client.raw(&frame(&json!([1, 2, 3])));
    client.raw(&frame(
        &json!({ "jsonrpc": "2.0", "id": { "odd": true }, "method": "x" }),
    ));
    client.raw(b"Content-Length: nonsense\r\n\r\n");
    client.open(URI, EXAMPLE);
    assert!(!client.findings(URI).is_empty());
    assert_eq!(client.end(), 0);
}

#[test]
fn a_request_that_is_taken_back_is_not_answered_with_a_result() {
    let mut client = Client::start();
    client.open(URI, EXAMPLE);
    // In one write, so that the server has read both before it handles the first.
    let ask = json!({ "jsonrpc": "2.0", "id": "x", "method": "textDocument/documentSymbol", "params": { "textDocument": { "uri": URI } } });
    let cancel = json!({ "jsonrpc": "2.0", "method": "$/cancelRequest", "params": { "id": "x" } });
    let mut bytes = Vec::new();
    // What comes before gives the reader its time.
    for version in 2..40 {
        let change = json!({ "jsonrpc": "2.0", "method": "textDocument/didChange", "params": {
            "textDocument": { "uri": URI, "version": version }, "contentChanges": [{ "text": EXAMPLE }] } });
        bytes.extend(frame(&change));
    }
    bytes.extend(frame(&ask));
    bytes.extend(frame(&cancel));
    client.raw(&bytes);
    let answer = client.wait(|message| message["id"] == "x");
    // The protocol leaves it to the server whether it still answers; there is exactly one answer.
    let cancelled = answer["error"]["code"] == -32800;
    assert!(cancelled || answer["result"].is_array(), "{answer}");
    assert_eq!(client.end(), 0);
}

#[test]
fn a_storm_of_edits_is_checked_a_few_times_and_ends_with_the_truth() {
    let mut client = Client::start();
    client.open(URI, EXAMPLE);
    client.findings(URI);
    let mut bytes = Vec::new();
    // Each edit types one letter of a name, so most states of the file are broken.
    let last = 501;
    for version in 2..=last {
        let at = if version % 2 == 0 { "x" } else { "" };
        let end = usize::from(version % 2 != 0);
        let change = json!({ "jsonrpc": "2.0", "method": "textDocument/didChange", "params": {
            "textDocument": { "uri": URI, "version": version },
            "contentChanges": [{ "text": at, "range": {
                "start": { "line": 0, "character": 0 }, "end": { "line": 0, "character": end } } }] } });
        bytes.extend(frame(&change));
    }
    client.raw(&bytes);
    let found = client.findings_of(URI, last);
    assert!(found.iter().all(|one| one["severity"] == 2), "{found:?}");
    let checks = client.early("textDocument/publishDiagnostics");
    assert!(checks < 50, "{checks} checks for 500 edits");
    assert_eq!(client.end(), 0);
}

#[test]
fn an_answer_is_of_the_text_that_came_before_it() {
    let mut client = Client::start();
    client.open(URI, "waypost 1\n");
    for version in 2..30 {
        client.replace(URI, version, &format!("waypost 1\nlet A{version} = 1\n"));
        let document = json!({ "textDocument": { "uri": URI } });
        let symbols = client.request("textDocument/documentSymbol", document);
        assert_eq!(symbols[0]["name"], format!("A{version}"));
    }
    assert_eq!(client.end(), 0);
}

#[test]
fn a_document_that_is_closed_has_no_findings() {
    let mut client = Client::start();
    client.open(URI, "waypost 1\nmodel\n");
    assert!(!client.findings(URI).is_empty());
    let document = json!({ "textDocument": { "uri": URI } });
    client.notify("textDocument/didClose", document.clone());
    assert!(client.findings(URI).is_empty());
    // A document that is not open is no document.
    assert_eq!(
        client.request("textDocument/documentSymbol", document),
        Value::Null
    );
    assert_eq!(client.end(), 0);
}
