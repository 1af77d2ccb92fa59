//! The messages of the agents, and how they are parsed from polls, streams, histories and MCP tool results.
//!
//! A text is `SEQ SENT_NS more|last`, filled up with dots, so that a receiver can check a message without knowing
//! anything else about its sender.

use std::borrow::Cow;
use std::io::Write;

use memchr::memmem;
use rogerrat_client::http::HttpError;
use serde::Deserialize;
use serde_json::value::RawValue;

/// Maximum bytes of a tag; a payload is at least this long.
pub(super) const TAG_BYTES: usize = 48;

/// The start of a text: what a receiver needs to check the message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct MessageTag {
    /// Counted by the sender, from 1.
    pub(super) seq: u64,
    /// The intended time of the send, in nanoseconds of the stopwatch.
    pub(super) sent_ns: u64,
    /// Whether it is the last message of its sender.
    pub(super) last: bool,
}

impl MessageTag {
    /// Overwrites the start of `text` without changing its length.
    pub(super) fn write(self, text: &mut [u8]) {
        debug_assert!(text.len() >= TAG_BYTES, "the arguments guarantee it");
        text[..TAG_BYTES].fill(b'.');
        let flag = if self.last { "last" } else { "more" };
        let mut start = &mut *text;
        // Two numbers of 20 digits, a flag and three spaces are 47 bytes: they fit.
        let _ = write!(start, "{} {} {flag} ", self.seq, self.sent_ns);
    }

    /// Parses the start of a text.
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

/// The response body of a poll.
#[derive(Deserialize)]
struct PollBody<'a> {
    #[serde(borrow)]
    messages: Vec<Message<'a>>,
}

/// A message, borrowed from the response body.
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

/// The JSON-RPC response to a tool call.
#[derive(Deserialize)]
struct ToolResponse<'a> {
    #[serde(borrow)]
    result: Option<ToolResult<'a>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ToolResult<'a> {
    #[serde(default)]
    is_error: bool,
    #[serde(borrow, default)]
    content: Vec<ContentBlock<'a>>,
    #[serde(borrow, default)]
    structured_content: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct ContentBlock<'a> {
    #[serde(borrow, default)]
    text: Cow<'a, str>,
}

pub(super) fn parse_poll(body: &[u8]) -> Result<Vec<Message<'_>>, HttpError> {
    let poll: PollBody<'_> = serde_json::from_slice(body).map_err(|error| invalid(&error))?;
    Ok(poll.messages)
}

/// Returns the data of the stream frame of a message; `None` for any other frame.
///
/// It compares the first bytes instead of parsing all fields, because it runs for every frame of a thousand streams.
pub(super) fn data_of_frame(frame: &[u8]) -> Option<&[u8]> {
    if !frame.starts_with(b"event: message\n") {
        return None;
    }
    let start = memmem::find(frame, b"data: ")? + b"data: ".len();
    let end = memchr::memchr(b'\n', &frame[start..]).map_or(frame.len(), |length| start + length);
    Some(&frame[start..end])
}

/// Parses the data of a stream's `message` event.
pub(super) fn parse_event(data: &[u8]) -> Result<Message<'_>, HttpError> {
    serde_json::from_slice(data).map_err(|error| invalid(&error))
}

pub(super) fn parse_history(body: &[u8]) -> Result<Vec<Message<'_>>, HttpError> {
    #[derive(Deserialize)]
    struct History<'a> {
        #[serde(borrow)]
        history: Vec<Message<'a>>,
    }
    let body: History<'_> = serde_json::from_slice(body).map_err(|error| invalid(&error))?;
    Ok(body.history)
}

/// Parses the result of the `listen` tool: its structured content, or its lines of text if a hub has none.
pub(super) fn parse_tool_result(body: &[u8]) -> Result<Vec<Message<'_>>, HttpError> {
    let result = tool_result(body)?;
    match result.structured_content {
        Some(data) => parse_poll(data.get().as_bytes()),
        None => Ok(result.content.iter().flat_map(|block| block.text.lines()).filter_map(parse_line).collect()),
    }
}

/// Parses `[12:34:56] ann →bob: text` or `[12:34:56] ann (all): text`.
fn parse_line(line: &str) -> Option<Message<'static>> {
    let (_, message) = line.strip_prefix('[')?.split_once("] ")?;
    let (names, text) = message.split_once(": ")?;
    let (from, to) = names.split_once(' ')?;
    let to = if to == "(all)" { "all" } else { to.trim_start_matches(['→', ' ']) };
    Some(Message { from: from.to_owned().into(), to: to.to_owned().into(), text: text.to_owned().into() })
}

