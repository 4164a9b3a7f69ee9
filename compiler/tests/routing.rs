//! Tiers, reachability, accepted names and values: each defect beside its nearest neighbour without it.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    dead_code,
    unreachable_pub,
    reason = "tests"
)]

mod fixture;

use fixture::{SOUND, findings, refused, taken};

#[test]
fn the_chain_and_the_tiers_name_the_same() {
    refused("tiers weak < strong", "tiers weak", "WP0301", "strong");
    refused(
        "tiers weak < strong",
        "tiers weak < stong",
        "WP0301",
        "stong",
    );
    refused(
        "tiers weak < strong",
        "tiers weak < strong < human",
        "WP0303",
        "human",
    );
    refused("tiers weak < strong\n", "", "WP0105", "weak");
}

#[test]
fn a_lone_tier_needs_no_chain() {
    let text = "waypost 1\nprovider p { kind openai  auth none }\nmodel m { via p }\ntier only { try m }\ncontent { accept \"auto\"  start only }\npolicy { callers { anonymous allow } }\n";
    assert_eq!(findings(text), []);
}

#[test]
fn a_circle_is_reported_once() {
    let text = SOUND.replace(
        "try small then big  timeout",
        "try small then strong  timeout",
    );
    assert_eq!(findings(&text), []);
    let circle = text.replace("by caller.key  then big }", "by caller.key  then weak }");
    assert_eq!(
        findings(&circle),
        [("WP0302".to_owned(), "weak".to_owned())]
    );
    let own = SOUND.replace(
        "try small then big  timeout",
        "try small then weak  timeout",
    );
    assert_eq!(findings(&own), [("WP0302".to_owned(), "weak".to_owned())]);
}

#[test]
fn a_model_is_tried_once_and_its_tiers_are_replaced_by_their_steps() {
    refused(
        "try small then big  timeout",
        "try small then big then small  timeout",
        "WP0102",
        "small",
    );
    let text = SOUND.replace(
        "tier strong { split big 90%, alt 10% by caller.key  then big }",
        "tier strong { try big then weak }",
    );
    let program = fixture::checked(&text.replace("big  timeout", "alt  timeout"))
        .program
        .unwrap();
    assert_eq!(program.tiers[1].steps.len(), 3);
    assert_eq!(program.tiers[1].home(), Some(0));
}

#[test]
fn shares_add_up_to_the_whole() {
    refused(
        "alt 10% by",
        "alt 9.5% by",
        "WP0307",
        "split big 90%, alt 9.5% by caller.key",
    );
    taken("big 90%, alt 10%", "big 99.5%, alt 0.5%");
}

#[test]
fn a_model_that_nothing_reaches_is_a_warning() {
    let model = "model alt {";
    refused(
        model,
        "model spare { via hosted }\nmodel alt {",
        "WP0305",
        "spare",
    );
    let named = fixture::replaced(
        model,
        "model spare { via hosted  price input $1  output $1 }\nmodel alt {",
    );
    assert_eq!(
        findings(&named.replace("accept \"auto\",", "accept \"auto\", models,")),
        []
    );
    assert!(fixture::checked(&named).program.is_some());
}

#[test]
fn one_name_leads_to_one_place() {
    refused(
        "accept \"batch-*\"",
        "accept \"batch-*\", \"auto\"",
        "WP0306",
        "\"auto\"",
    );
    refused(
        "accept \"batch-*\"",
        "accept \"batch-*\", models, \"big\"",
        "WP0306",
        "\"big\"",
    );
    taken("accept \"batch-*\"", "accept \"batch-*\", \"auto-b-*\"");
    taken("accept \"batch-*\"", "accept \"batch-*\", \"big\"");
    taken("accept \"auto\",", "accept \"auto\", \"auto\",");
    refused(
        "accept \"batch-*\"",
        "accept \"batch-*\", \"gpt-4o\" as alt",
        "WP0306",
        "\"gpt-4o\"",
    );
}

#[test]
fn a_star_stands_at_the_end_once() {
    refused("\"batch-*\"", "\"batch-*-x\"", "WP0307", "\"batch-*-x\"");
    refused("\"batch-*\"", "\"batch-**\"", "WP0307", "\"batch-**\"");
    taken("\"batch-*\"", "\"*\"");
}

#[test]
fn values_lie_in_their_ranges() {
    refused("output 128k", "output 500k", "WP0307", "500k");
    taken("output 128k", "output 400k");
    refused("port 5000", "port 70000", "WP0307", "70000");
    refused("status 403", "status 302", "WP0307", "302");
    taken("status 403", "status 599");
    refused("timeout 30s", "timeout 0s", "WP0307", "0s");
    refused("retries 2 }", "retries 11 }", "WP0307", "11");
    refused("threshold 0.42", "threshold 1.5", "WP0307", "1.5");
    taken("threshold 0.42", "threshold 1");
    refused("replicas 2..8", "replicas 8..2", "WP0307", "8..2");
    refused("replicas 2..10", "replicas 0..10", "WP0307", "0..10");
    refused("kv-cache 80%", "kv-cache 120%", "WP0307", "120%");
    refused("kv-cache 80%", "kv-cache 5", "WP0307", "5");
    refused("for 10m", "for 0m", "WP0307", "0m");
    refused("burst 50", "burst 0", "WP0307", "0");
    refused(
        "limit 600 requests",
        "limit 0 requests",
        "WP0307",
        "0 requests",
    );
    refused("at 80% warn", "at 0% warn", "WP0307", "0%");
    refused(
        "at \"2026-01-31T23:59:59Z\"",
        "at \"2026-01-31\"",
        "WP0307",
        "\"2026-01-31\"",
    );
}

