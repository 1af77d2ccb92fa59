//! The bans of a hub, checked by every join and, if any address is banned, by every request.

use std::net::IpAddr;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::{PoisonError, RwLock};

use rogerrat_domain::{Ban, BanTarget, Callsign, ChannelId, Now, Refusal};

/// The current bans. A ban is written to the log before it is added here.
#[derive(Debug, Default)]
pub(crate) struct Bans {
    list: RwLock<Vec<Ban>>,
    /// Whether any address is banned. Most hubs ban none, and then a request skips the check.
    has_addresses: AtomicBool,
}

impl Bans {
    /// The kind of its rows in the log.
    pub(crate) const ROWS: &'static str = "ban";

    /// The bans stored in the log.
    pub(crate) fn recall(rows: Vec<(String, String)>) -> Self {
        let bans = Self::default();
        let read = |(id, text): (String, String)| match serde_json::from_str::<Ban>(&text) {
            Ok(ban) => Some(ban),
            Err(error) => {
                log::error!(ban:display = id, error:display; "could not read a ban; it is not enforced");
                None
            }
        };
        bans.change(|list| *list = rows.into_iter().filter_map(read).collect());
        bans
    }

    /// Bans in force, newest first.
    pub(crate) fn list(&self, now: Now) -> Vec<Ban> {
        self.read(|list| list.iter().rev().filter(|ban| ban.is_active(now.at_ms)).cloned().collect())
    }

    /// Bans that have expired at a time, in milliseconds since the epoch.
    pub(crate) fn ended(&self, expiry_ms: u64) -> Vec<String> {
        self.read(|list| list.iter().filter(|ban| !ban.is_active(expiry_ms)).map(|ban| ban.id.clone()).collect())
    }

    /// Number of bans, including those that have expired and are not removed yet.
    pub(crate) fn len(&self) -> usize {
        self.read(<[Ban]>::len)
    }

    /// Adds a ban, unless it is there already.
    pub(crate) fn add(&self, ban: Ban) {
        self.change(|list| {
            if !list.iter().any(|known| known.id == ban.id) {
                list.push(ban);
            }
        });
    }

    /// Replaces the bans by others, and returns those that are new.
    pub(crate) fn replace(&self, by: Self) -> Vec<Ban> {
        let by = by.list.into_inner().unwrap_or_else(PoisonError::into_inner);
        let mut new = Vec::new();
        self.change(|list| {
            new = by.iter().filter(|ban| !list.iter().any(|known| known.id == ban.id)).cloned().collect();
            *list = by;
        });
        new
    }

    pub(crate) fn remove(&self, id: &str) {
        self.change(|list| list.retain(|ban| ban.id != id));
    }

    /// Checks whether a callsign may join a channel.
    ///
    /// # Errors
    /// `forbidden`.
    pub(crate) fn admit(&self, channel: &ChannelId, callsign: &Callsign, now: Now) -> Result<(), Refusal> {
        self.refuse(now, |ban| ban.covers_callsign(channel, callsign))
    }

    /// Checks whether an address may make requests. If no address is banned, neither the address nor the time is read.
    ///
    /// # Errors
    /// `forbidden`.
    pub(crate) fn admit_address(
        &self,
        address: impl FnOnce() -> IpAddr,
        now: impl FnOnce() -> Now,
    ) -> Result<(), Refusal> {
        if !self.has_addresses.load(Relaxed) {
            return Ok(());
        }
        let address = address();
        self.refuse(now(), |ban| ban.covers_address(address))
    }

    /// The callsigns that are banned from a channel.
    pub(crate) fn callsigns_off(&self, channel: &ChannelId, now: Now) -> Vec<Callsign> {
        let off = |ban: &Ban| match &ban.target {
            BanTarget::Callsign(callsign) | BanTarget::Identity(callsign) => {
                (ban.is_active(now.at_ms) && ban.covers_callsign(channel, callsign)).then(|| callsign.clone())
            }
            BanTarget::Address(_) => None,
        };
        self.read(|list| list.iter().filter_map(off).collect())
    }

    fn refuse(&self, now: Now, covers: impl Fn(&Ban) -> bool) -> Result<(), Refusal> {
        let found = self.read(|list| list.iter().find(|ban| ban.is_active(now.at_ms) && covers(ban)).map(Ban::refusal));
        found.map_or(Ok(()), Err)
    }

    fn read<T>(&self, look: impl FnOnce(&[Ban]) -> T) -> T {
        look(&self.list.read().unwrap_or_else(PoisonError::into_inner))
    }

    fn change(&self, change: impl FnOnce(&mut Vec<Ban>)) {
        let mut list = self.list.write().unwrap_or_else(PoisonError::into_inner);
        change(&mut list);
        let has_addresses = list.iter().any(|ban| matches!(ban.target, BanTarget::Address(_)));
        self.has_addresses.store(has_addresses, Relaxed);
    }
}
