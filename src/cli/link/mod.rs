//! A place on a channel: joining it, calling it, opening its stream, acknowledging. It makes one try at a time; who calls
//! it waits.

mod retry;
mod stream;
mod trouble;

use super::client::{Connection, Fault};
use super::place::{Hub, Place};
use serde::Deserialize;
use serde_json::{Map, Value, json};
use std::net::SocketAddr;
use std::time::Duration;
use tokio::net::{TcpStream, lookup_host};
use tokio::time::timeout;

pub(in crate::cli) use retry::Retry;
pub(in crate::cli) use stream::PATIENCE;
pub(in crate::cli) use stream::Stream;
pub(in crate::cli) use trouble::Trouble;

pub(in crate::cli) struct Link {
    place: Place,
    caller: Caller,
    /// Whether the session must be joined before it can be used.
    joins: bool,
}

/// Calls a hub, whatever the path.
pub(in crate::cli) struct Caller {
    host: String,
    /// Where the hub was found last.
    address: Option<SocketAddr>,
}

#[derive(Deserialize)]
struct Joined {
    session_id: String,
    callsign: String,
}

impl Link {
    pub(in crate::cli) fn new(place: Place) -> Self {
        let joins = place.session.is_none();
        Self { caller: Caller::new(&place.hub), place, joins }
    }

    pub(in crate::cli) fn place(&self) -> &Place {
        &self.place
    }

    /// Opens the stream with manual acks; joins first where there is no session.
    pub(in crate::cli) async fn stream(&mut self, query: &str) -> Result<Stream, Trouble> {
        if self.joins {
            self.join().await?;
        }
        match self.open(query).await {
            Err(Trouble::NoSession(_)) if self.can_join() => {
                self.join().await?;
                self.open(query).await
            }
            opened => opened,
        }
    }

    async fn open(&mut self, query: &str) -> Result<Stream, Trouble> {
        let address = self.caller.find().await?;
        let consumer = self.place.consumer.as_ref().map_or(String::new(), |name| format!("&consumer={name}"));
        let path = format!("stream?ack=manual{consumer}{query}");
        let connection = Connection::new(address).secured(self.place.hub.tls.clone());
        let opened = Stream::open(connection, &self.request("GET", &path, None)).await;
        opened.map_err(|trouble| self.caller.placed(trouble))
    }

    /// Joins where there is no session.
    pub(in crate::cli) async fn enter(&mut self) -> Result<(), Trouble> {
        if self.joins { self.join().await.map(drop) } else { Ok(()) }
    }

    /// What is there, read with the session.
    pub(in crate::cli) async fn get(&mut self, what: &str) -> Result<Vec<u8>, Trouble> {
        self.call("GET", what, None, Duration::ZERO).await
    }

    /// Acknowledges everything up to an id.
    pub(in crate::cli) async fn ack(&mut self, upto: u64) -> Result<Vec<u8>, Trouble> {
        let body = match &self.place.consumer {
            Some(consumer) => json!({"upto": upto, "consumer": consumer}),
            None => json!({"upto": upto}),
        };
        self.call("POST", "ack", Some(&body), Duration::ZERO).await
    }

    /// The same for what was read on a stream. After a crash of the hub an ack may mean nothing to it: then the messages
    /// come again.
    pub(in crate::cli) async fn acknowledge(&mut self, upto: u64) -> Result<(), Trouble> {
        match self.ack(upto).await {
            Err(Trouble::Refused(why)) => Err(Trouble::passing(why)),
            acked => acked.map(drop),
        }
    }

    /// Joins, and remembers the session where the profile is. Gives the hub's reply.
    pub(in crate::cli) async fn join(&mut self) -> Result<Vec<u8>, Trouble> {
        if self.place.is_identity && self.place.identity_key.is_none() {
            let why = "this place is an identity's: set ROGERRAT_IDENTITY_KEY, or give --identity-key-file";
            return Err(Trouble::Refused(why.into()));
        }
        let mut body = Map::new();
        for (key, value) in [
            ("callsign", &self.place.callsign),
            ("identity_key", &self.place.identity_key),
            ("owner_password", &self.place.owner_password),
        ] {
            body.extend(value.as_ref().map(|value| (key.to_owned(), Value::from(&**value))));
        }
        let reply = self.call("POST", "join", Some(&Value::Object(body)), Duration::ZERO).await?;
        let joined = serde_json::from_slice(&reply).ok().filter(|joined: &Joined| {
            !joined.session_id.is_empty() && joined.session_id.bytes().all(|byte| byte.is_ascii_graphic())
        });
        let joined = joined.ok_or_else(|| Fault::Garbled("a join without a session".into()))?;
        let is_new = self.place.session.as_ref() != Some(&joined.session_id);
        self.place.session = Some(joined.session_id);
        self.place.callsign = Some(joined.callsign);
        self.joins = false;
        if is_new {
            // Without it the next command joins again, and gets the same session.
            let _ = self.place.keep_session();
        }
        Ok(reply)
    }

