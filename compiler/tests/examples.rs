//! Every example of the repository compiles, and its plan loads.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests"
)]

use std::path::{Path, PathBuf};

use waypost_compiler::{Date, Program, check, lint, lower};
use waypost_policies::cost::Sort;
use waypost_policies::plan::{Plan, encode};

fn routes(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            routes(&path, found);
        } else if path.extension().is_some_and(|one| one == "route") {
            found.push(path);
        }
    }
}

#[test]
fn examples_compile_and_load() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples");
    let mut paths = Vec::new();
    routes(&folder, &mut paths);
    assert!(!paths.is_empty());
    for path in paths {
        let name = path.to_str().unwrap();
        let text = std::fs::read_to_string(&path).unwrap();
        let checked = check(name, &text, &|import: &str| {
            std::fs::read_to_string(import).ok()
        });
        let messages: Vec<&str> = checked
            .diagnostics
            .iter()
            .map(|one| one.message.as_str())
            .collect();
        let program = checked
            .program
            .unwrap_or_else(|| panic!("{name}: {messages:?}"));
        Plan::load(encode(&lower(&program, &checked.sources))).unwrap();
    }
}

/// The company's files are clean, and its overlays do what they say.
#[test]
fn the_environments_of_a_company_differ_in_what_their_overlays_say() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples/company");
    let environment = |name: &str| {
        let path = folder.join(name);
        let text = std::fs::read_to_string(&path).unwrap();
        let checked = check(path.to_str().unwrap(), &text, &|import: &str| {
            std::fs::read_to_string(import).ok()
        });
        let found = lint(&checked, Date::read("2026-11-25"));
        assert!(found.is_empty(), "{name}: {found:?}");
        checked.program.unwrap()
    };
    let base = environment("base.route");
    let production = environment("production.route");
    let staging = environment("staging.route");
    let image = |program: &Program| program.deploy.as_ref().unwrap().image.clone();
    assert_eq!((image(&base), image(&staging)), (None, None));
    assert_eq!(image(&production).unwrap(), "ghcr.io/acme/waypost:0.1.0");
    assert_eq!(
        production.providers[0].url,
        "https://acme-aoai-prod.openai.azure.com"
    );
    assert_eq!(
        (base.tiers[0].steps.len(), staging.tiers[0].steps.len()),
        (2, 2)
    );
    // What no file says comes from the catalog.
    let price = production.models[0].price.as_ref().unwrap().base();
    let rate = |sort| price.of(sort).0;
    assert_eq!(
        (rate(Sort::Input), rate(Sort::Cached)),
        (1_750_000_000, 175_000_000)
    );
    // Production answers to the company's rules, and they are not idle.
    assert_eq!(production.demands.len(), 6);
    let dear = |import: &str| {
        let text = std::fs::read_to_string(import).ok()?;
        Some(text.replace("budget  $50 / day", "budget  $500 / day"))
    };
    let path = folder.join("production.route");
    let text = std::fs::read_to_string(&path).unwrap();
    let refused = check(path.to_str().unwrap(), &text, &dear).diagnostics;
    let said: Vec<&str> = refused.iter().map(|one| one.message.as_str()).collect();
    assert_eq!(
        said,
        ["the budget `team` does not meet a demand: team budgets are modest"]
    );
}
