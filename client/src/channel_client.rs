//! A member of a channel: joining, calling, opening the stream, acknowledging. It makes one try at a time; who calls it
//! waits.

use std::time::Duration;

use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::channel_target::ChannelTarget;
use crate::error::ClientError;
use crate::event_stream::EventStream;
use crate::http::{Connection, HttpError};
use crate::hub_client::HubClient;

/// Calls a hub as a member of a channel.
pub struct ChannelClient {
    target: ChannelTarget,
    hub: HubClient,
    /// Whether the session must be joined before it can be used.
    joins: bool,
    on_join: Option<Box<dyn Fn(&ChannelTarget) + Send>>,
}

#[derive(Deserialize)]
struct Joined {
    session_id: String,
    callsign: String,
}

impl ChannelClient {
    pub fn new(target: ChannelTarget) -> Self {
        let joins = target.session.is_none();
        Self { hub: HubClient::new(&target.hub), target, joins, on_join: None }
    }

    /// Calls `on_join` whenever a join has given another session.
    pub fn with_on_join(mut self, on_join: impl Fn(&ChannelTarget) + Send + 'static) -> Self {
        self.on_join = Some(Box::new(on_join));
        self
    }

    pub fn target(&self) -> &ChannelTarget {
        &self.target
    }

    /// Opens the stream with manual acks; joins first where there is no session.
    pub async fn stream(&mut self, query: &str) -> Result<EventStream, ClientError> {
        if self.joins {
            self.join().await?;
        }
        match self.open(query).await {
            Err(ClientError::NoSession(_)) if self.can_join() => {
                self.join().await?;
                self.open(query).await
            }
            opened => opened,
        }
    }

    async fn open(&mut self, query: &str) -> Result<EventStream, ClientError> {
        let address = self.hub.find().await?;
        let consumer = self.target.consumer.as_ref().map_or(String::new(), |name| format!("&consumer={name}"));
        let path = format!("stream?ack=manual{consumer}{query}");
        let connection = Connection::new(address).secured(self.target.hub.tls.clone());
        let opened = EventStream::open(connection, &self.request("GET", &path, None)).await;
        opened.map_err(|error| self.hub.placed(error))
    }

    /// Joins where there is no session.
    pub async fn enter(&mut self) -> Result<(), ClientError> {
        if self.joins { self.join().await.map(drop) } else { Ok(()) }
    }

    /// What is there, read with the session.
    pub async fn get(&mut self, what: &str) -> Result<Vec<u8>, ClientError> {
        self.call("GET", what, None, Duration::ZERO).await
    }

    /// Acknowledges everything up to an id.
    pub async fn ack(&mut self, upto: u64) -> Result<Vec<u8>, ClientError> {
        let body = match &self.target.consumer {
            Some(consumer) => json!({"upto": upto, "consumer": consumer}),
            None => json!({"upto": upto}),
        };
        self.call("POST", "ack", Some(&body), Duration::ZERO).await
    }

    /// The same for what was read on a stream. After a crash of the hub an ack may mean nothing to it: then the messages
    /// come again.
    pub async fn acknowledge(&mut self, upto: u64) -> Result<(), ClientError> {
        match self.ack(upto).await {
            Err(ClientError::Refused(why)) => Err(ClientError::passing(why)),
            acked => acked.map(drop),
        }
    }

    /// Joins, and remembers the session where the profile is. Gives the hub's reply.
    pub async fn join(&mut self) -> Result<Vec<u8>, ClientError> {
        if self.target.is_identity && self.target.identity_key.is_none() {
            let why = "this place is an identity's: set ROGERRAT_IDENTITY_KEY, or give --identity-key-file";
            return Err(ClientError::Refused(why.into()));
        }
        let mut body = Map::new();
        for (key, value) in [
            ("callsign", &self.target.callsign),
            ("identity_key", &self.target.identity_key),
            ("owner_password", &self.target.owner_password),
        ] {
            body.extend(value.as_ref().map(|value| (key.to_owned(), Value::from(&**value))));
        }
        let reply = self.call("POST", "join", Some(&Value::Object(body)), Duration::ZERO).await?;
        let joined = serde_json::from_slice(&reply).ok().filter(|joined: &Joined| {
            !joined.session_id.is_empty() && joined.session_id.bytes().all(|byte| byte.is_ascii_graphic())
        });
        let joined = joined.ok_or_else(|| HttpError::InvalidResponse("a join without a session".into()))?;
        let is_new = self.target.session.as_ref() != Some(&joined.session_id);
        self.target.session = Some(joined.session_id);
        self.target.callsign = Some(joined.callsign);
        self.joins = false;
        if is_new && let Some(on_join) = &self.on_join {
            on_join(&self.target);
        }
        Ok(reply)
    }

    /// Calls as a member: joins first where there is no session, and again where it has ended.
    pub async fn call_seated(
        &mut self,
        method: &str,
        path: &str,
        body: Option<&Value>,
        wait: Duration,
    ) -> Result<Vec<u8>, ClientError> {
        if self.joins {
            self.join().await?;
        }
        match self.call(method, path, body, wait).await {
            Err(ClientError::NoSession(_)) if self.can_join() => {
                self.join().await?;
                self.call(method, path, body, wait).await
            }
            answered => answered,
        }
    }

    /// Calls as it is. The hub may take its time, and `wait` more.
    pub async fn call(
        &mut self,
        method: &str,
        path: &str,
        body: Option<&Value>,
        wait: Duration,
    ) -> Result<Vec<u8>, ClientError> {
        let request = self.request(method, path, body);
        self.hub.call(&self.target.hub, &request, wait).await
    }

    fn can_join(&self) -> bool {
        self.target.callsign.is_some() || self.target.identity_key.is_some()
    }

    /// Forgets where the hub was.
    pub fn forget_address(&mut self) {
        self.hub.forget_address();
    }

    fn request(&self, method: &str, what: &str, body: Option<&Value>) -> Vec<u8> {
        let ChannelTarget { hub, channel, token, session, .. } = &self.target;
        let what = if what.is_empty() { String::new() } else { format!("/{what}") };
        let path = format!("/api/channels/{channel}{what}");
        hub.request(method, &path, token.as_deref(), session.as_deref(), body)
    }
}
