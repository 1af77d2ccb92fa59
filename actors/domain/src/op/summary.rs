//! Short forms of requests and responses, for the operation tests.

use bytes::Bytes;

use super::harness::Received;
use crate::op::{Draft, SendInput};
use crate::{ReadResponse, Refusal};

pub(crate) fn draft(to: &str, text: &str) -> Box<Draft> {
    parse_draft(&serde_json::json!({ "to": to, "message": text })).unwrap()
}

/// Parses a draft from JSON.
pub(crate) fn parse_draft(body: &serde_json::Value) -> Result<Box<Draft>, Refusal> {
    let input: SendInput = serde_json::from_value(body.clone()).map_err(|e| Refusal::invalid(e.to_string()))?;
    Draft::check(input, None)
}

pub(crate) fn received(response: &ReadResponse) -> Received {
    let text =
        |json: Bytes| serde_json::from_slice::<serde_json::Value>(&json).unwrap()["text"].as_str().map(String::from);
    Received {
        texts: response.messages.iter().map(|g| text(g.message.json()).unwrap()).collect(),
        ids: response.messages.iter().map(|g| g.message.id).collect(),
        attempts: response.messages.iter().map(|g| g.attempt).collect(),
        gap: response.gap,
        reason: response.reason,
    }
}

/// Summarises an event of a stream.
pub(super) fn event(frame: &Bytes) -> String {
    let text = std::str::from_utf8(frame).unwrap();
    let field = |name: &str| text.lines().find_map(|line| line.strip_prefix(name)).unwrap_or_default();
    let data: serde_json::Value = serde_json::from_str(field("data: ")).unwrap();
    let name = field("event: ");
    match name {
        "hello" => format!("hello {}", data["backlog_count"]),
        "message" => {
            let again = data["attempt"].as_u64().map(|n| format!(" ({n})")).unwrap_or_default();
            let own = if data["own"] == true { " own" } else { "" };
            format!("{}{own}{again}", data["text"].as_str().unwrap())
        }
        "gap" => format!("gap {}..{} {}", data["from"], data["to"], data["reason"].as_str().unwrap()),
        "lagged" => format!("lagged {}", data["resume_from"]),
        "bye" => format!("bye {}", data["reason"].as_str().unwrap()),
        _ => name.to_owned(),
    }
}
