//! The small HTTP/1.1 client of the commands that talk to a hub, from `load` to `send`.
//! It is raw TCP, or TLS over it, so that a command sees every byte that came and knows what was cut off.

mod connection;
mod events;
mod fault;
mod response;
mod stopwatch;
mod tls;
mod wire;

pub(in crate::cli) use connection::Connection;
pub(in crate::cli) use events::{Events, SseEvent};
pub(in crate::cli) use fault::{Fault, expect_success};
pub(in crate::cli) use response::head;
pub(in crate::cli) use stopwatch::elapsed_ns;
pub(in crate::cli) use tls::Tls;
pub(in crate::cli) use wire::connect;
