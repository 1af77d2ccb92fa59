//! Invariants: what holds between any two steps, and for a channel restored from its log.

use super::*;

impl Simulation {
    /// Checks what must hold between any two steps.
    pub(super) fn check(&mut self) {
        let now_ms = self.now.uptime_ms;
        // During a fetch, clients may wait for its result.
        for (id, parked) in &self.parked {
            assert!(self.channel.is_waiting(*id), "{:?} waits and the channel knows it", parked.who);
            assert!(parked.deadline_ms > now_ms, "{:?} is answered in time", parked.who);
            // It need not be woken for messages that it only rereads.
            let mut due = self.oracle.due(&parked.who, parked.input.since, now_ms);
            due.retain(|id| !self.oracle.is_done(&parked.who, *id));
            let waits_well = due.is_empty() || self.is_at_claim_limit(&parked.who) || self.fetching.is_some();
            assert!(waits_well, "{:?} waits although {due:?} are due", parked.who);
        }
        for (id, feed) in &self.feeds {
            assert!(self.channel.is_waiting(*id), "{:?} reads and the channel knows it", feed.who);
            let flying = self.oracle.readers[&feed.who].claims.values();
            let flying = flying.filter(|c| c.state == State::Unacked(*id)).count();
            let may_take = feed.ack_mode == AckMode::Read || flying < feed.max.clamp(1, limits::READ_MESSAGES);
            if feed.queue.is_empty() && may_take && !self.is_at_claim_limit(&feed.who) {
                let mut due = self.oracle.due(&feed.who, feed.since, now_ms);
                due.retain(|id| !self.oracle.is_done(&feed.who, *id));
                let waits_well = due.is_empty() || self.fetching.is_some();
                assert!(waits_well, "{:?} has an empty stream although {due:?} are due", feed.who);
            }
        }
        assert_eq!(self.channel.waiting(), (self.parked.len(), self.feeds.len()), "nobody else waits");
        assert_eq!(self.channel.held(), self.oracle.held(), "the held DMs are those nobody has had");
        assert!(self.channel.held().1 <= limits::HELD_CHANNEL_BYTES, "the mailboxes keep their bytes");
        assert_eq!(self.channel.last_id(), self.oracle.last_id);
        let live = self.oracle.members.values().filter(|p| p.live);
        assert_eq!(self.channel.live_members(), live.count());
        let placed =
            |no: u32| self.parked.values().any(|p| p.who.0 == no) || self.feeds.values().any(|f| f.who.0 == no);
        for (no, member) in self.oracle.members.iter().filter(|(_, p)| p.live) {
            assert!(placed(*no) || member.seen_ms + SESSION_TTL_MS > now_ms, "#{no} should have expired");
        }
    }

    /// Whether a consumer has as many claims as it may have.
    fn is_at_claim_limit(&self, who: &Who) -> bool {
        self.oracle.readers[who].claims.len() >= limits::CLAIMS
    }

    /// A channel replayed from its log is the same channel, and so is one restored from a snapshot.
    pub(super) fn replay(&mut self) {
        let mut again = fresh(&self.open, self.now);
        for entry in &self.log {
            again.apply(entry, self.now, &mut Effects::default());
        }
        self.assert_same(&mut again);
        if let Some((written, upto)) = self.written.take().filter(|_| self.channel.settings().is_durable()) {
            self.totals.restored += 1;
            let mut again = self.restored(&written, upto);
            self.assert_same(&mut again);
        }
    }

    /// Restores the channel from a snapshot and the log after it, both serialized.
    fn restored(&self, written: &str, upto: usize) -> Channel {
        let snapshot: Snapshot = serde_json::from_str(written).unwrap();
        let held: BTreeSet<u64> = snapshot.held().collect();
        let kept = self.oracle.log.values().filter(|m| m.kind == Kind::Message);
        let kept = kept.filter(|m| m.id > snapshot.evicted_upto() || held.contains(&m.id));
        let backlog_limit: Vec<_> =
            kept.map(|m| BacklogEntry { id: m.id, from: m.from, to: m.to, weight_bytes: m.weight_bytes() }).collect();
        let mut again = fresh(&self.open, self.now);
        again.restore(snapshot, &backlog_limit, 1, self.now).unwrap();
        let entries: Vec<Entry> = serde_json::from_str(&serde_json::to_string(&self.log[upto..]).unwrap()).unwrap();
        again.replay(entries.iter().filter(|entry| entry.is_logged(true)), self.now);
        // Statuses are not in the log. The hub's id high-water mark covers their ids.
        again.start_ids_above(self.oracle.last_id);
        let missing: Vec<_> = again.missing_bodies().iter().map(|id| self.oracle.log[id].clone()).collect();
        again.fill(&missing).unwrap();
        again
    }

    fn assert_same(&mut self, again: &mut Channel) {
        assert_eq!(again.held(), self.channel.held(), "a replay holds the same DMs");
        assert_eq!(again.last_id(), self.channel.last_id());
        let ask = |channel: &mut Channel, session: &SessionId| {
            let op = rogerrat_domain::op::Consumers { session: session.clone() };
            let rows = channel.query(&op, self.now, &mut Effects::default()).map(|r| r.consumers).unwrap_or_default();
            rows.into_iter().map(|row| (row.name, row.cursor)).collect::<BTreeMap<_, _>>()
        };
        let visible_state = |channel: &mut Channel| {
            let all = rogerrat_domain::op::History { session: None, n: 100, thread: None, before: None };
            let history = channel.query(&all, self.now, &mut Effects::default()).unwrap();
            let roster = channel
                .query(&rogerrat_domain::op::Roster { session: None, limit: None }, self.now, &mut Effects::default())
                .unwrap();
            let mut state = serde_json::to_value((roster, history)).unwrap();
            // Who reads at the moment is not stored, nor when a session was refreshed, nor what is in flight.
            state[0]["members"].take();
            for row in state[0]["roster_all"].as_array_mut().unwrap() {
                row.as_object_mut().unwrap().retain(|field, _| ["callsign", "online", "idx"].contains(&field.as_str()));
            }
            state
        };
        assert_eq!(visible_state(again), visible_state(&mut self.channel), "a replay has the same members and history");
        for (session, no) in &self.sessions {
            let (replayed, here) = (ask(again, session), ask(&mut self.channel, session));
            assert_eq!(replayed, here, "#{no} has the same consumers, and they stand where they stood");
        }
    }
}
