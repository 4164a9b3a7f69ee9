//! Several files: imports, overlays, files on the disk beside open documents, addresses of all kinds.

use serde_json::{Value, json};

use crate::client::{Client, capabilities, folder};
use crate::text::{apply, position};

const BASE: &str = "waypost 1\nprovider lab { kind openai-compatible  url \"http://h/v1\"  auth none }\n\
    model small { via lab  price input $1  output $2 }\ntiers weak\ntier weak { try small }\n";
const MAIN: &str = "waypost 1\nimport \"parts/base.route\"\ncontent { accept \"auto\"  start weak }\n\
    policy { callers { anonymous allow } }\n";

fn write(folder: &std::path::Path, name: &str, text: &str) -> String {
    let path = folder.join(name);
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(&path, text).unwrap();
    format!("file://{}", path.to_str().unwrap().replace(' ', "%20"))
}

fn start(folder: &std::path::Path) -> Client {
    let uri = format!("file://{}", folder.to_str().unwrap().replace(' ', "%20"));
    let folders = json!([{ "uri": uri, "name": "x" }]);
    Client::with(json!({ "capabilities": capabilities(), "workspaceFolders": folders }))
}

fn errors(found: &[Value]) -> usize {
    found.iter().filter(|one| one["severity"] == 1).count()
}

#[test]
fn a_part_is_checked_as_a_part_of_what_imports_it() {
    let folder = folder("parts of it");
    let main = write(&folder, "main.route", MAIN);
    let base = write(&folder, "parts/base.route", BASE);
    let mut client = start(&folder);
    client.open(&base, BASE);
    assert_eq!(
        errors(&client.findings(&base)),
        0,
        "by itself it has no content"
    );
    assert_eq!(errors(&client.findings(&main)), 0);
    // What an edit of the part breaks is shown where it is broken, open or not.
    client.replace(&base, 2, &BASE.replace("weak", "feeble"));
    let found = client.findings(&main);
    assert_eq!(errors(&found), 1, "{found:?}");
    assert_eq!(found[0]["code"], "WP0101");
    client.replace(&base, 3, BASE);
    assert_eq!(errors(&client.findings(&main)), 0);
    let document = json!({ "textDocument": { "uri": base } });
    client.notify("textDocument/didClose", document);
    assert!(client.findings(&base).is_empty());
}

#[test]
fn a_rename_reaches_files_that_are_not_open() {
    let folder = folder("rename");
    let main = write(&folder, "main.route", MAIN);
    let base = write(&folder, "parts/base.route", BASE);
    let other = write(
        &folder,
        "other.route",
        &MAIN.replace("\"auto\"", "\"other\""),
    );
    let mut client = start(&folder);
    client.open(&base, BASE);
    let at = position(BASE, BASE.find("tier weak").unwrap() + 6);
    let params = json!({ "textDocument": { "uri": base }, "position": at, "newName": "cheap" });
    let changes = client.request("textDocument/rename", params);
    let changes = changes["changes"].as_object().unwrap();
    assert_eq!(changes.len(), 3, "{changes:?}");
    let new = |uri: &str, text: &str| apply(text, changes[uri].as_array().unwrap());
    assert_eq!(new(&base, BASE), BASE.replace("weak", "cheap"));
    assert_eq!(new(&main, MAIN), MAIN.replace("weak", "cheap"));
    assert!(new(&other, &MAIN.replace("\"auto\"", "\"other\"")).contains("start cheap"));
}

#[test]
fn a_definition_lies_in_another_file() {
    let folder = folder("definition");
    let main = write(&folder, "main.route", MAIN);
    let base = write(&folder, "parts/base.route", BASE);
    let mut client = start(&folder);
    client.open(&main, MAIN);
    let at = |what: &str| position(MAIN, MAIN.find(what).unwrap() + 7);
    let ask = |what: &str| json!({ "textDocument": { "uri": main }, "position": at(what) });
    let found = client.request("textDocument/definition", ask("start weak"));
    assert_eq!(found[0]["uri"], base);
    assert_eq!(
        found[0]["range"]["start"],
        json!({ "line": 4, "character": 5 })
    );
    let file = client.request("textDocument/definition", ask("import "));
    assert_eq!(file["uri"], base);
    // The open text counts, not the disk's.
    client.open(&base, &BASE.replace("tiers", "// moved\ntiers"));
    let found = client.request("textDocument/definition", ask("start weak"));
    assert_eq!(found[0]["range"]["start"]["line"], 5);
}

#[test]
fn a_file_that_comes_to_the_disk_is_seen() {
    let folder = folder("watched");
    let main = write(&folder, "main.route", MAIN);
    let mut client = start(&folder);
    client.open(&main, MAIN);
    assert_eq!(client.findings(&main)[0]["code"], "WP0103");
    write(&folder, "parts/base.route", BASE);
    client.notify("workspace/didChangeWatchedFiles", json!({ "changes": [] }));
    assert_eq!(errors(&client.findings(&main)), 0);
}

#[test]
fn documents_may_lie_in_no_file() {
    let mut client = Client::start();
    let uri = "untitled:Untitled-1";
    client.open(
        uri,
        "waypost 1\nimport \"./b.route\"\nimport \"std/agents.route\"\nlet A = RUNAWAY_TURNS\n",
    );
    let found = client.findings(uri);
    assert!(found.iter().any(|one| one["code"] == "WP0103"), "{found:?}");
    let params =
        json!({ "textDocument": { "uri": uri }, "position": { "line": 3, "character": 10 } });
    let hover = client.request("textDocument/hover", params);
    assert!(
        hover["contents"]["value"]
            .as_str()
            .unwrap()
            .contains("Its value is `200`")
    );
    assert_eq!(client.end(), 0);
}
