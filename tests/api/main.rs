//! The hub from outside: the real executable, real sockets, one process and one folder for each test.
//!
//! Tests are named after the promises of `docs/` (D1 … D32, A1 … A7); those without a number hold the original's wire.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod access;
mod acks;
mod additions;
mod admin;
mod crowd;
mod delivery;
mod description;
mod doors;
mod drain;
mod heap;
mod launch;
mod mailbox;
mod messages;
mod metrics;
mod requests;
mod resources;
mod rig;
mod rubbish;
mod session;
mod sizes;
mod streams;
mod surface;
mod wire;
