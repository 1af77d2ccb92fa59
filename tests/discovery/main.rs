//! A stranger finds the way in: what the hub says of itself, run and read from outside.
//!
//! The rig is that of `tests/api`; the shell here runs what stands on `/llms.txt`, block by block.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod cards;
mod guide;
mod presets;
#[path = "../api/rig/mod.rs"]
#[expect(dead_code, unused_imports, reason = "these tests need a part of the rig")]
mod rig;
mod shell;
