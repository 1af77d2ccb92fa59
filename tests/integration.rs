//! Tests of the `rogerrat` executable from outside: a process for each hub and each client, over real sockets.
//!
//! They are one test binary, so that they link once. Run a part of them by its module path and a test name:
//! `cargo test --test integration receive::rounds`, or by a promise of `docs/PROMISES.md`: `cargo test d07`.

#![expect(clippy::unwrap_used, reason = "a test panics where it cannot continue")]

mod accounts;
mod api;
mod client;
mod cluster;
mod compat;
mod discovery;
mod durable;
mod give_up;
mod load;
mod mcp;
mod plugin;
mod push;
mod receive;
mod remote;
mod script;
mod shell;
mod slow;
mod store;
mod torture;
mod transport;
mod tunnel;
mod webhooks;
