//! Bans: callsigns, identities and addresses that an administrator has blocked.

use core::net::IpAddr;

use ipnet::IpNet;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::callsign::Callsign;
use crate::ids::ChannelId;
use crate::limits;
use crate::refusal::{Code, Refusal};

/// The body of a request to ban exactly one of `callsign`, `identity` and `address`.
#[derive(Clone, Debug, Default, Deserialize, ToSchema)]
pub struct BanInput {
    /// The callsign to ban.
    pub callsign: Option<String>,
    /// The callsign of the identity to ban, on all channels.
    pub identity: Option<String>,
    /// The address or network to ban, such as `192.0.2.7` or `2001:db8::/64`.
    pub address: Option<String>,
    /// The only channel on which the callsign is banned. If omitted, all channels.
    pub channel_id: Option<String>,
    /// The duration in seconds. If omitted, the ban does not expire.
    #[serde(default, deserialize_with = "crate::deserialize::whole_number")]
    #[schema(minimum = 1, maximum = 31_536_000)]
    pub seconds: Option<u64>,
    /// The reason, for other administrators.
    #[schema(max_length = 200)]
    pub reason: Option<String>,
}

/// The target of a ban.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum BanTarget {
    /// A callsign, on one channel or on all.
    Callsign(Callsign),
    /// An identity, on all channels.
    Identity(Callsign),
    /// An address or a network.
    #[schema(value_type = String)]
    Address(IpNet),
}

/// A ban.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Ban {
    /// The ban's id.
    pub id: String,
    /// The target.
    #[serde(flatten)]
    pub target: BanTarget,
    /// The channel, if a callsign is banned on one channel only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, nullable = false)]
    pub channel_id: Option<ChannelId>,
    /// The reason, for administrators.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub reason: Option<String>,
    /// When it was created, in milliseconds since the epoch.
    pub created_at: u64,
    /// When it expires, in milliseconds since the epoch. Absent if it does not expire.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub expires_at: Option<u64>,
}

impl Ban {
    /// Validates the body.
    ///
    /// # Errors
    /// `invalid`, naming the field; `not_found` if `channel_id` is not a channel id.
    pub fn check(input: BanInput, id: String, now_ms: u64) -> Result<Self, Refusal> {
        let BanInput { callsign, identity, address, channel_id, seconds, reason } = input;
        let target = match (callsign, identity, address) {
            (Some(callsign), None, None) => BanTarget::Callsign(Callsign::parse(&callsign)?),
            (None, Some(identity), None) => BanTarget::Identity(Callsign::parse(&identity)?),
            (None, None, Some(address)) => BanTarget::Address(network(&address)?),
            _ => return Err(Refusal::invalid("exactly one of callsign, identity and address is required")),
        };
        if channel_id.is_some() && !matches!(target, BanTarget::Callsign(_)) {
            return Err(Refusal::invalid(
                "channel_id requires callsign: identities and addresses are banned on all channels",
            ));
        }
        let channel_id = channel_id.as_deref().map(ChannelId::parse).transpose()?;
        if seconds.is_some_and(|s| !(1..=limits::BAN_MAX_SECONDS).contains(&s)) {
            return Err(Refusal::invalid("seconds must be 1 to 31536000; omit it for a ban that does not expire"));
        }
        if reason.as_ref().is_some_and(|reason| reason.chars().count() > limits::BAN_REASON_CHARS) {
            return Err(Refusal::invalid("reason must have at most 200 characters"));
        }
        let expires_at = seconds.map(|s| now_ms + s * 1000);
        Ok(Self { id, target, channel_id, reason, created_at: now_ms, expires_at })
    }

    /// Whether it has not ended yet.
    #[must_use]
    pub fn is_active(&self, now_ms: u64) -> bool {
        self.expires_at.is_none_or(|end_ms| now_ms < end_ms)
    }

    /// Whether it applies to this callsign on this channel.
    #[must_use]
    pub fn covers_callsign(&self, channel: &ChannelId, callsign: &Callsign) -> bool {
        match &self.target {
            BanTarget::Callsign(banned) => {
                banned == callsign && self.channel_id.as_ref().is_none_or(|only| only == channel)
            }
            BanTarget::Identity(banned) => banned == callsign,
            BanTarget::Address(_) => false,
        }
    }

    /// Whether it applies to this address.
    #[must_use]
    pub fn covers_address(&self, address: IpAddr) -> bool {
        matches!(&self.target, BanTarget::Address(network) if network.contains(&address.to_canonical()))
    }

    /// The refusal for a banned caller.
    #[must_use]
    pub fn refusal(&self) -> Refusal {
        let refusal = |text| Refusal::new(Code::Banned, text).hint("contact the operator of the hub");
        match &self.target {
            BanTarget::Callsign(_) => refusal("this callsign is banned on this channel").field("callsign"),
            BanTarget::Identity(_) => refusal("this identity is banned from this hub").field("identity_key"),
            BanTarget::Address(_) => refusal("this address is banned from this hub"),
        }
    }
}

