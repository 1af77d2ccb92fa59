//! A place on a channel: joining it, opening its stream, acknowledging. It makes one try at a time; who calls it waits.

use super::place::Place;
use super::stream::{PATIENCE, Stream};
use super::trouble::Trouble;
use crate::cli::client::{Connection, Fault};
use serde::Deserialize;
use serde_json::{Value, json};
use std::net::SocketAddr;
use tokio::net::lookup_host;
use tokio::time::timeout;

pub(super) struct Link {
    place: Place,
    /// Where the hub was found last.
    address: Option<SocketAddr>,
    /// Whether the session must be joined before it can be used.
    joins: bool,
}

#[derive(Deserialize)]
struct Joined {
    session_id: String,
}

impl Link {
    pub(super) fn new(place: Place) -> Self {
        let joins = place.session.is_none();
        Self { place, address: None, joins }
    }

    /// Opens the stream with manual acks; joins first where there is no session.
    pub(super) async fn stream(&mut self, query: &str) -> Result<Stream, Trouble> {
        let address = self.find().await?;
        if self.joins {
            self.join().await?;
        }
        match self.open(address, query).await {
            Err(Trouble::NoSession(_)) if self.place.callsign.is_some() => {
                self.join().await?;
                self.open(address, query).await
            }
            opened => opened,
        }
    }

    async fn open(&self, address: SocketAddr, query: &str) -> Result<Stream, Trouble> {
        let consumer = self.place.consumer.as_ref().map_or(String::new(), |name| format!("&consumer={name}"));
        let path = format!("stream?ack=manual{consumer}{query}");
        Stream::open(address, &self.request("GET", &path, None)).await
    }

    /// Joins where there is no session.
    pub(super) async fn enter(&mut self) -> Result<(), Trouble> {
        if self.joins { self.join().await } else { Ok(()) }
    }

    /// What is there, read with the session.
    pub(super) async fn get(&mut self, what: &str) -> Result<Vec<u8>, Trouble> {
        let request = self.request("GET", what, None);
        self.call(&request).await
    }

    /// Where it is now, and as whom.
    pub(super) fn place(&self) -> &Place {
        &self.place
    }

    /// Acknowledges everything up to an id.
    pub(super) async fn ack(&mut self, upto: u64) -> Result<(), Trouble> {
        let body = match &self.place.consumer {
            Some(consumer) => json!({"upto": upto, "consumer": consumer}),
            None => json!({"upto": upto}),
        };
        self.post("ack", &body).await.map(|_| ())
    }

    async fn join(&mut self) -> Result<(), Trouble> {
        let body = self.post("join", &json!({"callsign": self.place.callsign})).await?;
        let joined = serde_json::from_slice(&body).ok().filter(|joined: &Joined| {
            !joined.session_id.is_empty() && joined.session_id.bytes().all(|byte| byte.is_ascii_graphic())
        });
        let joined = joined.ok_or_else(|| Fault::Garbled("a join without a session".into()))?;
        self.place.session = Some(joined.session_id);
        self.joins = false;
        Ok(())
    }

    async fn post(&mut self, what: &str, body: &Value) -> Result<Vec<u8>, Trouble> {
        let request = self.request("POST", what, Some(body));
        self.call(&request).await
    }

    async fn call(&mut self, request: &[u8]) -> Result<Vec<u8>, Trouble> {
        let address = self.find().await?;
        let mut connection = Connection::new(address);
        let reply = timeout(PATIENCE, connection.call(request)).await;
        let (status, body) = reply.map_err(|_| Fault::Stalled("an answer was waited for"))??;
        match status {
            200..=299 => Ok(body.to_vec()),
            _ => Err(Trouble::of(status, body)),
        }
    }

    /// Looks the hub up anew after every failure: it may have moved.
    async fn find(&mut self) -> Result<SocketAddr, Trouble> {
        if let Some(address) = self.address {
            return Ok(address);
        }
        let host = &self.place.hub.host;
        let found = timeout(PATIENCE, lookup_host(host)).await.map_err(|_| Fault::Stalled("a name was looked up"))?;
        let mut found = found.map_err(|cause| Trouble::passing(format!("`{host}` cannot be found: {cause}")))?;
        let address = found.next().ok_or_else(|| Trouble::passing(format!("`{host}` has no address")))?;
        self.address = Some(address);
        Ok(address)
    }

    /// Forgets where the hub was.
    pub(super) fn lost(&mut self) {
        self.address = None;
    }

    fn request(&self, method: &str, what: &str, body: Option<&Value>) -> Vec<u8> {
        let Place { hub, channel, token, session, .. } = &self.place;
        let bearer = token.as_ref().map_or(String::new(), |token| format!("Authorization: Bearer {token}\r\n"));
        let session = session.as_ref().map_or(String::new(), |session| format!("X-Session-Id: {session}\r\n"));
        let body = body.map_or(String::new(), Value::to_string);
        format!(
            "{method} {}/api/channels/{channel}/{what} HTTP/1.1\r\nHost: {}\r\n{bearer}{session}Content-Length: {}\r\n\r\n{body}",
            hub.prefix,
            hub.host,
            body.len()
        )
        .into_bytes()
    }
}
