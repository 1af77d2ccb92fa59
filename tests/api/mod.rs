//! The HTTP API, with one hub process and one data directory for each test.
//!
//! Tests are named after the promises of `docs/PROMISES.md`. Tests without a number check the wire format of the original.

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
mod rubbish;
mod session;
mod sizes;
mod streams;
mod surface;
mod wire;
