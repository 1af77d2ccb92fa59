//! The HTTP/1.1 client under [`ChannelClient`](crate::ChannelClient), over TCP, TLS or a Unix socket.
//!
//! It is low level: requests are bytes, and the caller can inspect a response while it arrives and knows what was
//! received when a connection breaks. The load generator and the crash tester of rogerrat use it directly.

mod connection;
mod error;
mod response;
mod sse;
mod tls;
mod tunnel;
mod wire;

pub use connection::Connection;
pub use error::{HttpError, expect_success};
pub use response::parse_head;
pub use sse::{SseEvent, SseReader};
pub use tls::Tls;
pub use tunnel::Tunnel;
pub use wire::connect;
