//! The members that sessions belong to, for an interface whose callers share a connection.

use crate::callsign::Callsign;
use crate::channel::{Channel, Departure, Member, SessionState};
use crate::ids::SessionId;
use crate::op::Query;
use crate::{Now, Refusal};

/// Returns the member of each session. It refreshes no session.
#[derive(Clone, Debug)]
pub struct SessionHolders {
    /// The sessions.
    pub sessions: Vec<SessionId>,
}

/// The member whose current or last session is one of those.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SessionHolder {
    /// Its callsign.
    pub callsign: Callsign,
    /// Whether the session is live.
    pub is_live: bool,
    /// Whether a join that presents the session continues it: it is live, or it has expired.
    pub continues: bool,
}

impl SessionHolder {
    fn of(member: &Member) -> Self {
        let is_live = member.is_live();
        let has_expired = matches!(member.presence, SessionState::Away { how: Departure::Expired, .. });
        Self { callsign: member.callsign.clone(), is_live, continues: is_live || has_expired && !member.owns_session }
    }
}

impl Query for SessionHolders {
    /// For each session its holder; none if no member has it any more.
    type Reply = Vec<Option<SessionHolder>>;

    fn answer(&self, channel: &Channel, _: Now) -> Result<Self::Reply, Refusal> {
        let holder = |session: &SessionId| match channel.sessions.live(session) {
            Some(no) => channel.member(no),
            None => channel.members.values().map(Box::as_ref).find(|member| member.session == *session),
        };
        Ok(self.sessions.iter().map(|session| holder(session).map(SessionHolder::of)).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Callsign;
    use crate::limits::{MEMBER_TTL_MS, SESSION_TTL_MS};
    use crate::op::Leave;
    use crate::op::harness::TestChannel;

    #[test]
    fn a_session_is_held_until_its_member_is_forgotten_and_is_not_refreshed() {
        let mut test = TestChannel::new();
        for callsign in ["ann", "bob"] {
            test.join(callsign);
        }
        let sessions = ["ann", "bob"].map(|callsign| test.session(callsign)).to_vec();
        let stranger = SessionId::present(Some("never-joined")).unwrap().unwrap();
        let query = SessionHolders { sessions: [sessions.clone(), vec![stranger]].concat() };
        let holder = |callsign: &str, is_live, continues| {
            Some(SessionHolder { callsign: Callsign::parse(callsign).unwrap(), is_live, continues })
        };
        assert_eq!(test.query(&query).unwrap(), [holder("ann", true, true), holder("bob", true, true), None]);
        test.ask(Leave { session: sessions[1].clone() }).unwrap();
        test.at(SESSION_TTL_MS - 1);
        assert_eq!(test.query(&query).unwrap(), [holder("ann", true, true), holder("bob", false, false), None]);
        test.at(SESSION_TTL_MS);
        assert_eq!(test.query(&query).unwrap(), [holder("ann", false, true), holder("bob", false, false), None]);
        test.at(SESSION_TTL_MS + MEMBER_TTL_MS);
        assert_eq!(test.query(&query).unwrap(), [None, None, None]);
    }
}
