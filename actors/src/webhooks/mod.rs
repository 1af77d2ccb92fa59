//! Webhooks as they run: the directory everybody reads, and the actor that drives the outbox.

mod actor;
mod ask;
mod directory;
pub(crate) mod notice;
mod post;

use std::sync::Arc;

use actix::Addr;
use rogerrat_domain::{HubKey, Vault};

pub(crate) use actor::WebhookActor;
pub(crate) use ask::{Forget, Forgotten, Rotate, Subscribe, Unsubscribe, Wake};
pub(crate) use directory::{Directory, Face, Ticket};

/// What a channel needs to have its webhooks told.
#[derive(Clone)]
pub(crate) struct Webhooks {
    pub(crate) directory: Arc<Directory>,
    pub(crate) addr: Addr<WebhookActor>,
    pub(crate) messages: Vault,
}

/// What hides the messages of due deliveries on disk.
pub(crate) fn messages(key: &HubKey) -> Vault {
    Vault::new(key, "webhook message")
}

/// What hides the secrets of webhooks on disk.
pub(crate) fn secrets(key: &HubKey) -> Vault {
    Vault::new(key, "webhook secret")
}
