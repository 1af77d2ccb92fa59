//! Fuzz target; see `rogerrat_fuzz::send`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| rogerrat_fuzz::send(data));
