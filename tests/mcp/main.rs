//! The MCP door from outside: both eras, both endpoints, long waits, and everything a client can say wrong.
//!
//! The rig is that of `tests/api`. The real client SDKs and the official conformance suite run beside this, in
//! `tests/mcp/clients`.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod access;
mod accounts;
mod batches;
mod client;
mod clients;
mod forgery;
mod lists;
mod modern;
#[path = "../api/rig/mod.rs"]
#[expect(dead_code, unused_imports, reason = "these tests need a part of the rig")]
mod rig;
mod rubbish;
mod sessions;
mod tools;
mod waiting;
