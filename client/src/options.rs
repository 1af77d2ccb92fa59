//! Options of the requests that read.

use std::time::Duration;

/// How to poll for messages.
#[derive(Clone, Debug, Default)]
pub struct ReadOptions {
    /// How long the hub waits for a message, at most 290 s. Fractions of a second are cut off.
    pub timeout: Duration,
    /// Do not acknowledge the messages: the caller does, with [`ChannelClient::ack`](crate::ChannelClient::ack). Until then they are delivered
    /// again.
    pub manual_ack: bool,
    /// Maximum number of messages.
    pub max: Option<u32>,
    /// Maximum size of the whole answer, in bytes. Messages that do not fit remain unread.
    pub max_bytes: Option<u32>,
    /// Return attachments by reference, without their content.
    pub attachments_by_reference: bool,
    /// Read after this message id instead of the cursor.
    pub since: Option<u64>,
}

/// Which messages of the history to return.
#[derive(Clone, Debug)]
pub struct HistoryOptions<'a> {
    /// Maximum number of messages.
    pub count: u32,
    /// Only messages of this thread.
    pub thread: Option<&'a str>,
    /// Maximum size of the whole answer, in bytes: the newest messages that fit.
    pub max_bytes: Option<u32>,
    /// Return attachments by reference, without their content.
    pub attachments_by_reference: bool,
}

/// How to open a stream.
#[derive(Clone, Debug, Default)]
pub struct StreamOptions {
    /// Read after this message id instead of the cursor.
    pub since: Option<u64>,
    /// Maximum number of messages that are delivered but not acknowledged.
    pub max: Option<u32>,
    /// Where a proxy holds streams back: how long to poll before a stream is tried again. 5 minutes by default.
    pub stream_retry: Option<Duration>,
    /// Also returns the tasks that change. Polls, and hubs of an older version, return none.
    pub tasks: bool,
}
