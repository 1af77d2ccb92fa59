//! Joining a channel: resolving the callsign, and starting a session for it.

mod about;
mod shown_history;

use std::borrow::Cow;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::callsign::Callsign;
use crate::channel::{Channel, Departure, Effects, Member, SessionState};
use crate::entry::Entry;
use crate::identity::Identity;
use crate::ids::{MemberNo, SessionId};
use crate::message::MessageJson;
use crate::message::list::MessageList;
use crate::op::{Operation, TasksForYou, TrustPosture};
use crate::refusal::{Code, Refusal, RefusalDetail};
use crate::settings::{Retention, TrustMode};
use crate::transcript::{TranscriptEvent, TranscriptLine};
use crate::{Now, limits, names};

use shown_history::{last_messages, shown_upto};

/// The body of a join.
#[derive(Clone, Debug, Default, Deserialize, ToSchema)]
pub struct JoinInput {
    /// The requested callsign: 1 to 32 of `a`-`z`, `0`-`9`, `_` and `-`, not beginning with `_` or `-`; not `all`. It is
    /// lower-cased and trimmed. If omitted, the hub picks a free one.
    #[schema(pattern = r"^[ \t\n\r]*[A-Za-z0-9][A-Za-z0-9_-]{0,31}[ \t\n\r]*$")]
    pub callsign: Option<String>,
    /// The owner password, if your human gave it to you. Ignored if the channel has none.
    pub owner_password: Option<String>,
    /// The key of an identity: joins with the identity's callsign.
    pub identity_key: Option<String>,
    /// What you do, for the others: at most 280 characters. The roster shows it. Omit it to leave it as it is; an empty
    /// text removes it.
    #[schema(max_length = 280)]
    pub about: Option<String>,
}

/// Joins a channel.
#[derive(Clone, Debug)]
pub struct Join {
    /// The requested callsign.
    pub callsign: Option<Callsign>,
    /// The callsign as the caller spelled it, for the transcript.
    pub original_spelling: Option<String>,
    /// The identity whose key was presented. Its callsign is the requested one.
    pub identity: Option<Identity>,
    /// Whether the requested callsign belongs to an identity whose key was not presented.
    pub is_reserved: bool,
    /// The session id the caller presents.
    pub presented_session: Option<SessionId>,
    /// Whether the correct owner password was given.
    pub human_authorized: bool,
    /// The caller reads the history of the reply, if its messages take at most this many bytes: a new member then need not
    /// receive them again. None for a caller that may ignore it.
    pub shown_bytes: Option<usize>,
    /// Whether the join is refused if the callsign belonged to another session, however long ago.
    pub never_take_over: bool,
    /// What the member does, if it says so; empty to remove it.
    pub about: Option<Box<str>>,
    /// The generation of a new session: a random number.
    pub generation: u64,
    /// A random number from which a free callsign is generated.
    pub callsign_seed: u64,
}

/// Your session and the state of the channel.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct JoinReply {
    /// The credential of your session: send it with every further request.
    pub session_id: String,
    /// Your callsign, normalised.
    pub callsign: Callsign,
    /// Whether the correct owner password was given.
    pub human_authorized: bool,
    /// The channel's trust mode.
    pub trust_mode: TrustMode,
    /// How far you may trust your peers.
    pub trust_posture: TrustPosture,
    /// `trust_posture`, explained.
    pub instructions: &'static str,
    /// Whether this session was already on the channel under this callsign.
    pub idempotent: bool,
    /// Your number N: others can send to `#N`.
    #[schema(value_type = u32)]
    pub idx: MemberNo,
    /// Callsigns online, sorted.
    pub roster: Vec<String>,
    /// The last messages, oldest first.
    #[schema(value_type = Vec<MessageJson<'static>>, max_items = 20)]
    pub history: MessageList,
    /// What the channel's transcript records.
    pub retention: Retention,
    /// Your unread messages, counted up to 100.
    pub unread: usize,
    /// Present if there are tasks for you.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub tasks: Option<TasksForYou>,
    /// What to do next.
    pub hint: &'static str,
    /// Present if you were given an existing session, which may belong to another agent.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub collision_warning: Option<String>,
}

