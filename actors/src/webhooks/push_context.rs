//! What pushes need to know of their channels. The hub implements it, which is above the webhook actor.

use std::sync::Arc;

use futures_util::future::LocalBoxFuture;
use rogerrat_domain::ChannelId;
use rogerrat_domain::op::{GoneMember, GoneWhileAsked, PushCheck, PushVerdict, UnreadOwn, UnreadOwnReply};

use super::HookHandle;
use crate::error::HubError;

/// The channels of a hub, as long as it runs.
pub(crate) trait PushContext: Send + Sync {
    /// Whether the hub is shutting down or has ended.
    fn is_draining(&self) -> bool;

    /// Asks a channel whether a push is still needed, and opens it if need be.
    fn verdict(&self, channel: ChannelId, check: PushCheck) -> LocalBoxFuture<'static, Result<PushVerdict, HubError>>;

    /// Asks a channel for a message of a subscribed member that was not read for long.
    fn unread_own(
        &self,
        channel: ChannelId,
        query: UnreadOwn,
    ) -> LocalBoxFuture<'static, Result<UnreadOwnReply, HubError>>;

    /// Asks a channel whether a member that has left owes an answer.
    fn gone_while_asked(
        &self,
        channel: ChannelId,
        query: GoneWhileAsked,
    ) -> LocalBoxFuture<'static, Result<Option<GoneMember>, HubError>>;

    /// Queues an event with a text for a subscription.
    fn announce(&self, handle: Arc<HookHandle>, event: &'static str, text: String) -> LocalBoxFuture<'static, ()>;
}
