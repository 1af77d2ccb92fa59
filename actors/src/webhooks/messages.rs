//! What is asked of the webhooks' actor. None of it leaves this crate.

use std::sync::Arc;

use actix::Message;
use rogerrat_domain::webhook::{Hook, HookId, Owner, Retry, Secret};
use rogerrat_domain::{AccountId, Callsign};

use crate::error::HubError;

/// Something became due for a hook.
#[derive(Message)]
#[rtype(result = "()")]
pub(crate) struct Wake(pub(crate) HookId);

/// Subscribe an address that was checked.
#[derive(Message)]
#[rtype(result = "Result<(Hook, Secret), HubError>")]
pub(crate) struct Subscribe {
    pub(crate) owner: Owner,
    pub(crate) url: Arc<str>,
    pub(crate) retry: Retry,
    /// How many its owner may have.
    pub(crate) bound: usize,
}

/// Let a hook go.
#[derive(Message)]
#[rtype(result = "Result<(), HubError>")]
pub(crate) struct Unsubscribe {
    pub(crate) owner: Owner,
    pub(crate) hook: String,
}

/// Give a hook a new secret.
#[derive(Message)]
#[rtype(result = "Result<(Hook, Secret), HubError>")]
pub(crate) struct Rotate {
    pub(crate) owner: Owner,
    pub(crate) hook: String,
}

/// An account has an identity more, or one less.
#[derive(Message)]
#[rtype(result = "()")]
pub(crate) struct Named {
    pub(crate) callsign: Callsign,
    pub(crate) account: AccountId,
    pub(crate) is_there: bool,
}

/// An owner is gone, and its hooks are to go.
#[derive(Message)]
#[rtype(result = "Result<(), HubError>")]
pub(crate) struct Forget(pub(crate) Owner);

/// An owner is gone, and its hooks are gone from the log with it.
#[derive(Message)]
#[rtype(result = "()")]
pub(crate) struct Forgotten(pub(crate) Owner);
