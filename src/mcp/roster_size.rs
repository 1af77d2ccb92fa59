//! A roster that fits into an answer: the members online first, by number, then the others by callsign.
//!
//! The list `members` is left out of the data: the text has its facts, and each list costs tokens.

use std::collections::{HashMap, HashSet};

use rogerrat_domain::op::{MemberPresence, RosterReply};
use rogerrat_domain::text::quoted;
use serde::Serialize;

use super::answer_size::escaped_bytes;

/// The fields of a member online in an answer, in all forms, beside its callsign in four places.
const ONLINE_BYTES: usize = 320;
const ONLINE_NAMES: usize = 4;
/// The same for a member that is offline.
const OFFLINE_BYTES: usize = 210;
const OFFLINE_NAMES: usize = 2;

/// What a member is doing, in all forms, at its longest.
const STATE_BYTES: usize = 120;
/// What is beside a text that a member says of itself.
const TEXT_BYTES: usize = 12;

/// The members that fit.
#[derive(Serialize)]
pub(super) struct BoundedRoster {
    #[serde(flatten)]
    pub(super) reply: RosterReply,
    /// Their presence, for the text.
    #[serde(skip)]
    pub(super) members: Vec<MemberPresence>,
}

impl BoundedRoster {
    pub(super) fn new(mut reply: RosterReply, max_bytes: usize) -> Self {
        reply.more = cut(&mut reply, max_bytes);
        let members = std::mem::take(&mut reply.members);
        Self { reply, members }
    }
}

/// The size of what a member says of itself, in all forms.
fn stated_bytes(member: &MemberPresence) -> usize {
    let texts = member.about.iter().chain(&member.note).map(|text| escaped_bytes(&quoted(text)) + TEXT_BYTES).sum();
    if member.state.is_some() { STATE_BYTES + texts } else { texts }
}

/// Leaves out members until the others fit, and returns how many.
fn cut(reply: &mut RosterReply, max_bytes: usize) -> usize {
    let mut left_bytes = Some(max_bytes);
    let mut fits = |bytes: usize| {
        left_bytes = left_bytes.and_then(|left| left.checked_sub(bytes));
        left_bytes.is_some()
    };
    let stated: HashMap<_, _> = reply.members.iter().map(|member| (member.idx, stated_bytes(member))).collect();
    let stated = |idx| stated.get(&idx).copied().unwrap_or(0);
    let online = reply.roster_with_index.iter().map(|member| {
        let bytes = ONLINE_BYTES + ONLINE_NAMES * member.callsign.as_str().len();
        (member.idx, bytes + stated(member.idx))
    });
    let offline = reply.roster_all.iter().filter(|member| !member.online).map(|member| {
        let bytes = OFFLINE_BYTES + OFFLINE_NAMES * member.callsign.as_str().len();
        (member.idx, bytes + stated(member.idx))
    });
    let kept: HashSet<_> = online.chain(offline).take_while(|(_, bytes)| fits(*bytes)).map(|(idx, _)| idx).collect();
    let more = reply.roster_all.len() - kept.len();
    reply.members.retain(|member| kept.contains(&member.idx));
    if more > 0 {
        reply.roster_with_index.retain(|member| kept.contains(&member.idx));
        reply.roster_all.retain(|member| kept.contains(&member.idx));
        let names: HashSet<_> = reply.roster_with_index.iter().map(|member| member.callsign.as_str()).collect();
        reply.roster.retain(|name| names.contains(name.as_str()));
    }
    more
}

#[cfg(test)]
mod tests {
    use rogerrat_domain::op::{OnlineMember, RosterMember};
    use rogerrat_domain::{Callsign, Reach};

    use super::*;

    fn roster(online: u32, offline: u32) -> RosterReply {
        let callsign = |n: u32| Callsign::parse(&format!("agent-{n:05}")).unwrap();
        RosterReply {
            roster: (0..online).map(|n| callsign(n).to_string()).collect(),
            roster_with_index: (0..online)
                .map(|n| OnlineMember { idx: n, callsign: callsign(n), joined_at: 1_795_187_482_296 })
                .collect(),
            roster_all: (0..online + offline)
                .map(|n| RosterMember {
                    callsign: callsign(n),
                    online: n < online,
                    idx: n,
                    reach: Reach::Stream,
                    seen_at: 1_795_187_482_296,
                    unread: 100,
                    oldest_unread_at: Some(1_795_187_482_296),
                    state: None,
                    until: None,
                })
                .collect(),
            members: Vec::new(),
            more: 0,
            unread: None,
            tasks: None,
        }
    }

    #[test]
    fn a13_members_online_come_first_and_all_lists_agree() {
        for (online, offline) in [(9000, 1000), (5, 9000), (5, 0), (0, 0)] {
            for max_bytes in [0, 1000, 20_000, 1_000_000] {
                let mut reply = roster(online, offline);
                let more = cut(&mut reply, max_bytes);
                assert_eq!(reply.roster_all.len() + more, (online + offline) as usize);
                assert_eq!(reply.roster.len(), reply.roster_with_index.len());
                let shown_online = reply.roster_all.iter().filter(|member| member.online).count();
                assert_eq!(shown_online, reply.roster.len());
                assert!(shown_online == reply.roster_all.len() || shown_online == online as usize);
                let json = serde_json::to_string(&reply).unwrap();
                let escaped = serde_json::to_string(&json).unwrap();
                assert!(escaped.len() <= max_bytes + 100, "{} in {max_bytes}", escaped.len());
            }
        }
    }
}
