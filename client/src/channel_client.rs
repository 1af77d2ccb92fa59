//! A member of a channel: joins, sends, reads and acknowledges.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use serde::de::DeserializeOwned;
use serde_json::{Map, Value, json};
use url::form_urlencoded;

use crate::channel_target::ChannelTarget;
use crate::error::ClientError;
use crate::event_stream::EventStream;
use crate::hub_client::HubClient;
use crate::message::OutgoingMessage;
use crate::options::{HistoryOptions, ReadOptions, StreamOptions};
use crate::reply::{
    AckResult, ChannelHistory, ConsumerList, ConsumerStatus, HubReply, JoinResult, MemberList, ReadResult, SendResult,
};
use crate::stream_opener::StreamOpener;
use crate::stream_passage::StreamPassage;
use crate::subscription::ChannelSubscription;

/// The longest time a `listen` request may be held. Longer polls use `wait`.
const LISTEN_SECONDS: u64 = 60;

type JoinCallback = Box<dyn Fn(&ChannelTarget) + Send>;

/// A member of a channel.
///
/// Each method makes one attempt, except that [`send`](Self::send) repeats a request whose outcome is unknown. Methods
/// that need a session join first, and join again if the session has ended and a callsign or an identity's key is
/// known. [`subscribe`](Self::subscribe) retries for ever.
pub struct ChannelClient {
    target: ChannelTarget,
    hub: HubClient,
    on_join: Option<JoinCallback>,
    passage: Arc<StreamPassage>,
}

impl ChannelClient {
    /// Creates a client. Nothing is sent yet.
    #[must_use]
    pub fn new(target: ChannelTarget) -> Self {
        Self { hub: HubClient::new(target.hub.clone()), target, on_join: None, passage: Arc::default() }
    }

    /// Calls `on_join` after each join that returned a new session, for example to store the session.
    #[must_use]
    pub fn with_on_join(mut self, on_join: impl Fn(&ChannelTarget) + Send + 'static) -> Self {
        self.on_join = Some(Box::new(on_join));
        self
    }

    /// Returns the target, with the session and callsign of the last join.
    #[must_use]
    pub fn target(&self) -> &ChannelTarget {
        &self.target
    }

    /// Joins the channel, whether or not there is a session.
    ///
    /// # Errors
    ///
    /// Fails if the hub refuses the token, callsign or key, or cannot be reached.
    pub async fn join(&mut self) -> Result<HubReply<JoinResult>, ClientError> {
        self.join_saying(None).await
    }

