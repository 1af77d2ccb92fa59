//! Fuzz target; see `rogerrat_fuzz::display_text`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| rogerrat_fuzz::display_text(data));
