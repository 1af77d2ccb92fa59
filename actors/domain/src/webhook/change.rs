//! Changes of a stored webhook. Each changes some fields only, so that hubs that share a log do not undo each other's.

use std::sync::Arc;

use super::{Hook, PreviousSecret};
use crate::outbox::HookHealth;

/// A change of a stored webhook.
#[derive(Clone, Debug)]
pub enum HookChange {
    /// Its health after a delivery.
    Health(HookHealth),
    /// A new secret.
    Secret {
        /// The secret, encrypted.
        secret: Arc<str>,
        /// When it was made, in milliseconds since the epoch.
        rotated_ms: u64,
        /// Until when the secret before it signs deliveries, in milliseconds since the epoch.
        until_ms: u64,
    },
    /// Of a push subscription: its member has sent a message.
    OwnSent {
        /// When to look at it, in milliseconds since the epoch.
        look_ms: u64,
    },
    /// Of a push subscription: its member's messages were looked at. Times are in milliseconds since the epoch.
    Looked {
        /// When to look next, as it was when the look began. If another hub has changed it meanwhile, because of a later
        /// message, the earlier of both times holds.
        before_ms: Option<u64>,
        /// When to look next; none if no message is unread.
        look_ms: Option<u64>,
        /// The last message that was announced as unread.
        announced: u64,
    },
    /// Of a push subscription: its end was announced.
    Warned,
}

impl HookChange {
    /// Changes a hook.
    pub fn apply(&self, hook: &mut Hook) {
        match self {
            Self::Health(health) => (hook.failures, hook.off_ms) = (health.failures, health.off_ms),
            Self::Secret { secret, rotated_ms, until_ms } => {
                let before = std::mem::replace(&mut hook.secret, secret.clone());
                hook.previous = Some(PreviousSecret { secret: before, rotated_ms: *rotated_ms, until_ms: *until_ms });
            }
            Self::OwnSent { look_ms } => {
                if let Some(push) = &mut hook.push {
                    push.look_ms = Some(*look_ms);
                }
            }
            Self::Looked { before_ms, look_ms, announced } => {
                if let Some(push) = &mut hook.push {
                    let is_as_before = push.look_ms == *before_ms;
                    let later_ms = push.look_ms.filter(|_| !is_as_before);
                    push.look_ms = (*look_ms).into_iter().chain(later_ms).min();
                    push.announced = push.announced.max(*announced);
                }
            }
            Self::Warned => {
                if let Some(push) = &mut hook.push {
                    push.is_warned = true;
                }
            }
        }
    }

    /// Whether other hubs on the same log must learn of it. The number of failures alone, and when the hub that looks at a
    /// member's messages does so again, matter to one hub only.
    #[must_use]
    pub fn concerns_other_hubs(&self, before: &Hook) -> bool {
        match self {
            Self::Health(health) => {
                (before.failures == 0) != (health.failures == 0) || before.off_ms.is_some() != health.off_ms.is_some()
            }
            Self::Secret { .. } | Self::Warned => true,
            // The hub that looks may be another one.
            Self::OwnSent { look_ms } => before.push.as_ref().is_some_and(|push| push.look_ms != Some(*look_ms)),
            Self::Looked { announced, .. } => before.push.as_ref().is_some_and(|push| push.announced < *announced),
        }
    }
}