    /// Joins as [`join`](Self::join), and says to the other members what this one does; an empty text removes it.
    ///
    /// # Errors
    ///
    /// As for [`join`](Self::join).
    pub async fn join_saying(&mut self, about: Option<&str>) -> Result<HubReply<JoinResult>, ClientError> {
        if self.target.is_identity && self.target.identity_key.is_none() {
            return Err(ClientError::IdentityKeyMissing);
        }
        let mut body = Map::new();
        for (key, value) in [
            ("callsign", &self.target.callsign),
            ("identity_key", &self.target.identity_key),
            ("owner_password", &self.target.owner_password),
        ] {
            body.extend(value.as_ref().map(|value| (key.to_owned(), Value::from(&**value))));
        }
        body.extend(about.map(|about| ("about".to_owned(), about.into())));
        let reply: HubReply<JoinResult> =
            HubReply::parse(self.call("POST", "join", Some(&Value::Object(body)), Duration::ZERO).await?)?;
        let session = &reply.session_id;
        if session.is_empty() || !session.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(ClientError::InvalidResponse("a join without a session".into()));
        }
        let is_new = self.target.session.as_ref() != Some(session);
        self.target.session = Some(session.clone());
        self.target.callsign = Some(reply.callsign.clone());
        if is_new && let Some(on_join) = &self.on_join {
            on_join(&self.target);
        }
        Ok(reply)
    }

    /// Joins unless there is a session.
    ///
    /// # Errors
    ///
    /// As for [`join`](Self::join).
    pub async fn ensure_joined(&mut self) -> Result<(), ClientError> {
        if self.target.session.is_none() { self.join().await.map(drop) } else { Ok(()) }
    }

    /// Leaves the channel.
    ///
    /// # Errors
    ///
    /// Fails if the hub refuses or cannot be reached.
    pub async fn leave(&mut self) -> Result<HubReply<Value>, ClientError> {
        HubReply::parse(self.call("POST", "leave", None, Duration::ZERO).await?)
    }

    /// Sends a message.
    ///
    /// If the connection breaks before the response and the message has an idempotency key, the request is repeated
    /// once. The hub sends one message for both.
    ///
    /// # Errors
    ///
    /// Fails if the hub refuses the message or cannot be reached. After [`ClientError::Temporary`] it is unknown
    /// whether the message was sent; repeat it with the same key.
    pub async fn send(&mut self, message: &OutgoingMessage) -> Result<HubReply<SendResult>, ClientError> {
        let body = serde_json::to_value(message).map_err(|error| ClientError::InvalidTarget(error.to_string()))?;
        let sent = match self.call_as_member("POST", "send", Some(&body), Duration::ZERO).await {
            Err(ClientError::Temporary { retry_after: None, .. }) if message.idempotency_key.is_some() => {
                self.forget_address();
                self.call_as_member("POST", "send", Some(&body), Duration::ZERO).await
            }
            sent => sent,
        };
        HubReply::parse(sent?)
    }

    /// Waits up to `timeout`, at most 290 s, for messages, and acknowledges them.
    ///
    /// # Errors
    ///
    /// Fails if the hub refuses or cannot be reached.
    pub async fn wait(&mut self, timeout: Duration) -> Result<HubReply<ReadResult>, ClientError> {
        self.read(&ReadOptions { timeout, ..ReadOptions::default() }).await
    }

    /// Polls for messages.
    ///
    /// # Errors
    ///
    /// Fails if the hub refuses or cannot be reached.
    pub async fn read(&mut self, options: &ReadOptions) -> Result<HubReply<ReadResult>, ClientError> {
        let seconds = options.timeout.as_secs();
        let operation = if seconds > LISTEN_SECONDS { "wait" } else { "listen" };
        let ack = if options.manual_ack { "manual" } else { "auto" };
        let mut path = format!("{operation}?timeout={seconds}&ack={ack}");
        path.extend(options.max.map(|max| format!("&max={max}")));
        path.extend(options.max_bytes.map(|bytes| format!("&max_bytes={bytes}")));
        path.extend(options.attachments_by_reference.then_some("&attachments=meta"));
        path.extend(self.target.consumer.as_ref().map(|name| format!("&consumer={name}")));
        path.extend(options.since.map(|since| format!("&since={since}")));
        HubReply::parse(self.call_as_member("GET", &path, None, Duration::from_secs(seconds)).await?)
    }

    /// Acknowledges all messages up to and including the id `upto`.
    ///
    /// # Errors
    ///
    /// Fails if the hub refuses or cannot be reached.
    pub async fn ack(&mut self, upto: u64) -> Result<HubReply<AckResult>, ClientError> {
        let body = match &self.target.consumer {
            Some(consumer) => json!({"upto": upto, "consumer": consumer}),
            None => json!({"upto": upto}),
        };
        HubReply::parse(self.call("POST", "ack", Some(&body), Duration::ZERO).await?)
    }

    /// Acknowledges messages that were received on a stream.
    ///
    /// # Errors
    ///
    /// As for [`ack`](Self::ack), but a refusal is [temporary](ClientError::Temporary): after a crash the hub may not
    /// know the ids. It delivers the messages again.
    pub async fn ack_streamed(&mut self, upto: u64) -> Result<(), ClientError> {
        match self.ack(upto).await {
            Err(ClientError::Refused { message, .. }) => Err(ClientError::temporary(message)),
            acked => acked.map(drop),
        }
    }

    /// Returns the newest `count` messages, at most 100, of all conversations or of `thread`. It marks none as read.
    ///
    /// # Errors
    ///
    /// Fails if the hub refuses or cannot be reached.
    pub async fn history(&mut self, count: u32, thread: Option<&str>) -> Result<HubReply<ChannelHistory>, ClientError> {
        let (max_bytes, attachments_by_reference) = (None, false);
        self.history_with(&HistoryOptions { count, thread, max_bytes, attachments_by_reference }).await
    }

    /// Returns the newest messages of the channel that fit into a bound.
    ///
    /// # Errors
    ///
    /// Fails if the hub refuses or cannot be reached.
    pub async fn history_with(
        &mut self,
        options: &HistoryOptions<'_>,
    ) -> Result<HubReply<ChannelHistory>, ClientError> {
        let mut query = form_urlencoded::Serializer::new(String::new());
        query.append_pair("n", &options.count.to_string());
        if let Some(thread) = options.thread {
            query.append_pair("thread", thread);
        }
        if let Some(bytes) = options.max_bytes {
            query.append_pair("max_bytes", &bytes.to_string());
        }
        if options.attachments_by_reference {
            query.append_pair("attachments", "meta");
        }
        self.get(&format!("history?{}", query.finish())).await
    }

    /// Returns the members of the channel.
    ///
    /// # Errors
    ///
    /// Fails if the hub refuses or cannot be reached.
    pub async fn roster(&mut self) -> Result<HubReply<MemberList>, ClientError> {
        self.get("roster").await
    }

    /// Returns the read state of the target's consumer, or `None` if nothing has been read with it yet.
    ///
    /// # Errors
    ///
    /// Fails if the hub refuses or cannot be reached.
    pub async fn consumer(&mut self) -> Result<Option<ConsumerStatus>, ClientError> {
        let consumers = self.get::<ConsumerList>("consumers").await?.into_value().consumers;
        Ok(consumers.into_iter().find(|row| row.name == self.target.consumer))
    }

    /// Requests any other resource of the channel: `path` is relative to `/api/channels/{id}/`, empty for the channel
    /// itself.
    ///
    /// # Errors
    ///
    /// Fails if the hub refuses or cannot be reached, or the response is not a `T`.
    pub async fn get<T: DeserializeOwned>(&mut self, path: &str) -> Result<HubReply<T>, ClientError> {
        HubReply::parse(self.call("GET", path, None, Duration::ZERO).await?)
    }

    /// Opens a stream of messages, by long polls where a proxy holds streams back. They must be acknowledged with [`ack_streamed`](Self::ack_streamed).
    ///
    /// # Errors
    ///
    /// Fails if the hub refuses or cannot be reached.
    pub async fn stream(&mut self, options: &StreamOptions) -> Result<EventStream, ClientError> {
        self.ensure_joined().await?;
        match self.open_stream(options).await {
            Err(ClientError::SessionEnded(_)) if self.can_join() => {
                self.join().await?;
                self.open_stream(options).await
            }
            opened => opened,
        }
    }

    /// Reads a stream of messages that reconnects after every temporary failure.
    #[must_use]
    pub fn subscribe(self, options: StreamOptions) -> ChannelSubscription {
        ChannelSubscription::new(self, options)
    }

    /// Resolves the hub's name again for the next request: after a failure it may have moved.
    pub fn forget_address(&mut self) {
        self.hub.forget_address();
    }

    async fn open_stream(&mut self, options: &StreamOptions) -> Result<EventStream, ClientError> {
        let (hub, target) = (self.hub.clone(), self.target.clone());
        let opener = StreamOpener { hub, target, options: options.clone(), passage: Arc::clone(&self.passage) };
        EventStream::open(opener).await
    }

    /// Calls with a session: joins first if there is none, and again if it has ended.
    pub(crate) async fn call_as_member(
        &mut self,
        method: &str,
        path: &str,
        body: Option<&Value>,
        wait: Duration,
    ) -> Result<Vec<u8>, ClientError> {
        self.ensure_joined().await?;
        match self.call(method, path, body, wait).await {
            Err(ClientError::SessionEnded(_)) if self.can_join() => {
                self.join().await?;
                self.call(method, path, body, wait).await
            }
            called => called,
        }
    }

    /// Calls with the session there is, if any.
    async fn call(
        &mut self,
        method: &str,
        path: &str,
        body: Option<&Value>,
        wait: Duration,
    ) -> Result<Vec<u8>, ClientError> {
        let request = self.target.request(method, path, body)?;
        self.hub.call(&request, wait).await
    }

    fn can_join(&self) -> bool {
        self.target.callsign.is_some() || self.target.identity_key.is_some()
    }
}

impl fmt::Debug for ChannelClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ChannelClient").field("channel", &self.target.channel).finish_non_exhaustive()
    }
}
