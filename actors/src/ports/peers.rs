//! The port by which a hub reaches the other instances: to wake webhooks, and to ask what only the owner of a channel knows.

use futures_util::future::LocalBoxFuture;
use rogerrat_domain::ChannelId;

use crate::error::HubError;
use crate::ports::instances::{Instance, InstanceId};
use crate::ports::lanes::Lanes;

/// The other instances, as a hub reaches them.
pub trait PeerCalls: Send + Sync {
    /// Wakes the webhooks of these lanes, which an instance holds: deliveries of theirs have become due. Returns whether it
    /// holds them all. A call may be lost: the instance also looks by itself.
    fn wake_lanes(&self, holder: Instance, lanes: Lanes) -> LocalBoxFuture<'static, bool>;

    /// Asks the owner of a channel, and returns its answer; both are JSON, as [`Hub::answer_peer`](crate::Hub::answer_peer)
    /// defines it.
    ///
    /// # Errors
    /// `Moved` if it is not the owner; `OutcomeUnknown` if it does not answer.
    fn ask(
        &self,
        owner: Instance,
        channel: ChannelId,
        question: String,
    ) -> LocalBoxFuture<'static, Result<String, HubError>>;

    /// An instance was declared to have ended: what waits for it need not wait any longer.
    fn instance_ended(&self, _instance: InstanceId) {}
}