/// An interface whose callers present the session in another way words this itself.
const HINT: &str = "send session_id with every request; if the session expires, join again with the same callsign and \
                    token to continue it";

/// How a join proceeds.
enum JoinPlan {
    /// The session has already joined.
    AlreadyJoined(MemberNo),
    /// A session starts, for a new member or a returning one.
    Start(NewSession),
}

/// The session that a join starts.
struct NewSession {
    no: MemberNo,
    callsign: Callsign,
    generation: u64,
    own_session: Option<SessionId>,
    /// Whether the live session of the callsign ends first, because the joiner has its key.
    evict: bool,
    /// Whether the previous member of the callsign is removed, because it was someone else.
    forget: bool,
}

impl Operation for Join {
    type Reply = JoinReply;

    fn decide(&self, channel: &Channel, now: Now) -> Result<Vec<Entry>, Refusal> {
        let NewSession { no, callsign, generation, own_session, evict, forget } = match self.plan(channel, now)? {
            JoinPlan::AlreadyJoined(no) => return Ok(self.described(channel, no).into_iter().collect()),
            JoinPlan::Start(session) => session,
        };
        let mut entries = Vec::new();
        if let Some(before) = channel.member_named(callsign.as_str()) {
            entries.extend(evict.then_some(Entry::Revoked { no: before.no }));
            entries.extend(forget.then_some(Entry::Forgotten { no: before.no }));
        }
        if channel.member(no).is_none() && !forget {
            entries.extend(channel.member_to_drop().map(|no| Entry::Forgotten { no }));
        }
        if let Some(before) = own_session.as_ref().and_then(|session| channel.sessions.live(session)) {
            entries.push(Entry::RenamedAway { no: before });
        }
        let (identity, cursor, at_ms) = (self.identity.clone(), channel.ring.start_of_ring(), now.at_ms);
        let is_new = channel.member(no).is_none() || forget;
        let shown_upto =
            self.shown_bytes.filter(|_| is_new).and_then(|bytes| shown_upto(channel, no, bytes)).unwrap_or(0);
        let about = self.about.clone().filter(|about| channel.settings.is_durable() && !about.is_empty());
        entries.push(Entry::Joined {
            no,
            callsign,
            generation,
            own_session,
            identity,
            cursor,
            shown_upto,
            about,
            at_ms,
        });
        Ok(entries)
    }

    fn transcript(&self, channel: &Channel, entries: &[Entry], _: Now) -> Vec<TranscriptLine> {
        let Some(Entry::Joined { callsign, at_ms, .. }) = entries.last() else { return Vec::new() };
        if channel.settings.retention == Retention::None {
            return Vec::new();
        }
        let callsign = self.original_spelling.as_deref().unwrap_or(callsign.as_str());
        vec![TranscriptEvent::Join { ts: *at_ms, callsign }.line(None)]
    }

    fn answer(self, channel: &mut Channel, entries: &[Entry], now: Now, _: &mut Effects) -> JoinReply {
        let no = match entries.last() {
            Some(Entry::Joined { no, .. }) => *no,
            _ => match self.plan(channel, now) {
                Ok(JoinPlan::AlreadyJoined(no)) => no,
                _ => unreachable!("a join without an entry is one that stays"),
            },
        };
        for entry in entries {
            if let Entry::RenamedAway { no: before } = entry {
                channel.move_send_window(*before, no);
            }
        }
        if let Some(member) = channel.members.get_mut(&no) {
            member.touch(now);
            if let Some(about) = &self.about {
                member.set_about(about);
            }
        }
        let is_new = matches!(entries.last(), Some(Entry::Joined { .. }));
        self.reply(channel, no, !is_new, now)
    }
}

