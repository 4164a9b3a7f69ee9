//! Names, labels, imports and missing fields: each defect beside its nearest neighbour without it.
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
use waypost_compiler::check;
use waypost_policies::cost::Sort;

#[test]
fn the_fixture_is_sound() {
    assert_eq!(findings(SOUND), []);
    assert!(fixture::checked(SOUND).program.is_some());
}

#[test]
fn unknown_names_are_reported_once_where_they_stand() {
    refused("via hosted", "via hostd", "WP0101", "hostd");
    refused("via pool own", "via pool won", "WP0101", "won");
    refused(
        "auth secret key }\nprovider",
        "auth secret kee }\nprovider",
        "WP0101",
        "kee",
    );
    refused("try small then", "try smal then", "WP0101", "smal");
    refused(
        "content batch { accept \"batch-*\"  start weak }",
        "content batch { accept \"batch-*\"  start week }",
        "WP0101",
        "week",
    );
    refused("cap at weak \"free", "cap at waek \"free", "WP0101", "waek");
    refused("on strong {", "on storng {", "WP0101", "storng");
    refused("100% cap at weak", "100% cap at waek", "WP0101", "waek");
    refused("place own", "place owns", "WP0101", "owns");
    refused("\"gpt-4o\" as big", "\"gpt-4o\" as bgi", "WP0101", "bgi");
    refused("split big 90%", "split bigg 90%", "WP0101", "bigg");
    refused("tier weak  model", "tier waek  model", "WP0101", "waek");
    refused(
        "spent $50 on strong",
        "spent $50 on stron",
        "WP0101",
        "stron",
    );
    refused(
        "caller.team \"payments\"",
        "caller.teem \"payments\"",
        "WP0307",
        "teem",
    );
}

#[test]
fn a_slip_in_a_declaration_is_one_finding_however_often_the_name_is_used() {
    let text = fixture::replaced("model big {", "model bgi {");
    let checked = fixture::checked(&text);
    let [one] = checked.diagnostics.as_slice() else {
        panic!("{:?}", checked.diagnostics)
    };
    assert_eq!(one.code.number, "WP0101");
    assert_eq!(one.secondary.len(), 3);
}

#[test]
fn a_pool_named_as_a_provider_is_told_how_to_write_it() {
    refused("via pool own", "via own", "WP0101", "own");
    taken("via pool own", "via pool own as \"phi\"");
}

#[test]
fn a_tier_may_try_a_model_or_a_tier_but_a_split_models_only() {
    taken(
        "try small then big  timeout",
        "try small then strong  timeout",
    );
    refused(
        "split big 90%, alt",
        "split big 90%, weak",
        "WP0101",
        "weak",
    );
}

#[test]
fn the_second_of_a_name_is_refused_with_the_first_beside_it() {
    refused(
        "secret keys = env",
        "secret key = env(\"KEY\")\nsecret keys = env",
        "WP0102",
        "key",
    );
    refused(
        "let LONG = 24k",
        "let LONG = 24k\nlet LONG = 24k",
        "WP0102",
        "LONG",
    );
    refused(
        "model alt {",
        "model big { via hosted }\nmodel alt {",
        "WP0102",
        "big",
    );
    let two = fixture::replaced("tier strong {", "tier weak { try big }\ntier strong {");
    assert_eq!(findings(&two), [("WP0102".to_owned(), "weak".to_owned())]);
}

#[test]
fn a_tier_and_a_model_cannot_share_a_name() {
    let text = SOUND
        .replace("model alt", "model weak")
        .replace("alt 10%", "weak 10%");
    let found = findings(&text);
    assert_eq!(found, [("WP0102".to_owned(), "weak".to_owned())]);
}

#[test]
fn labels_are_unique_in_their_section_only() {
    refused("\"hard\" when", "\"long\" when", "WP0106", "\"long\"");
    taken("\"free plan\"", "\"long\"");
    refused("\"free plan\"", "\"sandbox\"", "WP0106", "\"sandbox\"");
    refused("\"free plan\"", "\"\"", "WP0307", "\"\"");
}

