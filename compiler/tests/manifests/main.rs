//! The manifests of the language's §2: none of the seed stack's fifteen traps, valid against the real CRDs,
//! consistent among themselves, the same bytes each time.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests"
)]
#![allow(missing_docs, unreachable_pub, reason = "tests")]

mod fixture;

use waypost_compiler::manifests::emit;
use waypost_compiler::program::Shape;

#[test]
fn show() {
    for shape in [Shape::Layered, Shape::Waypost] {
        let emitted = emit(&fixture::program(), &fixture::sources(), b"plan", shape).unwrap();
        for manifest in &emitted.manifests {
            println!("--- {}\n{}", manifest.file_name, manifest.yaml);
        }
        for d in &emitted.diagnostics {
            println!(
                "{} {:?} {} | {} | {:?}",
                d.code.number,
                fixture::sources().position(d.primary.span),
                d.message,
                d.primary.message,
                d.help
            );
        }
    }
}

#[test]
fn compiled() {
    let checked = waypost_compiler::check("agents.route", fixture::TEXT, &|_: &str| None);
    println!("{:#?}", checked.diagnostics);
    assert!(checked.program.is_some());
}
