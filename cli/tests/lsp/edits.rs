//! What changes text: rename, quick fixes, formatting. The text after it is checked again.

use std::path::Path;

use serde_json::{Value, json};
use waypost_lang::syntax;

use crate::client::{Client, EXAMPLE, URI, unsuppressed};
use crate::text::{apply, everything, position};

/// Whether the text compiles.
fn sound(text: &str) -> bool {
    let checked = waypost_compiler::check("agents.route", text, &|_: &str| None);
    checked.program.is_some()
}

fn rename(client: &mut Client, what: &str, into: usize, new: &str) -> Result<String, String> {
    let found = EXAMPLE.find(what).unwrap_or_else(|| panic!("no `{what}`"));
    let at = position(EXAMPLE, found + into);
    let params = json!({ "textDocument": { "uri": URI }, "position": at, "newName": new });
    let id = client.ask("textDocument/rename", params);
    let answer = client.answer(id);
    match answer["error"]["message"].as_str() {
        Some(message) => Err(message.to_owned()),
        None => {
            let edits = answer["result"]["changes"][URI].as_array().unwrap();
            Ok(apply(EXAMPLE, edits))
        }
    }
}

#[test]
fn a_renamed_file_still_compiles_and_a_name_given_back_is_the_same_file() {
    let names = [
        ("tier weak", 6, "weak", "cheap"),
        ("to strong \"long", 4, "strong", "frontier"),
        ("model phi-4-mini", 7, "phi-4-mini", "phi-5"),
        ("pool phi {", 6, "phi", "local"),
        ("provider aoai", 10, "aoai", "azure"),
        ("secret aoai_key", 8, "aoai_key", "key-of-azure"),
        ("\"hard prompt\"", 3, "hard prompt", "hard \"prompt\""),
        ("(t, t.name", 1, "t", "tool"),
    ];
    for (what, into, old, new) in names {
        let mut client = Client::start();
        client.open(URI, EXAMPLE);
        let text = rename(&mut client, what, into, new).unwrap();
        assert!(text != EXAMPLE && sound(&text), "{new}:\n{text}");
        client.replace(URI, 2, &text);
        // The name's first place is where it was, for the text before it is the same.
        let first = EXAMPLE
            .bytes()
            .zip(text.bytes())
            .take_while(|(one, other)| one == other)
            .count();
        let params = json!({ "textDocument": { "uri": URI }, "position": position(&text, first), "newName": old });
        let back = client.request("textDocument/rename", params);
        let back = apply(&text, back["changes"][URI].as_array().unwrap());
        assert_eq!(back, EXAMPLE, "{new}");
    }
}

#[test]
fn a_rename_reaches_labels_in_tests_and_strings_in_expressions() {
    let mut client = Client::start();
    client.open(URI, EXAMPLE);
    let text = rename(&mut client, "tier strong", 6, "big").unwrap();
    assert!(
        text.contains("tier == \"big\"") && !text.contains("strong"),
        "{text}"
    );
    let marked = "waypost 1\npolicy { cap at weak \"fr¦ee\" when caller.plan == \"free\" }\n\
        test \"t\" { given { prompt \"x\" } expect { capped by 'free' } }\n";
    let (text, at) = crate::client::split(marked);
    client.open("file:///nowhere/b.route", &text);
    let params = json!({ "textDocument": { "uri": "file:///nowhere/b.route" }, "position": position(&text, at), "newName": "no money" });
    let changes = client.request("textDocument/rename", params);
    let text = apply(
        &text,
        changes["changes"]["file:///nowhere/b.route"]
            .as_array()
            .unwrap(),
    );
    assert!(
        text.contains("cap at weak \"no money\" when caller.plan == \"free\""),
        "{text}"
    );
    assert!(text.contains("capped by \"no money\""), "{text}");
}

#[test]
fn bad_names_are_refused_with_a_reason() {
    let mut client = Client::start();
    client.open(URI, EXAMPLE);
    let mut refusal =
        |what: &str, into, new: &str| rename(&mut client, what, into, new).unwrap_err();
    assert!(refusal("tier weak", 6, "Weak One").contains("not a name"));
    assert!(refusal("tier weak", 6, "strong").contains("already a tier"));
    assert!(refusal("tier weak", 6, "gpt-5.1").contains("already a model"));
    assert!(refusal("(t, t.name", 1, "request").contains("already means something"));
    assert!(refusal("(t, t.name", 1, "a b").contains("not the name of a variable"));
    assert!(refusal("\"free plan\"", 2, "sandbox never spends").contains("already a rule"));
    assert!(refusal("\"free plan\"", 2, " ").contains("empty"));
    assert!(refusal("capped by \"$50", 13, "fifty").contains("write a label"));
    assert!(refusal("escalate to", 1, "x").contains("no name here"));
}

#[test]
fn names_of_the_standard_library_are_not_renamed() {
    let mut client = Client::start();
    let text = "waypost 1\nimport \"std/agents.route\"\nlet A = RUNAWAY_TURNS\n";
    client.open(URI, text);
    let params = json!({ "textDocument": { "uri": URI }, "position": { "line": 2, "character": 10 }, "newName": "B" });
    let (_, message) = client.refused("textDocument/rename", params);
    assert!(message.contains("standard library"), "{message}");
}

