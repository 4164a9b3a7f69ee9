//! Any body is refused, or is a call that is decided on.
#![no_main]

use libfuzzer_sys::fuzz_target;
use waypost_tests::holds;

fuzz_target!(|body: &[u8]| holds::call(body));
