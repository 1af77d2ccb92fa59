//! The services that all channels of a hub share.

use std::sync::Arc;

use actix::Recipient;

use crate::channel::messages::Unloaded;
use crate::clock::Clock;
use crate::ports::log::Log;
use crate::security::account_policy::AccountPolicy;
use crate::security::bans::Bans;
use crate::webhooks::Webhooks;

/// The services of a hub that its channel actors use. One for all of them keeps an idle channel small (ADR 20).
pub(crate) struct HubContext {
    pub(crate) log: Arc<dyn Log>,
    pub(crate) clock: Clock,
    /// The hub's boot.
    pub(crate) boot: u64,
    pub(crate) bans: Arc<Bans>,
    pub(crate) account_policy: Arc<AccountPolicy>,
    pub(crate) webhooks: Webhooks,
    /// Where a channel reports that it has left memory: the Registry.
    pub(crate) registry: Recipient<Unloaded>,
}