    /// Calls as a member: joins first where there is no session, and again where it has ended.
    pub(in crate::cli) async fn call_seated(
        &mut self,
        method: &str,
        path: &str,
        body: Option<&Value>,
        wait: Duration,
    ) -> Result<Vec<u8>, Trouble> {
        if self.joins {
            self.join().await?;
        }
        match self.call(method, path, body, wait).await {
            Err(Trouble::NoSession(_)) if self.can_join() => {
                self.join().await?;
                self.call(method, path, body, wait).await
            }
            answered => answered,
        }
    }

    /// Calls as it is. The hub may take its time, and `wait` more.
    pub(in crate::cli) async fn call(
        &mut self,
        method: &str,
        path: &str,
        body: Option<&Value>,
        wait: Duration,
    ) -> Result<Vec<u8>, Trouble> {
        let request = self.request(method, path, body);
        self.caller.call(&self.place.hub, &request, wait).await
    }

    fn can_join(&self) -> bool {
        self.place.callsign.is_some() || self.place.identity_key.is_some()
    }

    /// Forgets where the hub was.
    pub(in crate::cli) fn lost(&mut self) {
        self.caller.address = None;
    }

    fn request(&self, method: &str, what: &str, body: Option<&Value>) -> Vec<u8> {
        let Place { hub, channel, token, session, .. } = &self.place;
        let what = if what.is_empty() { String::new() } else { format!("/{what}") };
        let path = format!("/api/channels/{channel}{what}");
        request(hub, method, &path, token.as_deref(), session.as_deref(), body)
    }
}

impl Caller {
    pub(in crate::cli) fn new(hub: &Hub) -> Self {
        Self { host: hub.host.clone(), address: None }
    }

    /// One request and its answer of the 200s.
    pub(in crate::cli) async fn call(&mut self, hub: &Hub, request: &[u8], wait: Duration) -> Result<Vec<u8>, Trouble> {
        let address = self.find().await?;
        let mut connection = Connection::new(address).secured(hub.tls.clone());
        let reply = timeout(PATIENCE + wait, connection.call(request)).await;
        let reply = reply.map_err(|_| Fault::Stalled("an answer was waited for")).and_then(|reply| reply);
        let (status, body) = reply.map_err(|fault| self.placed(fault.into()))?;
        match status {
            200..=299 => Ok(body.to_vec()),
            _ => Err(Trouble::of(status, body)),
        }
    }

    /// Says where it was that something went wrong on the way.
    fn placed(&self, trouble: Trouble) -> Trouble {
        match trouble {
            Trouble::Passing { why, retry_after: None } => Trouble::passing(format!("{}: {why}", self.host)),
            trouble => trouble,
        }
    }

    /// Looks the hub up anew after every failure: it may have moved.
    async fn find(&mut self) -> Result<SocketAddr, Trouble> {
        if let Some(address) = self.address {
            return Ok(address);
        }
        let host = &self.host;
        let found = timeout(PATIENCE, lookup_host(host)).await.map_err(|_| Fault::Stalled("a name was looked up"))?;
        let found = found.map_err(|cause| Trouble::passing(format!("`{host}` cannot be found: {cause}")))?;
        let address = reachable(&found.collect::<Vec<_>>()).await;
        self.address = address;
        address.ok_or_else(|| Trouble::passing(format!("`{host}` has no address")))
    }
}

/// The first of these that answers, or the last: `localhost` has two, and a hub may listen on one.
async fn reachable(addresses: &[SocketAddr]) -> Option<SocketAddr> {
    let (last, others) = addresses.split_last()?;
    for address in others {
        if let Ok(Ok(_)) = timeout(PATIENCE, TcpStream::connect(address)).await {
            return Some(*address);
        }
    }
    Some(*last)
}

/// A request as it goes over the wire. Everything in it was checked to be words.
pub(in crate::cli) fn request(
    hub: &Hub,
    method: &str,
    path: &str,
    token: Option<&str>,
    session: Option<&str>,
    body: Option<&Value>,
) -> Vec<u8> {
    let bearer = token.map_or(String::new(), |token| format!("Authorization: Bearer {token}\r\n"));
    let session = session.map_or(String::new(), |session| format!("X-Session-Id: {session}\r\n"));
    let body = body.map_or(String::new(), Value::to_string);
    format!(
        "{method} {}{path} HTTP/1.1\r\nHost: {}\r\n{bearer}{session}Content-Length: {}\r\n\r\n{body}",
        hub.prefix,
        hub.host,
        body.len()
    )
    .into_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::net::TcpListener;

    #[tokio::test]
    async fn of_several_addresses_the_one_that_answers_is_taken() {
        let (gone, hub) =
            (TcpListener::bind("127.0.0.1:0").await.unwrap(), TcpListener::bind("127.0.0.1:0").await.unwrap());
        let (closed, open) = (gone.local_addr().unwrap(), hub.local_addr().unwrap());
        drop(gone);
        assert_eq!(reachable(&[closed, open, closed]).await, Some(open));
        assert_eq!((reachable(&[closed]).await, reachable(&[]).await), (Some(closed), None));
    }
}
