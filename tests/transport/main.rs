//! How bytes come in: HTTP/2 beside HTTP/1.1 on one port, TLS, compression, and what a server is deployed with.
//!
//! The real executable and real clients (curl), on the rig of `tests/api`. HTTP/2 clients that misbehave are in `http2`.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod compression;
mod curl;
mod deployment;
mod given_up;
mod http2;
mod proxy;
#[expect(dead_code, unused_imports, reason = "the rig is that of tests/api, which uses all of it")]
#[path = "../api/rig/mod.rs"]
mod rig;
mod tls;
mod versions;
