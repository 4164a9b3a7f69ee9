//! Writes what fuzzing begins with: `cargo run -p waypost-tests --example seeds -- fuzz/corpus`.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a tool of the tests"
)]

use std::path::Path;

use waypost_tests::corpus;

fn write(folder: &Path, contents: impl IntoIterator<Item = Vec<u8>>) {
    std::fs::create_dir_all(folder).unwrap();
    for (number, content) in contents.into_iter().enumerate() {
        std::fs::write(folder.join(format!("seed-{number}")), content).unwrap();
    }
}

fn main() {
    let folder = std::env::args().nth(1).expect("a folder to write to");
    let folder = Path::new(&folder);
    let sources = corpus::sources();
    let texts = sources.iter().map(|one| one.text.clone().into_bytes());
    write(&folder.join("text"), texts);
    let conditions = corpus::conditions(&sources).into_iter();
    write(
        &folder.join("expression"),
        conditions.map(String::into_bytes),
    );
    write(&folder.join("plan"), corpus::plans(&sources));
    write(&folder.join("body"), corpus::bodies());
    write(&folder.join("ledger"), [waypost_tests::holds::ledger()]);
}
