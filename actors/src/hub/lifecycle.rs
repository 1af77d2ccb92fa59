//! Starting and stopping a hub.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use actix::prelude::*;
use futures_util::future::join_all;
use rogerrat_domain::email::EmailKeys;
use rogerrat_domain::limits::{PASSWORD_ATTEMPTS, PIN_ATTEMPTS, PIN_WINDOW_MS};
use rogerrat_domain::{HubKey, Outbox, Rules};
use tokio::sync::oneshot;
use tokio::time::sleep;

use super::{Hub, HubLink, HubRules, Shared, facts};
use crate::alarm::Alarm;
use crate::boot::Boot;
use crate::channel::actor::ID_RESERVATION_MS;
use crate::channel::messages::{Drain, Unload};
use crate::channel::recovery::Recovery;
use crate::clock::Clock;
use crate::context::HubContext;
use crate::counters::{Count, Counters};
use crate::error::HubError;
use crate::hub::dispatcher::Dispatcher;
use crate::instances::{AppliedFacts, InstanceLife, Locations};
use crate::mail::Emails;
use crate::ports::Ports;
use crate::ports::error::LogError;
use crate::ports::peers::PeerCalls;
use crate::registry::Registry;
use crate::registry::messages::StopOpening;
use crate::security::account_policy::AccountPolicy;
use crate::security::attempts::Attempts;
use crate::security::bans::Bans;
use crate::security::password::Passwords;
use crate::webhooks::{
    self, DueLooks, FormatEncryptor, HookRegistry, LaneState, LeaveLanes, PushContext, UnsavedRows, WebhookActor,
    Webhooks,
};

/// How long running attempts of webhooks are waited for when the hub stops, in milliseconds.
const LEAVE_LIMIT_MS: u64 = 12_000;
/// How often they are looked at.
const LEAVE_PAUSE: Duration = Duration::from_millis(10);

/// Starts the webhook actor, which continues the deliveries that are due.
async fn start_webhooks(
    ports: &Ports,
    key: &HubKey,
    clock: Clock,
    counters: &Arc<Counters>,
    push_context: &Arc<OnceLock<Box<dyn PushContext>>>,
    peers: &Arc<OnceLock<Arc<dyn PeerCalls>>>,
) -> Result<Webhooks, LogError> {
    let hooks = Arc::new(HookRegistry::holding(ports.log.webhooks().hooks().await?));
    for account in hooks.accounts() {
        for row in ports.accounts.identities(account.clone()).await? {
            hooks.name(row.callsign, account.clone());
        }
    }
    let formats = FormatEncryptor::new(key);
    let actor = WebhookActor {
        outbox: Outbox::default(),
        effects: Vec::new(),
        hooks: hooks.clone(),
        log: ports.log.clone(),
        accounts: ports.accounts.clone(),
        webhook_sender: ports.webhook_sender.clone(),
        push_sender: ports.push_sender.clone(),
        push_context: push_context.clone(),
        clock,
        counters: counters.clone(),
        messages: webhooks::messages(key),
        secrets: webhooks::secrets(key),
        formats: formats.clone(),
        alarm: Alarm::default(),
        lanes: LaneState::at_start(&*ports.log),
        unsaved: UnsavedRows::default(),
        looks: DueLooks::new(),
        peers: peers.clone(),
    };
    let (messages, secrets) = (webhooks::messages(key), webhooks::secrets(key));
    Ok(Webhooks { hooks, addr: actor.start(), messages, secrets, formats })
}

