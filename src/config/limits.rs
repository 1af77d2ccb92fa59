//! `[limits]`: rate limits per minute, and of e-mails per hour.

use std::ops::RangeInclusive;

use super::origin::Origin;
use super::parse;
use super::raw::Value;
use super::reader::Reader;

const COUNT: RangeInclusive<u32> = 0..=1_000_000;
const PER_ADDRESS: [&str; 7] = [
    "limits.send_per_address",
    "limits.create_per_address",
    "limits.join_per_address",
    "limits.account_per_address",
    "limits.qr_per_address",
    "limits.push_per_address",
    "limits.email_per_address",
];

/// Rate limits; 0 turns a limit off. They are per minute, unless they state another unit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Limits {
    /// Messages per session.
    pub send_per_session: u32,
    /// Messages per session on a band.
    pub send_per_session_band: u32,
    /// Messages per client address.
    pub send_per_address: u32,
    /// Channels created per client address.
    pub create_per_address: u32,
    /// Joins per client address.
    pub join_per_address: u32,
    /// Accounts created or recovered per client address.
    pub account_per_address: u32,
    /// QR codes per client address.
    pub qr_per_address: u32,
    /// Push subscriptions added or tested per client address.
    pub push_per_address: u32,
    /// Requests for an e-mail per client address, per hour.
    pub email_per_address: u32,
    /// Messages per account, over all its identities.
    pub send_per_account: u32,
}

impl Limits {
    /// On a loopback host all agents share one address, so the limits per address are off there unless set explicitly.
    pub(super) fn read(reader: &mut Reader, loopback: bool) -> Option<Self> {
        if loopback {
            for key in PER_ADDRESS.into_iter().filter(|key| !reader.origin(key).is_explicit()).collect::<Vec<_>>() {
                reader.set(key, Value::Typed(0.into()), Origin::DefaultFor("loopback bind"));
            }
        }
        let mut count = |key| reader.read(key, |value| parse::number(value, &COUNT));
        let send_per_session = count("limits.send_per_session");
        let send_per_session_band = count("limits.send_per_session_band");
        let send_per_address = count("limits.send_per_address");
        let create_per_address = count("limits.create_per_address");
        let join_per_address = count("limits.join_per_address");
        let account_per_address = count("limits.account_per_address");
        let qr_per_address = count("limits.qr_per_address");
        let push_per_address = count("limits.push_per_address");
        let email_per_address = count("limits.email_per_address");
        let send_per_account = count("limits.send_per_account");
        Some(Self {
            send_per_session: send_per_session?,
            send_per_session_band: send_per_session_band?,
            send_per_address: send_per_address?,
            create_per_address: create_per_address?,
            join_per_address: join_per_address?,
            account_per_address: account_per_address?,
            qr_per_address: qr_per_address?,
            push_per_address: push_per_address?,
            email_per_address: email_per_address?,
            send_per_account: send_per_account?,
        })
    }
}
