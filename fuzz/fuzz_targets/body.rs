//! Fuzz target; see `rogerrat_fuzz::body`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| rogerrat_fuzz::body(data));
