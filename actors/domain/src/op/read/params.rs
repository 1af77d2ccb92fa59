//! The parameters and replies of a read as they appear in JSON.
//!
//! The interfaces write replies from shared pieces, so the reply types here are never constructed: they exist for their
//! OpenAPI schemas.

use std::borrow::Cow;

use serde::Deserialize;
use utoipa::{IntoParams, ToSchema};

use super::ReadInput;
use crate::channel::{Gap, SideEventSet};
use crate::deserialize::saturating_u64;
use crate::entry::AckMode;
use crate::ids::{ConsumerName, MessageId};
use crate::message::delivered_schema::DeliveredMessageSchema;
use crate::refusal::Refusal;
use crate::{limits, schema};

/// The parameters of a read.
#[derive(Clone, Debug, Default, Deserialize, ToSchema, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct ReadQuery<'a> {
    /// Return the messages above this id instead of those above the cursor, for this read only. A negative value means
    /// 0.
    #[schema(nullable = false)]
    #[param(nullable = false)]
    pub since: Option<f64>,
    /// `auto` (the default): reading acknowledges. `manual`: messages are leased to the consumer until it acknowledges
    /// them.
    #[schema(schema_with = schema::ack)]
    #[param(schema_with = schema::ack, required = false)]
    pub ack: Option<Cow<'a, str>>,
    /// With `ack=manual`: how long the messages are leased, in seconds. Defaults to 60, clamped to 1 … 3,600.
    #[schema(nullable = false)]
    #[param(nullable = false)]
    pub lease: Option<f64>,
    /// Maximum number of messages: a whole number above 0; more than 100 means 100. Defaults to 100.
    #[schema(value_type = Option<u64>, nullable = false, minimum = 1)]
    #[param(value_type = Option<u64>, nullable = false, minimum = 1)]
    pub max: Option<f64>,
    /// The consumer: a named cursor, created by its first read. 1 to 32 of `a`-`z`, `0`-`9`, `_` and `-`. If omitted, the
    /// default one.
    #[schema(value_type = Option<String>, nullable = false, pattern = "^[a-z0-9_-]{1,32}$")]
    #[param(value_type = Option<String>, nullable = false, pattern = "^[a-z0-9_-]{1,32}$")]
    pub consumer: Option<Cow<'a, str>>,
    /// Also return your own messages, marked `"own": true`, with a `consumer`: for several devices of one member. Defaults to
    /// false.
    #[schema(nullable = false)]
    #[param(nullable = false)]
    pub own: Option<bool>,
    /// Acknowledge all messages up to this id before reading.
    #[schema(value_type = Option<u64>, nullable = false, minimum = 1)]
    #[param(value_type = Option<u64>, nullable = false, minimum = 1)]
    pub ack_upto: Option<f64>,
}

impl ReadQuery<'_> {
    /// Validates the parameters.
    ///
    /// # Errors
    /// `invalid`, naming the parameter.
    pub fn check(&self) -> Result<ReadInput, Refusal> {
        let max = count("max", self.max)?.unwrap_or(u64::MAX);
        let own = self.own.unwrap_or(false);
        if own && self.consumer.is_none() {
            return Err(Refusal::invalid("own needs a consumer: your default consumer never has your own messages")
                .hint("pass consumer, a name of your choice for this device"));
        }
        Ok(ReadInput {
            consumer: self.consumer.as_deref().map(ConsumerName::parse).transpose()?,
            since: self.since.map(saturating_u64),
            own,
            ack_mode: self.ack_mode()?,
            max: usize::try_from(max).unwrap_or(usize::MAX).min(limits::READ_MESSAGES),
            bound: None,
            ack_upto: count("ack_upto", self.ack_upto)?,
            side_events: SideEventSet::default(),
            ends_stream: false,
        })
    }

    fn ack_mode(&self) -> Result<AckMode, Refusal> {
        match self.ack.as_deref() {
            None | Some("auto") => Ok(AckMode::Read),
            Some("manual") => {
                let lease_ms = self.lease.map_or(limits::LEASE_DEFAULT_MS, |s| saturating_u64(s * 1000.0));
                Ok(AckMode::Leased { lease_ms: lease_ms.clamp(1_000, limits::LEASE_MAX_MS) })
            }
            Some(_) => Err(Refusal::invalid("ack must be auto or manual")),
        }
    }
}

/// A whole number above 0.
fn count(name: &'static str, value: Option<f64>) -> Result<Option<u64>, Refusal> {
    match value {
        None => Ok(None),
        Some(n) if n >= 1.0 && n.fract() == 0.0 => Ok(Some(saturating_u64(n))),
        Some(_) => Err(Refusal::invalid(format!("{name} must be a whole number above 0"))),
    }
}

/// The reply to `listen`.
#[derive(Clone, Debug, ToSchema)]
pub struct ReadReply {
    /// The messages, oldest first. May be empty.
    #[schema(value_type = Vec<DeliveredMessageSchema>, max_items = 100)]
    pub messages: Vec<MessageId>,
    /// True if no message arrived. This is not an error: poll again.
    pub timed_out: bool,
    /// Present if a newer poll of the same session and consumer replaced this one.
    #[schema(required = false)]
    pub superseded: bool,
    /// Present if the hub is shutting down: retry in a few seconds.
    #[schema(required = false)]
    pub draining: bool,
    /// Present if broadcasts were lost.
    #[schema(nullable = false)]
    pub gap: Option<Gap>,
    /// With `max_bytes`: how many more messages are due, if any. They stay unread: read again.
    #[schema(required = false, minimum = 1)]
    pub more: usize,
}

/// The reply to `wait`.
#[derive(Clone, Debug, ToSchema)]
pub struct WaitReply {
    /// The messages, oldest first. May be empty.
    #[schema(value_type = Vec<DeliveredMessageSchema>, max_items = 100)]
    pub messages: Vec<MessageId>,
    /// True if no message arrived. This is not an error: wait again.
    pub timed_out: bool,
    /// Present if a newer poll of the same session and consumer replaced this one.
    #[schema(required = false)]
    pub superseded: bool,
    /// Present if the hub is shutting down: retry in a few seconds.
    #[schema(required = false)]
    pub draining: bool,
    /// Present if broadcasts were lost.
    #[schema(nullable = false)]
    pub gap: Option<Gap>,
    /// With `max_bytes`: how many more messages are due, if any. They stay unread: wait again.
    #[schema(required = false, minimum = 1)]
    pub more: usize,
    /// Callsigns online, sorted.
    pub roster: Vec<String>,
    /// Present if `max_bytes` left out callsigns: how many more are online.
    #[schema(required = false, minimum = 1)]
    pub roster_more: usize,
    /// What to do next.
    pub meta_hint: String,
}
