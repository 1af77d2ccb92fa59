//! Opening a stream: first the due messages, then new ones as they arrive.

use std::collections::VecDeque;
use std::sync::Arc;

use crate::channel::{Channel, Effects, Stream, StreamEnd, StreamSideEvents};
use crate::delivery_token::Progress;
use crate::entry::{AckMode, Entry};
use crate::ids::{ConsumerName, MemberNo, MessageId, SessionId, WaiterId};
use crate::op::Operation;
use crate::op::read::ReadInput;
use crate::{Now, Refusal, limits};

/// The parameters of a stream: the same as those of a read.
pub type StreamInput = ReadInput;

/// Opens a stream.
#[derive(Clone, Debug)]
pub struct OpenStream {
    /// The member's session.
    pub session: SessionId,
    /// The parameters. With manual acknowledgement, messages are leased for as long as the stream is open.
    pub input: StreamInput,
    /// The id of the stream.
    pub waiter: WaiterId,
    /// Counts the events that its client takes.
    pub progress: Arc<Progress>,
}

impl Operation for OpenStream {
    type Reply = ();

    fn decide(&self, channel: &Channel, now: Now) -> Result<Vec<Entry>, Refusal> {
        let no = channel.sessions.member(&self.session, now.uptime_ms)?;
        channel.begin_reading(no, &self.input, now)
    }

    fn answer(self, channel: &mut Channel, entries: &[Entry], now: Now, effects: &mut Effects) {
        let Some(no) = channel.touch(&self.session, now) else { return };
        let ReadInput { consumer: name, since, ack_mode, max, side_events, .. } = self.input;
        channel.settle_unproven(no, name.as_ref(), since, now, effects);
        let max = max.clamp(1, limits::READ_MESSAGES);
        if let Some(older) = channel.consumer_mut(no, name.as_ref()).and_then(|c| c.stream) {
            channel.end_stream(older, StreamEnd::Superseded, now, effects);
        }
        channel.offer_own(entries, now, effects);
        let ack_mode = if ack_mode == AckMode::Read { AckMode::Read } else { AckMode::Streamed };
        let side_events = StreamSideEvents::new(side_events);
        channel.open_stream(
            self.waiter,
            Stream { side_events, ..Stream::new(no, name, since, ack_mode, max, self.progress) },
            now,
            effects,
        );
        if channel.draining {
            channel.end_stream(self.waiter, StreamEnd::Draining { nth: self.waiter.0 }, now, effects);
        }
    }
}

impl Stream {
    fn new(
        no: MemberNo,
        consumer: Option<ConsumerName>,
        since: Option<MessageId>,
        ack_mode: AckMode,
        max: usize,
        progress: Arc<Progress>,
    ) -> Self {
        Self {
            no,
            consumer,
            since,
            ack_mode,
            max,
            progress,
            queue: VecDeque::new(),
            queue_bytes: 0,
            taken: 0,
            catching_up: true,
            reported_upto: 0,
            side_events: None,
        }
    }
}

#[cfg(test)]
mod tests;
