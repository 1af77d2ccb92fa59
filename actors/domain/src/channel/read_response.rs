//! The response to a read: messages, a gap before them, and the guard that confirms or returns them.

use std::sync::Arc;

use bytes::Bytes;
use utoipa::ToSchema;

use crate::delivery_token::DeliveryToken;
use crate::ids::MessageId;
use crate::message::Message;

use super::ring::GapReason;

/// A message as one consumer receives it.
#[derive(Clone, Debug)]
pub struct DeliveredMessage {
    /// The message, shared by all its readers.
    pub message: Arc<Message>,
    /// The number of the delivery attempt to this consumer, from 1.
    pub attempt: u32,
    /// Whether the reader sent it.
    pub own: bool,
}

/// Broadcasts that a reader missed and that are no longer stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ToSchema)]
pub struct Gap {
    /// The last id before the gap (exclusive).
    #[schema(value_type = u64)]
    pub from: MessageId,
    /// The newest lost id (inclusive).
    #[schema(value_type = u64)]
    pub to: MessageId,
    /// Why the messages are gone.
    pub reason: GapReason,
}

/// Why a poll was answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AnswerReason {
    /// Messages or a gap were due.
    Ready,
    /// The timeout passed, or the session ended.
    TimedOut,
    /// A newer poll of the same session and consumer replaced it.
    Superseded,
    /// The hub is shutting down.
    Draining,
}

/// The response to a read. `G` guards the delivery: dropping it before it is completed makes the messages due again.
#[derive(Debug)]
pub struct ReadResponse<G = Option<DeliveryToken>> {
    /// The messages, oldest first.
    pub messages: Vec<DeliveredMessage>,
    /// The gap before them.
    pub gap: Option<Gap>,
    /// How many more messages are due. 0 for a read without a byte bound, which does not count them.
    pub more: usize,
    /// Why the read was answered.
    pub reason: AnswerReason,
    /// The callsigns online, as a JSON array, if the read asked for them.
    pub roster: Option<Bytes>,
    /// Complete it when the bytes have been written to the client's connection. None if the response carries nothing that
    /// could be lost.
    pub guard: G,
}

impl ReadResponse {
    pub(crate) fn empty(reason: AnswerReason) -> Self {
        Self { messages: Vec::new(), gap: None, more: 0, reason, roster: None, guard: None }
    }
}

impl<G> ReadResponse<G> {
    /// The same response with another guard, made from this one.
    pub fn map_guard<H>(self, wrap: impl FnOnce(G) -> H) -> ReadResponse<H> {
        let Self { messages, gap, more, reason, roster, guard } = self;
        ReadResponse { messages, gap, more, reason, roster, guard: wrap(guard) }
    }
}
