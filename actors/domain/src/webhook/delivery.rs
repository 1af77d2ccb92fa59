//! A delivery: one message, or a test, on its way to one hook.

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{HookId, TEST};
use crate::ids::{ChannelId, MessageId};

/// A delivery's id: the same on every attempt, and in every replay.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct DeliveryId(Arc<str>);

impl DeliveryId {
    /// An id from 128 random bits.
    #[must_use]
    pub fn from_random(random: u128) -> Self {
        Self(format!("whd_{random:032x}").into())
    }

    /// Whether text could be an id.
    #[must_use]
    pub fn fits(id: &str) -> bool {
        id.strip_prefix("whd_").is_some_and(|hex| hex.len() == 32 && super::is_hex(hex))
    }

    /// The id as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for DeliveryId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The state of a delivery.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum DeliveryState {
    /// It will be tried, or is being tried.
    Due,
    /// The receiver said 2xx.
    Delivered,
    /// It was given up.
    Failed,
    /// It was never tried: too much was due for the hook.
    Dropped,
}

/// Why the last attempt failed, or why none was made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Failure {
    /// The receiver answered with an error.
    Status,
    /// The receiver answered with a redirect; it was not followed.
    Redirect,
    /// There was no answer in time.
    Timeout,
    /// No connection, or it broke.
    Connection,
    /// The address may not be reached from this hub.
    Address,
    /// Too much was due for the hook.
    QueueFull,
    /// The hook was switched off.
    SwitchedOff,
    /// What was to be posted could not be read.
    Unreadable,
}

/// What came of one attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AttemptOutcome {
    /// The receiver answered with this status.
    Answered(u16),
    /// There was no answer in time.
    TimedOut,
    /// No connection, or it broke.
    Unreachable,
    /// The address may not be reached.
    Forbidden,
    /// What was to be posted is not there any more, or cannot be read.
    Unreadable,
    /// The hub could not begin: it was no attempt.
    NotBegun,
}

/// A delivery as it is kept.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Delivery {
    /// Its id.
    pub id: DeliveryId,
    /// What it is about.
    pub event: Cow<'static, str>,
    /// The channel of the message; none for the test of an account's hook.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub channel: Option<ChannelId>,
    /// The message; none for a test.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<MessageId>,
    /// When it became due, in milliseconds since the epoch.
    pub at_ms: u64,
    /// When its first attempt began.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub began_ms: Option<u64>,
    /// Attempts begun.
    pub attempts: u32,
    /// When the next attempt is due, after one that failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_ms: Option<u64>,
    /// How it stands.
    pub state: DeliveryState,
    /// Asked for by somebody: it goes to a hook that is switched off, too.
    #[serde(default)]
    pub is_forced: bool,
    /// What the receiver answered last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
    /// Why it failed last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failure: Option<Failure>,
    /// How long the last attempt took.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub latency_ms: Option<u64>,
    /// When it was delivered or given up.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended_ms: Option<u64>,
}

impl Delivery {
    /// A delivery that becomes due.
    #[must_use]
    pub fn due(
        random: u128,
        event: &'static str,
        channel: Option<ChannelId>,
        message: Option<MessageId>,
        at_ms: u64,
    ) -> Self {
        Self {
            id: DeliveryId::from_random(random),
            event: event.into(),
            channel,
            message,
            at_ms,
            began_ms: None,
            attempts: 0,
            next_ms: None,
            state: DeliveryState::Due,
            is_forced: event == TEST,
            status: None,
            failure: None,
            latency_ms: None,
            ended_ms: None,
        }
    }

    /// The same, dropped because too much is due already.
    #[must_use]
    pub fn dropped(self) -> Self {
        let ended_ms = Some(self.at_ms);
        Self { state: DeliveryState::Dropped, failure: Some(Failure::QueueFull), ended_ms, ..self }
    }

    /// The same delivery, to be tried once more from the beginning. Id and body stay.
    #[must_use]
    pub fn replayed(self) -> Self {
        let (state, is_forced) = (DeliveryState::Due, true);
        Self { state, is_forced, attempts: 0, next_ms: None, failure: None, ended_ms: None, ..self }
    }

    /// Whether it can be tried once more.
    #[must_use]
    pub fn has_failed(&self) -> bool {
        matches!(self.state, DeliveryState::Failed | DeliveryState::Dropped)
    }

    /// In what context its message is hidden on disk.
    #[must_use]
    pub fn context(&self) -> String {
        match (&self.channel, self.message) {
            (Some(channel), Some(message)) => format!("{channel} {message}"),
            _ => self.id.to_string(),
        }
    }
}

/// A delivery in its hook's row, by number: the order in which they became due.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeliveryRow {
    /// Its number.
    pub no: u64,
    /// Bytes of its message, hidden; 0 when it is done.
    pub bytes: u64,
    /// The delivery.
    pub delivery: Delivery,
}

/// A message that hooks are to be told of, as the log keeps it.
#[derive(Clone, Debug)]
pub struct DueDelivery {
    /// A delivery for each hook. Those that are not due are kept for the delivery log only.
    pub deliveries: Vec<(HookId, Delivery)>,
    /// The message, hidden.
    pub hidden: Vec<u8>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_replay_is_the_same_delivery() {
        let first = Delivery::due(9, "message.received", None, Some(7), 5);
        let given_up =
            Delivery { began_ms: Some(6), attempts: 3, state: DeliveryState::Failed, ended_ms: Some(9), ..first };
        let again = given_up.clone().replayed();
        assert_eq!((&again.id, again.began_ms, again.attempts), (&given_up.id, Some(6), 0));
        assert!(again.is_forced && again.state == DeliveryState::Due && given_up.has_failed());
    }

    #[test]
    fn a_delivery_reads_back_as_it_was_written() {
        let delivery = Delivery::due(9, "message.received", ChannelId::parse("c").ok(), Some(7), 5).dropped();
        let json = serde_json::to_string(&delivery).unwrap();
        assert_eq!(serde_json::from_str::<Delivery>(&json).unwrap(), delivery);
        assert!(DeliveryId::fits(delivery.id.as_str()) && !DeliveryId::fits("whd_7"));
    }
}
