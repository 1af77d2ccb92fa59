//! The bridge's memberships on channels: tools act with them, and their messages are pushed.
//!
//! Agents of one client share the bridge. Each has the membership of its own join, and none acts with that of another: as
//! on a session of the hub's endpoint, a call must say whose it is once there are several.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::time::Duration;

use rogerrat_client::ChannelTarget;
use serde_json::{Map, Value, json};
use tokio::sync::watch;
use tokio::time::{Instant, timeout};

use super::super::now;

/// How long a tool call waits for the join that the bridge makes itself.
const JOIN_TIMEOUT: Duration = Duration::from_secs(2);
/// Memberships of one bridge. Beyond that the oldest is forgotten; its member stays.
const MAX_MEMBERSHIPS: usize = 16;
/// How long a membership whose session has ended counts among several: its agent may call again.
const ENDED_LIFETIME: Duration = Duration::from_secs(24 * 3600);
/// The number of the membership that the bridge has, or makes, without a tool call.
pub(super) const OWN: u64 = 0;

/// The note on a join that continued a session of the bridge.
const CONTINUED: &str = "another call had already joined under this callsign, and you were given that session; if you \
                         are another agent of the same client, such as a subagent, join under a callsign of your own \
                         instead";
/// The note on a join when other agents have joined too.
const SHARED: &str =
    "other agents have joined over this connection too: pass this session_id with every call, and keep it";

/// A session on a channel.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Membership {
    /// A number that stays the same when the session is replaced by the next one of the same member.
    pub(super) no: u64,
    pub(super) channel: String,
    pub(super) token: Option<String>,
    pub(super) session: String,
    /// Callsign to join again with.
    pub(super) callsign: Option<String>,
    /// Key to join again with.
    pub(super) identity_key: Option<String>,
    /// Whether an agent has used it. Until then it is free for the first that joins.
    is_used: bool,
    ended_at: Option<Instant>,
}

impl Membership {
    /// The membership of a target with a session.
    fn of(no: u64, target: &ChannelTarget) -> Option<Self> {
        let session = target.session.clone().filter(|_| !target.channel.is_empty())?;
        let ChannelTarget { channel, token, callsign, identity_key, .. } = target.clone();
        Some(Self { no, channel, token, session, callsign, identity_key, is_used: false, ended_at: None })
    }

    fn counts(&self) -> bool {
        self.ended_at.is_none_or(|at| now() - at < ENDED_LIFETIME)
    }
}

/// The current memberships, shared by tool calls and the notifier.
#[derive(Clone)]
pub(super) struct MembershipState {
    current: watch::Sender<Vec<Membership>>,
    /// Whether the client is initialized. Before, nothing may be pushed.
    initialized: watch::Sender<bool>,
    /// Whether the bridge is to join without a tool call, and no one has joined yet.
    joins: Arc<AtomicBool>,
    /// The number of the next membership. None is used twice.
    next_no: Arc<AtomicU64>,
    /// The channel to whose own endpoint it forwards. The tools there have no `channel_id`.
    fixed_channel: Option<String>,
}

impl MembershipState {
    pub(super) fn new(target: &ChannelTarget) -> Self {
        let current: Vec<_> = Membership::of(OWN, target).into_iter().collect();
        let fixed_channel = Some(target.channel.clone()).filter(|channel| !channel.is_empty());
        let joins = current.is_empty() && target.callsign.is_some() && fixed_channel.is_some();
        Self {
            current: watch::Sender::new(current),
            initialized: watch::Sender::new(false),
            joins: Arc::new(joins.into()),
            next_no: Arc::new((OWN + 1).into()),
            fixed_channel,
        }
    }

    pub(super) fn has_fixed_channel(&self) -> bool {
        self.fixed_channel.is_some()
    }

    /// Whether the bridge is to join without a tool call.
    pub(super) fn joins(&self) -> bool {
        self.joins.load(Relaxed)
    }

    pub(super) fn watch(&self) -> watch::Receiver<Vec<Membership>> {
        self.current.subscribe()
    }

