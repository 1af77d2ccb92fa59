//! What the machine hands out: deliveries, and the effects somebody else must carry out.

use std::sync::Arc;

use bytes::Bytes;
use utoipa::ToSchema;

use crate::entry::Entry;
use crate::ids::{MessageId, PlaceId};
use crate::message::Message;
use crate::settings::Settings;
use crate::slip::Slip;

use super::ring::Loss;

/// A message as it is given to one reader.
#[derive(Clone, Debug)]
pub struct Given {
    /// The message, shared by all who receive it.
    pub message: Arc<Message>,
    /// How often this consumer was given it, this time included.
    pub attempt: u32,
}

/// Broadcasts a reader has lost.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ToSchema)]
pub struct Gap {
    /// Where the reader stood, exclusive.
    #[schema(value_type = u64)]
    pub from: MessageId,
    /// The newest lost id, inclusive.
    #[schema(value_type = u64)]
    pub to: MessageId,
    /// Why.
    pub reason: Loss,
}

/// Why a poll was answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// There is something to read.
    Ready,
    /// Its time was up, or its session ended.
    TimedOut,
    /// A newer poll of the same session and consumer took its place.
    Superseded,
    /// The hub goes down.
    Draining,
}

/// The answer to a read.
#[derive(Debug)]
pub struct Delivery {
    /// What is given, oldest first.
    pub messages: Vec<Given>,
    /// What was lost before it.
    pub gap: Option<Gap>,
    /// Why the read was answered.
    pub ending: Ending,
    /// Says whether the bytes were taken; absent when there is nothing to lose. Dropping it gives everything back.
    pub slip: Option<Slip>,
    /// The callsigns online, as a JSON array, if the reader wants them.
    pub roster: Option<Bytes>,
}

impl Delivery {
    pub(crate) fn empty(ending: Ending) -> Self {
        Self { messages: Vec::new(), gap: None, ending, slip: None, roster: None }
    }
}

/// What somebody must do because of what happened.
#[derive(Debug)]
pub enum Effect {
    /// Answer a parked poll.
    Answer(PlaceId, Delivery),
    /// Put an event into a stream's queue.
    Feed(PlaceId, Bytes),
    /// Put the last event into a stream's queue and end it; what is queued before it no longer counts.
    End(PlaceId, Bytes),
    /// Something was said that stays: those who watch the channel from outside may look.
    Notify(Arc<Message>),
    /// Let everybody know the new settings.
    Settings(Arc<Settings>),
    /// Keep what time did; nobody waits for it.
    Log(Entry),
    /// Fetch messages from the log, and give them to [`Channel::fetched`](crate::Channel::fetched).
    Fetch(Vec<MessageId>),
    /// The channel may leave memory.
    Retire,
}
