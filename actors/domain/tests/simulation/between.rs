//! What must be true between any two steps, and of a channel brought back from its log.

use super::*;

impl Stage {
    /// What must be true between any two steps.
    pub(super) fn check(&mut self) {
        let now_ms = self.now.uptime_ms;
        for (place, parked) in &self.parked {
            assert!(self.channel.waits(*place), "{:?} waits and the channel knows it", parked.who);
            assert!(parked.deadline_ms > now_ms, "{:?} is answered in time", parked.who);
            // What it may read again but has had, it need not be woken for.
            let mut due = self.oracle.due(&parked.who, parked.input.since, now_ms);
            due.retain(|id| !self.oracle.is_done(&parked.who, *id));
            assert!(due.is_empty() || self.is_stuffed(&parked.who), "{:?} waits although {due:?} are due", parked.who);
        }
        for (place, feed) in &self.feeds {
            assert!(self.channel.waits(*place), "{:?} reads and the channel knows it", feed.who);
            let flying = self.oracle.readers[&feed.who].claims.values();
            let flying = flying.filter(|c| c.state == State::Streamed(*place)).count();
            let may_take = feed.terms == Terms::Read || flying < feed.max.clamp(1, limits::READ_MESSAGES);
            if feed.queue.is_empty() && may_take && !self.is_stuffed(&feed.who) {
                let mut due = self.oracle.due(&feed.who, feed.since, now_ms);
                due.retain(|id| !self.oracle.is_done(&feed.who, *id));
                assert!(due.is_empty(), "{:?} has an empty stream although {due:?} are due", feed.who);
            }
        }
        assert_eq!(self.channel.places(), (self.parked.len(), self.feeds.len()), "nobody else waits");
        assert_eq!(self.channel.held(), self.oracle.held(), "the held DMs are those nobody has had");
        assert!(self.channel.held().1 <= limits::HELD_CHANNEL_BYTES, "the mailboxes keep their bytes");
        assert_eq!(self.channel.last_id(), self.oracle.last_id);
        let live = self.oracle.people.values().filter(|p| p.live);
        assert_eq!(self.channel.live_members(), live.count());
        let placed =
            |no: u32| self.parked.values().any(|p| p.who.0 == no) || self.feeds.values().any(|f| f.who.0 == no);
        for (no, person) in self.oracle.people.iter().filter(|(_, p)| p.live) {
            assert!(placed(*no) || person.seen_ms + SESSION_TTL_MS > now_ms, "#{no} should have expired");
        }
    }

    /// Whether a consumer has so much unacknowledged that it is given nothing more.
    fn is_stuffed(&self, who: &Who) -> bool {
        self.oracle.readers[who].claims.len() >= limits::CLAIMS
    }

    /// A channel opened again and given the log is the same channel.
    pub(super) fn replay(&mut self) {
        let mut again = fresh(&self.open, self.now);
        for entry in &self.log {
            again.apply(entry, self.now, &mut Vec::new());
        }
        assert_eq!(again.held(), self.channel.held(), "a replay holds the same DMs");
        assert_eq!(again.last_id(), self.channel.last_id());
        let ask = |channel: &mut Channel, session: &SessionId| {
            let op = rogerrat_domain::op::Consumers { session: session.clone() };
            let rows = channel.run(op, self.now, &mut Vec::new()).map(|r| r.consumers).unwrap_or_default();
            rows.into_iter().map(|row| (row.name, row.cursor)).collect::<BTreeMap<_, _>>()
        };
        let roster = |channel: &mut Channel| {
            let reply = channel.run(rogerrat_domain::op::Roster { session: None }, self.now, &mut Vec::new()).unwrap();
            serde_json::to_value(reply).unwrap()
        };
        assert_eq!(roster(&mut again), roster(&mut self.channel), "a replay has the same members");
        for (session, no) in &self.sessions {
            let replayed = ask(&mut again, session);
            for (name, cursor) in ask(&mut self.channel, session) {
                let is_known = replayed.contains_key(&name);
                // Where a named consumer began is not in the log: until it reads or acknowledges it may begin later.
                let stands = replayed.get(&name).is_none_or(|at| *at == cursor || name.is_some() && *at > cursor);
                assert!(stands, "#{no} {name:?} stands at {cursor} in both");
                let untouched = self.oracle.readers.get(&(*no, name.clone())).is_none_or(|r| r.handed == 0);
                assert!(is_known || untouched || name.is_some(), "#{no} is in both");
            }
        }
    }
}
