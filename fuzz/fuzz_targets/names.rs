//! Fuzz target; see `rogerrat_fuzz::names`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| rogerrat_fuzz::names(data));
