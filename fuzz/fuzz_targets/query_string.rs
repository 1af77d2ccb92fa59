//! Fuzz target; see `rogerrat_fuzz::query_string`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| rogerrat_fuzz::query_string(data));
