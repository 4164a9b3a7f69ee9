//! Any bytes of a ledger are refused, or bring back a state that can be decided on.
#![no_main]

use libfuzzer_sys::fuzz_target;
use waypost_tests::holds;

fuzz_target!(|bytes: &[u8]| {
    holds::replayed(bytes);
});
