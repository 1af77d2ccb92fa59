//! The numbered message: what the agents say to each other, and how a poll's reply is read.
//! The text is `NUMBER SENT_NS more|last` and dots up to the wanted length, so a message needs no memory of its sender.

use std::borrow::Cow;
use std::io::Write;

use rogerrat_client::http::HttpError;
use serde::Deserialize;
use serde_json::value::RawValue;

/// Bytes that number, time and flag may need; a payload is at least this long.
pub(super) const NUMBER_BYTES: usize = 48;

/// What is written at the start of a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Numbered {
    /// The sender's own count, from 1.
    pub(super) seq: u64,
    /// Taken just before the request was written, in nanoseconds of the stopwatch.
    pub(super) sent_ns: u64,
    /// Its sender will send no more.
    pub(super) last: bool,
}

impl Numbered {
    /// Writes itself over `text` without changing its length.
    pub(super) fn write(self, text: &mut [u8]) {
        debug_assert!(text.len() >= NUMBER_BYTES, "the arguments see to it");
        text[..NUMBER_BYTES].fill(b'.');
        let flag = if self.last { "last" } else { "more" };
        let mut out = &mut *text;
        // Two numbers of 20 digits, a flag and three spaces are 47 bytes: they fit.
        let _ = write!(out, "{} {} {flag} ", self.seq, self.sent_ns);
    }

    /// Of a message's text.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let mut words = text.split(' ');
        let seq = words.next()?.parse().ok()?;
        let sent_ns = words.next()?.parse().ok()?;
        let last = match words.next()? {
            "last" => true,
            "more" => false,
            _ => return None,
        };
        Some(Self { seq, sent_ns, last })
    }
}

/// A poll's reply, read in place.
#[derive(Deserialize)]
struct Heard<'a> {
    #[serde(borrow)]
    messages: Vec<Message<'a>>,
}

#[derive(Deserialize)]
pub(super) struct Message<'a> {
    #[serde(borrow)]
    pub(super) from: Cow<'a, str>,
    /// A callsign, or `all`.
    #[serde(borrow)]
    to: Cow<'a, str>,
    #[serde(borrow)]
    text: Cow<'a, str>,
}

/// What a tool answered.
#[derive(Deserialize)]
struct Answer<'a> {
    #[serde(borrow)]
    result: Option<ToolResult<'a>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ToolResult<'a> {
    #[serde(default)]
    is_error: bool,
    #[serde(borrow, default)]
    content: Vec<Block<'a>>,
    #[serde(borrow, default)]
    structured_content: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct Block<'a> {
    #[serde(borrow, default)]
    text: Cow<'a, str>,
}

/// The messages of a poll's reply.
pub(super) fn of_poll(body: &[u8]) -> Result<Vec<Message<'_>>, HttpError> {
    let heard: Heard<'_> = serde_json::from_slice(body).map_err(|error| garbled(&error))?;
    Ok(heard.messages)
}

/// A message as a stream carries it.
pub(super) fn of_event(data: &[u8]) -> Result<Message<'_>, HttpError> {
    serde_json::from_slice(data).map_err(|error| garbled(&error))
}

/// The messages of a history.
pub(super) fn of_history(body: &[u8]) -> Result<Vec<Message<'_>>, HttpError> {
    #[derive(Deserialize)]
    struct History<'a> {
        #[serde(borrow)]
        history: Vec<Message<'a>>,
    }
    let parsed: History<'_> = serde_json::from_slice(body).map_err(|error| garbled(&error))?;
    Ok(parsed.history)
}

/// The messages in the result of a `listen` tool: structured content, or lines of text where a hub has none.
pub(super) fn of_tool(body: &[u8]) -> Result<Vec<Message<'_>>, HttpError> {
    let result = tool_result(body)?;
    match result.structured_content {
        Some(data) => of_poll(data.get().as_bytes()),
        None => Ok(result.content.iter().flat_map(|block| block.text.lines()).filter_map(of_line).collect()),
    }
}

