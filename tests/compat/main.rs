//! The face for clients of agent-chatroom: its wire to the letter, its rooms as channels, and its own command and a browser
//! before us where `tests/compat/run` has installed them.
//!
//! On the rig of `tests/api`.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod command;
mod limits;
mod names;
mod places;
#[expect(dead_code, unused_imports, reason = "the rig is that of tests/api, which uses all of it")]
#[path = "../api/rig/mod.rs"]
mod rig;
mod room;
mod root;
mod wire;