    /// Records the session that the notifier has for a membership, after it may have joined again.
    pub(super) fn renew(&self, no: u64, target: &ChannelTarget) {
        let Some(new) = Membership::of(no, target) else { return };
        self.current.send_if_modified(|all| match all.iter_mut().find(|before| before.no == no) {
            Some(before) => {
                let new = Membership { is_used: before.is_used, ..new };
                std::mem::replace(before, new.clone()) != new
            }
            None if no == OWN && self.joins.swap(false, Relaxed) => {
                all.push(new);
                true
            }
            // It has ended meanwhile.
            None => false,
        });
    }

    /// Records that the session of a membership has ended and is not renewed.
    pub(super) fn set_ended(&self, no: u64) {
        self.current.send_if_modified(|all| {
            let membership = all.iter_mut().find(|membership| membership.no == no);
            membership.is_some_and(|membership| membership.ended_at.replace(now()).is_none())
        });
    }

    pub(super) fn set_initialized(&self) {
        self.initialized.send_if_modified(|initialized| !std::mem::replace(initialized, true));
    }

    /// Waits until the client is initialized.
    pub(super) async fn wait_initialized(&self) {
        // The sender is in `self`, so it cannot be closed.
        let _ = self.initialized.subscribe().wait_for(|initialized| *initialized).await;
    }

    /// The memberships for a tool call. Waits for a join that the bridge is about to make.
    async fn get(&self) -> Vec<Membership> {
        let mut current = self.watch();
        if self.joins() {
            let _ = timeout(JOIN_TIMEOUT, current.wait_for(|all| !all.is_empty())).await;
        }
        let all = current.borrow().clone();
        if all.len() > 1 { all.into_iter().filter(Membership::counts).collect() } else { all }
    }

    /// Adds session and channel to the arguments of a tool that takes them, unless the caller has given them.
    ///
    /// # Errors
    /// Why the call is refused: it could be for any of several members.
    pub(super) async fn fill_arguments(&self, tool: &Value, arguments: &mut Map<String, Value>) -> Result<(), String> {
        let takes = |name: &str| !tool["inputSchema"]["properties"][name].is_null();
        let is_absent = |name: &str| arguments.get(name).is_none_or(is_blank);
        let (has_session, has_channel) = (!is_absent("session_id"), !is_absent("channel_id"));
        if !takes("session_id") || has_session && given(arguments, "session_id").is_none() {
            return Ok(());
        }
        let all = self.get().await;
        let (session, channel) = (given(arguments, "session_id"), given(arguments, "channel_id"));
        let membership = match (&session, tool["name"] == "join") {
            (Some(_), true) => return Ok(()),
            (Some(session), false) => all.iter().find(|membership| membership.session == *session),
            (None, true) => self.continued(&all, channel.as_deref(), given(arguments, "callsign")),
            (None, false) => {
                let fits = |membership: &&Membership| channel.as_ref().is_none_or(|given| *given == membership.channel);
                match &all[..] {
                    several if several.len() > 1 && several.iter().any(|one| fits(&one)) => {
                        return Err(session_missing(several));
                    }
                    one => one.iter().find(fits).filter(|_| one.len() == 1),
                }
            }
        };
        let Some(membership) = membership else { return Ok(()) };
        self.set_used(membership.no);
        if !has_session {
            arguments.insert("session_id".into(), json!(membership.session));
        }
        if takes("channel_id") && !has_channel {
            arguments.insert("channel_id".into(), json!(membership.channel));
        }
        Ok(())
    }

