//! A webhook delivery: one message, or a test event, for one webhook.

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{HookId, TEST};
use crate::ids::{ChannelId, MessageId};

/// The id of a delivery. It is the same for all attempts and replays.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct DeliveryId(Arc<str>);

impl DeliveryId {
    /// An id from 128 random bits.
    #[must_use]
    pub fn from_random(random: u128) -> Self {
        Self(format!("whd_{random:032x}").into())
    }

    /// Whether a string has the format of an id.
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
    /// Waiting for an attempt, or being attempted.
    Due,
    /// The receiver responded with a 2xx status.
    Delivered,
    /// Given up.
    Failed,
    /// Never attempted, because the webhook's queue was full; for a push also because it was not needed any more.
    Dropped,
}

/// Why the last attempt failed, or why none was made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Failure {
    /// The receiver responded with an error status.
    Status,
    /// The receiver responded with a redirect, which is not followed.
    Redirect,
    /// The receiver did not respond in time.
    Timeout,
    /// The connection failed.
    Connection,
    /// The hub may not connect to the address.
    Address,
    /// The webhook's queue was full.
    QueueFull,
    /// The webhook was switched off.
    SwitchedOff,
    /// The stored message could not be read.
    Unreadable,
    /// Of a push: the message was read or answered before.
    Read,
    /// Of a push: it was too old.
    Expired,
    /// Of a push: there were too many within an hour.
    TooMany,
}

/// The outcome of an attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AttemptOutcome {
    /// The receiver responded with this status.
    Answered(u16),
    /// The receiver responded with this status, and asked for a retry after this number of seconds.
    Postponed(u16, u64),
    /// The receiver did not respond in time.
    TimedOut,
    /// The connection failed.
    Unreachable,
    /// The hub may not connect to the address.
    Forbidden,
    /// The stored message is missing or cannot be read.
    Unreadable,
    /// The attempt could not start, and does not count.
    NotBegun,
    /// No attempt was made, because the push is not needed any more.
    Unneeded(Failure),
    /// No attempt was made: look again after this number of milliseconds.
    Later(u64),
}

impl AttemptOutcome {
    /// The status of the response, if there was one.
    #[must_use]
    pub fn status(self) -> Option<u16> {
        match self {
            Self::Answered(status) | Self::Postponed(status, _) => Some(status),
            _ => None,
        }
    }

    /// Why the attempt failed; none if it did not.
    #[must_use]
    pub fn failure(self) -> Option<Failure> {
        match self {
            Self::Answered(200..=299) | Self::Postponed(200..=299, _) => None,
            Self::Answered(300..=399) | Self::Postponed(300..=399, _) => Some(Failure::Redirect),
            Self::Answered(_) | Self::Postponed(..) => Some(Failure::Status),
            Self::TimedOut => Some(Failure::Timeout),
            Self::Unreachable | Self::NotBegun | Self::Later(_) => Some(Failure::Connection),
            Self::Forbidden => Some(Failure::Address),
            Self::Unreadable => Some(Failure::Unreadable),
            Self::Unneeded(why) => Some(why),
        }
    }
}

/// A delivery as it is stored.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Delivery {
    /// Its id.
    pub id: DeliveryId,
    /// The event.
    pub event: Cow<'static, str>,
    /// The channel of the message; none for a test of an account's webhook.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub channel: Option<ChannelId>,
    /// The message; none for a test.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<MessageId>,
    /// When it became due, in milliseconds since the epoch.
    pub at_ms: u64,
    /// When its first attempt started.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub began_ms: Option<u64>,
    /// The number of attempts.
    pub attempts: u32,
    /// When the next attempt is due, after a failed one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_ms: Option<u64>,
    /// Its state.
    pub state: DeliveryState,
    /// Whether it is attempted even if the webhook is switched off, because its owner requested it.
    #[serde(default)]
    pub is_forced: bool,
    /// The status of the last response.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
    /// Why the last attempt failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failure: Option<Failure>,
    /// The duration of the last attempt.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub latency_ms: Option<u64>,
    /// When it was delivered or given up.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended_ms: Option<u64>,
}

impl Delivery {
    /// A new delivery.
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

    /// The same delivery, dropped because the queue is full.
    #[must_use]
    pub fn dropped(self) -> Self {
        let ended_ms = Some(self.at_ms);
        Self { state: DeliveryState::Dropped, failure: Some(Failure::QueueFull), ended_ms, ..self }
    }

    /// The same delivery, to be attempted again from the start. Its id and body stay the same.
    #[must_use]
    pub fn replayed(self) -> Self {
        let (state, is_forced) = (DeliveryState::Due, true);
        Self { state, is_forced, attempts: 0, next_ms: None, failure: None, ended_ms: None, ..self }
    }

    /// Whether it failed and can be replayed.
    #[must_use]
    pub fn has_failed(&self) -> bool {
        matches!(self.state, DeliveryState::Failed | DeliveryState::Dropped)
    }

    /// The context with which its message is encrypted.
    #[must_use]
    pub fn context(&self) -> String {
        match (&self.channel, self.message) {
            (Some(channel), Some(message)) => format!("{channel} {message}"),
            _ => self.id.to_string(),
        }
    }
}

/// A delivery in the queue of its webhook.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeliveryRow {
    /// Its number in the queue.
    pub no: u64,
    /// The size of its encrypted message in bytes; 0 if it is done.
    pub bytes: u64,
    /// The delivery.
    pub delivery: Delivery,
}

/// A message with its deliveries, as the log stores them.
#[derive(Clone, Debug)]
pub struct DueDelivery {
    /// A delivery for each webhook. Dropped ones are stored for the delivery log only.
    pub deliveries: Vec<(HookId, Delivery)>,
    /// The encrypted message.
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
    fn a_stored_delivery_is_restored() {
        let delivery = Delivery::due(9, "message.received", ChannelId::parse("c").ok(), Some(7), 5).dropped();
        let json = serde_json::to_string(&delivery).unwrap();
        assert_eq!(serde_json::from_str::<Delivery>(&json).unwrap(), delivery);
        assert!(DeliveryId::fits(delivery.id.as_str()) && !DeliveryId::fits("whd_7"));
    }
}
