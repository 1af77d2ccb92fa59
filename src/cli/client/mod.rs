//! The small HTTP/1.1 client of the commands that talk to a hub: `load` and `torture`, `wait` and `listen-here`.
//! It is raw TCP, so that a command sees every byte that came and knows what was cut off.

mod connection;
mod events;
mod fault;
mod response;
mod stopwatch;

pub(in crate::cli) use connection::{Connection, connect};
pub(in crate::cli) use events::{Events, SseEvent};
pub(in crate::cli) use fault::{Fault, expect_success};
pub(in crate::cli) use stopwatch::elapsed_ns;
