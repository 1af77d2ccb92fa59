//! A client of a rogerrat hub: join a channel, send messages, and receive them by polling or over a stream.
//!
//! It speaks HTTP/1.1 to the hub's public API, over TLS if the hub does, through a proxy or over a Unix socket, and depends on no code of the server. It needs
//! a tokio runtime with time and network; one thread is enough.
//!
//! - [`HubClient`] sends requests that need no session, such as creating a channel.
//! - [`ChannelClient`] is a member of one channel: it joins, sends, polls and acknowledges.
//! - [`ChannelSubscription`] delivers all messages of a channel and reconnects after temporary failures.
//!
//! ```no_run
//! use std::time::Duration;
//!
//! use rogerrat_client::{ChannelClient, ChannelTarget, HubAddress, HubClient, NewChannel, OutgoingMessage};
//!
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! let hub = HubAddress::parse("http://127.0.0.1:7424", None)?;
//! let channel = HubClient::new(hub.clone()).create_channel(&NewChannel::default(), None).await?;
//! let mut ann = ChannelClient::new(ChannelTarget {
//!     token: Some(channel.join_token.clone()),
//!     callsign: Some("ann".into()),
//!     ..ChannelTarget::new(hub, &channel.channel_id)
//! });
//! ann.join().await?;
//! ann.send(&OutgoingMessage::to_all("the build is green")).await?;
//! for message in &ann.wait(Duration::from_secs(60)).await?.messages {
//!     println!("{}: {}", message.from, message.text);
//! }
//! # Ok(())
//! # }
//! ```
#![warn(missing_docs)]

mod backoff;
mod channel_client;
mod channel_target;
mod error;
mod event_stream;
mod hub_address;
mod hub_client;
mod long_polls;
mod message;
mod options;
mod proxy_settings;
mod remote;
mod reply;
mod sse_stream;
mod stream_event;
mod stream_opener;
mod stream_passage;
mod subscription;
mod tasks;

pub mod http;

pub use backoff::Backoff;
pub use channel_client::ChannelClient;
pub use channel_target::ChannelTarget;
pub use error::ClientError;
pub use event_stream::EventStream;
pub use hub_address::{DEFAULT_ORIGIN, HubAddress, normalize_origin};
pub use hub_client::{HubClient, NewChannel, REQUEST_TIMEOUT};
pub use message::{GapNotice, OutgoingAttachment, OutgoingMessage, ReceivedMessage};
pub use options::{HistoryOptions, ReadOptions, StreamOptions};
pub use proxy_settings::Proxy;
pub use remote::{AddedRemoteLink, CreatedIdentity, OpenedRemoteControl, RemoteLink, RemoteOptions};
pub use reply::{
    AckResult, ChannelHistory, ConsumerStatus, CreatedChannel, CreatedWebhook, HubReply, JoinResult, MemberDetails,
    MemberList, ReadResult, RecipientInfo, RosterEntry, SendResult, StreamGreeting,
};
pub use stream_event::StreamEvent;
pub use subscription::{ChannelSubscription, SubscriptionEvent};
pub use tasks::{AskResult, Question, TakeOptions, TakeResult, TaskInfo, TaskList};
