//! Questions about places: hover, definitions, references, symbols, tokens, hints, folds, signatures.

use serde_json::{Value, json};

use crate::client::{Client, EXAMPLE, URI, unsuppressed};
use crate::text::{everything, offset, position, slice};

/// The place of `what` in the example, `into` bytes into it.
fn at(what: &str, into: usize) -> Value {
    let found = EXAMPLE.find(what).unwrap_or_else(|| panic!("no `{what}`"));
    position(EXAMPLE, found + into)
}

fn place(what: &str, into: usize) -> Value {
    json!({ "textDocument": { "uri": URI }, "position": at(what, into) })
}

fn hover(client: &mut Client, what: &str, into: usize) -> String {
    let result = client.request("textDocument/hover", place(what, into));
    let text = result["contents"]["value"].as_str();
    text.unwrap_or_else(|| panic!("nothing on `{what}`"))
        .to_owned()
}

#[test]
fn hover_says_what_stands_there() {
    let mut client = Client::start();
    client.open(URI, &unsuppressed());
    let mut said = |what: &str, into| hover(&mut client, what, into);
    let model = said("aoai  deployment", 0);
    assert!(model.contains("provider aoai"), "{model}");
    let model = said("then gpt-5.1", 5);
    for fact in [
        "context 400k",
        "input $1.25",
        "cached $0.125",
        "output $10",
        "`weak`, `strong`",
    ] {
        assert!(model.contains(fact), "{fact}: {model}");
    }
    let tier = said("escalate to strong", 13);
    for fact in [
        "weak < strong",
        "via provider `aoai`",
        "retries 2",
        "Spend ceiling: at most $",
    ] {
        assert!(tier.contains(fact), "{fact}: {tier}");
    }
    let fact = said("request.tokens >", 10);
    assert!(fact.contains("request.tokens: int"), "{fact}");
    assert!(fact.contains("`content` and `policy`"), "{fact}");
    assert!(said("t.name.", 3).contains("t.name: string"));
    assert!(said("exists(t", 7).contains("t: tool"));
    assert!(said("startsWith", 3).contains("startsWith(text: string) -> bool"));
    assert!(said("difficulty >= threshold\n", 11).contains("bool"));
    assert!(said("escalate to", 1).contains("Raises a matching call"));
    assert!(said("azure-openai", 1).contains("Azure OpenAI"));
    assert!(said("\"free plan\"", 2).contains("cap at weak"));
    assert!(said("std/agents", 2).contains("The part of an agents' file"));
    // A finding's explanation comes with it.
    assert!(said("per caller.agent", 6).contains("WP0440 shared-bucket"));
}

#[test]
fn hover_shows_documentation_and_values_of_constants() {
    let mut client = Client::start();
    let text = "waypost 1\n/// From here on it is long.\nlet LONG = 24k\nlet LONGER = LO¦NG * 2\n";
    let result = client.ask_at("textDocument/hover", text);
    let said = result["contents"]["value"].as_str().unwrap();
    assert!(said.contains("From here on it is long."), "{said}");
    assert!(said.contains("Its value is `24000`"), "{said}");
}

#[test]
fn a_name_leads_to_its_declaration_and_its_uses() {
    let mut client = Client::start();
    client.open(URI, EXAMPLE);
    let declared = client.request("textDocument/definition", place("to strong \"long", 4));
    assert_eq!(slice(EXAMPLE, &declared[0]["range"]), "strong");
    let before = &EXAMPLE[..offset(EXAMPLE, &declared[0]["range"]["start"])];
    assert!(before.ends_with("\ntier "));
    let mut params = place("to strong \"long", 4);
    params["context"] = json!({ "includeDeclaration": true });
    let uses = client.request("textDocument/references", params);
    let uses: Vec<&Value> = uses.as_array().unwrap().iter().collect();
    assert!(
        uses.iter()
            .all(|one| slice(EXAMPLE, &one["range"]) == "strong")
    );
    let written = EXAMPLE.matches("strong").count();
    assert_eq!(
        uses.len(),
        written,
        "in strings of expressions and in tests, too"
    );
    let same = client.request(
        "textDocument/documentHighlight",
        place("to strong \"long", 4),
    );
    assert_eq!(same.as_array().unwrap().len(), written);
    // A label leads to its rule.
    let rule = client.request("textDocument/definition", place("capped by \"$50", 13));
    assert_eq!(slice(EXAMPLE, &rule[0]["range"]), "$50 / day");
}

#[test]
fn a_pack_opens_for_clients_that_can_show_one() {
    let path = place("\"std/agents", 3);
    let mut client = Client::start();
    client.open(URI, EXAMPLE);
    assert_eq!(
        client.request("textDocument/definition", path.clone()),
        Value::Null
    );
    let mut client = Client::with(
        json!({ "capabilities": {}, "initializationOptions": { "standardPacks": true } }),
    );
    client.open(URI, EXAMPLE);
    let found = client.request("textDocument/definition", path);
    assert_eq!(found["uri"], "waypost-std:/std/agents.route");
    let text = client.request("waypost/pack", json!({ "uri": found["uri"] }));
    assert!(text.as_str().unwrap().contains("let RUNAWAY_TURNS"));
}

