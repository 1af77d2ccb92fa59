//! What a stream returns.

use crate::message::{GapNotice, ReceivedMessage};
use crate::reply::StreamGreeting;
use crate::tasks::TaskList;

/// An event of a stream.
#[derive(Debug)]
pub enum StreamEvent {
    /// The first event, and the first one after a change between polls and server-sent events.
    Hello(StreamGreeting),
    /// A message. It is delivered again until it is acknowledged.
    Message(ReceivedMessage),
    /// Messages were lost.
    Gap(GapNotice),
    /// Tasks that changed, if the options ask for them; first all that are open.
    Tasks(TaskList),
    /// An event of another kind, by its name.
    Other(String),
}