/// Parses a network, or an address as a network of one. An IPv4-mapped IPv6 network becomes IPv4.
fn network(text: &str) -> Result<IpNet, Refusal> {
    let text = text.trim();
    let parsed = text.parse::<IpNet>().or_else(|_| text.parse::<IpAddr>().map(|ip| IpNet::from(ip.to_canonical())));
    match parsed {
        Ok(network) => match unmapped(network) {
            network if network.prefix_len() > 0 => Ok(network.trunc()),
            _ => Err(Refusal::invalid("address must not cover all addresses")),
        },
        _ => Err(Refusal::invalid("address must be an IP address or a network such as 192.0.2.0/24")),
    }
}

/// Converts an IPv4-mapped IPv6 network to IPv4.
fn unmapped(network: IpNet) -> IpNet {
    let IpNet::V6(v6) = network else { return network };
    let v4 = v6.addr().to_ipv4_mapped().zip(v6.prefix_len().checked_sub(96));
    v4.and_then(|(v4, bits)| IpNet::new(v4.into(), bits).ok()).unwrap_or(network)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(json: &str) -> Result<Ban, Refusal> {
        Ban::check(serde_json::from_str(json).unwrap(), "ban_1".into(), 1000)
    }

    #[test]
    fn a_ban_has_exactly_one_target() {
        for json in [
            "{}",
            r#"{"callsign":"bob","address":"192.0.2.1"}"#,
            r#"{"callsign":"all"}"#,
            r#"{"address":"bob"}"#,
            r#"{"address":"0.0.0.0/0"}"#,
            r#"{"address":"192.0.2.1","channel_id":"a"}"#,
            r#"{"identity":"bob","channel_id":"a"}"#,
            r#"{"callsign":"bob","seconds":0}"#,
            r#"{"callsign":"bob","seconds":31536001}"#,
        ] {
            assert!(check(json).is_err(), "{json}");
        }
        assert!(check(&format!(r#"{{"callsign":"bob","reason":"{}"}}"#, "x".repeat(201))).is_err());
    }

    #[test]
    fn a_callsign_is_banned_on_one_channel_or_on_all() {
        let (here, there) = (ChannelId::parse("here").unwrap(), ChannelId::parse("there").unwrap());
        let (bob, ann) = (Callsign::parse("bob").unwrap(), Callsign::parse("ann").unwrap());
        let one = check(r#"{"callsign":"Bob","channel_id":"here"}"#).unwrap();
        assert!(one.covers_callsign(&here, &bob) && !one.covers_callsign(&there, &bob));
        let all = check(r#"{"callsign":"bob"}"#).unwrap();
        assert!(all.covers_callsign(&there, &bob) && !all.covers_callsign(&there, &ann));
        assert!(check(r#"{"identity":"bob"}"#).unwrap().covers_callsign(&there, &bob));
    }

    #[test]
    fn an_address_is_banned_in_every_notation() {
        let ban = check(r#"{"address":"192.0.2.0/24"}"#).unwrap();
        let covers = |ban: &Ban, ip: &str| ban.covers_address(ip.parse().unwrap());
        assert!(covers(&ban, "192.0.2.9") && covers(&ban, "::ffff:192.0.2.9") && !covers(&ban, "192.0.3.9"));
        assert!(covers(&check(r#"{"address":"::ffff:192.0.2.9"}"#).unwrap(), "192.0.2.9"));
        assert!(covers(&check(r#"{"address":"::ffff:192.0.2.0/120"}"#).unwrap(), "192.0.2.200"));
        assert!(check(r#"{"address":"::ffff:0.0.0.0/96"}"#).is_err());
        assert!(covers(&check(r#"{"address":"2001:db8:1:2::/64"}"#).unwrap(), "2001:db8:1:2::7"));
    }

    #[test]
    fn a_ban_ends_after_its_duration() {
        let ban = check(r#"{"callsign":"bob","seconds":60}"#).unwrap();
        assert!(ban.is_active(60_999) && !ban.is_active(61_000));
        assert!(check(r#"{"callsign":"bob"}"#).unwrap().is_active(u64::MAX));
    }

    #[test]
    fn a_stored_ban_is_restored() {
        for json in [r#"{"callsign":"bob","channel_id":"a","reason":"spam"}"#, r#"{"address":"192.0.2.0/24"}"#] {
            let ban = check(json).unwrap();
            assert_eq!(serde_json::from_str::<Ban>(&serde_json::to_string(&ban).unwrap()).unwrap(), ban);
        }
    }
}
