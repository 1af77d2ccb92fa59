//! The host under which a tunnel makes the hub reachable.
//!
//! It changes while the hub runs. A hub without a tunnel reads nothing; with one, a read takes a lock that is only written
//! when the host changes.

use std::sync::Arc;

use tokio::sync::watch;

/// The host of the tunnel, if there is a tunnel.
#[derive(Clone, Debug, Default)]
pub(crate) struct TunnelHost(Option<watch::Receiver<Option<Arc<str>>>>);

impl TunnelHost {
    /// The host that a tunnel publishes.
    pub(crate) fn of(host: watch::Receiver<Option<Arc<str>>>) -> Self {
        Self(Some(host))
    }

    /// The host, in lower case; none while the tunnel is closed.
    pub(crate) fn get(&self) -> Option<Arc<str>> {
        self.0.as_ref()?.borrow().clone()
    }

    /// Whether this is the name of the host.
    pub(crate) fn is(&self, name: &str) -> bool {
        let Some(host) = &self.0 else { return false };
        host.borrow().as_deref().is_some_and(|host| host.eq_ignore_ascii_case(name))
    }

    /// The public origin of the tunnel, which is always https.
    pub(crate) fn origin(&self) -> Option<String> {
        Some(format!("https://{}", self.get()?))
    }
}
