//! A small HTTP/1.1 client over TCP or TLS. Its callers see every byte that was received and know what was cut off.

mod connection;
mod error;
mod response;
mod sse;
mod tls;
mod wire;

pub use connection::Connection;
pub use error::{HttpError, expect_success};
pub use response::head;
pub use sse::{SseEvent, SseReader};
pub use tls::Tls;
pub use wire::connect;
