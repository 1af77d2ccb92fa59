//! Time passing on a channel: timeouts, leases, sessions that expire, members forgotten, and when to look again.

use crate::Now;
use crate::entry::Entry;
use crate::ids::{MemberNo, WaiterId};

use super::{AnswerReason, Channel, Effect, Effects, Presence, StreamEnd};

impl Channel {
    /// Lets time pass. Called before every operation, and at [`Self::next_deadline_ms`].
    pub fn tick(&mut self, now: Now, effects: &mut Effects) {
        self.settle_answers(now, effects);
        self.settle_streams(now, effects);
        if now.uptime_ms >= self.lease_at_ms {
            self.lease_at_ms = u64::MAX;
            self.offer_ended_leases(now, effects);
        }
        self.end_polls(now, effects);
        if now.uptime_ms >= self.sweep_at_ms {
            self.sweep(now, effects);
        }
        if self.retires_at_ms().is_some_and(|at_ms| now.uptime_ms >= at_ms) {
            effects.push(Effect::Retire);
        }
    }

    /// The uptime at which something is due, if anything will be. It may be early, never late.
    #[must_use]
    pub fn next_deadline_ms(&self) -> Option<u64> {
        let ends =
            [self.places.next_deadline_ms(), self.retires_at_ms(), Some(self.lease_at_ms), Some(self.sweep_at_ms)];
        ends.into_iter().flatten().min().filter(|at_ms| *at_ms != u64::MAX)
    }

    /// A poll or stream whose client has gone gives its place back.
    pub fn withdraw(&mut self, place: WaiterId, now: Now, effects: &mut Effects) {
        if self.release_waiter(place, now).is_none() {
            self.drop_stream(place, now, effects);
        }
    }

    /// Ends everything that waits, and from now on lets nothing wait: the hub goes down.
    pub fn drain(&mut self, now: Now, effects: &mut Effects) {
        self.draining = true;
        for place in self.places.waiters.keys().copied().collect::<Vec<_>>() {
            self.end_waiter(place, AnswerReason::Draining, now, effects);
        }
        for place in self.places.streams.keys().copied().collect::<Vec<_>>() {
            self.end_stream(place, StreamEnd::Draining { nth: place.0 }, now, effects);
        }
    }

    /// Ends everything that waits: the channel is deleted.
    pub fn close(&mut self, now: Now, effects: &mut Effects) {
        for no in self.members.keys().copied().collect::<Vec<_>>() {
            self.close_places(no, StreamEnd::Bye { reason: "deleted" }, now, effects);
        }
    }

    pub(crate) fn sweep_by(&mut self, at_ms: u64) {
        self.sweep_at_ms = self.sweep_at_ms.min(at_ms);
    }

    pub(crate) fn look_at_leases_by(&mut self, at_ms: u64) {
        self.lease_at_ms = self.lease_at_ms.min(at_ms);
    }

    /// Puts off leaving memory, for as long as it takes to come to it again.
    pub fn stay(&mut self, now: Now) {
        self.idle_from(now);
    }

    pub(crate) fn idle_from(&mut self, now: Now) {
        self.idle_since_ms = now.uptime_ms;
    }

    /// A channel that loses nothing by it leaves memory as soon as nobody uses it for a while, whoever is on it: a durable
    /// one, and one on which nothing was ever said. (Who is on a band is told to all, so it stays.) Another one goes when
    /// nobody is on it and no DM is held; what it loses is told as a gap.
    fn retires_at_ms(&self) -> Option<u64> {
        let durable = self.settings.is_durable();
        let loses_nothing = durable || !(self.spoken || self.settings.is_band);
        let is_deserted = !durable && self.live == 0 && self.held_bytes == 0;
        let unused_ms = self.rules.idle_lossless_ms.filter(|_| loses_nothing && self.places.are_empty());
        let deserted_ms = self.rules.idle_ms.filter(|_| is_deserted);
        let idle_ms = [unused_ms, deserted_ms].into_iter().flatten().min()?;
        Some(self.idle_since_ms + idle_ms)
    }

    fn end_polls(&mut self, now: Now, effects: &mut Effects) {
        while let Some((deadline_ms, place)) = self.places.deadlines.first().copied() {
            if deadline_ms > now.uptime_ms {
                break;
            }
            self.end_waiter(place, AnswerReason::TimedOut, now, effects);
        }
    }

    fn offer_ended_leases(&mut self, now: Now, effects: &mut Effects) {
        let mut members: Vec<MemberNo> = self.places.waiters.values().map(|w| w.no).collect();
        members.extend(self.places.streams.values().map(|s| s.no));
        members.sort_unstable();
        members.dedup();
        for no in members {
            self.offer_to(no, now, effects);
            let Some(member) = self.members.get(&no) else { continue };
            let waiting = member.consumers.iter().filter(|c| c.waits());
            if let Some(end) = waiting.filter_map(|c| c.next_lease_end_ms(now.uptime_ms)).min() {
                self.look_at_leases_by(end);
            }
        }
    }

    /// Ends sessions without a sign of life and forgets members without a session.
    fn sweep(&mut self, now: Now, effects: &mut Effects) {
        self.sessions.sweep(now.uptime_ms);
        let mut next_ms = self.sessions.next_sweep_ms().unwrap_or(u64::MAX);
        let mut ended = Vec::new();
        for member in self.members.values_mut() {
            if member.has_place() {
                member.touch(now.uptime_ms);
            }
            member.shrink(now);
            let (at_ms, entry) = match member.presence {
                Presence::Live { seen_ms } => {
                    (seen_ms + self.settings.session_ttl_ms, Entry::Expired { no: member.no })
                }
                Presence::Away { since_ms, .. } => {
                    (since_ms + self.settings.member_ttl_ms, Entry::Forgotten { no: member.no })
                }
            };
            if at_ms <= now.uptime_ms { ended.push(entry) } else { next_ms = next_ms.min(at_ms) }
        }
        self.sweep_at_ms = next_ms;
        for entry in ended {
            self.apply(&entry, now, effects);
            effects.log(entry);
        }
    }

    /// Whether a place is still known. For the oracle of the simulation.
    #[must_use]
    pub fn waits(&self, place: WaiterId) -> bool {
        self.places.waiters.contains_key(&place) || self.places.streams.contains_key(&place)
    }
}
