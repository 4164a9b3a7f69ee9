//! Whatever `lint --fix` does to a text, it is no worse after it.
#![no_main]

use libfuzzer_sys::fuzz_target;
use waypost_tests::holds;

fuzz_target!(|text: &str| {
    holds::fixed(text);
});
