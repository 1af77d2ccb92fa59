//! A link to the hub for the actors that serve it. It does not keep the hub alive.

use std::sync::{Arc, Weak};

use actix::WeakAddr;

use super::{Hub, Shared};
use crate::counters::Counters;
use crate::hub::dispatcher::Dispatcher;
use crate::registry::Registry;

/// A link to a hub.
pub(crate) struct HubLink {
    registry: WeakAddr<Registry>,
    counters: Arc<Counters>,
    shared: Weak<Shared>,
}

impl HubLink {
    pub(crate) fn to(hub: &Hub) -> Self {
        let Dispatcher { registry, counters } = &hub.dispatcher;
        Self { registry: registry.downgrade(), counters: counters.clone(), shared: Arc::downgrade(&hub.shared) }
    }

    /// The hub, unless it is gone.
    pub(crate) fn hub(&self) -> Option<Hub> {
        let dispatcher = Dispatcher { registry: self.registry.upgrade()?, counters: self.counters.clone() };
        Some(Hub { dispatcher, shared: self.shared.upgrade()? })
    }
}