#[test]
fn rates_are_labels_where_none_is_written() {
    let rate = "limit 600 requests / 1m burst 50 per caller.key";
    let second = "limit 600 requests / 1m per caller.agent";
    refused(
        rate,
        &format!("{rate}\n  {second}"),
        "WP0106",
        "600 requests / 1m",
    );
    let named = "limit 600 requests / 1m \"per agent\" per caller.agent";
    taken(rate, &format!("{rate}\n  {named}"));
}

#[test]
fn fields_that_must_be_written_are_asked_for() {
    refused("kind openai  auth", "auth", "WP0105", "hosted");
    refused(
        "{ kind openai  auth secret key }",
        "{ kind openai }",
        "WP0105",
        "hosted",
    );
    refused("via hosted  context", "context", "WP0105", "big");
    refused("resource \"acme\"  ", "", "WP0105", "azure");
    refused(
        "kaito { preset \"phi-4-mini-instruct\"  replicas 2..8 }",
        "engine vllm",
        "WP0105",
        "own",
    );
    refused(
        "preset \"phi-4-mini-instruct\"  ",
        "",
        "WP0105",
        "kaito { replicas 2..8 }",
    );
    refused(
        "price input $1  output $2",
        "price input $1",
        "WP0105",
        "price input $1",
    );
    refused(
        "accept \"batch-*\"  start weak",
        "accept \"batch-*\"",
        "WP0105",
        "content batch",
    );
    refused(
        "accept \"batch-*\"  start weak",
        "start weak",
        "WP0105",
        "content batch",
    );
    refused("  threshold 0.42\n", "", "WP0105", "threshold");
    refused("  namespace \"llm\"\n", "", "WP0105", "kubernetes");
    refused(
        "tier weak  model small  cost < $0.001  capped by \"$50 / day\"",
        "",
        "WP0105",
        "\"trivial\"",
    );
}

#[test]
fn embeddings_need_no_price_of_answers() {
    taken(
        "price input $1  output $2",
        "serves embeddings  price input $1",
    );
}

#[test]
fn nobody_may_call_unless_the_policy_says_who() {
    refused(
        "keys secret keys  anonymous deny",
        "anonymous deny",
        "WP0105",
        "callers { anonymous deny }",
    );
    taken("keys secret keys  anonymous deny", "anonymous allow");
}

#[test]
fn constants_may_stand_in_any_order_but_not_in_a_circle() {
    taken("let LONG = 24k", "let LONG = SHORT * 2\nlet SHORT = 12k");
    refused(
        "let LONG = 24k",
        "let LONG = SHORT\nlet SHORT = LONG",
        "WP0210",
        "SHORT",
    );
    taken("start weak\n  escalate", "start weak\n\n  escalate");
}

/// What is said of files that import one another; the first is the one checked.
fn together(files: &[(&str, &str)]) -> Vec<(String, String)> {
    let load = |path: &str| {
        let found = files.iter().find(|(name, _)| *name == path);
        found.map(|(_, text)| (*text).to_owned())
    };
    let checked = check(files[0].0, files[0].1, &load);
    let shown = checked.diagnostics.iter();
    shown
        .map(|one| {
            let (file, line, _) = checked.sources.position(one.primary.span);
            (
                format!("{} {file}:{line}", one.code.number),
                checked.sources.text(one.primary.span).to_owned(),
            )
        })
        .collect()
}

#[test]
fn a_missing_import_is_one_finding_and_its_names_are_not_asked_for() {
    let text = "waypost 1\nimport \"tiers.route\"\ncontent { accept \"auto\"  start weak }\npolicy { callers { anonymous allow } }\n";
    let found = together(&[("a/b.route", text)]);
    assert_eq!(
        found,
        [(
            "WP0103 a/b.route:2".to_owned(),
            "\"tiers.route\"".to_owned()
        )]
    );
    let tiers = "waypost 1\nprovider p { kind openai  auth none }\nmodel m { via p }\ntier weak { try m }\n";
    assert_eq!(
        together(&[("a/b.route", text), ("a/tiers.route", tiers)]),
        []
    );
}

