//! The store of a hub: its data directory, or a PostgreSQL database.

use std::net::SocketAddr;
use std::sync::Arc;

use rogerrat_actors::{Log, Ports};
use rogerrat_domain::HubKey;
use rogerrat_store::Store;
#[cfg(feature = "postgres")]
use rogerrat_store::{PostgresOptions, PostgresStore, hub_key};

use super::{StartError, settings};
use crate::config::Config;

/// An open store.
pub(super) struct OpenStore {
    /// What is stored, without senders.
    pub(super) ports: Ports,
    pub(super) key: HubKey,
    close: Box<dyn Fn()>,
}

impl OpenStore {
    /// Opens the store that the configuration names. Other instances reach the hub at `peers`.
    ///
    /// # Errors
    /// When it cannot be used.
    pub(super) fn open(config: &Config, peers: Option<SocketAddr>) -> Result<Self, StartError> {
        #[cfg(feature = "postgres")]
        if let Some(options) = postgres(config, peers) {
            let key = hub_key(&config.storage.data_dir)?;
            let store = Arc::new(PostgresStore::open(&options, key.clone())?);
            log::info!(database = crate::config::masked(&options.url), instance_url = options.instance_url; "database opened");
            return Ok(Self { ports: Ports::of(store.clone()), key, close: Box::new(move || store.close()) });
        }
        let _ = peers;
        let store = Arc::new(Store::open(&config.storage.data_dir, settings::options(&config.storage))?);
        log::info!(data_dir:display = config.storage.data_dir.display(); "store opened");
        Ok(Self { ports: Ports::of(store.clone()), key: store.key(), close: Box::new(move || store.close()) })
    }

    pub(super) fn log(&self) -> &dyn Log {
        &*self.ports.log
    }

    /// Closes it: everything queued is written. Blocks until that is done.
    pub(super) fn close(&self) {
        (self.close)();
    }
}

/// The database that the configuration names.
#[cfg(feature = "postgres")]
pub(crate) fn postgres(config: &Config, peers: Option<SocketAddr>) -> Option<PostgresOptions> {
    let url = config.database.url.clone()?;
    let ca_file = config.database.ca_file.clone();
    Some(PostgresOptions { url, ca_file, instance_url: config.cluster.instance_url(peers) })
}
