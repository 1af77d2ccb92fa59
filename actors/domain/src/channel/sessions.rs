//! The sessions of a channel: those that are live, and those that ended recently.

use std::collections::{HashMap, VecDeque};

use crate::collections::VecMap;
use crate::ids::{MemberNo, SessionId};
use crate::limits;
use crate::refusal::Refusal;

#[derive(Debug, Default)]
pub(crate) struct Sessions {
    live: VecMap<SessionId, MemberNo>,
    /// Boxed, because on most channels no session has ended.
    ended: Option<Box<Ended>>,
}

/// Sessions that ended recently. Their callers get `session_expired`, not `not_joined`.
#[derive(Debug, Default)]
struct Ended {
    until_ms: HashMap<SessionId, u64>,
    /// Oldest first.
    order: VecDeque<(u64, SessionId)>,
}

impl Sessions {
    pub(crate) fn live(&self, session: &SessionId) -> Option<MemberNo> {
        self.live.get(session).copied()
    }

    /// The member of a live session.
    ///
    /// # Errors
    /// `session_expired` if it ended less than an hour ago, `not_joined` otherwise.
    pub(crate) fn member(&self, session: &SessionId, uptime_ms: u64) -> Result<MemberNo, Refusal> {
        if let Some(no) = self.live(session) {
            return Ok(no);
        }
        let until_ms = self.ended.as_ref().and_then(|ended| ended.until_ms.get(session));
        match until_ms {
            Some(until_ms) if *until_ms > uptime_ms => Err(Refusal::session_expired()),
            _ => Err(Refusal::not_joined()),
        }
    }

    pub(crate) fn insert(&mut self, session: SessionId, no: MemberNo) {
        if let Some(ended) = &mut self.ended {
            ended.until_ms.remove(&session);
        }
        self.live.insert(session, no);
    }

    /// Removes a session without remembering it, because it continues under another callsign.
    pub(crate) fn remove(&mut self, session: &SessionId) {
        self.live.remove(session);
    }

    /// Ends a session and remembers that it existed.
    pub(crate) fn expire(&mut self, session: &SessionId, uptime_ms: u64) {
        self.live.remove(session);
        let until_ms = uptime_ms + limits::TOMBSTONE_MS;
        let ended = self.ended.get_or_insert_default();
        ended.until_ms.insert(session.clone(), until_ms);
        ended.order.push_back((until_ms, session.clone()));
        while ended.order.len() > limits::TOMBSTONES {
            ended.forget_oldest();
        }
    }

    /// Forgets the sessions that ended long ago.
    pub(crate) fn sweep(&mut self, uptime_ms: u64) {
        let Some(ended) = &mut self.ended else { return };
        while ended.order.front().is_some_and(|(until_ms, _)| *until_ms <= uptime_ms) {
            ended.forget_oldest();
        }
        if ended.order.is_empty() {
            self.ended = None;
        }
    }

    pub(crate) fn next_sweep_ms(&self) -> Option<u64> {
        self.ended.as_ref()?.order.front().map(|(until_ms, _)| *until_ms)
    }
}

impl Ended {
    fn forget_oldest(&mut self) {
        let Some((until_ms, session)) = self.order.pop_front() else { return };
        if self.until_ms.get(&session) == Some(&until_ms) {
            self.until_ms.remove(&session);
        }
    }
}