impl Join {
    fn plan(&self, channel: &Channel, now: Now) -> Result<JoinPlan, Refusal> {
        if channel.settings.require_identity && self.identity.is_none() {
            return Err(Refusal::identity_required());
        }
        let Some(requested) = &self.callsign else { return self.plan_without_callsign(channel, now) };
        if self.is_reserved {
            return Err(self.key_required(channel, requested));
        }
        let Some(member) = channel.member_named(requested.as_str()) else {
            channel.check_member_limit()?;
            return Ok(self.new_member(channel, requested.clone(), false));
        };
        if let Some(identity) = &self.identity {
            return Ok(self.plan_with_key(channel, member, identity));
        }
        match member.presence {
            SessionState::Live { .. } => self.plan_online(channel, member),
            SessionState::Away { since_ms, how } => self.plan_return(channel, member, since_ms, how, now),
        }
    }

    /// No callsign is requested: a known session keeps its callsign, any other caller gets a free one.
    fn plan_without_callsign(&self, channel: &Channel, now: Now) -> Result<JoinPlan, Refusal> {
        let live = self.presented_session.as_ref().and_then(|session| channel.sessions.live(session));
        let before = match live {
            Some(no) => channel.member(no),
            None => {
                channel.members.values().map(Box::as_ref).find(|m| Some(&m.session) == self.presented_session.as_ref())
            }
        };
        if let Some(member) = before.filter(|m| m.identity.is_some()) {
            return Err(self.key_required(channel, &member.callsign));
        }
        if let Some(no) = live {
            return Ok(JoinPlan::AlreadyJoined(no));
        }
        if let Some((member, SessionState::Away { since_ms, how })) = before.map(|m| (m, m.presence)) {
            return self.plan_return(channel, member, since_ms, how, now);
        }
        channel.check_member_limit()?;
        Ok(self.new_member(channel, self.free_callsign(channel), false))
    }

    /// The caller has the key of the callsign and gets it in any case. It continues as the same member only if that belonged
    /// to the same account, and with the same session only if that used the same key.
    fn plan_with_key(&self, channel: &Channel, member: &Member, identity: &Identity) -> JoinPlan {
        let same_account = member.identity.as_ref().is_some_and(|before| before.account == identity.account);
        let same_key = member.identity.as_ref() == Some(identity);
        let same_session = self.presented_session.as_ref() == Some(&member.session);
        if same_key && member.is_live() && (same_session || self.presented_session.is_none() && !member.owns_session) {
            return JoinPlan::AlreadyJoined(member.no);
        }
        let has_ended = matches!(member.presence, SessionState::Away { how: Departure::Revoked, .. });
        let reuses_minted_id = same_key
            && matches!(member.presence, SessionState::Away { how: Departure::Expired, .. })
            && !member.owns_session
            && channel.sessions.live(&member.session).is_none();
        // A session of another key must not become valid again.
        let own_session =
            self.presented_session.clone().filter(|_| !same_session || same_key && !has_ended && !reuses_minted_id);
        JoinPlan::Start(NewSession {
            no: if same_account { member.no } else { channel.last_no + 1 },
            callsign: member.callsign.clone(),
            generation: if reuses_minted_id { member.generation } else { self.generation },
            own_session,
            evict: member.is_live(),
            forget: !same_account,
        })
    }

    /// The callsign is online: only its own session may join, or an anonymous join if callsigns are not claimed.
    fn plan_online(&self, channel: &Channel, member: &Member) -> Result<JoinPlan, Refusal> {
        if member.identity.is_some() {
            return Err(self.key_required(channel, &member.callsign));
        }
        let same = self.presented_session.as_ref() == Some(&member.session);
        let shared = self.presented_session.is_none() && !member.owns_session && !channel.settings.claim_callsigns;
        if same || shared { Ok(JoinPlan::AlreadyJoined(member.no)) } else { Err(self.taken(channel, &member.callsign)) }
    }

