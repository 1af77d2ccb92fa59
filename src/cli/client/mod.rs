//! The small HTTP/1.1 client of the tools that put a hub to the test, `load` and `torture`.
//! It is raw TCP, so that a tool sees every byte that came and knows what was cut off.

mod connection;
mod fault;
mod response;
mod stopwatch;

pub(in crate::cli) use connection::Connection;
pub(in crate::cli) use fault::{Fault, expect_success};
pub(in crate::cli) use stopwatch::elapsed_ns;
