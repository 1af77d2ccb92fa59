//! Replies as lines for a person. A text that a peer wrote stays on one line (D27).

use rogerrat_client::ReceivedMessage;
use rogerrat_domain::message_line;
use rogerrat_domain::text::{self, one_line};

/// Messages, one line each.
pub(super) fn lines(messages: &[ReceivedMessage]) -> String {
    messages.iter().map(|message| message_line(message.json().as_bytes(), 1) + "\n").collect()
}

/// A time of day in UTC: `[12:31:29]`
pub(super) fn clock(ms: u64) -> String {
    let seconds = ms / 1000 % 86_400;
    format!("[{:02}:{:02}:{:02}]", seconds / 3600, seconds / 60 % 60, seconds % 60)
}

/// What the hub says that a member is doing: `working "parser" until 12:40 UTC`
pub(super) fn state(state: &str, note: Option<&str>, until_ms: Option<u64>, is_overdue: bool) -> String {
    text::judged_member_state(state, note, until_ms.map(text::clock).as_deref(), is_overdue)
}

/// Names, separated by commas.
pub(super) fn list(names: &[String]) -> String {
    one_line(&names.join(", ")).into_owned()
}

/// A note about unread messages, or nothing.
pub(super) fn unread(count: u64) -> String {
    match count {
        0 => String::new(),
        count => format!("; {count} unread: `rogerrat listen`"),
    }
}
