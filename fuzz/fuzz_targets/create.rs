//! Fuzz target; see `rogerrat_fuzz::create`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| rogerrat_fuzz::create(data));
