//! The wire format of agent-chatroom: JSON as Python writes it, and messages with three fields.

use std::io;

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use jiff::Timestamp;
use rogerrat_domain::{Callsign, Message, MessageView};
use serde::Serialize;
use serde_json::ser::{Formatter, Serializer};

/// A message.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub(super) struct RoomMessage {
    agent: String,
    text: String,
    timestamp: String,
}

impl RoomMessage {
    pub(super) fn new(agent: &str, text: &str, at_ms: u64) -> Self {
        Self { agent: agent.to_owned(), text: text.to_owned(), timestamp: timestamp(at_ms) }
    }

    /// Converts a message of a channel. The agent is the sender's display name, else its callsign. A display name that
    /// looks like the callsign of another member is replaced, so that nobody can impersonate one.
    pub(super) fn from_message(message: &Message) -> Option<Self> {
        let json = message.json();
        let MessageView { from, text, at, display, .. } = serde_json::from_slice(&json).ok()?;
        let name = display.filter(|name| !imitates_callsign(name, &from));
        Some(Self::new(&name.unwrap_or(from), &text, at))
    }
}

/// Whether a name looks like a callsign other than `from`.
fn imitates_callsign(name: &str, from: &str) -> bool {
    Callsign::parse(&name.trim().to_lowercase()).is_ok_and(|callsign| callsign.as_str() != from)
}

/// Builds a JSON response with a Content-Length.
pub(super) fn response(status: StatusCode, body: &impl Serialize) -> HttpResponse {
    HttpResponse::build(status).content_type("application/json").body(json(body))
}

/// Serializes as ASCII JSON, with a space after each comma and colon.
pub(super) fn json(value: &impl Serialize) -> String {
    let mut json = Vec::new();
    #[expect(clippy::expect_used, reason = "strings and numbers into a vector cannot fail")]
    value.serialize(&mut Serializer::with_formatter(&mut json, Python)).expect("strings and numbers always serialise");
    String::from_utf8_lossy(&json).into_owned()
}

struct Python;

impl Python {
    fn comma(out: &mut (impl ?Sized + io::Write), first: bool) -> io::Result<()> {
        if first { Ok(()) } else { out.write_all(b", ") }
    }
}

impl Formatter for Python {
    fn begin_array_value<W: ?Sized + io::Write>(&mut self, out: &mut W, first: bool) -> io::Result<()> {
        Self::comma(out, first)
    }

    fn begin_object_key<W: ?Sized + io::Write>(&mut self, out: &mut W, first: bool) -> io::Result<()> {
        Self::comma(out, first)
    }

    fn begin_object_value<W: ?Sized + io::Write>(&mut self, out: &mut W) -> io::Result<()> {
        out.write_all(b": ")
    }

    fn write_string_fragment<W: ?Sized + io::Write>(&mut self, out: &mut W, fragment: &str) -> io::Result<()> {
        let mut rest = fragment;
        while let Some(at) = rest.find(|c: char| !c.is_ascii()) {
            out.write_all(&rest.as_bytes()[..at])?;
            let c = rest[at..].chars().next().unwrap_or_default();
            for unit in c.encode_utf16(&mut [0; 2]) {
                write!(out, "\\u{unit:04x}")?;
            }
            rest = &rest[at + c.len_utf8()..];
        }
        out.write_all(rest.as_bytes())
    }
}

/// Formats a time as `2026-11-20T11:34:07.277000+00:00`.
fn timestamp(at_ms: u64) -> String {
    let time = Timestamp::from_millisecond(at_ms.cast_signed()).unwrap_or(Timestamp::MAX);
    time.strftime("%Y-%m-%dT%H:%M:%S%.6f+00:00").to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_is_formatted_like_python() {
        let message = RoomMessage::new("Zoë \"z\"", "a\nb 🐀 \u{1}\u{7f}", 1_795_174_447_277);
        assert_eq!(
            json(&message),
            "{\"agent\": \"Zo\\u00eb \\\"z\\\"\", \"text\": \"a\\nb \\ud83d\\udc00 \\u0001\u{7f}\", \"timestamp\": \
             \"2026-11-20T11:34:07.277000+00:00\"}"
        );
        assert_eq!(json(&[1, 2]), "[1, 2]");
    }

    #[test]
    fn times_are_formatted_like_python() {
        assert_eq!(timestamp(0), "1970-01-01T00:00:00.000000+00:00");
        assert_eq!(timestamp(951_868_799_999), "2000-02-29T23:59:59.999000+00:00");
    }
}
