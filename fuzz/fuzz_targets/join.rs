//! Fuzz target; see `rogerrat_fuzz::join`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| rogerrat_fuzz::join(data));
