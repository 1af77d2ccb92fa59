//! Pushes new messages of the channel: it reads a stream with a cursor of its own and acknowledges a message once its
//! notification was written. It reconnects after any failure.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::time::Duration;

use rogerrat_client::{
    Backoff, ChannelClient, ChannelTarget, ClientError, EventStream, ReceivedMessage, StreamEvent, StreamOptions,
};
use rogerrat_domain::Priority;
use serde::Deserialize;
use tokio::time::sleep;

use super::super::{REMEMBERED_IDS, report_polling};
use super::membership::{Membership, MembershipState};
use super::stdio::{OutputClosed, StdoutWriter};
use super::{NAME, notification};
use crate::outcome::{CommandError, report};
use crate::target::ResolvedTarget;

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

pub(super) struct Notifier {
    target: ResolvedTarget,
    min_priority: Priority,
    state: MembershipState,
    output: StdoutWriter,
    backoff: Backoff,
    /// Channels and ids of messages this process has pushed.
    pushed: VecDeque<(String, u64)>,
    /// End of the last gap that was pushed.
    last_gap: u64,
    /// The last line on standard error, which is not repeated.
    last_report: Option<String>,
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

impl Notifier {
    pub(super) fn new(
        target: ResolvedTarget,
        min_priority: Priority,
        state: MembershipState,
        output: StdoutWriter,
    ) -> Self {
        Self {
            target,
            min_priority,
            state,
            output,
            backoff: Backoff::default(),
            pushed: VecDeque::new(),
            last_gap: 0,
            last_report: None,
        }
    }

    /// Pushes messages of the current membership. Ends when the output is closed.
    pub(super) async fn run(mut self) {
        let mut membership = self.state.watch();
        let target = &self.target.target;
        let mut can_join = !target.channel.is_empty() && target.callsign.is_some();
        loop {
            let client = match membership.borrow_and_update().clone() {
                Some(membership) => {
                    can_join = false;
                    Some(ChannelClient::new(self.target_of(membership)))
                }
                None if can_join => Some(self.target.client()),
                None => None,
            };
            let changed = match client {
                None => membership.changed().await,
                Some(mut client) => {
                    tokio::select! {
                        is_closed = self.push_until_end(&mut client) => match is_closed {
                            true => return,
                            false => membership.changed().await,
                        },
                        changed = membership.changed() => changed,
                    }
                }
            };
            if changed.is_err() {
                return;
            }
        }
    }

    fn target_of(&self, membership: Membership) -> ChannelTarget {
        let Membership { channel, token, session, callsign } = membership;
        ChannelTarget { channel, token, session: Some(session), callsign, ..self.target.target.clone() }
    }

    /// Pushes until the membership has ended (returns `false`) or the output is closed (returns `true`).
    async fn push_until_end(&mut self, client: &mut ChannelClient) -> bool {
        loop {
            let Err(end) = self.push_one_stream(client).await;
            let (reason, pause) = match end {
                StreamEnd::OutputClosed => return true,
                StreamEnd::Failed(ClientError::Temporary { message, retry_after }) => (message, retry_after),
                StreamEnd::Failed(
                    error @ (ClientError::SessionEnded(_) | ClientError::Superseded | ClientError::Left),
                ) => {
                    let error = CommandError::from(error);
                    self.report(format!("{error}; no messages are pushed until you join again"));
                    return false;
                }
                StreamEnd::Failed(error) => (CommandError::from(error).to_string(), Some(REFUSED_PAUSE)),
            };
            client.forget_address();
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

    async fn push_one_stream(&mut self, client: &mut ChannelClient) -> Result<Infallible, StreamEnd> {
        client.ensure_joined().await?;
        self.state.set(Membership::of(client.target()));
        self.state.wait_initialized().await;
        let since = self.since(client).await?;
        let mut stream = client.stream(&StreamOptions { since, ..StreamOptions::default() }).await?;
        self.state.set(Membership::of(client.target()));
        loop {
            let event = stream.next().await?;
            self.handle(client, event, &mut stream).await?;
        }
    }

    /// The id to start after, so that messages the tools have already returned are not pushed.
    async fn since(&self, client: &mut ChannelClient) -> Result<Option<u64>, ClientError> {
        let rows = match client.get::<ConsumersReply>("consumers").await {
            Ok(reply) => reply.into_value().consumers,
            // Opening the stream joins again or reports the error. An invalid reply costs only this optimization.
            Err(ClientError::SessionEnded(_) | ClientError::InvalidResponse(_)) => Vec::new(),
            Err(error) => return Err(error),
        };
        let cursor = |name: Option<&str>| rows.iter().find(|row| row.name.as_deref() == name).map(|row| row.cursor);
        let own = cursor(self.target.target.consumer.as_deref());
        Ok(cursor(None).filter(|returned| own.is_none_or(|own| own < *returned)))
    }

    async fn handle(
        &mut self,
        client: &mut ChannelClient,
        event: StreamEvent,
        stream: &mut EventStream,
    ) -> Result<(), StreamEnd> {
        match event {
            StreamEvent::Hello(greeting) => {
                self.backoff.reset();
                report_polling(NAME, &greeting);
                self.report(format!("following {}", client.target().channel));
            }
            StreamEvent::Message(message) => {
                let mut messages = vec![message];
                while let Some(message) = stream.next_ready_message()? {
                    messages.push(message);
                }
                self.push(client, &messages).await?;
            }
            StreamEvent::Gap(gap) if gap.to > self.last_gap => {
                self.last_gap = gap.to;
                self.output.write(notification::of_gap(&client.target().channel, &gap)).await?;
            }
            StreamEvent::Gap(_) | StreamEvent::Other(_) => {}
        }
        Ok(())
    }

    /// Pushes messages, but no statuses: when the client reads one, it is outdated.
    async fn push(&mut self, client: &mut ChannelClient, messages: &[ReceivedMessage]) -> Result<(), StreamEnd> {
        let channel = client.target().channel.clone();
        for message in messages.iter().filter(|message| !message.is_status && message.priority >= self.min_priority) {
            let id = (channel.clone(), message.id);
            if self.pushed.contains(&id) {
                continue;
            }
            if let Some(notification) = notification::of_message(&channel, message.json()) {
                self.output.write(notification).await?;
            }
            self.pushed.push_back(id);
            if self.pushed.len() > REMEMBERED_IDS {
                self.pushed.pop_front();
            }
        }
        let upto = messages.iter().filter(|message| !message.is_status).map(|message| message.id).max();
        let Some(upto) = upto else { return Ok(()) };
        // Without the acknowledgment they are delivered again, but not pushed again.
        Ok(client.ack_streamed(upto).await?)
    }
}
