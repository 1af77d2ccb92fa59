//! The server-sent events of a stream that are not messages. Their data is one line of JSON.

use bytes::Bytes;

use crate::ids::MessageId;

use super::Gap;

/// How long a client should wait before it reconnects, in milliseconds.
const RETRY_MS: u64 = 2_000;
/// The period over which the reconnects of a stopping hub's clients are spread, in milliseconds.
const DRAIN_SPREAD_MS: u64 = 4_000;

/// Why a stream is closed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum StreamEnd {
    /// A newer stream of the same session and consumer replaced it.
    Superseded,
    /// The reader fell behind. It can resume after this id.
    Lagged { resume_from: MessageId },
    /// The session, the consumer or the channel ended.
    Bye { reason: &'static str },
    /// The hub is shutting down. The number spreads the reconnects.
    Draining { nth: u64 },
}

pub(crate) fn hello(channel: &str, callsign: &str, roster: &[u8], backlog: usize) -> Bytes {
    let mut frame = format!(
        "retry: {RETRY_MS}\nevent: hello\ndata: {{\"channel_id\":\"{channel}\",\"callsign\":\"{callsign}\",\"roster\":"
    )
    .into_bytes();
    frame.extend_from_slice(roster);
    frame.extend_from_slice(format!(",\"backlog_count\":{backlog}}}\n\n").as_bytes());
    frame.into()
}

pub(crate) fn gap(gap: &Gap) -> Bytes {
    let Gap { from, to, reason } = gap;
    let reason = reason.as_str();
    format!("event: gap\ndata: {{\"from\":{from},\"to\":{to},\"reason\":\"{reason}\"}}\n\n").into()
}

pub(crate) fn last(end: StreamEnd) -> Bytes {
    match end {
        StreamEnd::Superseded => Bytes::from_static(b"event: superseded\ndata: {}\n\n"),
        StreamEnd::Lagged { resume_from } => {
            format!("event: lagged\ndata: {{\"resume_from\":{resume_from}}}\n\n").into()
        }
        StreamEnd::Bye { reason } => format!("event: bye\ndata: {{\"reason\":\"{reason}\"}}\n\n").into(),
        StreamEnd::Draining { nth } => {
            let retry_ms = 1_000 + nth.wrapping_mul(977) % DRAIN_SPREAD_MS;
            format!("retry: {retry_ms}\nevent: bye\ndata: {{\"reason\":\"draining\"}}\n\n").into()
        }
    }
}
