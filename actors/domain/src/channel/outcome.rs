//! What the machine hands out: deliveries, and the effects somebody else must carry out.

use std::sync::Arc;

use bytes::Bytes;
use utoipa::ToSchema;

use crate::delivery_token::DeliveryToken;
use crate::entry::Entry;
use crate::ids::{MessageId, WaiterId};
use crate::message::Message;
use crate::settings::Settings;

use super::ring::GapReason;

/// A message as it is given to one reader.
#[derive(Clone, Debug)]
pub struct DeliveredMessage {
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
    pub reason: GapReason,
}

/// Why a poll was answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AnswerReason {
    /// There is something to read.
    Ready,
    /// Its time was up, or its session ended.
    TimedOut,
    /// A newer poll of the same session and consumer took its place.
    Superseded,
    /// The hub goes down.
    Draining,
}

/// The answer to a read. `G` is what guards the delivery: dropping it before it is completed gives the messages back.
#[derive(Debug)]
pub struct ReadResponse<G = Option<DeliveryToken>> {
    /// What is given, oldest first.
    pub messages: Vec<DeliveredMessage>,
    /// What was lost before it.
    pub gap: Option<Gap>,
    /// Why the read was answered.
    pub reason: AnswerReason,
    /// The callsigns online, as a JSON array, if the reader wants them.
    pub roster: Option<Bytes>,
    /// To be completed when the client has taken the bytes. The machine hands out a token, or none when there is nothing to
    /// lose.
    pub guard: G,
}

impl ReadResponse {
    pub(crate) fn empty(reason: AnswerReason) -> Self {
        Self { messages: Vec::new(), gap: None, reason, roster: None, guard: None }
    }
}

impl<G> ReadResponse<G> {
    /// The same response with another guard, made from this one.
    pub fn map_guard<H>(self, wrap: impl FnOnce(G) -> H) -> ReadResponse<H> {
        let Self { messages, gap, reason, roster, guard } = self;
        ReadResponse { messages, gap, reason, roster, guard: wrap(guard) }
    }
}

/// What somebody must do because of what happened.
#[derive(Debug)]
pub enum Effect {
    /// Answer a parked poll.
    Answer(WaiterId, ReadResponse),
    /// Put an event into a stream's queue.
    Feed(WaiterId, Bytes),
    /// Put the last event into a stream's queue and end it; what is queued before it no longer counts.
    End(WaiterId, Bytes),
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
