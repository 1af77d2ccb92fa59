//! Opens streams and polls of one member.

use std::sync::Arc;
use std::time::Duration;

use serde::Deserialize;
use tokio::time::timeout;

use crate::channel_target::ChannelTarget;
use crate::error::ClientError;
use crate::http::{Connection, HttpError};
use crate::hub_client::{HubClient, REQUEST_TIMEOUT};
use crate::options::StreamOptions;
use crate::reply::{ConsumerList, ConsumerStatus, ReadResult};
use crate::sse_stream::SseStream;
use crate::stream_passage::{StreamPassage, now};

/// How long the first event of a stream may take. The hub sends it at once.
const FIRST_EVENT_TIMEOUT: Duration = Duration::from_secs(5);
/// A connection that breaks sooner was not cut by a proxy that held an event back.
const NOT_AT_ONCE: Duration = Duration::from_secs(1);
/// An id above that of every message: a read above it takes nothing.
const ABOVE_ALL: u64 = (1 << 53) - 1;
/// How long the messages of a poll are leased, in seconds. After a poll whose reply was lost, nothing newer may be
/// acknowledged for so long.
pub(crate) const LEASE_SECONDS: u64 = 30;

/// Opens streams and polls, with what it takes for that.
pub(crate) struct StreamOpener {
    pub(crate) hub: HubClient,
    pub(crate) target: ChannelTarget,
    pub(crate) options: StreamOptions,
    pub(crate) passage: Arc<StreamPassage>,
}

/// Why a stream was not opened.
pub(crate) enum OpenError {
    /// Streams do not pass; the passage knows it.
    Blocked,
    Failed(ClientError),
}

impl From<ClientError> for OpenError {
    fn from(error: ClientError) -> Self {
        Self::Failed(error)
    }
}

impl From<HttpError> for OpenError {
    fn from(error: HttpError) -> Self {
        Self::Failed(error.into())
    }
}

impl StreamOpener {
    /// Opens a stream and waits for its first event.
    pub(crate) async fn open(&mut self, since: Option<u64>) -> Result<SseStream, OpenError> {
        let method = if self.passage.uses_get() { "GET" } else { "POST" };
        let opened = match self.open_by(method, since).await {
            // A hub of an older version, or a proxy that lets no such request pass.
            Err(OpenError::Failed(ClientError::Refused { code, .. }))
                if method == "POST" && code.as_deref().is_none_or(|code| code == "method_not_allowed") =>
            {
                let opened = self.open_by("GET", since).await;
                if opened.is_ok() {
                    self.passage.set_uses_get();
                }
                opened
            }
            // A hub of an older version does not report tasks.
            Err(OpenError::Failed(ClientError::Refused { code: Some(code), .. }))
                if code == "invalid" && self.options.tasks =>
            {
                self.options.tasks = false;
                self.open_by(method, since).await
            }
            opened => opened,
        };
        match opened {
            Err(OpenError::Failed(error)) if error.is_temporary() && self.passage.is_blocked() => {
                Err(OpenError::Blocked)
            }
            opened => opened,
        }
    }

    async fn open_by(&mut self, method: &str, since: Option<u64>) -> Result<SseStream, OpenError> {
        let mut path = "stream?ack=manual".to_owned();
        if self.options.tasks {
            path += "&tell=tasks";
        }
        self.add_parameters(&mut path, since, self.options.max);
        let connection = self.send(method, &path).await?;
        let retry = self.options.stream_retry;
        let sent_at = now();
        let opening = SseStream::open(connection, Arc::clone(&self.passage), retry);
        match timeout(FIRST_EVENT_TIMEOUT, opening).await {
            Ok(Ok(stream)) => Ok(stream),
            Ok(Err(error)) => {
                if error.is_temporary() && now() - sent_at >= NOT_AT_ONCE {
                    self.passage.count_end(now() - sent_at, retry);
                }
                Err(self.hub.with_host(error).into())
            }
            Err(_) => {
                let seconds = FIRST_EVENT_TIMEOUT.as_secs();
                self.passage.block(&format!("no event arrived within {seconds} s"), retry);
                Err(OpenError::Blocked)
            }
        }
    }

    /// Whether streams pass now. The stream that is opened for that takes no message.
    pub(crate) async fn streams_pass(&mut self) -> Result<bool, ClientError> {
        match self.open(Some(ABOVE_ALL)).await {
            Ok(_) => {
                self.passage.unblock();
                Ok(true)
            }
            Err(OpenError::Failed(error)) if !error.is_temporary() => Err(error),
            Err(_) => {
                self.passage.block("", self.options.stream_retry);
                Ok(false)
            }
        }
    }

    /// Ends the streams and polls of this consumer that may still be open on the hub, because a proxy has not closed
    /// them. Returns the state of the consumer then.
    pub(crate) async fn end_readers(&mut self) -> Result<ConsumerStatus, ClientError> {
        let mut path = "listen?timeout=1&ack=manual&end_stream=true".to_owned();
        self.add_parameters(&mut path, Some(ABOVE_ALL), None);
        let request = self.target.request("GET", &path, None)?;
        let body = self.hub.call(&request, Duration::from_secs(1)).await?;
        let reply: ReadResult = parse(&body)?;
        if reply.superseded {
            return Err(ClientError::Superseded);
        }
        let request = self.target.request("GET", "consumers", None)?;
        let list: ConsumerList = parse(&self.hub.call(&request, Duration::ZERO).await?)?;
        let own = list.consumers.into_iter().find(|state| state.name == self.target.consumer);
        own.ok_or_else(|| ClientError::InvalidResponse("the consumer is missing".into()))
    }

    /// Sends a poll and returns the connection on which its reply will arrive.
    pub(crate) async fn send_poll(&mut self, seconds: u64, since: Option<u64>) -> Result<Connection, ClientError> {
        let mut path = format!("listen?timeout={seconds}&ack=manual&lease={LEASE_SECONDS}");
        self.add_parameters(&mut path, since, self.options.max);
        self.send("GET", &path).await
    }

    fn add_parameters(&self, path: &mut String, since: Option<u64>, max: Option<u32>) {
        path.extend(self.target.consumer.as_ref().map(|name| format!("&consumer={name}")));
        path.extend(since.map(|since| format!("&since={since}")));
        path.extend(max.map(|max| format!("&max={max}")));
    }

    async fn send(&mut self, method: &str, path: &str) -> Result<Connection, ClientError> {
        let request = self.target.request(method, path, None)?;
        let mut connection = self.hub.connect().await?;
        let written = timeout(REQUEST_TIMEOUT, connection.write(&request)).await;
        let written = written.map_err(|_| HttpError::TimedOut("opening the connection")).and_then(|written| written);
        written.map_err(|error| self.hub.with_host(error.into()))?;
        Ok(connection)
    }
}

pub(crate) fn parse<T: for<'de> Deserialize<'de>>(body: &[u8]) -> Result<T, ClientError> {
    serde_json::from_slice(body).map_err(|error| ClientError::InvalidResponse(error.to_string()))
}
