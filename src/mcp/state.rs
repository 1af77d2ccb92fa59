//! What all MCP requests share.

use std::sync::Arc;

use actix_web::web::Data;
use rogerrat_actors::{Hub, LogError};
use rogerrat_domain::Signer;

use super::catalogue::Catalogue;
use super::in_flight::InFlightCalls;
use super::session;
use super::session_store::SessionStore;
use super::unproven::UnprovenAnswers;

/// What all MCP requests share: sessions, cancellable calls and the tools.
pub(crate) struct McpState {
    /// Seals session ids.
    pub(super) seal: Signer,
    pub(super) sessions: SessionStore,
    pub(super) in_flight: Arc<InFlightCalls>,
    pub(super) unproven: Arc<UnprovenAnswers>,
    pub(super) catalogue: Catalogue,
}

impl McpState {
    /// Loads the stored sessions from the hub's log.
    ///
    /// # Errors
    /// When the log cannot be read.
    pub(crate) async fn load(hub: &Hub) -> Result<Data<Self>, LogError> {
        Ok(Data::new(Self {
            seal: hub.seal(session::PURPOSE),
            sessions: SessionStore::load(hub).await?,
            in_flight: Arc::default(),
            unproven: Arc::default(),
            catalogue: Catalogue::new(),
        }))
    }

    /// Removes expired sessions, and forgets clients that were not used for long.
    pub(crate) fn sweep(&self, now_ms: u64, uptime_ms: u64) {
        self.sessions.sweep(now_ms);
        self.unproven.sweep(uptime_ms);
    }
}
