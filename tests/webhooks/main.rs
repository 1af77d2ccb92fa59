//! Webhooks from outside: the real executable, and a receiver written in another language that verifies what it gets.
//!
//! On the rig of `tests/api`. `tests/webhooks/run` runs it with the public library of the Standard Webhooks installed.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod account;
mod delivery;
mod hooks;
mod kills;
mod receiver;
#[expect(dead_code, unused_imports, reason = "the rig is that of tests/api, which uses all of it")]
#[path = "../api/rig/mod.rs"]
mod rig;
mod subscribing;
