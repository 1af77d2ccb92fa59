//! Automatic streams. After a kill they continue at the hub's cursor, or after the last id they received.

use std::sync::Arc;
use std::time::Duration;

use rogerrat_client::http::{HttpError, SseReader};
use tokio::time::timeout;

use super::{AFTER_ERROR, Automatic};
use crate::context::{Context, Phase, pause};
use crate::member_client::{Member, MemberClient, Response};
use crate::message_text::{GapJson, Message};
use crate::oracle::{ConsumerNo, Event, ReadEnd, RequestStart};
use crate::rng::Rng;

/// In the last phase, a stream that is silent for this long has delivered everything.
const SILENCE: Duration = Duration::from_millis(1_500);

pub(super) struct Stream {
    client: MemberClient,
    consumer: ConsumerNo,
    /// Whether it sends `Last-Event-ID` when it reconnects.
    resumes: bool,
    /// Whether it has opened a stream.
    has_opened: bool,
    /// The last message it received, or 0: it reads from the first message of its channel.
    last_id: u64,
    rng: Rng,
}

/// Why a stream ended irregularly.
enum StreamError {
    Refused(u16),
    Broken(HttpError),
}

impl From<HttpError> for StreamError {
    fn from(error: HttpError) -> Self {
        Self::Broken(error)
    }
}

impl Stream {
    pub(super) fn new(context: &Arc<Context>, member: &Member, consumer: ConsumerNo, resumes: bool, rng: Rng) -> Self {
        Self { client: MemberClient::new(context, member), consumer, resumes, has_opened: false, last_id: 0, rng }
    }

    pub(super) async fn run(mut self) {
        while self.client.context.wait_until_serving().await < Phase::Draining {
            self.follow().await;
        }
        // The last stream may have been cut off by a kill after the cursor had moved.
        if self.resumes {
            self.follow().await;
        }
        // Polls fetch what the stream may have missed.
        let Self { client, consumer, rng, .. } = self;
        Automatic::new(&client.context, &client.member, consumer, "listen", rng).run().await;
    }

    /// Opens a stream and reads it until it ends.
    async fn follow(&mut self) {
        let consumer = self.consumer;
        let resume = match self.resumes && std::mem::replace(&mut self.has_opened, true) {
            true => format!("Last-Event-ID: {}\r\n", self.last_id),
            false => String::new(),
        };
        let request = self.client.member.get_with("/stream", &resume);
        self.client.record(Event::ReadBegun { consumer, lease_ms: 0 });
        let mut events = SseReader::default();
        let outcome = self.read(&request, &mut events).await;
        let mut partial = events.rest();
        partial.extend(self.client.close());
        let end = match outcome {
            Ok(()) => ReadEnd::Whole,
            Err(StreamError::Refused(status)) => match Response::of(status, &partial) {
                Response::Refused { text, .. } => {
                    self.client.report_refusal("a stream", &text);
                    ReadEnd::Refused
                }
                _ => ReadEnd::Unavailable,
            },
            Err(StreamError::Broken(error)) => {
                if let HttpError::InvalidResponse(reason) = &error {
                    self.client.record(Event::Unfinished { what: format!("a stream is invalid: {reason}") });
                }
                self.client.unanswered_read(&partial, &error)
            }
        };
        let is_whole = matches!(end, ReadEnd::Whole);
        self.client.record(Event::ReadEnded { consumer, end });
        if !is_whole {
            self.client.fail_over();
            pause(AFTER_ERROR).await;
        }
    }

    /// Reads until the hub ends the stream, or until it is silent in the last phase.
    async fn read(&mut self, request: &[u8], events: &mut SseReader) -> Result<(), StreamError> {
        let start = self.client.context.request_start();
        self.client.connection().write(request).await?;
        loop {
            let is_last = self.client.context.phase() == Phase::Draining;
            let is_forsaken = self.is_forsaken(start);
            let input = match timeout(SILENCE, self.client.more()).await {
                Ok(input) => input?,
                Err(_) if is_last => return Ok(()),
                Err(_) if is_forsaken => return Err(HttpError::TimedOut("the stream is silent").into()),
                Err(_) => continue,
            };
            match events.status(input)? {
                None => continue,
                Some(200) => events.take(input)?,
                Some(status) => return Err(StreamError::Refused(status)),
            }
            while let Some(event) = events.next_event() {
                match &*event.name {
                    "message" => self.record_message(&event.read()?),
                    "gap" => self.record_gap(event.read()?),
                    "bye" | "superseded" | "lagged" => return Ok(()),
                    _ => {}
                }
            }
            if events.has_ended() {
                return Err(StreamError::Broken(HttpError::Closed));
            }
        }
    }

    /// Whether the hub of a silent stream may be one that no longer serves.
    fn is_forsaken(&self, start: RequestStart) -> bool {
        let context = &self.client.context;
        context.is_cluster() && context.request_start() != start
    }

    fn record_message(&mut self, message: &Message) {
        self.last_id = self.last_id.max(message.id);
        let messages = vec![message.delivery(&self.client.context.callsigns)];
        self.client.record(Event::Delivered { consumer: self.consumer, messages, gap: None });
    }

    fn record_gap(&self, gap: GapJson) {
        let gap = Some(gap.into());
        self.client.record(Event::Delivered { consumer: self.consumer, messages: Vec::new(), gap });
    }
}
