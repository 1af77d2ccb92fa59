//! A link to the hub for the actors that serve it. It does not keep the hub alive.

use std::sync::{Arc, Weak};

use actix::WeakAddr;
use futures_util::future::LocalBoxFuture;
use rogerrat_domain::op::{GoneMember, GoneWhileAsked, PushCheck, PushVerdict, UnreadOwn, UnreadOwnReply};
use rogerrat_domain::webhook::HookOwner;
use rogerrat_domain::{ChannelId, Query};
use serde::de::DeserializeOwned;

use super::peers::Question;
use super::{Hub, Shared};
use crate::counters::Counters;
use crate::error::HubError;
use crate::hub::dispatcher::Dispatcher;
use crate::registry::Registry;
use crate::webhooks::{HookHandle, PushContext};

/// A link to a hub.
pub(super) struct HubLink {
    registry: WeakAddr<Registry>,
    counters: Arc<Counters>,
    shared: Weak<Shared>,
}

impl HubLink {
    pub(super) fn to(hub: &Hub) -> Self {
        let Dispatcher { registry, counters } = &hub.dispatcher;
        Self { registry: registry.downgrade(), counters: counters.clone(), shared: Arc::downgrade(&hub.shared) }
    }

    /// The hub, unless it is gone.
    pub(super) fn hub(&self) -> Option<Hub> {
        let dispatcher = Dispatcher { registry: self.registry.upgrade()?, counters: self.counters.clone() };
        Some(Hub { dispatcher, shared: self.shared.upgrade()? })
    }

    /// Queries a channel, and opens it if need be. If another instance owns it, that one is asked.
    fn query<Q: Query>(
        &self,
        channel: ChannelId,
        question: Question,
        query: Q,
    ) -> LocalBoxFuture<'static, Result<Q::Reply, HubError>>
    where
        Q::Reply: DeserializeOwned,
    {
        let hub = self.hub();
        Box::pin(async move {
            let hub = hub.filter(|hub| !hub.is_draining()).ok_or(HubError::Gone)?;
            if let Some(reply) = hub.ask_owner(&channel, &question).await? {
                return Ok(reply);
            }
            let at = hub.find(channel.as_str()).await?;
            hub.query(&at, query).await
        })
    }
}

impl PushContext for HubLink {
    fn is_draining(&self) -> bool {
        self.hub().is_none_or(|hub| hub.is_draining())
    }

    fn verdict(&self, channel: ChannelId, check: PushCheck) -> LocalBoxFuture<'static, Result<PushVerdict, HubError>> {
        self.query(channel, Question::Verdict(check.clone()), check)
    }

    fn unread_own(
        &self,
        channel: ChannelId,
        query: UnreadOwn,
    ) -> LocalBoxFuture<'static, Result<UnreadOwnReply, HubError>> {
        self.query(channel, Question::UnreadOwn(query), query)
    }

    fn gone_while_asked(
        &self,
        channel: ChannelId,
        query: GoneWhileAsked,
    ) -> LocalBoxFuture<'static, Result<Option<GoneMember>, HubError>> {
        self.query(channel, Question::GoneWhileAsked(query), query)
    }

    fn announce(&self, handle: Arc<HookHandle>, event: &'static str, text: String) -> LocalBoxFuture<'static, ()> {
        let hub = self.hub();
        Box::pin(async move {
            if let Some(hub) = hub {
                let owner = handle.with(|hook| hook.owner.clone());
                let channel = if let HookOwner::Channel(channel) = owner { Some(channel) } else { None };
                hub.push_event(&[handle], channel, event, text.as_bytes()).await;
            }
        })
    }
}