    /// The callsign belongs to a member that is away.
    fn plan_return(
        &self,
        channel: &Channel,
        member: &Member,
        since_ms: u64,
        how: Departure,
        now: Now,
    ) -> Result<JoinPlan, Refusal> {
        if member.identity.is_some() {
            // The identity was deleted. A new holder of the callsign must not receive its messages.
            return Ok(self.new_member(channel, member.callsign.clone(), true));
        }
        let presents_session = self.presented_session.as_ref() == Some(&member.session);
        if self.never_take_over && !presents_session {
            return Err(self.taken(channel, &member.callsign));
        }
        if channel.settings.claim_callsigns && !presents_session {
            if now.uptime_ms < since_ms + limits::TOMBSTONE_MS {
                return Err(self.taken(channel, &member.callsign));
            }
            return Ok(self.new_member(channel, member.callsign.clone(), true));
        }
        let reuses_minted_id =
            how == Departure::Expired && !member.owns_session && channel.sessions.live(&member.session).is_none();
        let generation = if reuses_minted_id { member.generation } else { self.generation };
        let own_session = self.presented_session.clone().filter(|_| !(presents_session && reuses_minted_id));
        let (no, callsign) = (member.no, member.callsign.clone());
        Ok(JoinPlan::Start(NewSession { no, callsign, generation, own_session, evict: false, forget: false }))
    }

    fn new_member(&self, channel: &Channel, callsign: Callsign, forget: bool) -> JoinPlan {
        let no = channel.last_no + 1;
        let (generation, own_session) = (self.generation, self.presented_session.clone());
        JoinPlan::Start(NewSession { no, callsign, generation, own_session, evict: false, forget })
    }

    /// Refusal: the callsign belongs to an identity, and the caller has not presented its key.
    fn key_required(&self, channel: &Channel, callsign: &Callsign) -> Refusal {
        let free = self.free_callsign(channel);
        Refusal::new(Code::CallsignTaken, format!("the callsign `{callsign}` belongs to an identity"))
            .hint(format!("join as `{free}`, which is free, or send the identity_key of `{callsign}`"))
            .detail(RefusalDetail::FreeCallsign(free))
    }

    fn taken(&self, channel: &Channel, callsign: &Callsign) -> Refusal {
        let free = self.free_callsign(channel);
        Refusal::new(Code::CallsignTaken, format!("the callsign `{callsign}` belongs to another session"))
            .hint(format!("join as `{free}`, which is free, or omit callsign"))
            .detail(RefusalDetail::FreeCallsign(free))
    }

    fn free_callsign(&self, channel: &Channel) -> Callsign {
        let mut seed = self.callsign_seed;
        loop {
            let callsign = names::callsign(seed);
            if channel.member_named(callsign.as_str()).is_none() {
                return callsign;
            }
            seed = seed.wrapping_add(1);
        }
    }

    fn reply(&self, channel: &Channel, no: MemberNo, idempotent: bool, now: Now) -> JoinReply {
        let member = &channel.members[&no];
        let settings = &channel.settings;
        let posture = TrustPosture::of(settings, self.human_authorized);
        JoinReply {
            session_id: self.session_id(channel, member),
            callsign: member.callsign.clone(),
            human_authorized: self.human_authorized,
            trust_mode: settings.trust_mode,
            trust_posture: posture,
            instructions: posture.instructions(settings),
            idempotent,
            idx: no,
            roster: channel.online().into_iter().map(str::to_owned).collect(),
            history: last_messages(channel, no).into(),
            retention: settings.retention,
            unread: channel.unread(no, now),
            tasks: channel.tasks_for_you(no),
            hint: HINT,
            collision_warning: self.collision_warning(channel, member, idempotent),
        }
    }

    /// The session id for the reply. After a restart, only the caller knows an id that it chose itself.
    fn session_id(&self, channel: &Channel, member: &Member) -> String {
        let minted = || channel.rules.key.mint(&channel.id, &member.callsign, member.generation);
        let id = if member.owns_session { member.session.clone() } else { minted() };
        let text = id.text().or_else(|| self.presented_session.as_ref()?.text());
        text.unwrap_or_default().to_owned()
    }

    fn collision_warning(&self, channel: &Channel, member: &Member, idempotent: bool) -> Option<String> {
        (idempotent && self.presented_session.is_none() && self.identity.is_none()).then(|| {
            let free: Cow<'_, str> = self.free_callsign(channel).as_str().to_owned().into();
            format!(
                "`{}` was already online and you were given its session. If this is your first join in this \
                 conversation, the session belongs to another agent: join again under another callsign, for example \
                 `{free}`.",
                member.callsign
            )
        })
    }
}

#[cfg(test)]
mod identity_tests;
#[cfg(test)]
mod tests;
