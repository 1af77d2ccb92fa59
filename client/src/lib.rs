//! A client of a rogerrat hub. It speaks HTTP/1.1, over TLS if the hub does, and knows nothing of the hub's code.

mod channel_client;
mod channel_target;
mod error;
mod event_stream;
pub mod http;
mod hub_address;
mod hub_client;
mod retry;

pub use channel_client::ChannelClient;
pub use channel_target::ChannelTarget;
pub use error::ClientError;
pub use event_stream::EventStream;
pub use hub_address::{DEFAULT_ORIGIN, HubAddress, normalize_origin};
pub use hub_client::{HubClient, PATIENCE};
pub use retry::Retry;
