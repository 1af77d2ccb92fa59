//! What a reply comes to, as lines for a person. What a peer wrote stands on one line (D27).

use rogerrat_domain::message_line;
use rogerrat_domain::text::one_line;
use serde_json::value::RawValue;

/// Messages, one line each.
pub(super) fn lines(messages: &[Box<RawValue>]) -> String {
    messages.iter().map(|message| message_line(message.get().as_bytes(), 1) + "\n").collect()
}

/// `[12:31:29]`
pub(super) fn clock(ms: u64) -> String {
    let seconds = ms / 1000 % 86_400;
    format!("[{:02}:{:02}:{:02}]", seconds / 3600, seconds / 60 % 60, seconds % 60)
}

/// Names with commas between.
pub(super) fn list(names: &[String]) -> String {
    one_line(&names.join(", ")).into_owned()
}

/// What waits to be read, if anything does.
pub(super) fn unread(count: u64) -> String {
    match count {
        0 => String::new(),
        count => format!("; {count} unread: `rogerrat listen`"),
    }
}
