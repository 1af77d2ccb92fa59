//! Fuzz target; see `rogerrat_fuzz::forwarded`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| rogerrat_fuzz::forwarded(data));