#[test]
fn words_are_of_their_set() {
    refused("kind openai  auth", "kind opanai  auth", "WP0307", "opanai");
    refused("port 5000", "engine vlm  port 5000", "WP0307", "vlm");
    refused(
        "price input $1  output $2",
        "serves chats  price input $1  output $2",
        "WP0307",
        "chats",
    );
    refused("anonymous deny", "anonymous refuse", "WP0307", "refuse");
    refused("prefer prefix 3", "prefer prefixes 3", "WP0307", "prefixes");
    refused("then next\n", "then drop\n", "WP0307", "drop");
    refused("shape waypost", "shape layers", "WP0307", "layers");
    refused("monitor azure", "monitor datadog", "WP0307", "datadog");
    refused("redact email", "redact emails", "WP0307", "emails");
    refused("in request, logs", "in request, log", "WP0307", "log");
    refused(
        "kaito \"v1beta1\"",
        "kaitoo \"v1beta1\"",
        "WP0307",
        "kaitoo",
    );
}

#[test]
fn patterns_to_redact_compile_and_find_something() {
    refused("INT-[0-9]{6}", "INT-[0-9", "WP0307", "\"INT-[0-9\"");
    refused("INT-[0-9]{6}", "[0-9]*", "WP0307", "\"[0-9]*\"");
    taken("INT-[0-9]{6}", "[0-9]+");
}

#[test]
fn what_would_have_no_effect_is_refused() {
    refused(
        "kind openai  auth",
        "kind openai  resource \"acme\"  auth",
        "WP0307",
        "\"acme\"",
    );
    refused(
        "saturate queue 5, kv-cache 80%\n",
        "\n",
        "WP0307",
        "overflow wait 2s then next",
    );
    refused(
        "via hosted  context",
        "rejects messages  via hosted  context",
        "WP0307",
        "messages",
    );
    taken(
        "via hosted  context",
        "rejects temperature  via hosted  context",
    );
}

#[test]
fn a_hedge_needs_a_next_model_and_comes_before_the_timeout() {
    let weak = "try small then big  timeout 30s";
    taken(weak, "try small then big  hedge after 2s  timeout 30s");
    taken(weak, "try small then big  hedge after 2s");
    refused(weak, "try small then big  hedge after 0s", "WP0307", "0s");
    refused(
        weak,
        "try small then big  hedge after 30s  timeout 30s",
        "WP0307",
        "30s",
    );
    refused(weak, "try small  hedge after 2s", "WP0307", "2s");
    let program = fixture::checked(&SOUND.replace(weak, "try small then big  hedge after 1500ms"));
    let hedge = program.program.unwrap().tiers[0].hedge.clone();
    assert_eq!(hedge.map(|hedge| hedge.value), Some(1_500));
}

#[test]
fn a_syntax_error_does_not_make_names_unknown() {
    let found = findings(&fixture::replaced("model alt { via", "model alt [ via"));
    assert_eq!(found.len(), 1, "{found:?}");
    assert!(found[0].0.starts_with("WP00"), "{found:?}");
}

#[test]
fn tiers_that_share_tiers_are_flattened_in_linear_time() {
    let count = 60;
    let names: Vec<String> = (0..count).map(|tier| format!("t{tier}")).collect();
    let mut text = format!(
        "waypost 1\nprovider p {{ kind openai  auth none }}\nmodel m {{ via p }}\ntiers {}\ntier t0 {{ try m }}\n",
        names.join(" < ")
    );
    for tier in 1..count {
        let before: Vec<&str> = names[..tier].iter().rev().map(String::as_str).collect();
        text += &format!("tier t{tier} {{ try {} }}\n", before.join(" then "));
    }
    let program = fixture::checked(&text).program.unwrap();
    assert_eq!(program.tiers[count - 1].steps.len(), 1);
}

/// Whatever is cut from a file, the compiler answers, and a program comes out iff nothing is an error.
#[test]
fn any_cut_of_a_file_is_answered() {
    let whole: Vec<char> = SOUND.chars().collect();
    let cuts = (0..whole.len()).step_by(7).flat_map(|from| {
        let prefix: String = whole[..from].iter().collect();
        let without: String = whole[..from]
            .iter()
            .chain(&whole[(from + 9).min(whole.len())..])
            .collect();
        [prefix, without]
    });
    for text in cuts {
        let checked = fixture::checked(&text);
        let errors = checked
            .diagnostics
            .iter()
            .filter(|one| one.is_error())
            .count();
        assert_eq!(checked.program.is_some(), errors == 0, "{text}");
        if let Some(program) = &checked.program {
            let draft = waypost_compiler::lower(program, &checked.sources);
            let bytes = waypost_policies::plan::encode(&draft);
            waypost_policies::plan::Plan::load(bytes)
                .unwrap_or_else(|error| panic!("{error}: {text}"));
        }
    }
}
