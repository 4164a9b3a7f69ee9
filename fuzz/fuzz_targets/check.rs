//! Any text is checked and linted; what is sound is lowered to a plan that loads.
#![no_main]

use libfuzzer_sys::fuzz_target;
use waypost_compiler::{check, lint, lower};
use waypost_policies::plan::{Plan, encode};

fuzz_target!(|text: &str| {
    let checked = check("a.route", text, &|_: &str| None);
    let found = lint(&checked, None);
    let failed = checked.diagnostics.iter().any(|found| found.is_error());
    assert_eq!(checked.program.is_some(), !failed);
    assert!(found.len() >= checked.diagnostics.len());
    if let Some(program) = &checked.program {
        let sealed = encode(&lower(program, &checked.sources));
        Plan::load(sealed).expect("what was compiled loads");
    }
});
