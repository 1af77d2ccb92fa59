//! Where the channels of other instances were found last, so that a request for one needs no look into the log.

use dashmap::DashMap;
use rogerrat_domain::ChannelId;

use crate::ports::instances::{Instance, InstanceId};

/// Locations that are remembered.
const MAX: usize = 65_536;

/// The last known locations of channels.
#[derive(Debug, Default)]
pub(crate) struct Locations(DashMap<ChannelId, Instance>);

impl Locations {
    pub(crate) fn get(&self, channel: &ChannelId) -> Option<Instance> {
        self.0.get(channel).map(|instance| instance.clone())
    }

    pub(crate) fn put(&self, channel: &ChannelId, instance: Instance) {
        if self.0.len() >= MAX {
            self.0.clear();
        }
        self.0.insert(channel.clone(), instance);
    }

    pub(crate) fn forget(&self, channel: &ChannelId) {
        self.0.remove(channel);
    }

    pub(crate) fn forget_all(&self) {
        self.0.clear();
    }

    pub(crate) fn forget_instance(&self, instance: InstanceId) {
        self.0.retain(|_, known| known.id != instance);
    }
}
