//! Any bytes are refused, or are a plan that decides and falls back. Checksums are mended first, or none but
//! they would ever be tested.
#![no_main]

use libfuzzer_sys::fuzz_target;
use waypost_tests::holds;

fuzz_target!(|bytes: &[u8]| {
    holds::plan(holds::reseal(bytes.to_vec()));
});
