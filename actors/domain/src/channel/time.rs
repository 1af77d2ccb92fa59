//! What time does to a channel: timeouts, ended leases, expired sessions, removed members, and the next deadline.

use crate::Now;
use crate::entry::Entry;
use crate::ids::{MemberNo, WaiterId};

use super::{AnswerReason, Channel, Effect, Effects, SessionState, StreamEnd, TaskReason};

impl Channel {
    /// Brings the channel up to `now`: settles deliveries, ends timeouts and leases, expires sessions. Call it before every
    /// operation and query, and at [`next_deadline_ms`](Self::next_deadline_ms).
    pub fn tick(&mut self, now: Now, effects: &mut Effects) {
        self.tick_before_operation(now, effects);
        if self.unload_at_ms().is_some_and(|at_ms| now.uptime_ms >= at_ms) {
            effects.push(Effect::Unload);
        }
    }

    /// As [`tick`](Self::tick), but the channel is not unloaded even if that is due: what the operation is about to change
    /// would not be in the state that is stored.
    pub fn tick_before_operation(&mut self, now: Now, effects: &mut Effects) {
        self.settle_answers(now, effects);
        self.settle_streams(now, effects);
        if now.uptime_ms >= self.lease_at_ms {
            self.lease_at_ms = u64::MAX;
            self.presence_changed(now);
            self.offer_ended_leases(now, effects);
        }
        self.end_polls(now, effects);
        self.tick_tasks(now, effects);
        if now.uptime_ms >= self.sweep_at_ms {
            self.sweep(now, effects);
        }
        if now.uptime_ms >= self.side_events_at_ms() {
            self.make_side_events(now, effects);
        }
    }

    /// The uptime at which [`tick`](Self::tick) must be called next, if at all. It may be too early, and is never too late.
    #[must_use]
    pub fn next_deadline_ms(&self) -> Option<u64> {
        let always = [self.lease_at_ms, self.sweep_at_ms, self.side_events_at_ms(), self.tasks.check_at_ms()];
        let ends = [self.waiters.next_deadline_ms(), self.unload_at_ms(), always.into_iter().min()];
        ends.into_iter().flatten().min().filter(|at_ms| *at_ms != u64::MAX)
    }

    /// When side events are due; `u64::MAX` if none are.
    fn side_events_at_ms(&self) -> u64 {
        self.waiters.side.as_ref().map_or(u64::MAX, |side| side.due_at_ms())
    }

    /// Removes a poll or stream whose client has gone.
    pub fn cancel_wait(&mut self, id: WaiterId, now: Now, effects: &mut Effects) {
        if self.remove_poll(id, now).is_none() {
            self.drop_stream(id, now, effects);
            self.cancel_task_wait(id, now, effects);
        }
    }

    /// Ends all polls and streams and lets none wait from now on, because the hub is shutting down.
    pub fn drain(&mut self, now: Now, effects: &mut Effects) {
        self.draining = true;
        self.end_all_task_waits(None, TaskReason::Draining, now, effects);
        for id in self.waiters.polls.keys().copied().collect::<Vec<_>>() {
            self.end_poll(id, AnswerReason::Draining, now, effects);
        }
        for id in self.waiters.streams.keys().copied().collect::<Vec<_>>() {
            self.end_stream(id, StreamEnd::Draining { nth: id.0 }, now, effects);
        }
    }

    /// Ends all polls and streams, because the channel is being deleted.
    pub fn close(&mut self, now: Now, effects: &mut Effects) {
        self.end_all_task_waits(None, TaskReason::TimedOut, now, effects);
        for no in self.members.keys().copied().collect::<Vec<_>>() {
            self.end_waits(no, StreamEnd::Bye { reason: "deleted" }, now, effects);
        }
    }

    pub(crate) fn sweep_by(&mut self, at_ms: u64) {
        self.sweep_at_ms = self.sweep_at_ms.min(at_ms);
    }

    pub(crate) fn check_leases_by(&mut self, at_ms: u64) {
        self.lease_at_ms = self.lease_at_ms.min(at_ms);
    }

    /// Restarts the idle time after which [`Effect::Unload`] is emitted.
    pub fn postpone_unload(&mut self, now: Now) {
        self.reset_idle(now);
    }

    pub(crate) fn reset_idle(&mut self, now: Now) {
        self.idle_since_ms = now.uptime_ms;
    }

    /// A channel that loses nothing is unloaded when no client has used it for a while, even if it has live members: a
    /// durable channel, and a channel without messages. (A band stays, because it lists the members online to everyone.)
    /// Any other channel is unloaded when it has no live member, holds no DM and has no open task; its lost messages become a gap.
    fn unload_at_ms(&self) -> Option<u64> {
        let durable = self.settings.is_durable();
        let loses_nothing = durable || !(self.has_messages || self.settings.is_band);
        let is_deserted = !durable && self.live == 0 && self.held_bytes == 0 && self.tasks.open().next().is_none();
        let unused_ms = self
            .rules
            .idle_lossless_ms
            .filter(|_| loses_nothing && self.waiters.are_empty() && !self.tasks.are_waited_for());
        let deserted_ms = self.rules.idle_ms.filter(|_| is_deserted);
        let idle_ms = [unused_ms, deserted_ms].into_iter().flatten().min()?;
        Some(self.idle_since_ms + idle_ms)
    }

    fn end_polls(&mut self, now: Now, effects: &mut Effects) {
        while let Some((deadline_ms, id)) = self.waiters.deadlines.first().copied() {
            if deadline_ms > now.uptime_ms {
                break;
            }
            self.end_poll(id, AnswerReason::TimedOut, now, effects);
        }
    }

    fn offer_ended_leases(&mut self, now: Now, effects: &mut Effects) {
        let mut members: Vec<MemberNo> = self.waiters.polls.values().map(|p| p.no).collect();
        members.extend(self.waiters.streams.values().map(|s| s.no));
        members.sort_unstable();
        members.dedup();
        for no in members {
            self.offer_to(no, now, effects);
            let Some(member) = self.members.get(&no) else { continue };
            let waiting = member.consumers.iter().filter(|c| c.is_waiting());
            if let Some(end) = waiting.filter_map(|c| c.next_lease_end_ms(now.uptime_ms)).min() {
                self.check_leases_by(end);
            }
        }
    }

    /// Expires sessions without activity, and removes members that are away for too long.
    fn sweep(&mut self, now: Now, effects: &mut Effects) {
        self.sessions.sweep(now.uptime_ms);
        let mut next_ms = self.sessions.next_sweep_ms().unwrap_or(u64::MAX);
        let mut ended = Vec::new();
        for member in self.members.values_mut() {
            if member.is_waiting() {
                member.touch(now);
            }
            member.shrink(now);
            let (at_ms, entry) = match member.presence {
                SessionState::Live { seen_ms } => {
                    (seen_ms + self.settings.session_ttl_ms, Entry::Expired { no: member.no })
                }
                SessionState::Away { since_ms, .. } => {
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

    /// Whether a poll or stream is still waiting. For the simulation's oracle.
    #[must_use]
    pub fn is_waiting(&self, id: WaiterId) -> bool {
        self.waiters.polls.contains_key(&id) || self.waiters.streams.contains_key(&id)
    }
}
