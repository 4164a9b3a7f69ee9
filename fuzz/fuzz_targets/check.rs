//! Any text is checked, linted and its findings written; what is sound is lowered to a plan that loads.
#![no_main]

use libfuzzer_sys::fuzz_target;
use waypost_tests::holds;

fuzz_target!(|text: &str| holds::checked(text));
