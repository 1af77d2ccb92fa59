//! What a hub keeps over its end, from outside: the real executable, killed or stopped and started again on its address
//! and its folder.
//!
//! On the rig of `tests/api`. Kills at random moments, under load, are the work of `tests/torture`.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod delivery;
mod full;
mod kit;
mod members;
mod memory;
mod reading;
#[expect(dead_code, unused_imports, reason = "the rig is that of tests/api, which uses all of it")]
#[path = "../api/rig/mod.rs"]
mod rig;
mod settings;
mod stopping;
mod transcripts;
