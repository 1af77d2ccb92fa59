//! How a hub begins and ends.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};

use actix::prelude::*;
use futures_util::future::join_all;
use rogerrat_domain::limits::PASSWORD_ATTEMPTS;
use rogerrat_domain::{HubKey, Outbox, Rules};
use tokio::sync::oneshot;

use super::{Hub, HubRules, Shared};
use crate::alarm::Alarm;
use crate::boot::Boot;
use crate::channel::actor::FLOOR_AHEAD_MS;
use crate::channel::messages::{Drain, Passivate};
use crate::channel::recovery::Recovery;
use crate::clock::Clock;
use crate::context::HubContext;
use crate::counters::{Count, Counters};
use crate::error::HubError;
use crate::ports::Ports;
use crate::ports::log::LogError;
use crate::registry::dispatcher::Dispatcher;
use crate::registry::{Registry, StopOpening};
use crate::security::account_policy::AccountPolicy;
use crate::security::attempts::Attempts;
use crate::security::bans::Bans;
use crate::security::password::Passwords;
use crate::webhooks::{self, HookRegistry, WebhookActor, Webhooks};

/// Starts the webhooks' actor. What was due before goes on.
async fn start_webhooks(
    ports: &Ports,
    key: &HubKey,
    clock: Clock,
    counters: &Arc<Counters>,
) -> Result<Webhooks, LogError> {
    let directory = Arc::new(HookRegistry::holding(ports.log.webhooks().hooks().await?));
    for account in directory.accounts() {
        for row in ports.accounts.identities(account.clone()).await? {
            directory.name(row.callsign, account.clone());
        }
    }
    let actor = WebhookActor {
        outbox: Outbox::default(),
        orders: Vec::new(),
        directory: directory.clone(),
        log: ports.log.clone(),
        accounts: ports.accounts.clone(),
        poster: ports.poster.clone(),
        clock,
        counters: counters.clone(),
        messages: webhooks::messages(key),
        secrets: webhooks::secrets(key),
        alarm: Alarm::default(),
    };
    Ok(Webhooks { directory, addr: actor.start(), messages: webhooks::messages(key) })
}

impl Hub {
    /// Starts the hub's actors on the current arbiter. Its session ids are minted with `key`: the same key gives the same
    /// ids after a restart.
    ///
    /// # Errors
    /// When the log cannot be read or written.
    pub async fn start(rules: HubRules, ports: Ports, key: HubKey, clock: Clock) -> Result<Self, LogError> {
        let log = ports.log.clone();
        let run = Boot::begin(&*log).await?;
        let floor = log.id_high_water_mark();
        let now = clock.now();
        log.reserve_ids(floor.max(now.at_ms) + FLOOR_AHEAD_MS).await?;
        let table = Arc::new(super::channels::bands(now));
        let counters = Arc::new(Counters::default());
        counters.recall(&log.get_meta(Counters::NOTE).await?.unwrap_or_default());
        counters.add(Count::Channels, log.count().await? + table.len() as u64);
        let bans = Arc::new(Bans::recall(log.rows(Bans::ROWS).await?, now));
        let standing = Arc::new(AccountPolicy::new(rules.per_account.sends_per_minute));
        let channel_rules = Rules {
            key: key.clone(),
            sends_per_minute: rules.sends_per_minute,
            shelf: rules.shelf,
            idle_ms: rules.idle_ms,
            idle_lossless_ms: rules.idle_lossless_ms,
        };
        let webhooks = start_webhooks(&ports, &key, clock, &counters).await?;
        let house = |registry| HubContext {
            log: log.clone(),
            clock,
            run: run.id,
            bans: bans.clone(),
            standing: standing.clone(),
            webhooks: webhooks.clone(),
            registry,
        };
        let registry = Registry::create(|ctx| Registry {
            house: Arc::new(house(ctx.address())),
            table: table.clone(),
            reviver: Recovery { log: log.clone(), accounts: ports.accounts.clone(), clock, run, floor },
            rules_of_bands: Arc::new(Rules { sends_per_minute: rules.sends_per_minute_band, ..channel_rules.clone() }),
            rules: Arc::new(channel_rules),
            unused_ms: rules.unused_ms,
            counters: counters.clone(),
            opening: HashMap::new(),
            leaving: VecDeque::new(),
            is_noting: false,
            draining: false,
            shut: false,
        });
        let shared = Shared {
            table,
            log,
            ports,
            standing,
            per_account: rules.per_account,
            run,
            clock,
            started_at_ms: now.at_ms,
            counters: counters.clone(),
            places: AtomicU64::new(1),
            draining: AtomicBool::new(false),
            attempts: Attempts::new("owner passwords", PASSWORD_ATTEMPTS),
            bans,
            passwords: Passwords::default(),
            member_ttl_ms: rules.member_ttl_ms,
            key,
            webhooks,
        };
        Ok(Self { courier: Dispatcher { registry, counters }, shared: Arc::new(shared) })
    }

    /// Whether the hub takes work: it is not going down, and its log writes, reads, and has room.
    ///
    /// # Errors
    /// Why it does not.
    pub async fn ready(&self) -> Result<(), HubError> {
        if self.is_draining() {
            return Err(HubError::Gone);
        }
        let log = &self.shared.log;
        log.probe().await.map_err(|error| {
            log::warn!(error:display; "the log does not write and read");
            HubError::StorageFailed
        })?;
        // A probe needs no room, a message does.
        if log.is_healthy() { Ok(()) } else { Err(HubError::StorageFailed) }
    }

    /// Goes down gently: parked polls are answered, streams say goodbye, and nothing waits any more.
    pub async fn drain(&self) {
        self.shared.draining.store(true, Relaxed);
        let _ = self.courier.registry.send(Drain).await;
        let living: Vec<_> = self.shared.table.iter().filter_map(|room| room.addr()).collect();
        join_all(living.iter().map(|addr| addr.send(Drain))).await;
    }

    /// Ends gently, after a drain: every channel is written down, and the log knows that nothing is missing.
    pub async fn close(&self) {
        let Shared { table, log, run, counters, .. } = &*self.shared;
        let _ = self.courier.registry.send(StopOpening).await;
        let living: Vec<_> = table.iter().filter_map(|room| room.addr()).collect();
        let resting = living.into_iter().map(|addr| async move {
            let (done, rested) = oneshot::channel();
            // Who is down already has nothing to write, but may lack something.
            addr.send(Passivate(done)).await.is_ok() && rested.await.unwrap_or(false)
        });
        let all_rested = join_all(resting).await.into_iter().all(|rested| rested);
        let is_whole = all_rested && !table.iter().any(|room| room.vitals.is_down());
        let ended = async {
            log.put_meta(Counters::NOTE, counters.note()).await?;
            log.sync().await?;
            if is_whole { run.end(&**log).await } else { Ok(()) }
        };
        if let Err(error) = ended.await {
            log::error!(error:display; "the log could not be closed well");
        }
    }
}
