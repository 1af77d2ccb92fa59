//! Where a channel is served, when several hubs share one log.
//!
//! An interface asks [`Hub::locate`] before it admits a request for a channel, and forwards the request if it is for
//! another instance. If that instance refuses it as [`HubError::Moved`], the interface [forgets](Hub::forget_location) the
//! location and asks again; if it cannot be reached, the interface [reports](Hub::report_unreachable) it.

use futures_util::future::{BoxFuture, Either, Ready, ready};
use rogerrat_domain::ChannelId;

use super::Hub;
use crate::error::HubError;
use crate::ports::instances::{Instance, InstanceId};

/// Where a channel is served.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ChannelLocation {
    /// By this hub.
    Here,
    /// By none, so that this hub may take it.
    Free,
    /// By another instance: requests must go there.
    Elsewhere(Instance),
}

/// How often a channel is looked up that another instance takes at the same time.
const TAKE_TRIES: usize = 3;

/// The result of [`Hub::locate`]: immediate for a channel that this hub serves or whose location it knows.
pub type Located<'a> =
    Either<Ready<Result<ChannelLocation, HubError>>, BoxFuture<'a, Result<ChannelLocation, HubError>>>;

impl Hub {
    /// Where a channel is served. A hub that shares its log with no other always answers [`Here`](ChannelLocation::Here).
    /// A location that is remembered may be out of date.
    ///
    /// # Errors
    /// When the log cannot be read, or this instance has ended.
    pub fn locate<'a>(&'a self, channel: &'a ChannelId) -> Located<'a> {
        let Some(instances) = self.shared.log.instances() else {
            return Either::Left(ready(Ok(ChannelLocation::Here)));
        };
        if self.has_ended() {
            return Either::Left(ready(Err(HubError::Gone)));
        }
        if self.shared.directory.get(channel).is_some_and(|handle| handle.is_live()) {
            return Either::Left(ready(Ok(ChannelLocation::Here)));
        }
        if let Some(known) = self.shared.locations.get(channel) {
            return Either::Left(ready(Ok(ChannelLocation::Elsewhere(known))));
        }
        let (this, owner) = (instances.this(), instances.owner(channel));
        Either::Right(Box::pin(async move {
            let owner = owner.await.map_err(HubError::of_log("could not look up the owner of a channel"))?;
            Ok(match owner {
                Some(owner) if owner.id == this => ChannelLocation::Here,
                Some(owner) => {
                    self.shared.locations.put(channel, owner.clone());
                    ChannelLocation::Elsewhere(owner)
                }
                None => ChannelLocation::Free,
            })
        }))
    }

    /// Whether one of some tokens admits to a channel. It is looked up, and not opened.
    ///
    /// # Errors
    /// `not_found`; an error when the log cannot be read.
    pub async fn admits(&self, channel: &ChannelId, tokens: &[String]) -> Result<bool, HubError> {
        let at = self.find(channel.as_str()).await?;
        Ok(at.settings().admits(None) || tokens.iter().any(|token| at.settings().admits(Some(token))))
    }

    /// Where a channel is served, which this hub takes if no instance does: two that look at the same time do not both find
    /// that they may serve it.
    ///
    /// # Errors
    /// As of [`locate`](Self::locate).
    pub async fn locate_or_take(&self, channel: &ChannelId) -> Result<ChannelLocation, HubError> {
        for _ in 0..TAKE_TRIES {
            match self.locate(channel).await? {
                ChannelLocation::Free => {}
                location => return Ok(location),
            }
            // What else is wrong with the channel, the request for it reports.
            let Ok(at) = self.find(channel.as_str()).await else { break };
            match self.dispatcher.open_if_closed(&at.0).await {
                Err(HubError::Moved) => self.forget_location(channel),
                _ => break,
            }
        }
        Ok(ChannelLocation::Here)
    }

    /// Forgets where a channel was, because the instance there does not serve it any more.
    pub fn forget_location(&self, channel: &ChannelId) {
        self.shared.locations.forget(channel);
    }

    /// Declares an instance ended that cannot be reached, if the log confirms it. Returns whether it has ended: then its
    /// channels can be taken, and [`locate`](Self::locate) does not return it any more.
    ///
    /// # Errors
    /// When the log cannot be read or written, or this instance has ended itself.
    pub async fn report_unreachable(&self, instance: InstanceId) -> Result<bool, HubError> {
        let Some(instances) = self.shared.log.instances() else { return Ok(false) };
        let ended = instances.end_if_dead(instance).await;
        let ended = ended.map_err(HubError::of_log("could not declare an instance ended"))?;
        if ended {
            self.forget_ended(instance);
        } else {
            // Its channels may be owned by others even if it is alive.
            self.shared.locations.forget_instance(instance);
        }
        Ok(ended)
    }

    /// An instance was declared to have ended.
    pub(super) fn forget_ended(&self, instance: InstanceId) {
        self.shared.locations.forget_instance(instance);
        if let Some(peers) = self.shared.peers.get() {
            peers.instance_ended(instance);
        }
    }

    /// The instances that are alive, this one included; none if the hub shares its log with no other.
    ///
    /// # Errors
    /// When the log cannot be read.
    pub async fn living_instances(&self) -> Result<Vec<Instance>, HubError> {
        match self.shared.log.instances() {
            Some(instances) => instances.living().await.map_err(HubError::of_log("could not read the instances")),
            None => Ok(Vec::new()),
        }
    }

    /// The number of this instance; none if the hub shares its log with no other.
    #[must_use]
    pub fn instance(&self) -> Option<InstanceId> {
        self.shared.log.instances().map(|instances| instances.this())
    }

    /// Whether this instance was declared to have ended. Then it serves nothing any more, and the process must start
    /// another one.
    #[must_use]
    pub fn has_ended(&self) -> bool {
        self.shared.life.has_ended()
    }

    /// Waits until this instance was declared to have ended.
    pub async fn ended(&self) {
        self.shared.life.ended().await;
    }
}