    /// The membership that a join continues: the one under the requested callsign, or one that no agent has used yet. Any
    /// other join is that of another agent.
    fn continued<'a>(
        &self,
        all: &'a [Membership],
        channel: Option<&str>,
        callsign: Option<String>,
    ) -> Option<&'a Membership> {
        let channel = self.fixed_channel.as_deref().or(channel)?;
        let callsign = callsign.map(|callsign| callsign.to_lowercase());
        let here = || all.iter().filter(|membership| membership.channel == channel);
        let named = here().find(|membership| callsign.is_some() && membership.callsign == callsign);
        named.or_else(|| here().find(|membership| !membership.is_used))
    }

    fn set_used(&self, no: u64) {
        self.current.send_if_modified(|all| {
            if let Some(membership) = all.iter_mut().find(|membership| membership.no == no) {
                membership.is_used = true;
            }
            false
        });
    }

    /// Updates the memberships after a successful call of the tools `join` and `leave`. Returns a note for the result.
    pub(super) fn update(
        &self,
        tool: &str,
        arguments: &Map<String, Value>,
        target: &ChannelTarget,
        result: &Value,
    ) -> Option<&'static str> {
        match tool {
            "join" => self.add(joined(arguments, target, result)?, given(arguments, "session_id").as_deref(), result),
            "leave" => {
                let left = given(arguments, "session_id");
                self.current.send_if_modified(|all| {
                    let before = all.len();
                    all.retain(|membership| Some(&membership.session) != left.as_ref());
                    all.len() < before
                });
                None
            }
            _ => None,
        }
    }

    fn add(&self, mut new: Membership, presented: Option<&str>, result: &Value) -> Option<&'static str> {
        let mut note = None;
        self.joins.store(false, Relaxed);
        self.current.send_modify(|all| {
            let is_same = |before: &Membership| {
                let same_session = before.session == new.session || Some(&*before.session) == presented;
                before.channel == new.channel && (same_session || before.callsign == new.callsign)
            };
            let is_known = all.iter().any(|before| before.session == new.session && before.is_used);
            // A push that goes on keeps its stream.
            let kept = all.iter().find(|before| is_same(before) && before.session == new.session);
            let kept = kept.filter(|kept| kept.ended_at.is_none()).map(|kept| kept.no);
            new.no = kept.unwrap_or_else(|| self.next_no.fetch_add(1, Relaxed));
            all.retain(|before| !is_same(before) && before.counts());
            if all.len() >= MAX_MEMBERSHIPS {
                all.remove(0);
            }
            all.push(new);
            note = match (presented.is_some() && is_known && result["idempotent"] == true, all.len() > 1) {
                (true, _) => Some(CONTINUED),
                (false, true) => Some(SHARED),
                (false, false) => None,
            };
        });
        note
    }
}

/// The membership that a join has returned.
fn joined(arguments: &Map<String, Value>, target: &ChannelTarget, result: &Value) -> Option<Membership> {
    let text = |value: &Value| value.as_str().filter(|text| is_header_value(text)).map(str::to_owned);
    let callsign = text(&result["callsign"]);
    let is_own = !target.channel.is_empty() && callsign.is_some() && callsign == target.callsign;
    let token = if target.channel.is_empty() { arguments.get("token").and_then(text) } else { target.token.clone() };
    let key = arguments.get("identity_key").and_then(text);
    Some(Membership {
        no: OWN,
        channel: text(&result["channel_id"])?,
        token,
        session: text(&result["session_id"])?,
        callsign,
        identity_key: key.or_else(|| target.identity_key.clone().filter(|_| is_own)),
        is_used: true,
        ended_at: None,
    })
}

/// The refusal of a call that could be for any of several members.
fn session_missing(all: &[Membership]) -> String {
    let names: Vec<_> = all
        .iter()
        .map(|Membership { callsign, channel, .. }| match callsign {
            Some(callsign) => format!("{callsign} on {channel}"),
            None => format!("a member of {channel}"),
        })
        .collect();
    format!(
        "`session_id` is missing: several agents have joined over this connection (invalid). Pass the session_id that \
         your own join returned. This connection has joined as {}. If you no longer have your session_id, call join again \
         with your callsign",
        names.join(", ")
    )
}

/// Whether an argument counts as absent, as at the hub.
fn is_blank(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::String(text) => text.trim().is_empty(),
        Value::Array(items) => items.is_empty(),
        _ => false,
    }
}

/// A text among the arguments. A blank one counts as absent, as at the hub.
fn given(arguments: &Map<String, Value>, name: &str) -> Option<String> {
    let text = match arguments.get(name)? {
        Value::String(text) => text.trim().to_owned(),
        Value::Number(number) => number.to_string(),
        _ => return None,
    };
    (!text.is_empty()).then_some(text)
}

/// Whether a text can be part of a request without changing it.
fn is_header_value(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_graphic())
}
