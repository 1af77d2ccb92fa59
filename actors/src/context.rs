//! What all channels of a hub use, once for all of them.

use std::sync::Arc;

use actix::Addr;

use crate::clock::Clock;
use crate::ports::log::Log;
use crate::registry::Registry;
use crate::security::account_policy::AccountPolicy;
use crate::security::bans::Bans;
use crate::webhooks::Webhooks;

/// What a channel's actor finds in its hub.
pub(crate) struct HubContext {
    pub(crate) log: Arc<dyn Log>,
    pub(crate) clock: Clock,
    /// The hub's run.
    pub(crate) run: u64,
    pub(crate) bans: Arc<Bans>,
    pub(crate) standing: Arc<AccountPolicy>,
    pub(crate) webhooks: Webhooks,
    pub(crate) registry: Addr<Registry>,
}