#[test]
fn formatting_is_what_fmt_writes() {
    let mut client = Client::start();
    let messy = EXAMPLE.replace("  ", " ").replace('\n', "\n\n\n");
    for text in [
        messy.clone(),
        messy.replace('\n', "\r\n"),
        EXAMPLE.to_owned(),
        "\u{feff}waypost 1\r\nlet   A=1".to_owned(),
    ] {
        client.open(URI, &text);
        let params = json!({ "textDocument": { "uri": URI }, "options": { "tabSize": 8, "insertSpaces": false } });
        let edits = client.request("textDocument/formatting", params);
        let edits = edits.as_array().unwrap();
        let expected = syntax::format(&text).unwrap();
        assert_eq!(apply(&text, edits), expected);
        assert_eq!(edits.is_empty(), expected == text);
    }
    // What does not parse is left alone.
    client.open(URI, "waypost 1\nmodel {\n");
    let params = json!({ "textDocument": { "uri": URI }, "options": { "tabSize": 8, "insertSpaces": false } });
    assert_eq!(client.request("textDocument/formatting", params), json!([]));
}

#[test]
fn a_range_is_formatted_and_nothing_else() {
    let mut client = Client::start();
    let text = "waypost 1\nlet   A = 1\nlet   B = 2\n";
    client.open(URI, text);
    let range =
        json!({ "start": { "line": 2, "character": 0 }, "end": { "line": 2, "character": 5 } });
    let params = json!({ "textDocument": { "uri": URI }, "range": range, "options": { "tabSize": 2, "insertSpaces": true } });
    let edits = client.request("textDocument/rangeFormatting", params);
    assert_eq!(
        apply(text, edits.as_array().unwrap()),
        "waypost 1\nlet   A = 1\nlet B = 2\n"
    );
}

/// The actions that are offered for a whole document.
fn actions(client: &mut Client, only: Option<&str>) -> Vec<Value> {
    let context = match only {
        Some(kind) => json!({ "diagnostics": [], "only": [kind] }),
        None => json!({ "diagnostics": [] }),
    };
    let params =
        json!({ "textDocument": { "uri": URI }, "range": everything(), "context": context });
    let actions = client.request("textDocument/codeAction", params);
    actions.as_array().unwrap().clone()
}

#[test]
fn every_fix_of_every_broken_file_removes_its_finding() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/broken");
    let mut client = Client::start();
    let mut applied = 0;
    let mut version = 1;
    client.open(URI, "");
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let text = std::fs::read_to_string(&path).unwrap();
        let mut check = |client: &mut Client, text: &str| {
            version += 1;
            client.replace(URI, version, text);
            client.findings_of(URI, version)
        };
        check(&mut client, &text);
        for action in actions(&mut client, Some("quickfix")) {
            if action["isPreferred"] != true {
                continue;
            }
            let edits = action["edit"]["changes"][URI].as_array().unwrap();
            let fixed = apply(&text, edits);
            let about = &action["diagnostics"][0];
            let left = check(&mut client, &fixed);
            let same =
                |one: &&Value| one["message"] == about["message"] && one["code"] == about["code"];
            assert!(
                left.iter().find(same).is_none(),
                "{}: {about}\n{fixed}",
                path.display()
            );
            applied += 1;
            check(&mut client, &text);
        }
    }
    assert!(applied >= 10, "only {applied} fixes were offered");
}

#[test]
fn a_finding_can_be_fixed_allowed_and_explained() {
    let mut client = Client::start();
    let plain = unsuppressed();
    client.open(URI, &plain);
    let before = client.findings(URI);
    let all = actions(&mut client, None);
    let allow = all
        .iter()
        .find(|one| one["title"] == "allow WP0440 here, with a reason")
        .unwrap();
    let text = apply(&plain, allow["edit"]["changes"][URI].as_array().unwrap());
    client.replace(URI, 2, &text);
    let after = client.findings_of(URI, 2);
    assert_eq!(after.len(), before.len() - 1, "{after:?}");
    let explain = all
        .iter()
        .find(|one| one["title"] == "explain WP0440")
        .unwrap();
    let command = &explain["command"];
    let params = json!({ "command": command["command"], "arguments": command["arguments"] });
    let said = client.request("workspace/executeCommand", params);
    assert!(said.as_str().unwrap().contains("## Why is this bad?"));
}

#[test]
fn all_fixes_at_once() {
    let mut client = Client::start();
    let broken = EXAMPLE
        .replace("start       weak", "start       waek")
        .replace("cap at weak \"free", "cap at wek \"free");
    client.open(URI, &broken);
    let all = actions(&mut client, Some("source.fixAll"));
    assert_eq!(all.len(), 1, "{all:?}");
    let text = apply(&broken, all[0]["edit"]["changes"][URI].as_array().unwrap());
    assert_eq!(text, EXAMPLE);
}
