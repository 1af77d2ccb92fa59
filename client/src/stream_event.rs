//! What a stream returns.

use crate::message::{GapNotice, ReceivedMessage};
use crate::reply::StreamGreeting;

/// An event of a stream.
#[derive(Debug)]
pub enum StreamEvent {
    /// The first event, and the first one after a change between polls and server-sent events.
    Hello(StreamGreeting),
    /// A message. It is delivered again until it is acknowledged.
    Message(ReceivedMessage),
    /// Messages were lost.
    Gap(GapNotice),
    /// An event of another kind, by its name.
    Other(String),
}
