//! See `rogerrat_fuzz::shown`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| rogerrat_fuzz::shown(data));
