//! Applies what other instances have changed to what this hub keeps in memory (ADR 46).

use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::Ordering::SeqCst;
use std::time::Duration;

use futures_util::future::select;
use rogerrat_domain::BanTarget;
use rogerrat_domain::op::{LiveIdentities, Revoke};
use rogerrat_domain::webhook::HookOwner;
use tokio::time::{sleep, timeout};

use super::{Admitted, Hub, HubLink, Shared};
use crate::error::HubError;
use crate::failures::Failures;
use crate::instances::AppliedFacts;
use crate::ports::error::LogError;
use crate::ports::facts::{FACTS_PAGE, Fact};
use crate::ports::instances::InstanceId;
use crate::ports::log::Log;
use crate::security::bans::Bans;
use crate::webhooks::{Forgotten, Reread, RereadAll};

/// How often facts are looked for if no notice of one comes: what others have changed takes effect within a second (C8), also
/// if a hub of an earlier version did, which notifies nobody.
const LOOK_EVERY: Duration = Duration::from_millis(500);
const NOT_APPLIED: &str = "could not apply what other hubs have changed";

/// Applies facts as they are written, until the hub is gone or its instance has ended.
pub(super) async fn follow(link: HubLink, log: Arc<dyn Log>, applied: AppliedFacts) {
    let Some(instances) = log.instances() else { return };
    let (mut must_reread, mut failures) = (false, Failures::default());
    loop {
        // The notice of a fact may be lost.
        let _ = timeout(LOOK_EVERY, select(instances.facts_written(), pin!(applied.wanted()))).await;
        let Some(hub) = link.hub().filter(|hub| !hub.has_ended()) else { return };
        match hub.apply_facts(&applied, &mut must_reread).await {
            Ok(()) => failures.succeeded(NOT_APPLIED),
            Err(LogError::Ended) => return,
            Err(error) => {
                failures.failed(NOT_APPLIED, &error);
                drop(hub);
                sleep(LOOK_EVERY).await;
            }
        }
    }
}

impl Hub {
    /// Applies all facts after those that were applied. `must_reread` stays set until everything was read again.
    async fn apply_facts(&self, applied: &AppliedFacts, must_reread: &mut bool) -> Result<(), LogError> {
        let Some(instances) = self.shared.log.instances() else { return Ok(()) };
        loop {
            if *must_reread {
                let last = instances.last_fact().await?;
                self.reread().await?;
                applied.advance_to(last);
                *must_reread = false;
            }
            let read = instances.facts_after(applied.last()).await?;
            *must_reread = read.is_incomplete;
            let is_all = read.facts.len() < FACTS_PAGE && !read.is_incomplete;
            for (no, fact) in read.facts.into_iter().filter(|_| !read.is_incomplete) {
                if fact == Fact::Unknown {
                    *must_reread = true;
                    break;
                }
                self.apply_fact(fact).await?;
                applied.advance_to(no);
            }
            if is_all && !*must_reread {
                return Ok(());
            }
        }
    }

    async fn apply_fact(&self, fact: Fact) -> Result<(), LogError> {
        let Shared { directory, locations, account_policy, webhooks, clock, .. } = &*self.shared;
        match fact {
            Fact::Bans => self.reread_bans().await?,
            Fact::KeyEnded { callsign, identity } => {
                account_policy.end(&identity, clock.now());
                let hub = self.clone();
                // Failures are logged.
                actix::spawn(async move { drop(hub.end_keys(vec![(callsign, identity)]).await) });
            }
            Fact::Identities { account } => {
                if webhooks.hooks.of(&HookOwner::Account(account.clone())).is_some() {
                    let rows = self.shared.ports.accounts.identities(account.clone()).await?;
                    webhooks.hooks.name_all(&account, rows.into_iter().map(|row| row.callsign));
                }
            }
            Fact::ChannelDeleted { channel } => {
                locations.forget(&channel);
                directory.remove_if(&channel, |_, handle| !handle.is_live());
                self.remove_webhooks(HookOwner::Channel(channel)).await;
            }
            Fact::Hook { hook } => webhooks.addr.send(Reread(hook)).await.map_err(|_| LogError::Ended)??,
            Fact::HooksRemoved { owner } => self.remove_webhooks(owner).await,
            Fact::InstanceEnded { instance } => self.forget_ended(InstanceId(instance)),
            Fact::Unknown => {}
        }
        Ok(())
    }

    /// Removes the hooks of an owner from memory; the log has removed them.
    async fn remove_webhooks(&self, owner: HookOwner) {
        if self.shared.webhooks.hooks.of(&owner).is_some() {
            // An actor that is gone drives none.
            let _ = self.shared.webhooks.addr.send(Forgotten(owner)).await;
        }
    }

    /// Reads the bans again, and ends the sessions of those that are new.
    async fn reread_bans(&self) -> Result<(), LogError> {
        let rows = self.shared.log.rows(Bans::ROWS).await?;
        // A channel that is opened waits for facts, so they must not wait for it.
        let (hub, added) = (self.clone(), self.shared.bans.replace(Bans::recall(rows)));
        actix::spawn(async move {
            for ban in added {
                if let BanTarget::Callsign(callsign) | BanTarget::Identity(callsign) = &ban.target {
                    hub.evict_where(callsign, |handle| ban.covers_callsign(&handle.id, callsign)).await;
                }
            }
        });
        Ok(())
    }

    /// Reads again everything that facts are about: some of them are not kept any more, or of a later version.
    async fn reread(&self) -> Result<(), LogError> {
        log::warn!("missed changes of other hubs; reading everything again");
        self.reread_bans().await?;
        self.shared.locations.forget_all();
        let webhooks = &self.shared.webhooks;
        webhooks.addr.send(RereadAll).await.map_err(|_| LogError::Ended)??;
        for account in webhooks.hooks.accounts() {
            let rows = self.shared.ports.accounts.identities(account.clone()).await?;
            webhooks.hooks.name_all(&account, rows.into_iter().map(|row| row.callsign));
        }
        let proved = self.shared.directory.iter().filter(|handle| handle.status.has_identities.load(SeqCst));
        let proved: Vec<_> = proved.map(|handle| Admitted(handle.value().clone())).collect();
        for at in proved.into_iter().filter(|at| at.0.is_live()) {
            self.recheck_keys(&at).await?;
        }
        Ok(())
    }

    /// Ends the sessions on a channel whose keys were revoked.
    async fn recheck_keys(&self, at: &Admitted) -> Result<(), LogError> {
        // A channel that is opened again checks the keys itself.
        let Ok(mut live) = self.query(at, LiveIdentities).await else { return Ok(()) };
        let callsigns = live.iter().map(|(callsign, _)| callsign.clone()).collect();
        let known = self.shared.ports.accounts.named(callsigns).await?;
        live.retain(|one| !known.contains(one));
        for (callsign, identity) in live {
            match self.ask(at, Revoke { callsign, identity }).await {
                Ok(_) | Err(HubError::Refused(_)) => {}
                Err(error) => log::error!(error:display; "key revoked, but one of its sessions may still be open"),
            }
        }
        Ok(())
    }
}