/// Fails if a tool call returned an error.
pub(super) fn expect_tool_success(body: &[u8]) -> Result<(), HttpError> {
    tool_result(body).map(drop)
}

fn tool_result(body: &[u8]) -> Result<ToolResult<'_>, HttpError> {
    const SHOWN_CHARS: usize = 200;
    let response: ToolResponse<'_> = serde_json::from_slice(body).map_err(|error| invalid(&error))?;
    let refusal = || HttpError::InvalidResponse(String::from_utf8_lossy(body).chars().take(SHOWN_CHARS).collect());
    response.result.filter(|result| !result.is_error).ok_or_else(refusal)
}

fn invalid(error: &serde_json::Error) -> HttpError {
    HttpError::InvalidResponse(error.to_string())
}

impl Message<'_> {
    /// Returns the tag if the message has this sender, this recipient and this length.
    pub(super) fn tag_if(&self, from: &str, to: &str, payload_bytes: usize) -> Option<MessageTag> {
        let is_as_sent = self.from == from && self.to == to && self.text.len() == payload_bytes;
        if is_as_sent { MessageTag::parse(&self.text) } else { None }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longest_tag_fits_and_is_overwritten_completely() {
        let mut text = [b'.'; 60];
        let long = MessageTag { seq: u64::MAX, sent_ns: u64::MAX, last: true };
        long.write(&mut text);
        assert_eq!(MessageTag::parse(std::str::from_utf8(&text).unwrap()), Some(long));
        let short = MessageTag { seq: 1, sent_ns: 2, last: false };
        short.write(&mut text);
        let text = std::str::from_utf8(&text).unwrap();
        assert_eq!(MessageTag::parse(text), Some(short));
        assert_eq!(text.trim_end_matches('.'), "1 2 more ");
    }

    #[test]
    fn a_poll_may_have_unknown_fields() {
        let body = br#"{"messages":[{"id":7,"from":"ann","to":"bob","text":"3 99 last ...","at":1}],"timed_out":false,"x":{}}"#;
        let messages = parse_poll(body).unwrap();
        let tag = Some(MessageTag { seq: 3, sent_ns: 99, last: true });
        assert_eq!(messages[0].tag_if("ann", "bob", 13), tag);
        assert_eq!(messages[0].tag_if("ann", "bob", 14), None, "another length");
        assert_eq!(messages[0].tag_if("bob", "ann", 13), None, "other agents");
        assert!(parse_poll(br#"{"messages":7}"#).is_err());
        let untagged = parse_poll(br#"{"messages":[{"from":"x","to":"y","text":"hello"}]}"#).unwrap();
        assert_eq!(untagged[0].tag_if("x", "y", 5), None);
    }

    #[test]
    fn only_the_frame_of_a_message_has_data() {
        let frame = b"event: message\ndata: {\"id\":7}\nid: 7";
        assert_eq!(data_of_frame(frame), Some(&br#"{"id":7}"#[..]));
        assert_eq!(data_of_frame(b"event: message\nid: 7\ndata: {}"), Some(&b"{}"[..]));
        for other in [&b": ping"[..], b"event: hello\ndata: {}", b"event: message\nid: 7"] {
            assert_eq!(data_of_frame(other), None);
        }
    }

    #[test]
    fn a_tool_result_has_structured_content_or_lines() {
        let data = br#"{"jsonrpc":"2.0","id":1,"result":{"content":[{"type":"text","text":"x"}],"structuredContent":{"messages":[{"id":7,"from":"ann","to":"bob","text":"3 99 last ..."}]}}}"#;
        assert!(parse_tool_result(data).unwrap()[0].tag_if("ann", "bob", 13).is_some());
        let lines = r#"{"result":{"content":[{"text":"[12:00:00] ann →bob: 3 99 last ...\n[12:00:01] eve (all): 4 9 more\n(none)"}]}}"#;
        let messages = parse_tool_result(lines.as_bytes()).unwrap();
        assert_eq!(messages.len(), 2);
        assert!(messages[0].tag_if("ann", "bob", 13).is_some() && messages[1].tag_if("eve", "all", 8).is_some());
        assert!(expect_tool_success(br#"{"result":{"content":[],"isError":true}}"#).is_err());
        assert!(expect_tool_success(br#"{"error":{"code":-32600}}"#).is_err());
    }
}
