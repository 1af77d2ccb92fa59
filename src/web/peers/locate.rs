//! Where channels are. The hub knows; tests replace it.

use futures_util::future::BoxFuture;
use rogerrat_actors::{ChannelLocation, Hub, HubError, Instance, InstanceId, Located};
use rogerrat_domain::ChannelId;

/// Finds the instances that own channels.
pub(crate) trait ChannelLocator: Send + Sync {
    /// The number of this instance; none if the hub shares its log with no other.
    fn instance(&self) -> Option<InstanceId>;

    /// Where a channel is. It may be out of date.
    ///
    /// # Errors
    /// When the log cannot be read, or this instance has ended.
    fn locate<'a>(&'a self, channel: &'a ChannelId) -> Located<'a>;

    /// Whether one of some tokens admits to a channel, without opening it.
    ///
    /// # Errors
    /// When there is no such channel, or the log cannot be read.
    fn admits<'a>(&'a self, channel: &'a ChannelId, tokens: &'a [String]) -> BoxFuture<'a, Result<bool, HubError>>;

    /// Takes a channel, unless another instance has taken it. Returns where it is then.
    ///
    /// # Errors
    /// As of [`locate`](Self::locate).
    fn take<'a>(&'a self, channel: &'a ChannelId) -> BoxFuture<'a, Result<ChannelLocation, HubError>>;

    /// The instances that are alive, this one included.
    ///
    /// # Errors
    /// When the log cannot be read.
    fn living(&self) -> BoxFuture<'_, Result<Vec<Instance>, HubError>>;

    /// Forgets where a channel was, because that instance does not own it any more.
    fn forget(&self, channel: &ChannelId);

    /// An instance cannot be reached, or does not answer. Returns whether it has ended.
    ///
    /// # Errors
    /// When the log cannot be read or written, or this instance has ended.
    fn report_unreachable(&self, instance: InstanceId) -> BoxFuture<'_, Result<bool, HubError>>;
}

impl ChannelLocator for Hub {
    fn instance(&self) -> Option<InstanceId> {
        self.instance()
    }

    fn locate<'a>(&'a self, channel: &'a ChannelId) -> Located<'a> {
        self.locate(channel)
    }

    fn admits<'a>(&'a self, channel: &'a ChannelId, tokens: &'a [String]) -> BoxFuture<'a, Result<bool, HubError>> {
        Box::pin(self.admits(channel, tokens))
    }

    fn take<'a>(&'a self, channel: &'a ChannelId) -> BoxFuture<'a, Result<ChannelLocation, HubError>> {
        Box::pin(self.locate_or_take(channel))
    }

    fn living(&self) -> BoxFuture<'_, Result<Vec<Instance>, HubError>> {
        Box::pin(self.living_instances())
    }

    fn forget(&self, channel: &ChannelId) {
        self.forget_location(channel);
    }

    fn report_unreachable(&self, instance: InstanceId) -> BoxFuture<'_, Result<bool, HubError>> {
        Box::pin(self.report_unreachable(instance))
    }
}
