//! `[channels]`: when unused channels and members are removed.

use std::ops::RangeInclusive;

use rogerrat_domain::limits::MEMBER_TTL_MAX_MS;

use super::parse;
use super::reader::Reader;

const UNUSED_DAYS: RangeInclusive<u32> = 0..=36_500;
const IDLE_MINUTES: RangeInclusive<u32> = 1..=10_080;
const MEMBER_TTL_SECONDS: RangeInclusive<u64> = 60..=MEMBER_TTL_MAX_MS / 1000;

/// Retention of channels and members.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ChannelRetention {
    /// Days after which an unused channel without an owner is deleted; 0 keeps it.
    pub anonymous_unused_days: u32,
    /// Minutes after which a memory channel without a live session is unloaded.
    pub idle_minutes: u32,
    /// Seconds after which a member without a live session is removed, on channels that do not set their own value.
    pub member_ttl_seconds: u64,
}

impl ChannelRetention {
    pub(super) fn read(reader: &mut Reader) -> Option<Self> {
        let anonymous_unused_days =
            reader.read("channels.anonymous_unused_days", |value| parse::number(value, &UNUSED_DAYS));
        let idle_minutes = reader.read("channels.idle_minutes", |value| parse::number(value, &IDLE_MINUTES));
        let member_ttl_seconds =
            reader.read("channels.member_ttl_seconds", |value| parse::number(value, &MEMBER_TTL_SECONDS));
        Some(Self {
            anonymous_unused_days: anonymous_unused_days?,
            idle_minutes: idle_minutes?,
            member_ttl_seconds: member_ttl_seconds?,
        })
    }
}
