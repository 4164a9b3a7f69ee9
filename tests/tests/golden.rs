//! The manifests of `examples/agents/`, byte for byte: `examples/agents/manifests/{layered,waypost}/`.
//!
//! `WAYPOST_BLESS=1 cargo test -p waypost-tests --test golden` writes them anew; the difference is then for review.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "tests"
)]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use waypost_compiler::manifests::emit;
use waypost_compiler::program::Shape;
use waypost_compiler::{check, lower};
use waypost_policies::plan::encode;

fn example() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples/agents")
}

/// What `waypost build` writes for the example, by file name.
fn built(shape: Shape) -> BTreeMap<String, String> {
    let folder = example();
    let text = std::fs::read_to_string(folder.join("agents.route")).unwrap();
    let load = |path: &str| std::fs::read_to_string(folder.join(path)).ok();
    let checked = check("agents.route", &text, &load);
    let program = checked
        .program
        .unwrap_or_else(|| panic!("{:#?}", checked.diagnostics));
    let plan = encode(&lower(&program, &checked.sources));
    let emitted = emit(&program, &checked.sources, &plan, shape).unwrap();
    let files = emitted.manifests.into_iter();
    files
        .map(|manifest| (manifest.file_name, manifest.yaml))
        .collect()
}

fn read(folder: &Path) -> BTreeMap<String, String> {
    let entries = std::fs::read_dir(folder).unwrap();
    entries
        .map(|entry| {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            (name, std::fs::read_to_string(&path).unwrap())
        })
        .collect()
}

fn bless(folder: &Path, built: &BTreeMap<String, String>) {
    if folder.exists() {
        std::fs::remove_dir_all(folder).unwrap();
    }
    std::fs::create_dir_all(folder).unwrap();
    for (name, yaml) in built {
        std::fs::write(folder.join(name), yaml).unwrap();
    }
}

fn compare(shape: Shape, name: &str) {
    let folder = example().join("manifests").join(name);
    let built = built(shape);
    if std::env::var_os("WAYPOST_BLESS").is_some_and(|value| value == "1") {
        bless(&folder, &built);
        return;
    }
    assert!(
        folder.is_dir(),
        "manifests/{name} is not there; WAYPOST_BLESS=1 writes it"
    );
    let golden = read(&folder);
    let names = |files: &BTreeMap<String, String>| files.keys().cloned().collect::<Vec<_>>();
    assert_eq!(
        names(&built),
        names(&golden),
        "other files than in manifests/{name}"
    );
    for (file, yaml) in &built {
        let message = "differs; WAYPOST_BLESS=1 writes it anew";
        assert_eq!(
            Some(yaml),
            golden.get(file),
            "manifests/{name}/{file} {message}"
        );
    }
}

#[test]
fn the_layered_manifests_of_the_example_are_as_written() {
    compare(Shape::Layered, "layered");
}

#[test]
fn the_waypost_manifests_of_the_example_are_as_written() {
    compare(Shape::Waypost, "waypost");
}