#[test]
fn symbols_folds_and_tokens_cover_the_file() {
    let mut client = Client::start();
    client.open(URI, EXAMPLE);
    let document = json!({ "textDocument": { "uri": URI } });
    let symbols = client.request("textDocument/documentSymbol", document.clone());
    let names = |list: &Value| -> Vec<String> {
        let list = list.as_array().unwrap().iter();
        list.map(|one| one["name"].as_str().unwrap().to_owned())
            .collect()
    };
    insta::assert_snapshot!(names(&symbols).join(" | "), @"std/agents.route | aoai_key | caller_keys | redis_url | aoai | gpt-5.1 | phi-4-mini | phi | weak < strong | weak | strong | content | policy | place phi | deploy | trivial arithmetic stays cheap | an exhausted budget degrades, it does not fail");
    let content = symbols
        .as_array()
        .unwrap()
        .iter()
        .find(|one| one["name"] == "content");
    insta::assert_snapshot!(names(&content.unwrap()["children"]).join(" | "), @"writes to the world | long context | hard prompt");
    let folds = client.request("textDocument/foldingRange", document.clone());
    assert!(folds.as_array().unwrap().len() >= 8);
    let tokens = client.request("textDocument/semanticTokens/full", document);
    insta::assert_snapshot!(colored(&client, &tokens));
}

/// Every token with its kind, a line of the file a line.
fn colored(client: &Client, tokens: &Value) -> String {
    let legend =
        &client.initialized["capabilities"]["semanticTokensProvider"]["legend"]["tokenTypes"];
    let numbers: Vec<usize> = tokens["data"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| usize::try_from(one.as_u64().unwrap()).unwrap())
        .collect();
    let (mut line, mut column) = (0, 0);
    let mut text = String::new();
    for token in numbers.chunks(5) {
        let [lines, columns, length, kind, modifiers] = token else {
            panic!("five numbers each");
        };
        if *lines > 0 {
            text.push('\n');
            line += lines;
            column = 0;
        }
        column += columns;
        let start = json!({ "line": line, "character": column });
        let end = json!({ "line": line, "character": column + length });
        let written = slice(EXAMPLE, &json!({ "start": start, "end": end }));
        let kind = legend[*kind].as_str().unwrap();
        let mark = if modifiers & 1 == 1 { "!" } else { "" };
        text.push_str(&format!("{written}:{kind}{mark} "));
    }
    text
}

#[test]
fn hints_say_what_the_file_does_not() {
    let mut client = Client::start();
    client.open(URI, EXAMPLE);
    let params = json!({ "textDocument": { "uri": URI }, "range": everything() });
    let hints = client.request("textDocument/inlayHint", params.clone());
    let said: Vec<String> = hints
        .as_array()
        .unwrap()
        .iter()
        .map(|hint| {
            let before = &EXAMPLE[..offset(EXAMPLE, &hint["position"])];
            let line = before.lines().last().unwrap();
            format!("{line} «{}»", hint["label"].as_str().unwrap())
        })
        .collect();
    insta::assert_snapshot!(said.join("\n"));
    // Of the lines asked for only.
    let mut few = params;
    few["range"]["end"] = json!({ "line": 10, "character": 0 });
    assert_eq!(client.request("textDocument/inlayHint", few), json!([]));
}

#[test]
fn a_price_that_an_import_gives_is_shown() {
    let mut client = Client::start();
    let text = "waypost 1\nprovider p { kind openai-compatible  url \"http://h/v1\"  auth none }\n\
        catalog big { price input $3  output $9  as of \"2026-11-01\"  source \"https://h/prices\" }\n\
        model big { via p }\ntiers one\ntier one { try big }\n\
        content { accept \"auto\"  start one }\npolicy { callers { anonymous allow } }\n";
    client.open(URI, text);
    let found = client.findings(URI);
    assert!(found.iter().all(|one| one["severity"] == 2), "{found:?}");
    let params = json!({ "textDocument": { "uri": URI }, "range": everything() });
    let hints = client.request("textDocument/inlayHint", params);
    let labels: Vec<&str> = hints
        .as_array()
        .unwrap()
        .iter()
        .map(|hint| hint["label"].as_str().unwrap())
        .collect();
    assert!(
        labels.contains(&"price input $3  cached $3  output $9"),
        "{labels:?}"
    );
}

#[test]
fn a_call_shows_its_parameters() {
    let mut client = Client::start();
    let text = "waypost 1\ncontent { escalate to a when request.prompt.replace(\"a\", ¦";
    let help = client.ask_at("textDocument/signatureHelp", text);
    let label = &help["signatures"][0]["label"];
    assert_eq!(label, "replace(old: string, new: string) -> string");
    assert_eq!(help["activeParameter"], 1);
}

#[test]
fn hover_in_a_demand_says_what_items_have() {
    let mut client = Client::start();
    let mut said = |expression: &str| {
        let text = format!("waypost 1\nrequire \"r\" {{\n  each tier\n  that {expression}\n}}\n");
        let result = client.ask_at("textDocument/hover", &text);
        let value = result["contents"]["value"].as_str();
        value
            .unwrap_or_else(|| panic!("nothing on {expression}"))
            .to_owned()
    };
    let paid = said("tier.pa¦id && tier.retries > 0");
    assert!(
        paid.contains("tier.paid: bool") && paid.contains("a provider is paid"),
        "{paid}"
    );
    let tier = said("ti¦er.paid");
    assert!(
        tier.contains("tier: tier") && tier.contains("`budgets`"),
        "{tier}"
    );
    let input = said("tier.models.all(m, m.price.in¦put < 2.0)");
    assert!(
        input.contains("double") && input.contains("of the prompt"),
        "{input}"
    );
    let variable = said("tier.models.all(m, ¦m.paid)");
    assert!(variable.contains("m: model"), "{variable}");
    let size = said("si¦ze(file.tiers) > 1");
    assert!(size.contains("size("), "{size}");
}
