//! Collects messages into one wake: a burst of messages wakes the agent once, and messages that are no reason to wake it
//! come along with the next one that is.

use std::future::pending;
use std::time::Duration;

use clap::Args;
use rogerrat_client::ReceivedMessage;
use rogerrat_domain::{ALL, Priority};
use tokio::time::{Instant, sleep_until};

use super::format::Format;
use super::now;

/// A batch is complete when its lines have this many bytes, so that they fit a tool result of common clients.
const MAX_BYTES: usize = 24_000;
/// A burst is collected for at most this many times the pause that ends it.
const MAX_PAUSES: u32 = 4;
/// Time limit for messages that the hub has announced as stored.
const BACKLOG_TIMEOUT: Duration = Duration::from_secs(2);
/// The longest pause.
const MAX_SETTLE: Duration = Duration::from_secs(60);

/// What wakes.
#[derive(Args)]
pub(super) struct WakeArgs {
    /// Collect messages until none has arrived for this time, or for four times as long since the first, and hand them on together;
    /// `0` at once. A number is seconds; `250ms` is possible. An urgent message is not delayed
    #[arg(long, value_name = "TIME", value_parser = settle)]
    settle: Option<Duration>,
    /// Wake only for messages to this member. Messages to all stay unread until then, at most a batch of them
    #[arg(long)]
    direct: bool,
}

impl WakeArgs {
    /// An empty batch of at most `max` messages.
    pub(super) fn batch(&self, default: Duration, min_priority: Priority, max: usize, format: Format) -> Batch {
        Batch {
            settle: self.settle.unwrap_or(default),
            direct: self.direct,
            min_priority,
            max,
            format,
            messages: Vec::new(),
            bytes: 0,
            expected: 0,
            is_woken: false,
            is_urgent: false,
            began: None,
            last: None,
        }
    }

    /// Whether messages are to be collected, and not handed on one by one.
    pub(super) fn collects(&self) -> bool {
        self.direct || self.settle.is_some_and(|settle| !settle.is_zero())
    }
}

fn settle(value: &str) -> Result<Duration, String> {
    let (number, unit) = match value.strip_suffix("ms") {
        Some(number) => (number, 0.001),
        None => (value.strip_suffix('s').unwrap_or(value), 1.0),
    };
    let seconds = number.trim_end().parse::<f64>().ok().map(|number| number * unit);
    let settle = seconds.and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
    settle
        .filter(|settle| *settle <= MAX_SETTLE)
        .ok_or_else(|| "expected a time from 0 to 60 seconds, such as `0.5` or `500ms`".to_owned())
}

/// Messages that are collected and not yet handed on.
pub(super) struct Batch {
    settle: Duration,
    direct: bool,
    min_priority: Priority,
    max: usize,
    format: Format,
    messages: Vec<ReceivedMessage>,
    /// Length of their lines.
    bytes: usize,
    /// Number of messages that the hub has announced.
    expected: usize,
    /// Whether one of the messages wakes.
    is_woken: bool,
    is_urgent: bool,
    /// When the first message that wakes arrived.
    began: Option<Instant>,
    /// When the last message arrived.
    last: Option<Instant>,
}

impl Batch {
    /// Expects this many stored messages, in addition to those it has.
    pub(super) fn expect(&mut self, stored: usize) {
        self.expected = stored.min(self.max);
    }

    /// Adds a message, unless it was added before.
    pub(super) fn push(&mut self, message: ReceivedMessage) {
        if self.messages.iter().any(|known| known.id == message.id) {
            return;
        }
        let now = now();
        self.last = Some(now);
        let wakes = !message.is_status && message.priority >= self.min_priority && (!self.direct || message.to != ALL);
        if wakes {
            self.is_woken = true;
            self.is_urgent |= message.priority == Priority::Urgent;
            self.began.get_or_insert(now);
        }
        self.bytes += self.format.line(&message, &[]).len();
        self.messages.push(message);
    }

    /// Whether the messages are a reason to wake: one of them is, or there is no place for more.
    pub(super) fn wakes(&self) -> bool {
        self.is_woken || self.is_full()
    }

    fn is_full(&self) -> bool {
        self.messages.len() >= self.max || self.bytes >= MAX_BYTES
    }

    /// Returns when the messages are to be handed on.
    pub(super) async fn ready(&self) {
        if self.is_full() {
            return;
        }
        match self.ready_at() {
            Some(at) => sleep_until(at).await,
            None => pending().await,
        }
    }

