//! The commands that wake an agent, against a real hub: what they print, when they end, and that nothing is lost between.
//!
//! On the rig of `tests/api`.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod bridge;
mod cut;
mod kit;
mod listen;
#[expect(dead_code, unused_imports, reason = "the rig is that of tests/api, which uses all of it")]
#[path = "../api/rig/mod.rs"]
mod rig;
mod road;
mod rounds;
mod wait;
