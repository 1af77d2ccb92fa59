//! Which session sits where, and which ended lately.

use std::collections::{HashMap, VecDeque};

use crate::ids::{MemberNo, SessionId};
use crate::limits;
use crate::refusal::Refusal;

/// What a session id means on this channel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Seat {
    /// The presence of a member.
    Live(MemberNo),
    /// It ended, and is remembered until an uptime.
    Ended { until_ms: u64 },
}

#[derive(Debug, Default)]
pub(crate) struct Sessions {
    seats: HashMap<SessionId, Seat>,
    ended: VecDeque<(u64, SessionId)>,
}

impl Sessions {
    pub(crate) fn live(&self, session: &SessionId) -> Option<MemberNo> {
        match self.seats.get(session) {
            Some(Seat::Live(no)) => Some(*no),
            _ => None,
        }
    }

    /// The member of a live session.
    ///
    /// # Errors
    /// `session_expired` when it ended less than an hour ago, else `not_joined`.
    pub(crate) fn member(&self, session: &SessionId, uptime_ms: u64) -> Result<MemberNo, Refusal> {
        match self.seats.get(session) {
            Some(Seat::Live(no)) => Ok(*no),
            Some(Seat::Ended { until_ms }) if *until_ms > uptime_ms => Err(Refusal::session_expired()),
            _ => Err(Refusal::not_joined()),
        }
    }

    pub(crate) fn seat(&mut self, session: SessionId, no: MemberNo) {
        self.seats.insert(session, Seat::Live(no));
    }

    /// Takes a session away without a trace: it goes on somewhere else.
    pub(crate) fn unseat(&mut self, session: &SessionId) {
        self.seats.remove(session);
    }

    /// Ends a session and remembers that it was.
    pub(crate) fn bury(&mut self, session: &SessionId, uptime_ms: u64) {
        let until_ms = uptime_ms + limits::TOMBSTONE_MS;
        self.seats.insert(session.clone(), Seat::Ended { until_ms });
        self.ended.push_back((until_ms, session.clone()));
        while self.ended.len() > limits::TOMBSTONES {
            self.forget_oldest();
        }
    }

    /// Forgets what ended long enough ago.
    pub(crate) fn sweep(&mut self, uptime_ms: u64) {
        while self.ended.front().is_some_and(|(until_ms, _)| *until_ms <= uptime_ms) {
            self.forget_oldest();
        }
    }

    pub(crate) fn next_sweep_ms(&self) -> Option<u64> {
        self.ended.front().map(|(until_ms, _)| *until_ms)
    }

    fn forget_oldest(&mut self) {
        let Some((until_ms, session)) = self.ended.pop_front() else { return };
        if self.seats.get(&session) == Some(&Seat::Ended { until_ms }) {
            self.seats.remove(&session);
        }
    }
}
