//! Overlays, imports and the catalog: what files of one compilation say of one another's items.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    reason = "tests"
)]

use waypost_compiler::program::{Model, PoolSource, Step};
use waypost_compiler::{Checked, Program, check, lower};
use waypost_policies::Plan;
use waypost_policies::cost::Sort;
use waypost_policies::plan::encode;

const BASE: &str = r#"waypost 1
secret key = env("KEY")
provider hosted { kind openai  auth secret key }
model big { via hosted  context 400k  output 8k  price input $1  cached $0.5  output $2  as of "2026-01-01" }
model small { via pool own  context 128k }
pool own { kaito { preset "phi-4-mini-instruct"  replicas 1 }  port 5000 }
tiers weak < strong
tier weak { try small  timeout 30s }
tier strong { try big  retries 2 }
content { accept "auto"  start weak  escalate to strong "long" when request.tokens > 24k }
policy { callers { anonymous allow } }
deploy kubernetes { namespace "llm"  replicas 1  versions { kaito "v1beta1" } }
"#;

/// The first file checked with the others beside it.
fn together(files: &[(&str, &str)]) -> Checked {
    check(files[0].0, files[0].1, &|path: &str| {
        let found = files.iter().find(|(name, _)| *name == path);
        found.map(|(_, text)| (*text).to_owned())
    })
}

/// `prod.route` with this text after the import of the base, and what other files there are.
fn over(overlay: &str, others: &[(&str, &str)]) -> Checked {
    let prod = format!("waypost 1\nimport \"base.route\"\n{overlay}\n");
    let mut files = vec![("prod.route", prod.as_str()), ("base.route", BASE)];
    files.extend(others);
    together(&files)
}

#[track_caller]
fn program(checked: Checked) -> Program {
    assert_eq!(said(&checked), Vec::<String>::new());
    checked.program.unwrap()
}

/// Each finding as code, place and message.
fn said(checked: &Checked) -> Vec<String> {
    let found = checked.diagnostics.iter();
    found
        .map(|one| {
            let (file, line, _) = checked.sources.position(one.primary.span);
            format!("{} {file}:{line} {}", one.code.number, one.message)
        })
        .collect()
}

#[test]
fn an_overlay_changes_each_part_of_each_row_of_a_price() {
    let row = "price above 200k input $2  cached $1  output $3";
    let base = BASE.replace("\"2026-01-01\" }", &format!("\"2026-01-01\"\n {row} }}"));
    assert_ne!(base, BASE);
    let prod = "waypost 1\nimport \"base.route\"\nextend model big { price above 200k input $4\n price priority  input $5  cached $1  output $6 }\n";
    let program = program(together(&[("prod.route", prod), ("base.route", &base)]));
    let price = program.models[0].price.as_ref().unwrap();
    let rows: Vec<_> = price
        .rows()
        .iter()
        .map(|row| {
            let rate = |sort| row.rates.of(sort).0 / 1_000_000;
            let rates = [rate(Sort::Input), rate(Sort::Cached), rate(Sort::Output)];
            (row.service.word(), row.above, rates)
        })
        .collect();
    let expected = [
        ("standard", 0, [1000, 500, 2000]),
        ("standard", 200_000, [4000, 1000, 3000]),
        ("priority", 0, [5000, 1000, 6000]),
    ];
    assert_eq!(rows, expected);
}