    fn ready_at(&self) -> Option<Instant> {
        let (began, last) = (self.began?, self.last?);
        let settle = if self.is_urgent { Duration::ZERO } else { self.settle };
        match self.messages.len() < self.expected {
            true => Some(last + settle.max(BACKLOG_TIMEOUT)),
            false => Some((last + settle).min(began + settle * MAX_PAUSES)),
        }
    }

    /// The messages, oldest first.
    pub(super) fn messages(&self) -> &[ReceivedMessage] {
        &self.messages
    }

    /// Removes all messages up to an id: another reader has acknowledged them.
    pub(super) fn remove_upto(&mut self, id: u64) {
        let kept: Vec<_> = std::mem::take(&mut self.messages).into_iter().filter(|message| message.id > id).collect();
        self.clear();
        kept.into_iter().for_each(|message| self.push(message));
    }

    /// Removes and returns the messages.
    pub(super) fn take(&mut self) -> Vec<ReceivedMessage> {
        let messages = std::mem::take(&mut self.messages);
        self.clear();
        messages
    }

    /// Forgets the messages. They stay unread.
    pub(super) fn clear(&mut self) {
        self.messages.clear();
        (self.bytes, self.expected) = (0, 0);
        (self.is_woken, self.is_urgent) = (false, false);
        (self.began, self.last) = (None, None);
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn message(id: u64, to: &str, priority: &str) -> ReceivedMessage {
        let json = json!({"id": id, "from": "ann", "to": to, "text": "hi", "priority": priority});
        serde_json::from_str(&json.to_string()).unwrap()
    }

    fn batch(settle: Option<u64>, direct: bool, min_priority: Priority) -> Batch {
        let args = WakeArgs { settle: settle.map(Duration::from_millis), direct };
        args.batch(Duration::ZERO, min_priority, 5, Format::Text)
    }

    async fn ready_after_ms(batch: &Batch) -> u128 {
        let start = now();
        batch.ready().await;
        start.elapsed().as_millis()
    }

    #[test]
    fn takes_seconds_and_milliseconds() {
        let milliseconds = |value: &str| settle(value).map(|settle| settle.as_millis());
        assert_eq!(["0", "0.5", "2s", "250ms"].map(milliseconds), [Ok(0), Ok(500), Ok(2000), Ok(250)]);
        for wrong in ["", "-1", "61", "500", "NaN", "inf", "1e300", "ms", "1m"] {
            assert!(settle(wrong).is_err(), "{wrong}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_burst_is_one_batch_and_is_not_delayed_for_ever() {
        let mut batch = batch(Some(500), false, Priority::Min);
        for id in 1..5 {
            batch.push(message(id, "all", "default"));
            tokio::time::advance(Duration::from_millis(400)).await;
        }
        // Each message was within 500 ms of the one before, but the first is 1.6 s old: 2 s are the most.
        batch.push(message(4, "all", "default"));
        assert_eq!(ready_after_ms(&batch).await, 100);
        assert_eq!(batch.take().len(), 4);
        assert!(!batch.wakes());
    }

    #[tokio::test(start_paused = true)]
    async fn an_urgent_message_and_a_full_batch_are_not_delayed() {
        let mut urgent = batch(Some(500), false, Priority::Min);
        urgent.push(message(1, "all", "urgent"));
        assert_eq!(ready_after_ms(&urgent).await, 0);
        let mut full = batch(Some(500), true, Priority::Min);
        (1..=4).for_each(|id| full.push(message(id, "all", "default")));
        assert!(!full.wakes() && full.ready_at().is_none());
        full.push(message(5, "all", "default"));
        assert!(full.wakes());
        assert_eq!(ready_after_ms(&full).await, 0);
    }

    #[tokio::test(start_paused = true)]
    async fn only_what_matches_wakes_and_the_rest_comes_along() {
        let mut batch = batch(None, true, Priority::High);
        batch.push(message(1, "all", "urgent"));
        batch.push(message(2, "bob", "default"));
        assert!(!batch.wakes());
        batch.push(message(3, "bob", "high"));
        batch.push(message(3, "bob", "high"));
        assert!(batch.wakes());
        batch.remove_upto(1);
        assert_eq!(batch.messages().iter().map(|message| message.id).collect::<Vec<_>>(), [2, 3]);
        batch.remove_upto(3);
        assert!(!batch.wakes() && batch.messages().is_empty());
    }
}
