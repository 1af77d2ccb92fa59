//! Pushes new messages of one membership: it reads a stream with a cursor of its own and acknowledges a message once its
//! notification was written. It reconnects after any failure.

use std::convert::Infallible;
use std::time::Duration;

use rogerrat_client::{Backoff, ChannelClient, ClientError, EventStream, ReceivedMessage, StreamEvent, StreamOptions};
use rogerrat_domain::Priority;
use serde::Deserialize;
use tokio::time::sleep;

use super::super::{REMEMBERED_IDS, report_polling};
use super::membership::MembershipState;
use super::notifier::PushedMessages;
use super::stdio::{OutputClosed, StdoutWriter};
use super::{NAME, notification, rival};
use crate::outcome::{CommandError, report};

/// Pause after the hub has refused.
const REFUSED_PAUSE: Duration = Duration::from_secs(30);

#[derive(Deserialize)]
struct ConsumersReply {
    consumers: Vec<ConsumerRow>,
}

#[derive(Deserialize)]
struct ConsumerRow {
    name: Option<String>,
    cursor: u64,
}

pub(super) struct Pusher {
    /// The number of its membership.
    no: u64,
    client: ChannelClient,
    min_priority: Priority,
    state: MembershipState,
    output: StdoutWriter,
    pushed: PushedMessages,
    backoff: Backoff,
    /// End of the last gap that was pushed.
    last_gap: u64,
    /// The last line on standard error, which is not repeated.
    last_report: Option<String>,
}

/// Why a pusher ended.
pub(super) enum PushEnd {
    MembershipEnded,
    OutputClosed,
}

/// Why a stream ended.
enum StreamEnd {
    Failed(ClientError),
    OutputClosed,
}

impl From<ClientError> for StreamEnd {
    fn from(error: ClientError) -> Self {
        Self::Failed(error)
    }
}

impl From<OutputClosed> for StreamEnd {
    fn from(_: OutputClosed) -> Self {
        Self::OutputClosed
    }
}

impl Pusher {
    pub(super) fn new(
        no: u64,
        client: ChannelClient,
        min_priority: Priority,
        state: MembershipState,
        output: StdoutWriter,
        pushed: PushedMessages,
    ) -> Self {
        let backoff = Backoff::default();
        Self { no, client, min_priority, state, output, pushed, backoff, last_gap: 0, last_report: None }
    }

    /// Pushes until the membership has ended or the output is closed.
    pub(super) async fn run(mut self) -> PushEnd {
        loop {
            let Err(end) = self.push_one_stream().await;
            let (reason, pause) = match end {
                StreamEnd::OutputClosed => return PushEnd::OutputClosed,
                StreamEnd::Failed(ClientError::Temporary { message, retry_after }) => (message, retry_after),
                StreamEnd::Failed(ClientError::Superseded) => {
                    self.report("another bridge of this member pushes its messages; waiting until it ends".into());
                    rival::gone(&mut self.client).await;
                    continue;
                }
                StreamEnd::Failed(
                    error @ (ClientError::SessionEnded(_) | ClientError::Left | ClientError::Evicted),
                ) => {
                    let error = CommandError::from(error);
                    self.report(format!("{error}; no messages are pushed until you join again"));
                    self.state.set_ended(self.no);
                    return PushEnd::MembershipEnded;
                }
                StreamEnd::Failed(error) => (CommandError::from(error).to_string(), Some(REFUSED_PAUSE)),
            };
            self.client.forget_address();
            self.report(format!("{reason}; trying again"));
            sleep(self.backoff.pause(pause)).await;
        }
    }

    fn report(&mut self, line: String) {
        if self.last_report.as_ref() != Some(&line) {
            report(NAME, &line);
        }
        self.last_report = Some(line);
    }

    async fn push_one_stream(&mut self) -> Result<Infallible, StreamEnd> {
        self.client.ensure_joined().await?;
        self.state.renew(self.no, self.client.target());
        self.state.wait_initialized().await;
        let since = self.since().await?;
        let mut stream = self.client.stream(&StreamOptions { since, ..StreamOptions::default() }).await?;
        self.state.renew(self.no, self.client.target());
        loop {
            let event = stream.next().await?;
            self.handle(event, &mut stream).await?;
        }
    }

    /// The id to start after, so that messages the tools have already returned are not pushed.
    async fn since(&mut self) -> Result<Option<u64>, ClientError> {
        let rows = match self.client.get::<ConsumersReply>("consumers").await {
            Ok(reply) => reply.into_value().consumers,
            // Opening the stream joins again or reports the error. An invalid reply costs only this optimization.
            Err(ClientError::SessionEnded(_) | ClientError::InvalidResponse(_)) => Vec::new(),
            Err(error) => return Err(error),
        };
        let cursor = |name: Option<&str>| rows.iter().find(|row| row.name.as_deref() == name).map(|row| row.cursor);
        let own = cursor(self.client.target().consumer.as_deref());
        Ok(cursor(None).filter(|returned| own.is_none_or(|own| own < *returned)))
    }

    async fn handle(&mut self, event: StreamEvent, stream: &mut EventStream) -> Result<(), StreamEnd> {
        match event {
            StreamEvent::Hello(greeting) => {
                self.backoff.reset();
                report_polling(NAME, &greeting);
                self.report(format!("following {}", self.client.target().channel));
            }
            StreamEvent::Message(message) => {
                let mut messages = vec![message];
                while let Some(message) = stream.next_ready_message()? {
                    messages.push(message);
                }
                self.push(&messages).await?;
            }
            StreamEvent::Gap(gap) if gap.to > self.last_gap => {
                self.last_gap = gap.to;
                self.output.write(notification::of_gap(&self.client.target().channel, &gap)).await?;
            }
            StreamEvent::Gap(_) | StreamEvent::Tasks(_) | StreamEvent::Other(_) => {}
        }
        Ok(())
    }

    /// Pushes messages, but no statuses: when the client reads one, it is outdated.
    async fn push(&mut self, messages: &[ReceivedMessage]) -> Result<(), StreamEnd> {
        let channel = self.client.target().channel.clone();
        for message in messages.iter().filter(|message| !message.is_status && message.priority >= self.min_priority) {
            let id = (channel.clone(), message.id);
            let mut pushed = self.pushed.lock().await;
            if pushed.contains(&id) {
                continue;
            }
            if let Some(notification) = notification::of_message(&channel, message.json()) {
                self.output.write(notification).await?;
            }
            pushed.push_back(id);
            if pushed.len() > REMEMBERED_IDS {
                pushed.pop_front();
            }
        }
        let upto = messages.iter().filter(|message| !message.is_status).map(|message| message.id).max();
        let Some(upto) = upto else { return Ok(()) };
        // Without the acknowledgment they are delivered again, but not pushed again.
        Ok(self.client.ack_streamed(upto).await?)
    }
}
