//! The webhook actor's part for owners of hooks: identities that accounts gain and lose, and owners that are deleted.

use actix::prelude::*;
use rogerrat_domain::webhook::HookOwner;

use super::actor::not_stored;
use super::{Forget, Forgotten, Named, WebhookActor};
use crate::error::HubError;

impl Handler<Named> for WebhookActor {
    type Result = ();

    fn handle(&mut self, Named { callsign, account, is_there }: Named, _: &mut Self::Context) {
        if !is_there {
            self.hooks.unname(&callsign, &account);
        } else if self.hooks.of(&HookOwner::Account(account.clone())).is_some() {
            self.hooks.name(callsign, account);
        }
    }
}

impl Handler<Forget> for WebhookActor {
    type Result = AtomicResponse<Self, Result<(), HubError>>;

    fn handle(&mut self, Forget(owner): Forget, _: &mut Self::Context) -> Self::Result {
        let dropped = self.log.webhooks().drop_hooks(&owner);
        AtomicResponse::new(Box::pin(dropped.into_actor(self).map(move |dropped, this, ctx| {
            dropped.map_err(not_stored)?;
            this.remove_all(&owner, ctx);
            Ok(())
        })))
    }
}

impl Handler<Forgotten> for WebhookActor {
    type Result = ();

    fn handle(&mut self, Forgotten(owner): Forgotten, ctx: &mut Self::Context) {
        self.remove_all(&owner, ctx);
    }
}
