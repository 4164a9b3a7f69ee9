//! What a file owes to the lists and files that it leans on: each lint finds its defect and leaves the nearest
//! neighbour that has none.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests"
)]

use waypost_compiler::{Date, check, lint};

const LIST: &str = r#"waypost 1
catalog gpt-9 {
  context 400k  output 128k
  price   input $2  cached $1  output $8  as of "2026-07-01"
  rejects seed, logit_bias
  retires "2027-01-31"
}
catalog gpt-9.1 { context 1M  price input $1  output $2  as of "2025-11-20" }
"#;

const REST: &str = r#"
provider hosted { kind openai  auth none }
tier only { try m }
content { accept "auto"  start only }
policy { callers { anonymous allow } }
"#;

/// The codes of 0470 to 0479 found in a file that imports the list, with the text that each underlines.
fn found_on(today: &str, text: &str, others: &[(&str, &str)]) -> Vec<String> {
    let root = format!("waypost 1\n{text}{REST}");
    let checked = check("root.route", &root, &|path: &str| {
        let mut all = others.iter().chain(&[("list.route", LIST)]);
        all.find(|(name, _)| *name == path)
            .map(|(_, text)| (*text).to_owned())
    });
    let found = lint(&checked, Date::read(today));
    assert!(checked.program.is_some(), "{found:?}");
    let ours = found
        .iter()
        .filter(|one| one.code.number.starts_with("WP047"));
    ours.map(|one| {
        let text = checked.sources.text(one.primary.span);
        format!("{} {text}", one.code.number)
    })
    .collect()
}

#[track_caller]
fn finds(model: &str, expected: &[&str]) {
    let text = format!("import \"list.route\"\nmodel m {{ via hosted  {model} }}\n");
    let mut found = found_on("2026-11-25", &text, &[]);
    // A model that takes nothing from the list leaves its import unused.
    found.retain(|one| one != "WP0474 \"list.route\"");
    assert_eq!(found, expected, "{model}");
}

#[test]
fn a_model_near_its_retirement_is_found_and_one_farther_off_is_not() {
    let text = "import \"list.route\"\nmodel m { via hosted  listed as gpt-9 }\n";
    for (today, found) in [
        ("2026-12-01", false),
        ("2026-12-02", true),
        ("2027-01-31", true),
        ("2028-01-01", true),
    ] {
        // The list itself grows old meanwhile; that is another finding.
        let all = found_on(today, text, &[]);
        assert_eq!(
            all.contains(&"WP0470 m".to_owned()),
            found,
            "{today}: {all:?}"
        );
    }
    finds("listed as gpt-9  retires \"2027-06-01\"", &[]);
    finds(
        "context 1k  output 1k  price input $1  output $1  retires \"2026-12-24\"",
        &["WP0470 m"],
    );
}

#[test]
fn a_price_of_ones_own_is_held_against_the_list_unless_it_is_newer() {
    let price = "listed as gpt-9  price input $2  cached $1  output $9";
    finds(price, &["WP0471 price input $2  cached $1  output $9"]);
    finds(
        &format!("{price}  as of \"2026-07-01\""),
        &["WP0471 price input $2  cached $1  output $9  as of \"2026-07-01\""],
    );
    finds(&format!("{price}  as of \"2026-07-02\""), &[]);
    // Left out, cached tokens cost what others do; the list has a discount.
    finds(
        "listed as gpt-9  price input $2  output $8",
        &["WP0471 price input $2  output $8"],
    );
    finds("listed as gpt-9", &[]);
}

#[test]
fn a_price_has_a_day_that_is_not_long_past() {
    let same = "listed as gpt-9  price input $2  cached $1  output $8";
    finds(same, &["WP0472 price input $2  cached $1  output $8"]);
    finds(&format!("{same}  as of \"2026-07-01\""), &[]);
    finds("context 1k  output 1k  price input $2  output $8", &[]);
    finds(
        "context 1k  output 1k  price input $2  output $8  as of \"2026-05-28\"",
        &["WP0472 \"2026-05-28\""],
    );
    finds(
        "context 1k  output 1k  price input $2  output $8  as of \"2026-05-29\"",
        &[],
    );
    // The list's own price is of 2025-11-20.
    finds("listed as gpt-9.1", &["WP0472 m"]);
}

#[test]
fn a_name_that_is_nearly_listed_is_found_where_the_list_would_help() {
    let by_deployment = "deployment \"gpt-9-1\"  price input $1  output $2";
    finds(by_deployment, &["WP0473 m"]);
    finds(&format!("{by_deployment}  context 1k  output 1k"), &[]);
    finds("deployment \"chat-7\"  price input $1  output $2", &[]);
}

#[test]
fn what_the_list_says_is_refused_is_not_sent() {
    finds("listed as gpt-9  rejects seed", &["WP0476 seed"]);
    finds("listed as gpt-9  rejects logit_bias, seed, user", &[]);
}

#[test]
fn an_import_gives_a_name_a_rule_or_nothing() {
    let model = "model m { via hosted  price input $1  output $2  context 1k  output 1k }\n";
    let named = "waypost 1\nlet LONG = 24k\nsecret key = env(\"KEY\")\n";
    let importing = |text: &str, other: &str| {
        let root = format!("import \"other.route\"\n{text}{model}");
        found_on(
            "2026-11-25",
            &root,
            &[("other.route", other), ("names.route", named)],
        )
    };
    let unused = ["WP0474 \"other.route\"".to_owned()];
    assert_eq!(importing("", named), unused);
    assert_eq!(importing("let LONGER = 25k\n", named), unused);
    let used = "policy { deny \"long\" when request.tokens > LONG }\n";
    assert_eq!(importing(used, named), Vec::<String>::new());
    // Through another file, which gives nothing of its own.
    let through = "waypost 1\nimport \"names.route\"\n";
    assert_eq!(importing(used, through), Vec::<String>::new());
    let both = ["WP0474 \"other.route\"", "WP0474 \"names.route\""];
    assert_eq!(importing("", through), both);
    let rule = "waypost 1\npolicy { deny \"odd\" when request.turns > 9 }\n";
    assert_eq!(importing("", rule), Vec::<String>::new());
    assert_eq!(importing("", LIST), unused);
    assert_eq!(
        importing("import \"./other.route\"\n", rule),
        ["WP0474 \"./other.route\""]
    );
}

#[test]
fn an_overlay_says_what_differs() {
    let base =
        "waypost 1\nlet LONG = 24k\ndeploy kubernetes { namespace \"llm\"  replicas 2..4 }\n";
    let over = |overlay: &str, others: &[(&str, &str)]| {
        let root = format!(
            "import \"base.route\"\n{overlay}\npolicy {{ deny \"long\" when request.tokens > LONG }}\nmodel m {{ via hosted }}\n"
        );
        let mut files = vec![("base.route", base)];
        files.extend(others);
        found_on("2026-11-25", &root, &files)
    };
    assert_eq!(
        over("extend deploy { namespace \"eu\"  replicas 2..4 }", &[]),
        ["WP0475 2..4"]
    );
    assert_eq!(over("extend let LONG = 24k", &[]), ["WP0475 24k"]);
    assert_eq!(over("extend let LONG = 25k", &[]), Vec::<String>::new());
    // It takes back what a nearer overlay had changed.
    let eu = "waypost 1\nimport \"base.route\"\nextend deploy { replicas 9 }\n";
    let back = "import \"eu.route\"\nextend deploy { replicas 2..4 }";
    assert_eq!(over(back, &[("eu.route", eu)]), Vec::<String>::new());
}
