//! A stream of events from a hub: server-sent events, or long polls where a proxy holds those back.

use crate::error::ClientError;
use crate::long_polls::LongPolls;
use crate::message::ReceivedMessage;
use crate::sse_stream::SseStream;
use crate::stream_event::StreamEvent;
use crate::stream_opener::{OpenError, StreamOpener};

/// An open stream. Opened by [`ChannelClient::stream`](crate::ChannelClient::stream).
///
/// It is a stream of server-sent events by POST, which passes more proxies than one by GET. If its first event does not
/// arrive within 5 s, it consists of long polls, and streams are tried again every 5 minutes.
pub struct EventStream {
    opener: StreamOpener,
    source: Source,
}

enum Source {
    Events(Box<SseStream>),
    Polls(LongPolls),
}

impl EventStream {
    pub(crate) async fn open(mut opener: StreamOpener) -> Result<Self, ClientError> {
        if !opener.passage.is_blocked() {
            match opener.open(opener.options.since).await {
                Ok(stream) => return Ok(Self { opener, source: Source::Events(Box::new(stream)) }),
                Err(OpenError::Blocked) => {}
                Err(OpenError::Failed(error)) => return Err(error),
            }
        }
        let polls = LongPolls::open(&mut opener).await?;
        Ok(Self { opener, source: Source::Polls(polls) })
    }

    /// Waits for the next event. It may be cancelled at any time without losing one.
    ///
    /// # Errors
    ///
    /// Fails if the connection breaks or the hub ends the stream: because it shuts down ([`ClientError::Temporary`]),
    /// because a newer reader took over ([`ClientError::Superseded`]), or because the member left
    /// ([`ClientError::Left`]) or was removed ([`ClientError::Evicted`]).
    pub async fn next(&mut self) -> Result<StreamEvent, ClientError> {
        loop {
            let polls = match &mut self.source {
                Source::Events(stream) => return stream.next().await,
                Source::Polls(polls) => polls,
            };
            if let Some(event) = polls.next(&mut self.opener).await? {
                return Ok(event);
            }
            // It is time to try a stream again. The first one reads nothing: what a proxy holds back would be taken.
            if self.opener.streams_pass().await? {
                match self.opener.open(polls.since()).await {
                    Ok(stream) => self.source = Source::Events(Box::new(stream)),
                    Err(OpenError::Blocked) => {}
                    Err(OpenError::Failed(error)) => return Err(error),
                }
            }
        }
    }

    /// Returns a message that was already received, if it is the next event.
    ///
    /// # Errors
    ///
    /// Fails if the message is not valid.
    pub fn next_ready_message(&mut self) -> Result<Option<ReceivedMessage>, ClientError> {
        match &mut self.source {
            Source::Events(stream) => stream.next_ready_message(),
            Source::Polls(polls) => Ok(polls.next_ready_message()),
        }
    }
}
