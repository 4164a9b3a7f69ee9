//! Columns: UTF-16 past emoji and accents, Windows lines, UTF-8 where the client offers it.

use serde_json::{Value, json};

use crate::client::{Client, URI};
use crate::text::{position, slice};

const WIDE: &str = "waypost 1\r\n// 🙂 naïve\r\nlet A = 1\r\n\
    content { escalate to strong \"🙂🙂 weiß\" when request.prompt == \"é🙂\" && nonsense }\r\n";

#[test]
fn ranges_lie_under_the_very_words() {
    let mut client = Client::start();
    assert_eq!(
        client.initialized["capabilities"]["positionEncoding"],
        "utf-16"
    );
    client.open(URI, WIDE);
    let found = client.findings(URI);
    let words: Vec<&str> = found.iter().map(|one| slice(WIDE, &one["range"])).collect();
    assert!(words.contains(&"nonsense"), "{words:?}");
    let at = position(WIDE, WIDE.find("weiß").unwrap());
    let params = json!({ "textDocument": { "uri": URI }, "position": at });
    let label = client.request("textDocument/documentHighlight", params);
    assert_eq!(slice(WIDE, &label[0]["range"]), "🙂🙂 weiß");
}

#[test]
fn edits_land_where_they_were_made() {
    let mut client = Client::start();
    client.open(URI, WIDE);
    // Type behind the last emoji of the label, then join two Windows lines.
    let at = position(WIDE, WIDE.find(" weiß").unwrap());
    let end = json!({ "line": 1, "character": 99 });
    let params = json!({
        "textDocument": { "uri": URI, "version": 2 },
        "contentChanges": [
            { "range": { "start": at, "end": at }, "text": " sehr" },
            { "range": { "start": end, "end": { "line": 2, "character": 0 } }, "text": " " },
        ],
    });
    client.notify("textDocument/didChange", params);
    let symbols = client.request(
        "textDocument/documentSymbol",
        json!({ "textDocument": { "uri": URI } }),
    );
    let content = symbols
        .as_array()
        .unwrap()
        .iter()
        .find(|one| one["name"] == "content");
    let content = content.unwrap();
    assert_eq!(content["children"][0]["name"], "🙂🙂 sehr weiß");
    assert_eq!(content["range"]["start"]["line"], 2);
    assert!(
        symbols
            .as_array()
            .unwrap()
            .iter()
            .all(|one| one["name"] != "A"),
        "it is a comment now"
    );
}

#[test]
fn a_client_that_offers_utf_8_gets_it() {
    let general = json!({ "positionEncodings": ["utf-8", "utf-16"] });
    let mut client = Client::with(json!({ "capabilities": { "general": general } }));
    assert_eq!(
        client.initialized["capabilities"]["positionEncoding"],
        "utf-8"
    );
    client.open(URI, "waypost 1\nlet AB = \"🙂\" + AB_\n");
    let found: Vec<Value> = client.findings(URI);
    let range = &found[0]["range"];
    // `let AB = "🙂" + ` is 18 bytes, of which the emoji is 4.
    assert_eq!(range["start"], json!({ "line": 1, "character": 18 }));
}

#[test]
fn tokens_never_span_lines_for_clients_that_cannot_show_that() {
    let mut client = Client::start();
    let text = "waypost 1\nlet A = \"\"\"one 🙂\n  two\"\"\"\nlet B = 2\n";
    client.open(URI, text);
    let tokens = client.request(
        "textDocument/semanticTokens/full",
        json!({ "textDocument": { "uri": URI } }),
    );
    let numbers: Vec<u64> = tokens["data"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| one.as_u64().unwrap())
        .collect();
    let strings: Vec<u64> = numbers
        .chunks(5)
        .filter(|token| token[3] == 9)
        .map(|token| token[2])
        .collect();
    assert_eq!(strings, [9, 8], "the lengths of the two lines in UTF-16");
}
