//! Accounts, identities, owned channels and trust, from outside: the real executable over real sockets.
//!
//! On the rig of `tests/api`, so that every answer is held to `/openapi.json` too.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod account;
mod identities;
mod joining;
mod keeping;
mod kit;
mod owned;
mod quotas;
#[expect(dead_code, unused_imports, reason = "the rig is that of tests/api, which uses all of it")]
#[path = "../api/rig/mod.rs"]
mod rig;
mod strangers;
mod trust;
