//! Checks of presence: the roster is compared with the oracle.

use rogerrat_domain::op::Roster;
use rogerrat_domain::{DmVisibility, OpenRead};

use super::*;
use crate::oracle::Reader;

impl Oracle {
    /// How many messages no consumer of a member was given, and the oldest of them.
    pub(crate) fn unread(&self, no: u32, now_ms: u64) -> (usize, Option<u64>) {
        let lag = |(who, reader): (&Who, &Reader)| {
            let is_free = |id: &u64| reader.claims.get(id).is_none_or(|c| !c.is_busy(now_ms));
            let mine = self.ring.iter().filter(|m| m.from != who.0 && m.to.is_none()).map(|m| m.id);
            let ids: Vec<u64> = mine.filter(|id| !self.is_done(who, *id) && is_free(id)).collect();
            (ids.len(), ids.first().copied())
        };
        let (count, oldest) =
            self.readers.iter().filter(|(who, _)| who.0 == no).map(lag).min_by_key(|(n, _)| *n).unwrap();
        let is_given = |id: u64| {
            let mut readers = self.readers.iter().filter(|(who, _)| who.0 == no);
            readers.any(|(_, reader)| reader.claims.get(&id).is_some_and(|c| c.is_busy(now_ms)))
        };
        let dms: Vec<u64> = self.members[&no].held.keys().copied().filter(|id| !is_given(*id)).collect();
        let oldest = oldest.into_iter().chain(dms.first().copied()).min();
        ((count + dms.len()).min(limits::READ_MESSAGES), oldest)
    }
}

impl Simulation {
    /// The presence of every member is what the oracle expects. (One with more than 100 unread has the oldest by another
    /// consumer.)
    pub(super) fn check_roster(&mut self, session: Option<SessionId>) {
        let reply = self.query(&Roster { session, limit: None }).unwrap();
        let sees_dms = self.channel.settings().dm_visibility == DmVisibility::Channel;
        for row in reply.members.iter().filter(|_| sees_dms) {
            let (count, oldest) = self.oracle.unread(row.idx, self.now.uptime_ms);
            assert_eq!(row.unread, count, "#{} has as many unread", row.idx);
            let oldest_s = oldest.map(|id| self.now.at_ms.saturating_sub(self.oracle.log[&id].at_ms) / 1000);
            let is_exact = self.oracle.readers.keys().filter(|(no, _)| *no == row.idx).count() == 1;
            assert!(!is_exact || row.oldest_unread_seconds == oldest_s || self.oracle.backlog_len > 0, "{row:?}");
            let reads = self.feeds.values().any(|f| f.who.0 == row.idx).then_some(OpenRead::Stream);
            let polls = self.parked.values().any(|p| p.who.0 == row.idx).then_some(OpenRead::Poll);
            assert_eq!(row.reads, reads.or(polls));
        }
    }
}
