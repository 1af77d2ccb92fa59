//! Stores what became of deliveries. A write that fails is repeated, so that the log does not keep a delivery due that was
//! made.

use std::collections::HashMap;
use std::time::Duration;

use actix::prelude::*;
use rogerrat_domain::webhook::{DeliveryRow, DeliveryState, HookId};

use super::WebhookActor;
use crate::counters::Count;
use crate::ports::error::LogError;
use crate::ports::lanes::Lane;

/// The pause before a write is repeated.
const REPEAT_AFTER: Duration = Duration::from_secs(1);

/// Deliveries whose state is being stored, by row.
#[derive(Default)]
pub(crate) struct UnsavedRows {
    rows: HashMap<u64, (HookId, DeliveryRow)>,
}

impl UnsavedRows {
    /// Whether the state of a delivery in a lane is being stored.
    pub(super) fn has_any_in(&self, lane: Lane) -> bool {
        self.rows.values().any(|(hook, _)| Lane::of(hook) == lane)
    }
}

impl WebhookActor {
    /// Stores a delivery, and counts it. It is not awaited: if a crash loses the write, the delivery is sent once more.
    pub(super) fn store_row(&mut self, hook: HookId, row: DeliveryRow, ctx: &mut Context<Self>) {
        let handle = self.hooks.find(&hook);
        let is_push = handle.as_ref().is_some_and(|handle| handle.is_push);
        let bytes = row.bytes;
        let count = match row.delivery.state {
            DeliveryState::Due if is_push => None,
            DeliveryState::Due => Some(Count::HooksRetried),
            DeliveryState::Delivered if is_push => Some(Count::PushesSent),
            DeliveryState::Failed if is_push => Some(Count::PushesFailed),
            DeliveryState::Dropped if is_push => Some(Count::PushesDropped),
            DeliveryState::Delivered => Some(Count::HooksDelivered),
            DeliveryState::Failed | DeliveryState::Dropped => Some(Count::HooksFailed),
        };
        count.into_iter().for_each(|count| self.counters.add(count, 1));
        if let Some(handle) = handle.filter(|_| row.delivery.state != DeliveryState::Due) {
            handle.release(bytes);
        }
        let no = row.no;
        self.unsaved.rows.insert(no, (hook, row));
        self.save(no, false, ctx);
    }

    fn save(&self, no: u64, is_repeated: bool, ctx: &mut Context<Self>) {
        let Some((hook, row)) = self.unsaved.rows.get(&no) else { return };
        let saved = self.log.webhooks().keep(hook, row);
        let (state, attempts) = (row.delivery.state, row.delivery.attempts);
        ctx.spawn(saved.into_actor(self).map(move |saved, this, ctx| {
            let is_same =
                |(_, row): &(HookId, DeliveryRow)| row.delivery.state == state && row.delivery.attempts == attempts;
            if !this.unsaved.rows.get(&no).is_some_and(is_same) {
                // A later write is under way.
                return;
            }
            match saved {
                Ok(()) => drop(this.unsaved.rows.remove(&no)),
                Err(LogError::Ended) => {
                    this.unsaved.rows.remove(&no);
                    this.stop_driving_all(ctx);
                }
                Err(error) => {
                    if !is_repeated {
                        log::warn!(error:display; "could not store the state of a webhook delivery; retrying");
                    }
                    ctx.run_later(REPEAT_AFTER, move |this, ctx| this.save(no, true, ctx));
                }
            }
        }));
    }
}
