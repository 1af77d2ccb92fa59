//! The numbered message: what the agents say to each other, and how a poll's reply is read.
//! The text is `NUMBER SENT_NS more|last` and dots up to the wanted length, so a message needs no memory of its sender.

use crate::cli::client::Fault;
use serde::Deserialize;
use std::borrow::Cow;
use std::io::Write;

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
        let mut room = &mut *text;
        // Two numbers of 20 digits, a flag and three spaces are 47 bytes: they fit.
        let _ = write!(room, "{} {} {flag} ", self.seq, self.sent_ns);
    }

    fn parse(text: &str) -> Option<Self> {
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
pub(super) struct Heard<'a> {
    #[serde(borrow)]
    pub(super) messages: Vec<Message<'a>>,
}

#[derive(Deserialize)]
pub(super) struct Message<'a> {
    #[serde(borrow)]
    pub(super) from: Cow<'a, str>,
    #[serde(borrow)]
    text: Cow<'a, str>,
}

impl Heard<'_> {
    pub(super) fn parse(body: &[u8]) -> Result<Heard<'_>, Fault> {
        serde_json::from_slice(body).map_err(|cause| Fault::Garbled(cause.to_string()))
    }
}

impl Message<'_> {
    pub(super) fn numbered(&self) -> Result<Numbered, Fault> {
        Numbered::parse(&self.text).ok_or_else(|| Fault::Garbled(format!("a message from {} has no number", self.from)))
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
        let heard = Heard::parse(body).unwrap();
        assert_eq!(heard.messages[0].from, "ann");
        assert_eq!(heard.messages[0].numbered().unwrap(), Numbered { seq: 3, sent_ns: 99, last: true });
        assert!(Heard::parse(br#"{"messages":7}"#).is_err());
        assert!(
            Heard::parse(br#"{"messages":[{"from":"x","text":"hello"}]}"#).unwrap().messages[0].numbered().is_err()
        );
    }
}
