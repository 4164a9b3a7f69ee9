//! Any text parses, all of it; what parses without an error has one form, with the same tree.
#![no_main]

use libfuzzer_sys::fuzz_target;
use waypost_tests::holds;

fuzz_target!(|text: &str| {
    holds::parsed(text);
    holds::formatted(text);
});
