//! A call of a tool, forwarded to the hub's own MCP endpoint. What the hub says of it on the way, and its answer, become
//! lines; whatever goes wrong becomes an answer too.

use std::time::Duration;

use rogerrat_client::http::{Connection, HttpError, SseReader, head};
use rogerrat_client::{ChannelTarget, ClientError, PATIENCE};
use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;
use tokio::net::lookup_host;
use tokio::time::timeout;

use super::super::line::json_line;
use super::lines::Out;

/// A hub that waits with us says a comment every 15 s.
const SILENCE: Duration = Duration::from_secs(40);

/// A call as the hub gets it.
pub(super) struct Errand {
    pub(super) id: String,
    pub(super) tool: String,
    /// The version of MCP it is in.
    pub(super) version: String,
    /// The whole message.
    pub(super) body: String,
}

/// What comes back.
#[derive(Deserialize)]
struct Message<'a> {
    #[serde(borrow)]
    jsonrpc: &'a RawValue,
    #[serde(borrow)]
    id: Option<&'a RawValue>,
    #[serde(borrow)]
    method: Option<&'a RawValue>,
    result: Option<Outcome>,
}

#[derive(Deserialize)]
struct Outcome {
    #[serde(rename = "structuredContent")]
    told: Option<Value>,
    #[serde(rename = "isError", default)]
    is_error: bool,
}

/// The hub's own words, where it did not speak MCP.
#[derive(Deserialize)]
struct Problem {
    error: String,
    code: String,
    hint: Option<String>,
}

/// Why there is no answer of the hub.
#[derive(Debug)]
pub(super) enum Failure {
    /// It did not get the call.
    Away(String),
    /// It may have done it or not.
    Doubt(String),
    /// It refused; with its code.
    Refused { why: String, code: String },
}

impl Errand {
    /// Runs it, tells what the hub says on the way, and returns its answer and what the tool told, if it did its work.
    pub(super) async fn run(&self, place: &ChannelTarget, out: &Out) -> Result<(String, Option<Value>), Failure> {
        let mut connection = timeout(PATIENCE, self.ask(place)).await.map_err(|_| Failure::away("no connection"))??;
        let doubt = |fault: &dyn std::fmt::Display| Failure::Doubt(fault.to_string());
        let head = timeout(PATIENCE, is_stream(&mut connection)).await;
        match head.map_err(|_| doubt(&"it does not answer"))?.map_err(|fault| doubt(&fault))? {
            true => self.read_stream(connection, out).await,
            false => {
                let reply = timeout(PATIENCE, connection.reply()).await.map_err(|_| doubt(&"it does not answer"))?;
                let (status, body) = reply.map_err(|fault| doubt(&fault))?;
                let text = std::str::from_utf8(body).unwrap_or_default();
                self.answer(text).ok_or_else(|| problem(status, body))
            }
        }
    }

    async fn ask(&self, place: &ChannelTarget) -> Result<Connection, Failure> {
        let host = &place.hub.host;
        let mut found = lookup_host(host).await.map_err(Failure::away)?;
        let address = found.next().ok_or_else(|| Failure::away(format!("`{host}` has no address")))?;
        let mut connection = Connection::new(address).secured(place.hub.tls.clone());
        connection.write(&self.request(place)).await.map_err(|fault| match fault {
            HttpError::Connect(_) | HttpError::TlsHandshake(_) | HttpError::UntrustedCertificate(_) => {
                Failure::away(fault)
            }
            fault => Failure::Doubt(fault.to_string()),
        })?;
        Ok(connection)
    }

    fn request(&self, place: &ChannelTarget) -> Vec<u8> {
        let ChannelTarget { hub, channel, token, .. } = place;
        let path = if channel.is_empty() { String::new() } else { format!("/{channel}") };
        let bearer = token.as_ref().map_or(String::new(), |token| format!("Authorization: Bearer {token}\r\n"));
        let Self { tool, version, body, .. } = self;
        format!(
            "POST {}/mcp{path} HTTP/1.1\r\nHost: {}\r\n{bearer}Content-Type: application/json\r\nAccept: application/json, \
             text/event-stream\r\nMCP-Protocol-Version: {version}\r\nMcp-Method: tools/call\r\nMcp-Name: {tool}\r\n\
             Content-Length: {}\r\n\r\n{body}",
            hub.prefix,
            hub.host,
            body.len()
        )
        .into_bytes()
    }

    async fn read_stream(&self, mut connection: Connection, out: &Out) -> Result<(String, Option<Value>), Failure> {
        let doubt = |fault: HttpError| Failure::Doubt(fault.to_string());
        let mut events = SseReader::default();
        events.status(connection.input()).map_err(doubt)?;
        loop {
            events.take(connection.input()).map_err(doubt)?;
            while let Some(event) = events.next() {
                if let Some(answer) = self.answer(&event.data) {
                    return Ok(answer);
                }
                if is_notice(&event.data) {
                    out.say(json_line(&event.data)).await.map_err(|_| Failure::away("nobody reads"))?;
                }
            }
            if events.has_ended() {
                return Err(doubt(HttpError::Closed));
            }
            let more = timeout(SILENCE, connection.more()).await;
            more.map_err(|_| Failure::Doubt("it has been silent for 40 s".into()))?.map_err(doubt)?;
        }
    }

    /// The answer to this call, as one line, and what the tool told.
    fn answer(&self, json: &str) -> Option<(String, Option<Value>)> {
        let message: Message<'_> = serde_json::from_str(json).ok()?;
        let is_ours = message.id.is_some_and(|id| id.get() == self.id) && message.method.is_none();
        if !is_ours || message.jsonrpc.get() != r#""2.0""# {
            return None;
        }
        let told = message.result.filter(|outcome| !outcome.is_error).and_then(|outcome| outcome.told);
        Some((json_line(json), told))
    }
}

/// Whether the head that comes says that a stream follows; all that came is left where it is.
async fn is_stream(connection: &mut Connection) -> Result<bool, HttpError> {
    loop {
        let input = connection.more().await?;
        let is_stream = head(input, |reply| {
            let kind = reply.headers.iter().find(|header| header.name.eq_ignore_ascii_case("content-type"));
            kind.is_some_and(|kind| kind.value.starts_with(b"text/event-stream"))
        });
        if let Some((_, is_stream)) = is_stream? {
            return Ok(is_stream);
        }
    }
}

/// A message that wants no answer: progress.
fn is_notice(json: &str) -> bool {
    serde_json::from_str::<Message<'_>>(json).is_ok_and(|message| message.method.is_some() && message.id.is_none())
}

fn problem(status: u16, body: &[u8]) -> Failure {
    match serde_json::from_slice::<Problem>(body) {
        Ok(Problem { error, code, hint }) => {
            let hint = hint.map_or(String::new(), |hint| format!(". {hint}"));
            Failure::Refused { why: format!("{error} ({code}){hint}"), code }
        }
        Err(_) => Failure::Refused { why: ClientError::of(status, body).to_string(), code: "internal".into() },
    }
}

impl Failure {
    fn away(why: impl std::fmt::Display) -> Self {
        Self::Away(why.to_string())
    }
}
