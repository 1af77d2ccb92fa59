//! The hub from a shell, against a real one: what the commands print, remember and refuse.
//!
//! On the rig of `tests/api`.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod chat;
mod https;
mod identity;
mod kit;
mod pages;
mod profiles;
mod recipes;
mod refusals;
#[expect(dead_code, unused_imports, reason = "the rig is that of tests/api, which uses all of it")]
#[path = "../api/rig/mod.rs"]
mod rig;
mod talk;
