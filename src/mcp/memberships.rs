//! The memberships of an MCP session. Agents that share a connection, such as an agent and its subagents, each join for
//! themselves, and a call that does not say which of them it is for must not act for another.

use std::sync::Arc;

use rogerrat_domain::{Callsign, ChannelId, SessionId};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::session_store::DAY_MS;

/// Memberships of one MCP session. Beyond that the one that was unused for longest is forgotten; its member stays.
pub(super) const MAX_MEMBERSHIPS: usize = 16;
/// A use is recorded only when it is this much later than the one recorded before.
const USE_MS: u64 = 3600 * 1000;

/// A session on a channel, for which tools act.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Membership {
    pub(super) channel: ChannelId,
    pub(super) session: SessionId,
    /// The callsign of the join. Rows of earlier versions have none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) callsign: Option<Callsign>,
    /// When a call last acted for it, to within an hour. Not maintained while it is the only one.
    #[serde(default)]
    pub(super) used_ms: u64,
}

/// At least one membership, in the order of the joins. Cloned for every request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Memberships(Arc<[Membership]>);

impl Membership {
    /// Whether it counts among several. One whose session has ended does for a day after its last use: its agent may call
    /// again, and must not act for another.
    pub(super) fn counts(&self, is_live: bool, now_ms: u64) -> bool {
        is_live || now_ms.saturating_sub(self.used_ms) < DAY_MS
    }
}

impl Memberships {
    pub(super) fn one(membership: Membership) -> Self {
        Self(Arc::new([membership]))
    }

    fn of(memberships: Vec<Membership>) -> Option<Self> {
        (!memberships.is_empty()).then(|| Self(memberships.into()))
    }

    /// The membership, if there is only one: calls act for it unless they name another.
    pub(super) fn sole(&self) -> Option<&Membership> {
        if let [membership] = &*self.0 { Some(membership) } else { None }
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &Membership> {
        self.0.iter()
    }

    pub(super) fn with_session(&self, session: &SessionId) -> Option<&Membership> {
        self.iter().find(|membership| membership.session == *session)
    }

    /// The channel of all memberships, if they have the same.
    pub(super) fn channel(&self) -> Option<&ChannelId> {
        let channel = &self.0.first()?.channel;
        self.iter().all(|membership| membership.channel == *channel).then_some(channel)
    }

    /// Adds a membership. It replaces an earlier one of the same member, and the one whose session it `continues`.
    /// `session_used_ms` is when the MCP session was last used.
    pub(super) fn joined(&self, new: Membership, continues: Option<&SessionId>, session_used_ms: u64) -> Self {
        let is_same = |before: &Membership| {
            let same_session = before.session == new.session || Some(&before.session) == continues;
            let same_callsign = before.callsign.is_some() && before.callsign == new.callsign;
            before.channel == new.channel && (same_session || same_callsign)
        };
        let mut all: Vec<_> = self.iter().filter(|before| !is_same(before)).cloned().collect();
        if let ([before], 1) = (&mut all[..], self.0.len()) {
            before.used_ms = before.used_ms.max(session_used_ms);
        }
        if all.len() >= MAX_MEMBERSHIPS
            && let Some((unused, _)) = all.iter().enumerate().min_by_key(|(_, membership)| membership.used_ms)
        {
            all.remove(unused);
        }
        all.push(new);
        Self(all.into())
    }

    /// Removes memberships; none if none is left.
    pub(super) fn without(&self, sessions: &[SessionId]) -> Option<Self> {
        Self::of(self.iter().filter(|membership| !sessions.contains(&membership.session)).cloned().collect())
    }

    /// Records the use of a membership; none if that is not necessary.
    pub(super) fn used(&self, session: &SessionId, now_ms: u64) -> Option<Self> {
        let at = self.0.iter().position(|membership| membership.session == *session)?;
        if self.0.len() == 1 || now_ms.saturating_sub(self.0[at].used_ms) < USE_MS {
            return None;
        }
        let mut all = self.0.to_vec();
        all[at].used_ms = now_ms;
        Self::of(all)
    }
}

/// One membership is stored as an object, as earlier versions did; several are a list.
#[derive(Deserialize)]
#[serde(untagged)]
enum Stored {
    One(Membership),
    Several(Vec<Membership>),
}

impl<'de> Deserialize<'de> for Memberships {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let all = match Stored::deserialize(deserializer)? {
            Stored::One(membership) => vec![membership],
            Stored::Several(memberships) => memberships,
        };
        Self::of(all).ok_or_else(|| serde::de::Error::custom("no membership"))
    }
}