impl Hub {
    /// Starts the hub's actors on the current arbiter. Its session ids are minted with `key`: the same key gives the
    /// same ids after a restart.
    ///
    /// # Errors
    /// When the log cannot be read or written.
    pub async fn start(rules: HubRules, ports: Ports, key: HubKey, clock: Clock) -> Result<Self, LogError> {
        let log = ports.log.clone();
        let life = InstanceLife::default();
        // In a shared log, an instance is a boot that nobody repeats, and each channel says where its ids begin.
        let (boot, highest_id) = match log.instances() {
            Some(instances) => (Boot::of(instances.this()), 0),
            None => (Boot::begin(&*log).await?, log.id_high_water_mark()),
        };
        let now = clock.now();
        // Before everything that facts are about is read.
        let applied_facts = AppliedFacts::default();
        if let Some(instances) = log.instances() {
            applied_facts.advance_to(instances.last_fact().await?);
        }
        log.reserve_ids(highest_id.max(now.at_ms) + ID_RESERVATION_MS).await?;
        let directory = Arc::new(super::channels::bands(now));
        let counters = Arc::new(Counters::default());
        if log.instances().is_none() {
            counters.recall(&log.get_meta(Counters::NOTE).await?.unwrap_or_default());
        }
        counters.add(Count::Channels, log.count().await? + directory.len() as u64);
        let bans = Arc::new(Bans::recall(log.rows(Bans::ROWS).await?));
        let account_policy = Arc::new(AccountPolicy::new(rules.per_account.sends_per_minute));
        let channel_rules = Rules {
            key: key.clone(),
            sends_per_minute: rules.sends_per_minute,
            backlog: rules.backlog,
            idle_ms: rules.idle_ms,
            idle_lossless_ms: rules.idle_lossless_ms,
        };
        let (push_context, peers) = (Arc::default(), Arc::default());
        let webhooks = start_webhooks(&ports, &key, clock, &counters, &push_context, &peers).await?;
        let registry = Registry::create(|ctx| {
            let context = HubContext {
                log: log.clone(),
                clock,
                boot: boot.id,
                bans: bans.clone(),
                account_policy: account_policy.clone(),
                webhooks: webhooks.clone(),
                registry: ctx.address().recipient(),
            };
            let recovery = Recovery {
                log: log.clone(),
                applied_facts: applied_facts.clone(),
                accounts: ports.accounts.clone(),
                clock,
                boot,
                first_id: highest_id,
            };
            let rules_of_bands = Rules { sends_per_minute: rules.sends_per_minute_band, ..channel_rules.clone() };
            let channel_rules = (channel_rules, rules_of_bands);
            let life = life.clone();
            Registry::new(directory.clone(), recovery, channel_rules, rules.unused_ms, counters.clone(), context, life)
        });
        let email_keys = EmailKeys::of(&key);
        let emails = ports.mail_sender.clone().map(|sender| {
            let (accounts, keys) = (ports.accounts.clone(), email_keys.clone());
            Emails::start(sender, accounts, keys, rules.mails_per_hour, clock, counters.clone())
        });
        let shared = Shared {
            directory,
            log,
            ports,
            account_policy,
            per_account: rules.per_account,
            boot,
            clock,
            started_at_ms: now.at_ms,
            counters: counters.clone(),
            life,
            locations: Locations::default(),
            peers,
            next_waiter: AtomicU64::new(1),
            draining: AtomicBool::new(false),
            attempts: Attempts::new("owner passwords", PASSWORD_ATTEMPTS),
            pin_attempts: Attempts::in_window("owner passwords for this channel", PIN_ATTEMPTS, PIN_WINDOW_MS),
            bans,
            passwords: Passwords::default(),
            member_ttl_ms: rules.member_ttl_ms,
            key,
            webhooks,
            email_keys,
            emails,
        };
        let hub = Self { dispatcher: Dispatcher { registry, counters }, shared: Arc::new(shared) };
        // It is set only here.
        drop(push_context.set(Box::new(HubLink::to(&hub))));
        if hub.instance().is_some() {
            actix::spawn(facts::follow(HubLink::to(&hub), hub.shared.log.clone(), applied_facts));
        }
        Ok(hub)
    }

    /// Whether the hub takes work: it is not going down, and its log writes, reads, and has handle.
    ///
    /// # Errors
    /// Why it does not.
    pub async fn ready(&self) -> Result<(), HubError> {
        if self.is_draining() {
            return Err(HubError::Gone);
        }
        let log = &self.shared.log;
        log.probe().await.map_err(|error| {
            log::warn!(error:display; "storage health check failed");
            HubError::StorageFailed
        })?;
        // A probe needs no handle, a message does.
        if log.is_healthy() { Ok(()) } else { Err(HubError::StorageFailed) }
    }

    /// Begins a shutdown: answers parked polls, ends streams, and lets no request wait any more.
    pub async fn drain(&self) {
        self.shared.draining.store(true, Relaxed);
        let _ = self.dispatcher.registry.send(Drain).await;
        let running: Vec<_> = self.shared.directory.iter().filter_map(|handle| handle.addr()).collect();
        join_all(running.iter().map(|addr| addr.send(Drain))).await;
    }

    /// Stops driving webhooks, once their running attempts have ended, so that another instance makes none of them again.
    async fn leave_lanes(&self) {
        let until_ms = self.shared.clock.uptime_ms() + LEAVE_LIMIT_MS;
        while !self.shared.webhooks.addr.send(LeaveLanes).await.unwrap_or(true) {
            if self.shared.clock.uptime_ms() >= until_ms {
                log::warn!("attempts of webhooks are still running; another hub may repeat them");
                return;
            }
            sleep(LEAVE_PAUSE).await;
        }
    }

    /// Completes a shutdown after a drain: writes the state of every channel and notes in the log that nothing is
    /// missing.
    pub async fn close(&self) {
        let Shared { directory, log, boot, counters, .. } = &*self.shared;
        if log.instances().is_some() {
            self.leave_lanes().await;
        }
        let _ = self.dispatcher.registry.send(StopOpening).await;
        let running: Vec<_> = directory.iter().filter_map(|handle| handle.addr()).collect();
        let unloading = running.into_iter().map(|addr| async move {
            let (done, written) = oneshot::channel();
            // A stopped actor has nothing to write, but its log may lack entries.
            addr.send(Unload(done)).await.is_ok() && written.await.unwrap_or(false)
        });
        let all_written = join_all(unloading).await.into_iter().all(|written| written);
        let is_clean = all_written && !directory.iter().any(|handle| handle.status.has_crashed());
        let ended = async {
            if let Some(instances) = log.instances() {
                return instances.end().await;
            }
            log.put_meta(Counters::NOTE, counters.note()).await?;
            log.sync().await?;
            if is_clean { boot.end(&**log).await } else { Ok(()) }
        };
        if let Err(error) = ended.await {
            log::error!(error:display; "could not close the log cleanly");
        }
    }
}