#[test]
fn an_overlay_changes_every_kind_of_item_field_by_field() {
    let program = program(over(
        r#"extend provider hosted { url "https://llm.acme.dev/v1" }
           extend model big { price input $3  as of "2026-11-01" }
           extend pool own { kaito { replicas 2..8 } }
           extend tier strong { try big then small  timeout 9s }
           extend deploy { replicas 4..10  versions { agentgateway "1.3.1" } }"#,
        &[],
    ));
    assert_eq!(program.providers[0].url, "https://llm.acme.dev/v1");
    let big = &program.models[0];
    let price = big.price.as_ref().unwrap().base();
    let rates = [Sort::Input, Sort::Cached, Sort::Output].map(|sort| price.of(sort).0);
    assert_eq!(rates, [3_000_000_000, 500_000_000, 2_000_000_000]);
    assert_eq!(
        big.price_date.as_ref().unwrap().value.to_string(),
        "2026-11-01"
    );
    assert_eq!(big.context, Some(400_000));
    let PoolSource::Kaito {
        preset,
        replicas,
        port,
        ..
    } = &program.pools[0].source
    else {
        panic!("{:?}", program.pools[0].source)
    };
    assert_eq!(
        (preset.as_str(), replicas.low, replicas.high, *port),
        ("phi-4-mini-instruct", 2, 8, 5000)
    );
    let strong = &program.tiers[1];
    assert_eq!(
        (strong.steps.len(), strong.timeout, strong.retries),
        (2, Some(9000), 2)
    );
    assert!(matches!(strong.steps[0], Step::Try(_)));
    let deploy = program.deploy.unwrap();
    assert_eq!(
        (deploy.namespace.as_str(), deploy.replicas.high),
        ("llm", 10)
    );
    assert_eq!(deploy.versions.kaito.unwrap().value, "v1beta1");
    assert_eq!(deploy.versions.agentgateway.unwrap().value, "1.3.1");
}

#[test]
fn one_way_to_find_replicas_takes_the_place_of_another() {
    let program = program(over(
        "extend pool own { engine vllm  endpoints \"http://127.0.0.1:8000\" }",
        &[],
    ));
    let expected = PoolSource::Static(vec!["http://127.0.0.1:8000".to_owned()]);
    assert_eq!(program.pools[0].source, expected);
    let back = "waypost 1\nimport \"base.route\"\nextend pool own { port 6000  kaito { preset \"other\" } }\n";
    let base = BASE.replace(
        "kaito { preset \"phi-4-mini-instruct\"  replicas 1 }  port 5000",
        "engine vllm  selector { app: \"vllm\" }  port 9",
    );
    let program = self::program(together(&[("back.route", back), ("base.route", &base)]));
    let PoolSource::Kaito { preset, port, .. } = &program.pools[0].source else {
        panic!("{:?}", program.pools[0].source)
    };
    assert_eq!((preset.as_str(), *port), ("other", 6000));
}

#[test]
fn two_overlays_of_one_field_conflict_and_both_places_are_named() {
    let eu = "waypost 1\nimport \"base.route\"\n\nextend deploy { replicas 2..3 }\n";
    let checked = over(
        "import \"eu.route\"\nextend deploy { replicas 4..5  monitor azure }",
        &[("eu.route", eu)],
    );
    // `prod.route` imports `eu.route`: its word counts.
    assert_eq!(program(checked).deploy.unwrap().replicas.low, 4);
    let us =
        "waypost 1\nimport \"base.route\"\nextend deploy { replicas 7..9  monitor prometheus }\n";
    let checked = over(
        "import \"eu.route\"\nimport \"us.route\"",
        &[("eu.route", eu), ("us.route", us)],
    );
    assert_eq!(
        said(&checked),
        [
            "WP0102 us.route:3 `replicas` of the deployment is set by two overlays: `eu.route` line 4 and `us.route` line 3"
        ]
    );
    let twice = over(
        "extend tier weak { retries 1 }\nextend tier weak { retries 2 }",
        &[],
    );
    assert_eq!(
        said(&twice),
        [
            "WP0102 prod.route:4 `retries` of the tier `weak` is set by two overlays: `prod.route` line 3 and `prod.route` line 4"
        ]
    );
    let parts = over(
        "extend tier weak { retries 1 }\nextend tier weak { timeout 2s }",
        &[],
    );
    assert_eq!(said(&parts), Vec::<String>::new());
}

