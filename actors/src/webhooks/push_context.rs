//! What pushes need to know of their channels. The hub implements it, which is above the webhook actor.

use std::sync::Arc;

use futures_util::future::LocalBoxFuture;
use rogerrat_domain::ChannelId;
use rogerrat_domain::op::{PushCheck, PushVerdict};

use super::HookHandle;
use crate::error::HubError;

/// The channels of a hub, as long as it runs.
pub(crate) trait PushContext: Send + Sync {
    /// Whether the hub is shutting down or has ended.
    fn is_draining(&self) -> bool;

    /// Asks a channel whether a push is still needed, and opens it if need be.
    fn verdict(&self, channel: ChannelId, check: PushCheck) -> LocalBoxFuture<'static, Result<PushVerdict, HubError>>;

    /// Queues an event without a text for a subscription.
    fn announce(&self, handle: Arc<HookHandle>, event: &'static str) -> LocalBoxFuture<'static, ()>;
}