impl Serialize for Memberships {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.sole() {
            Some(membership) => membership.serialize(serializer),
            None => self.0.serialize(serializer),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn membership(channel: &str, callsign: &str, used_ms: u64) -> Membership {
        Membership {
            channel: ChannelId::parse(channel).unwrap(),
            session: SessionId::present(Some(&format!("a-session-of-{callsign}"))).unwrap().unwrap(),
            callsign: Some(Callsign::parse(callsign).unwrap()),
            used_ms,
        }
    }

    fn callsigns(memberships: &Memberships) -> Vec<&str> {
        memberships.iter().filter_map(|membership| Some(membership.callsign.as_ref()?.as_str())).collect()
    }

    #[test]
    fn a_second_join_adds_a_membership_and_that_of_the_same_member_replaces_one() {
        let ann = Memberships::one(membership("quiet-otter", "ann", 1));
        let both = ann.joined(membership("quiet-otter", "bob", 2), None, 9);
        assert_eq!((callsigns(&both), both.sole()), (vec!["ann", "bob"], None));
        assert_eq!(both.iter().next().unwrap().used_ms, 9, "while it was the only one, the session's use was its own");
        let mut again = membership("quiet-otter", "ann", 3);
        again.session = SessionId::present(Some("a-new-session")).unwrap().unwrap();
        assert_eq!(callsigns(&both.joined(again, None, 9)), ["bob", "ann"]);
        let renamed = Membership { callsign: None, ..membership("quiet-otter", "ann", 3) };
        assert_eq!(callsigns(&both.joined(renamed, None, 9)), ["bob"], "the same session");
        assert_eq!(both.channel().map(ChannelId::as_str), Some("quiet-otter"));
        let elsewhere = both.joined(membership("loud-fox", "ann", 4), None, 9);
        assert_eq!((callsigns(&elsewhere), elsewhere.channel()), (vec!["ann", "bob", "ann"], None));
        let left = both.without(&[membership("quiet-otter", "ann", 0).session]).unwrap();
        assert_eq!(left.sole().map(|membership| membership.used_ms), Some(2));
        assert_eq!(ann.without(&[ann.sole().unwrap().session.clone()]), None);
    }

    #[test]
    fn d30_the_memberships_are_bounded_and_the_one_unused_for_longest_is_forgotten() {
        let mut all = Memberships::one(membership("quiet-otter", "a0", 0));
        for n in 1..40 {
            all = all.joined(membership("quiet-otter", &format!("a{n}"), n), None, 0);
            let first = membership("quiet-otter", "a0", 0).session;
            all = all.used(&first, (n + 1) * USE_MS).unwrap_or(all);
        }
        assert_eq!(all.iter().count(), MAX_MEMBERSHIPS);
        assert!(callsigns(&all).contains(&"a0") && callsigns(&all).contains(&"a39"), "{:?}", callsigns(&all));
    }

    #[test]
    fn a_use_is_recorded_once_an_hour_and_only_among_several() {
        let ann = Memberships::one(membership("quiet-otter", "ann", 0));
        let session = ann.sole().unwrap().session.clone();
        assert_eq!(ann.used(&session, 9 * USE_MS), None);
        let both = ann.joined(membership("quiet-otter", "bob", 0), None, 0);
        assert_eq!(both.used(&session, USE_MS - 1), None);
        let used = both.used(&session, USE_MS).unwrap();
        assert_eq!(used.with_session(&session).unwrap().used_ms, USE_MS);
    }

    #[test]
    fn d34_a_membership_whose_session_has_ended_counts_for_a_day() {
        let ann = membership("quiet-otter", "ann", 5);
        assert!(ann.counts(true, 9 * DAY_MS) && ann.counts(false, DAY_MS + 4) && !ann.counts(false, DAY_MS + 5));
        assert!(ann.counts(false, 0), "the clock was set back");
    }

    #[test]
    fn one_membership_is_stored_as_earlier_versions_did_and_several_as_a_list() {
        let ann = Memberships::one(membership("quiet-otter", "ann", 5));
        let session = serde_json::to_string(&ann.sole().unwrap().session).unwrap();
        let old: Memberships =
            serde_json::from_str(&format!(r#"{{"channel":"quiet-otter","session":{session}}}"#)).unwrap();
        let old = old.sole().unwrap();
        assert_eq!((&old.session, &old.callsign, old.used_ms), (&ann.sole().unwrap().session, &None, 0));
        let both = ann.joined(membership("quiet-otter", "bob", 6), None, 0);
        for memberships in [ann, both] {
            let json = serde_json::to_string(&memberships).unwrap();
            assert_eq!(json.starts_with('{'), memberships.sole().is_some(), "{json}");
            assert_eq!(serde_json::from_str::<Memberships>(&json).unwrap(), memberships);
        }
        assert!(serde_json::from_str::<Memberships>("[]").is_err());
    }
}
