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
    /// Of a push subscription: when to look at its member's messages next, in milliseconds since the epoch, and the last
    /// message that was announced as unread.
    Look {
        /// When to look next.
        look_ms: Option<u64>,
        /// The last message that was announced.
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
            Self::Look { look_ms, announced } => {
                if let Some(push) = &mut hook.push {
                    (push.look_ms, push.announced) = (*look_ms, *announced);
                }
            }
            Self::Warned => {
                if let Some(push) = &mut hook.push {
                    push.is_warned = true;
                }
            }
        }
    }

    /// Whether other hubs on the same log must learn of it. The number of failures alone and the time of the next look
    /// matter to one hub only.
    #[must_use]
    pub fn concerns_other_hubs(&self, before: &Hook) -> bool {
        match self {
            Self::Health(health) => {
                (before.failures == 0) != (health.failures == 0) || before.off_ms.is_some() != health.off_ms.is_some()
            }
            Self::Secret { .. } | Self::Warned => true,
            Self::Look { announced, .. } => before.push.as_ref().is_some_and(|push| push.announced != *announced),
        }
    }
}
