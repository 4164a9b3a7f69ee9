//! Any expression that is accepted runs; one of a rule has a value on every call.
#![no_main]

use libfuzzer_sys::fuzz_target;
use waypost_tests::holds;

fuzz_target!(|text: &str| {
    holds::expression(text);
    holds::condition(text);
});