#[test]
fn the_nearest_overlay_counts_whatever_the_order_of_imports() {
    let eu = "waypost 1\nimport \"base.route\"\nextend deploy { replicas 2..3 }\n";
    let city = "waypost 1\nimport \"eu.route\"\nextend deploy { replicas 6..7 }\n";
    for imports in [
        ["eu", "city", "base"],
        ["base", "city", "eu"],
        ["city", "eu", "base"],
    ] {
        let lines: String = imports
            .map(|name| format!("import \"{name}.route\"\n"))
            .concat();
        let root = format!("waypost 1\n{lines}");
        let files = [
            ("root.route", root.as_str()),
            ("base.route", BASE),
            ("eu.route", eu),
            ("city.route", city),
        ];
        assert_eq!(
            program(together(&files)).deploy.unwrap().replicas.low,
            6,
            "{imports:?}"
        );
    }
}

#[test]
fn what_is_extended_must_be_declared_elsewhere_and_imported() {
    let checked = over("extend tier wek { retries 1 }", &[]);
    assert_eq!(
        said(&checked),
        ["WP0101 prod.route:3 there is no tier called `wek`"]
    );
    let checked = over(
        "tier own { try big }\nextend pool own { port 1 }\nextend tier own { retries 1 }",
        &[],
    );
    assert!(
        said(&checked).contains(
            &"WP0102 prod.route:5 the tier `own` is extended where it is declared".to_owned()
        ),
        "{:?}",
        said(&checked)
    );
    let stray = "waypost 1\nextend pool own { port 1 }\n";
    let checked = over("import \"stray.route\"", &[("stray.route", stray)]);
    assert_eq!(
        said(&checked),
        ["WP0101 stray.route:2 `stray.route` extends the pool `own` without importing it"]
    );
    let alone = together(&[("a.route", "waypost 1\nextend deploy { replicas 2 }\n")]);
    assert_eq!(
        said(&alone),
        ["WP0101 a.route:2 there is no `deploy` to extend"]
    );
}

const CATALOG: &str = r#"waypost 1
catalog gpt-9 {
  context 400k  output 128k
  price   input $1.25  cached $0.125  output $10  as of "2026-07-02"
  rejects logit_bias
  retires "2027-04-01"
  source  "https://example.com/prices"
}
"#;

fn listed(models: &str) -> Checked {
    let overlay = format!(
        "import \"list.route\"\n{models}\ncontent also {{ accept \"x\", models  start strong }}\nextend tier strong {{ try big then extra }}"
    );
    over(&overlay, &[("list.route", CATALOG)])
}

#[test]
fn a_model_has_from_the_catalog_what_it_does_not_say() {
    let own = program(listed(
        "model gpt-9 { via hosted }\nmodel extra { via hosted  listed as gpt-9  output 4k  price input $1  output $2  rejects seed }",
    ));
    let by_name = |name: &str| {
        own.models
            .iter()
            .find(|one| one.name.value == name)
            .unwrap()
    };
    let plain = by_name("gpt-9");
    let cached = |model: &Model| model.price.as_ref().unwrap().base().of(Sort::Cached).0;
    assert_eq!(cached(plain), 125_000_000);
    assert_eq!(
        (plain.context, plain.output),
        (Some(400_000), Some(128_000))
    );
    assert_eq!(plain.rejects, ["logit_bias"]);
    assert_eq!(
        plain.retires.as_ref().unwrap().value.to_string(),
        "2027-04-01"
    );
    assert_eq!(plain.price_span, None);
    let extra = by_name("extra");
    // A price is one statement: the list's discount for cached tokens is not mixed into it.
    assert_eq!(cached(extra), 1_000_000_000);
    assert_eq!((extra.context, extra.output), (Some(400_000), Some(4000)));
    assert_eq!(extra.rejects, ["seed"]);
    assert_eq!(
        own.catalog[extra.listing.unwrap()].source,
        "https://example.com/prices"
    );
}

#[test]
fn a_pool_of_ones_own_costs_nothing_that_a_list_says() {
    let own = program(listed(
        "model gpt-9 { via pool own }\nmodel extra { via hosted  listed as gpt-9 }",
    ));
    let pool = own
        .models
        .iter()
        .find(|one| one.name.value == "gpt-9")
        .unwrap();
    assert_eq!((&pool.price, pool.listing), (&None, None));
}