/// `[12:34:56] ann →bob: text`, or `ann (all): text`.
fn of_line(line: &str) -> Option<Message<'static>> {
    let (_, rest) = line.strip_prefix('[')?.split_once("] ")?;
    let (who, text) = rest.split_once(": ")?;
    let (from, to) = who.split_once(' ')?;
    let to = if to == "(all)" { "all" } else { to.trim_start_matches(['→', ' ']) };
    Some(Message { from: from.to_owned().into(), to: to.to_owned().into(), text: text.to_owned().into() })
}

/// Passes the answer of a tool that did its work.
pub(super) fn expect_tool(body: &[u8]) -> Result<(), HttpError> {
    tool_result(body).map(drop)
}

fn tool_result(body: &[u8]) -> Result<ToolResult<'_>, HttpError> {
    const SHOWN_CHARS: usize = 200;
    let answer: Answer<'_> = serde_json::from_slice(body).map_err(|error| garbled(&error))?;
    let refusal = || HttpError::InvalidResponse(String::from_utf8_lossy(body).chars().take(SHOWN_CHARS).collect());
    let result = answer.result.filter(|result| !result.is_error).ok_or_else(refusal)?;
    Ok(result)
}

fn garbled(error: &serde_json::Error) -> HttpError {
    HttpError::InvalidResponse(error.to_string())
}

impl Message<'_> {
    /// Whether sender, recipient and length are as sent.
    pub(super) fn is_of(&self, from: &str, to: &str, payload_bytes: usize) -> bool {
        self.from == from && self.to == to && self.text.len() == payload_bytes
    }

    pub(super) fn numbered(&self) -> Option<Numbered> {
        Numbered::parse(&self.text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longest_number_fits_and_leaves_nothing_behind() {
        let mut text = [b'.'; 60];
        let long = Numbered { seq: u64::MAX, sent_ns: u64::MAX, last: true };
        long.write(&mut text);
        assert_eq!(Numbered::parse(std::str::from_utf8(&text).unwrap()), Some(long));
        let short = Numbered { seq: 1, sent_ns: 2, last: false };
        short.write(&mut text);
        let text = std::str::from_utf8(&text).unwrap();
        assert_eq!(Numbered::parse(text), Some(short));
        assert_eq!(text.trim_end_matches('.'), "1 2 more ");
    }

    #[test]
    fn a_poll_is_read_with_fields_we_do_not_know() {
        let body = br#"{"messages":[{"id":7,"from":"ann","to":"bob","text":"3 99 last ...","at":1}],"timed_out":false,"x":{}}"#;
        let heard = of_poll(body).unwrap();
        assert!(
            heard[0].is_of("ann", "bob", 13) && !heard[0].is_of("ann", "bob", 14) && !heard[0].is_of("bob", "ann", 13)
        );
        assert_eq!(heard[0].numbered(), Some(Numbered { seq: 3, sent_ns: 99, last: true }));
        assert!(of_poll(br#"{"messages":7}"#).is_err());
        let strange = of_poll(br#"{"messages":[{"from":"x","to":"y","text":"hello"}]}"#).unwrap();
        assert_eq!(strange[0].numbered(), None);
    }

    #[test]
    fn a_tool_result_has_data_or_lines() {
        let data = br#"{"jsonrpc":"2.0","id":1,"result":{"content":[{"type":"text","text":"x"}],"structuredContent":{"messages":[{"id":7,"from":"ann","to":"bob","text":"3 99 last ..."}]}}}"#;
        assert!(of_tool(data).unwrap()[0].is_of("ann", "bob", 13));
        let lines = r#"{"result":{"content":[{"text":"[12:00:00] ann →bob: 3 99 last ...\n[12:00:01] eve (all): 4 9 more\n(none)"}]}}"#;
        let messages = of_tool(lines.as_bytes()).unwrap();
        assert!(messages.len() == 2 && messages[0].is_of("ann", "bob", 13) && messages[1].is_of("eve", "all", 8));
        assert!(expect_tool(br#"{"result":{"content":[],"isError":true}}"#).is_err());
        assert!(expect_tool(br#"{"error":{"code":-32600}}"#).is_err());
    }
}
