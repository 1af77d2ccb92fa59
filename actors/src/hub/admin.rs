//! Administration: inspects channels without their messages, ends sessions, and bans.

use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;

use futures_util::future::join_all;
use rogerrat_domain::op::{Evict, Inspect, Inspection};
use rogerrat_domain::{Ban, BanInput, BanTarget, Callsign, ChannelId, Refusal, limits};

use super::{Admitted, Hub, Shared};
use crate::channel::handle::ChannelHandle;
use crate::error::HubError;
use crate::ports::error::LogError;
use crate::ports::log::StoredSummary;
use crate::random::random_u64;
use crate::security::bans::Bans;

/// Channels inspected concurrently.
const AT_ONCE: usize = 256;

impl Hub {
    /// The channels in memory, most recently used first; at most `limit`. Channels that are unloaded meanwhile are left
    /// out.
    pub async fn inspect_live(&self, limit: usize) -> Vec<Inspection> {
        let mut live = self.live_handles(|_| true);
        live.sort_by_key(|handle| std::cmp::Reverse(handle.used_ms.load(Relaxed)));
        live.truncate(limit);
        let mut seen = Vec::with_capacity(live.len());
        for some in live.chunks(AT_ONCE) {
            let asked = some.iter().map(|handle| async { self.query(&Admitted(handle.clone()), Inspect).await });
            seen.extend(join_all(asked).await.into_iter().filter_map(Result::ok));
        }
        seen
    }

    /// Channels that are not in memory, most recently used first; at most `limit`.
    ///
    /// # Errors
    /// When the log cannot be read.
    pub async fn unloaded(&self, limit: usize) -> Result<Vec<StoredSummary>, HubError> {
        let Shared { directory, log, .. } = &*self.shared;
        let is_live = |id: &ChannelId| directory.get(id).is_some_and(|handle| handle.is_live());
        // Those in memory may be among the latest.
        let most = limit.saturating_add(self.live_count()).min(2 * limits::ADMIN_CHANNELS);
        let latest = log.latest(most).await.map_err(HubError::of_log("could not list channels"))?;
        Ok(latest.into_iter().filter(|channel| !is_live(&channel.id)).take(limit).collect())
    }

    /// The number of channels in memory.
    #[must_use]
    pub fn live_count(&self) -> usize {
        self.shared.directory.iter().filter(|handle| handle.is_live()).count()
    }

    /// The number of channels that are not in memory, without bands.
    #[must_use]
    pub fn unloaded_count(&self) -> u64 {
        let has_actor_or_is_band = |handle: &ChannelHandle| handle.is_live() || handle.settings().is_band;
        let others = self.shared.directory.iter().filter(|handle| has_actor_or_is_band(handle.value())).count();
        self.totals().now.channels.saturating_sub(others as u64)
    }

    /// The bans in force, newest first.
    #[must_use]
    pub fn bans(&self) -> Vec<Ban> {
        self.shared.bans.list(self.shared.clock.now())
    }

    /// Checks whether an address may make requests. The address is computed only if some address is banned.
    ///
    /// # Errors
    /// `forbidden`.
    pub fn admit_address(&self, address: impl FnOnce() -> IpAddr) -> Result<(), Refusal> {
        self.shared.bans.admit_address(address, || self.shared.clock.now())
    }

    /// Adds a ban, and ends the sessions of a banned callsign or identity. Returns the ban and the number of sessions
    /// ended.
    ///
    /// # Errors
    /// `invalid` for the input; `not_found` for an unknown channel; `limit_reached`; an error when it cannot be stored.
    pub async fn ban(&self, input: BanInput, asker: IpAddr) -> Result<(Ban, usize), HubError> {
        let Shared { bans, log, clock, .. } = &*self.shared;
        let now = clock.now();
        let ban = Ban::check(input, format!("ban_{:016x}", random_u64()), now.at_ms)?;
        if ban.covers_address(asker) {
            return Err(Refusal::invalid("this would ban your own address").into());
        }
        if let Some(channel) = &ban.channel_id {
            self.find(channel.as_str()).await?;
        }
        for ended in bans.ended(clock.expiry_ms()) {
            bans.remove(&ended);
            drop(log.put_row(Bans::ROWS, ended, None));
        }
        if bans.len() >= limits::BANS {
            return Err(Refusal::limit_reached("bans", limits::BANS).into());
        }
        let text = serde_json::to_string(&ban).map_err(|_| HubError::StorageFailed)?;
        log.put_row(Bans::ROWS, ban.id.clone(), Some(text)).await.map_err(unkept)?;
        bans.add(ban.clone());
        let ended = match &ban.target {
            BanTarget::Callsign(callsign) | BanTarget::Identity(callsign) => {
                self.evict_where(callsign, |handle| ban.covers_callsign(&handle.id, callsign)).await
            }
            BanTarget::Address(_) => 0,
        };
        Ok((ban, ended))
    }

    /// Lifts a ban.
    ///
    /// # Errors
    /// `not_found`; an error when it cannot be stored.
    pub async fn unban(&self, id: &str) -> Result<(), HubError> {
        let Shared { bans, log, .. } = &*self.shared;
        if !self.bans().iter().any(|ban| ban.id == id) {
            return Err(Refusal::new(rogerrat_domain::Code::NotFound, "ban not found").into());
        }
        log.put_row(Bans::ROWS, id.to_owned(), None).await.map_err(unkept)?;
        bans.remove(id);
        Ok(())
    }

    /// Ends the session of a callsign. Returns whether there was one.
    ///
    /// # Errors
    /// When the channel cannot be reached.
    pub async fn evict(&self, at: &Admitted, callsign: &str) -> Result<bool, HubError> {
        self.ask(at, Evict { callsign: Callsign::parse(callsign)? }).await
    }

    /// Ends the sessions of a callsign on the channels in memory; other channels end them when they are recovered.
    pub(super) async fn evict_where(&self, callsign: &Callsign, on: impl Fn(&ChannelHandle) -> bool) -> usize {
        let mut ended = 0;
        for some in self.live_handles(on).chunks(AT_ONCE) {
            let asked = some.iter().map(|handle| async {
                let asked = self.ask(&Admitted(handle.clone()), Evict { callsign: callsign.clone() }).await;
                asked.unwrap_or_else(|error| {
                    log::warn!(channel:display = handle.id, error:display; "a banned callsign may still have a session");
                    false
                })
            });
            ended += join_all(asked).await.into_iter().filter(|ended| *ended).count();
        }
        ended
    }

    fn live_handles(&self, which: impl Fn(&ChannelHandle) -> bool) -> Vec<Arc<ChannelHandle>> {
        let live = self.shared.directory.iter().filter(|handle| handle.is_live() && which(handle.value()));
        live.map(|handle| handle.value().clone()).collect()
    }
}

fn unkept(error: LogError) -> HubError {
    HubError::of_log("could not store a ban")(error)
}
