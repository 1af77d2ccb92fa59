//! Long polls in the form of a stream, for a hub behind a proxy that holds streams back.
//!
//! An acknowledgement covers all messages up to an id, also those of a reply that was lost on the way. So after a poll
//! that failed, and after a stream, which a proxy may keep open, the readers of the consumer are ended first. If messages
//! are still leased then, they were lost on the way: nothing is read until their lease has ended.

use std::collections::VecDeque;
use std::time::Duration;

use tokio::time::{Instant, sleep, timeout_at};

use crate::error::ClientError;
use crate::http::{Connection, HttpError};
use crate::hub_client::REQUEST_TIMEOUT;
use crate::message::ReceivedMessage;
use crate::reply::{ConsumerStatus, ReadResult, StreamGreeting};
use crate::stream_event::StreamEvent;
use crate::stream_opener::{LEASE_SECONDS, StreamOpener, parse};
use crate::stream_passage::now;

/// A poll that fails sooner was not cut by a proxy because it was silent.
const CUT_AFTER: Duration = Duration::from_secs(2);
const SUCCESS: std::ops::Range<u16> = 200..300;

/// A sequence of polls.
pub(crate) struct LongPolls {
    /// Read after this id instead of the cursor.
    since: Option<u64>,
    events: VecDeque<StreamEvent>,
    pending: Option<PendingPoll>,
    /// The reply of a poll may have been lost.
    is_uncertain: bool,
    /// How long the last poll had waited when it was cut.
    cut_after: Option<Duration>,
    /// When the leases of messages that were lost on the way have ended.
    resume_at: Option<Instant>,
}

/// A poll that was sent.
struct PendingPoll {
    connection: Connection,
    sent_at: Instant,
    deadline: Instant,
}

impl LongPolls {
    /// Ends the other readers of the consumer.
    pub(crate) async fn open(opener: &mut StreamOpener) -> Result<Self, ClientError> {
        let state = opener.end_readers().await?;
        let greeting = StreamGreeting {
            callsign: opener.target.callsign.clone().unwrap_or_default(),
            backlog_count: state.lag + state.in_flight,
            polling: opener.passage.take_reason(),
        };
        let events = VecDeque::from([StreamEvent::Hello(greeting)]);
        let since = opener.options.since;
        let mut polls = Self { since, events, pending: None, is_uncertain: false, cut_after: None, resume_at: None };
        polls.wait_for_leases(&state);
        Ok(polls)
    }

    /// Waits for the next event. Returns none when it is time to try a stream. It may be cancelled at any time without
    /// losing an event.
    pub(crate) async fn next(&mut self, opener: &mut StreamOpener) -> Result<Option<StreamEvent>, ClientError> {
        loop {
            if let Some(event) = self.events.pop_front() {
                return Ok(Some(event));
            }
            if let Some(at) = self.resume_at {
                sleep(at.saturating_duration_since(now())).await;
                self.resume_at = None;
            }
            if self.is_uncertain {
                let state = opener.end_readers().await?;
                // The hub is up, so a proxy has cut the poll because it was silent.
                if let Some(waited) = self.cut_after.take() {
                    opener.passage.shorten_polls(waited);
                }
                self.wait_for_leases(&state);
                self.is_uncertain = false;
                continue;
            }
            if self.pending.is_none() && opener.passage.is_retry_due() {
                return Ok(None);
            }
            self.poll(opener).await?;
        }
    }

    pub(crate) fn next_ready_message(&mut self) -> Option<ReceivedMessage> {
        match self.events.pop_front() {
            Some(StreamEvent::Message(message)) => Some(message),
            event => {
                event.into_iter().for_each(|event| self.events.push_front(event));
                None
            }
        }
    }

    /// The id to read after instead of the cursor.
    pub(crate) fn since(&self) -> Option<u64> {
        self.since
    }

    fn wait_for_leases(&mut self, state: &ConsumerStatus) {
        self.resume_at = (state.in_flight > 0).then(|| now() + Duration::from_secs(LEASE_SECONDS));
    }

    /// Sends a poll unless one is pending, and waits for its reply.
    async fn poll(&mut self, opener: &mut StreamOpener) -> Result<(), ClientError> {
        if self.pending.is_none() {
            self.is_uncertain = true;
            let seconds = opener.passage.poll_seconds();
            let connection = opener.send_poll(seconds, self.since).await?;
            let sent_at = now();
            let deadline = sent_at + Duration::from_secs(seconds) + REQUEST_TIMEOUT;
            self.pending = Some(PendingPoll { connection, sent_at, deadline });
            self.is_uncertain = false;
        }
        let Some(pending) = &mut self.pending else { return Ok(()) };
        let (sent_at, deadline) = (pending.sent_at, pending.deadline);
        let result = match timeout_at(deadline, pending.connection.reply()).await {
            Ok(Ok((status, body))) if SUCCESS.contains(&status) => parse::<ReadResult>(body),
            Ok(Ok((status, body))) => Err(ClientError::from_response(status, body)),
            Ok(Err(error)) => Err(error.into()),
            Err(_) => Err(HttpError::TimedOut("no response").into()),
        };
        self.pending = None;
        match result {
            Ok(reply) => self.take(reply),
            Err(ClientError::SessionEnded(message)) => Err(ClientError::temporary(message)),
            Err(ClientError::Temporary { retry_after: None, .. }) if now() - sent_at >= CUT_AFTER => {
                self.is_uncertain = true;
                self.cut_after = Some(now() - sent_at);
                opener.hub.forget_address();
                Ok(())
            }
            Err(error) => Err(opener.hub.with_host(error)),
        }
    }

    fn take(&mut self, reply: ReadResult) -> Result<(), ClientError> {
        if reply.superseded {
            return Err(ClientError::Superseded);
        }
        self.events.extend(reply.gap.map(StreamEvent::Gap));
        for message in reply.messages {
            self.since = self.since.map(|since| since.max(message.id));
            self.events.push_back(StreamEvent::Message(message));
        }
        match reply.draining && self.events.is_empty() {
            true => Err(ClientError::temporary("the hub ended the poll (draining)")),
            false => Ok(()),
        }
    }
}
