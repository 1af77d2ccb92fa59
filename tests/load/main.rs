//! `rogerrat load` from outside: each scenario against a real hub, what it checks against one that lies, and what it
//! refuses before any load.
//!
//! On the rig of `tests/api` and the kit of `tests/awake`.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

#[expect(dead_code, reason = "the kit is that of tests/awake, which uses all of it")]
#[path = "../awake/kit.rs"]
mod kit;
mod liar;
mod lies;
mod pages;
mod refusals;
#[expect(dead_code, unused_imports, reason = "the rig is that of tests/api, which uses all of it")]
#[path = "../api/rig/mod.rs"]
mod rig;
mod run;
mod scenarios;