#[test]
fn files_may_share_an_import_but_not_lead_back() {
    let base = "waypost 1\nlet A = 1\n";
    let left = "waypost 1\nimport \"base.route\"\n";
    let root = "waypost 1\nimport \"left.route\"\nimport \"./base.route\"\n";
    assert_eq!(
        together(&[
            ("root.route", root),
            ("left.route", left),
            ("base.route", base)
        ]),
        []
    );
    let back = "waypost 1\nimport \"root.route\"\n";
    let found = together(&[
        ("root.route", root),
        ("left.route", left),
        ("base.route", back),
    ]);
    assert_eq!(
        found,
        [(
            "WP0104 base.route:2".to_owned(),
            "\"root.route\"".to_owned()
        )]
    );
}

#[test]
fn packs_compile_alone_and_are_found_by_their_name() {
    for (name, text) in waypost_compiler::standard::PACKS {
        assert_eq!(together(&[(name, text)]), []);
        let import = format!("{SOUND}\nimport \"{name}\"\n");
        let mut found = findings(&import);
        // What a company demands, this file need not meet.
        found.retain(|(code, _)| code != "WP0490");
        assert_eq!(found, []);
    }
    // A file beside it does not take a pack's place.
    let root = "waypost 1\nimport \"std/agents.route\"\n";
    assert_eq!(
        together(&[("root.route", root), ("std/agents.route", "nonsense")]),
        []
    );
}

#[test]
fn an_extension_overrides_what_another_file_declares() {
    let base = "waypost 1\nprovider p { kind openai  auth none }\nmodel m { via p  price input $1  output $2 }\ntier weak { try m }\n";
    let root = "waypost 1\nimport \"base.route\"\nextend model m { price input $3 }\n";
    let load = |path: &str| (path == "base.route").then(|| base.to_owned());
    let program = check("root.route", root, &load).program.unwrap();
    let price = program.models[0].price.as_ref().unwrap();
    let rate = |sort| price.base().of(sort).0;
    let rates = (rate(Sort::Input), rate(Sort::Output));
    assert_eq!(rates, (3_000_000_000, 2_000_000_000));
    let unknown = root.replace("model m", "model n");
    assert_eq!(
        together(&[("root.route", &unknown), ("base.route", base)])[0].0,
        "WP0101 root.route:3"
    );
    let same = format!("{base}extend model m {{ price input $3 }}\n");
    assert_eq!(
        together(&[("root.route", &same)])[0].0,
        "WP0102 root.route:5"
    );
    // One that does not import what it extends.
    let second = format!("{root}import \"more.route\"\n");
    let more = "waypost 1\nextend model m { price output $4 }\n";
    let found = together(&[
        ("root.route", &second),
        ("base.route", base),
        ("more.route", more),
    ]);
    assert_eq!(found, [("WP0101 more.route:2".to_owned(), "m".to_owned())]);
}

#[test]
fn sections_of_one_name_merge_across_files_and_conflicts_are_said() {
    let base = "waypost 1\nprovider p { kind openai  auth none }\nmodel m { via p }\ntiers a < b\ntier a { try m }\ntier b { try m }\npolicy { callers { anonymous allow } }\ncontent { accept \"auto\"  start a }\n";
    let root = "waypost 1\nimport \"base.route\"\ncontent { accept \"auto\", \"more\" }\n";
    let files = [("root.route", root), ("base.route", base)];
    assert_eq!(together(&files), []);
    let load = |path: &str| (path == "base.route").then(|| base.to_owned());
    let program = check("root.route", root, &load).program.unwrap();
    assert_eq!(program.contents.len(), 1);
    assert_eq!(program.contents[0].accepts.len(), 2);
    let other = root.replace("\"more\" }", "\"more\"  start b }");
    let found = together(&[("root.route", &other), ("base.route", base)]);
    assert_eq!(found.len(), 1);
    assert!(found[0].0.starts_with("WP0102"));
}
