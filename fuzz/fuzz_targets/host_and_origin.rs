//! Fuzz target; see `rogerrat_fuzz::host_and_origin`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| rogerrat_fuzz::host_and_origin(data));