#[test]
fn an_entry_is_checked_once_and_found_by_its_name() {
    let misspelt = listed("model extra { via hosted  listed as gpt-8 }");
    assert_eq!(
        said(&misspelt),
        ["WP0101 prod.route:4 there is no entry of the catalog called `gpt-8`"]
    );
    let none = over("extend model big { listed as gpt-9 }", &[]);
    assert_eq!(
        said(&none),
        ["WP0101 prod.route:3 there is no catalog to look this up in"]
    );
    let broken = CATALOG.replace("  output $10", "");
    let root = "waypost 1\nimport \"base.route\"\nimport \"list.route\"\nextend model big { listed as gpt-9 }\nmodel gpt-9 { via hosted }\nextend tier strong { try big then gpt-9 }\n";
    let checked = together(&[
        ("root.route", root),
        ("base.route", BASE),
        ("list.route", &broken),
    ]);
    assert_eq!(
        said(&checked),
        ["WP0105 list.route:4 entry `gpt-9` of the catalog has no `price output`"]
    );
    let again = format!("{CATALOG}catalog gpt-9 {{ context 1k }}\n");
    let checked = together(&[("list.route", &again)]);
    assert_eq!(
        said(&checked),
        ["WP0102 list.route:9 the entry of the catalog `gpt-9` is declared twice"]
    );
}

#[test]
fn a_constant_of_a_pack_is_changed_by_those_who_import_it() {
    let checked = over(
        "import \"std/agents.route\"\nextend let RUNAWAY_TURNS = 50\npolicy { deny \"second\" when request.turns > RUNAWAY_TURNS }",
        &[],
    );
    let program = program(checked);
    let own: Vec<String> = program
        .policy
        .denials
        .iter()
        .map(|one| format!("{:?}", one.when.kind))
        .collect();
    assert!(own.iter().all(|one| one.contains("Int(50)")), "{own:?}");
    assert_eq!(own.len(), 2);
    let stray = over("extend let RUNAWAY_TURNS = 50", &[]);
    assert_eq!(
        said(&stray),
        ["WP0101 prod.route:3 there is no constant called `RUNAWAY_TURNS`"]
    );
    let over_it = over("import \"std/agents.route\"\nlet RUNAWAY_TURNS = 50", &[]);
    assert_eq!(said(&over_it).len(), 1);
}

/// The guards know tools that act by name, and leave the neighbours that only read.
#[test]
fn acting_tools_are_known_by_name() {
    let files = over(
        r#"import "std/guards.route"
           content { escalate to strong "acts" when request.tools.exists(t, t.name.matches(ACTING_TOOLS)) }
           test "acts"  { given { model "auto"  prompt "x"  tools "repo.write_file" }  expect { tier strong } }
           test "shell" { given { model "auto"  prompt "x"  tools "bash" }  expect { tier strong } }
           test "reads" { given { model "auto"  prompt "x"  tools "read_file", "list_runs", "prewrite" }  expect { tier weak } }
           test "large" { given { model "auto"  prompt "x"  tokens 300k }  expect { denied by "prompt too large" } }
           test "wide"  { given { model "auto"  prompt "x"  images 21 }  expect { denied by "too many images" } }"#,
        &[],
    );
    let sources = &files.sources;
    assert_eq!(said(&files), Vec::<String>::new());
    let program = files.program.as_ref().unwrap();
    let plan = Plan::load(encode(&lower(program, sources))).unwrap();
    for test in &program.tests {
        let outcome = waypost_compiler::testing::run(test, program, &plan);
        assert_eq!(outcome.mismatches, [], "{}", outcome.name);
    }
}

#[test]
fn overlays_that_say_the_same_agree() {
    let eu = "waypost 1\nimport \"base.route\"\nextend deploy { replicas 4..5 }\n";
    let us = "waypost 1\nimport \"base.route\"\nextend deploy { replicas 4..5  monitor azure }\n";
    let checked = over(
        "import \"eu.route\"\nimport \"us.route\"",
        &[("eu.route", eu), ("us.route", us)],
    );
    assert_eq!(program(checked).deploy.unwrap().replicas.low, 4);
}
