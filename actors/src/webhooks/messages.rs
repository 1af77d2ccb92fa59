//! The messages of the webhook actor. None of them leaves this crate.

use std::sync::Arc;

use actix::Message;
use rogerrat_domain::webhook::{Hook, HookId, HookOwner, RequestFormat, Retry, Secret};
use rogerrat_domain::{AccountId, Callsign};

use crate::error::HubError;

/// A delivery of a hook has become due.
#[derive(Message)]
#[rtype(result = "()")]
pub(crate) struct Wake(pub(crate) HookId);

/// Adds a hook for a URL that has been checked.
#[derive(Message)]
#[rtype(result = "Result<(Hook, Secret), HubError>")]
pub(crate) struct Subscribe {
    pub(crate) owner: HookOwner,
    pub(crate) url: Arc<str>,
    pub(crate) retry: Retry,
    pub(crate) format: RequestFormat,
    /// Hooks that the owner may have.
    pub(crate) bound: usize,
}

/// Deletes a hook.
#[derive(Message)]
#[rtype(result = "Result<(), HubError>")]
pub(crate) struct Unsubscribe {
    pub(crate) owner: HookOwner,
    pub(crate) hook: String,
}

/// Rotates a hook's secret.
#[derive(Message)]
#[rtype(result = "Result<(Hook, Secret), HubError>")]
pub(crate) struct Rotate {
    pub(crate) owner: HookOwner,
    pub(crate) hook: String,
}

/// An account has gained or lost an identity.
#[derive(Message)]
#[rtype(result = "()")]
pub(crate) struct Named {
    pub(crate) callsign: Callsign,
    pub(crate) account: AccountId,
    pub(crate) is_there: bool,
}

/// An owner was deleted: delete its hooks.
#[derive(Message)]
#[rtype(result = "Result<(), HubError>")]
pub(crate) struct Forget(pub(crate) HookOwner);

/// An owner was deleted, and the log has deleted its hooks: remove them from memory.
#[derive(Message)]
#[rtype(result = "()")]
pub(crate) struct Forgotten(pub(crate) HookOwner);
