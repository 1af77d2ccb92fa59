//! `[accounts]`: quotas per account.

use std::ops::RangeInclusive;

use super::parse;
use super::reader::Reader;

const PER_ACCOUNT: RangeInclusive<u32> = 0..=100_000;

/// Quotas per account; 0 is unlimited.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct AccountQuotas {
    /// Channels an account owns.
    pub channels: u32,
    /// Identities.
    pub identities: u32,
    /// Webhooks.
    pub webhooks: u32,
}

impl AccountQuotas {
    pub(super) fn read(reader: &mut Reader) -> Option<Self> {
        let mut count = |key| reader.read(key, |value| parse::number(value, &PER_ACCOUNT));
        let channels = count("accounts.channels");
        let identities = count("accounts.identities");
        let webhooks = count("accounts.webhooks");
        Some(Self { channels: channels?, identities: identities?, webhooks: webhooks? })
    }
}
