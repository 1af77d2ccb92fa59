//! The context of one message: the endpoint it came to, what the caller may do there, and for which member it acts.

use actix_web::HttpRequest;
use actix_web::web::Data;
use rogerrat_actors::{Admitted, HubError};
use rogerrat_domain::op::{Keepalive, KeepaliveReply, SessionHolder, SessionHolders, TasksForYou};
use rogerrat_domain::{ChannelId, Code, Refusal, SessionId};
use serde::Serialize;

use super::memberships::{Membership, Memberships};
use super::protocol_version::ProtocolVersion;
use super::session::McpSessionId;
use super::state::McpState;
use super::text;
use super::unproven::Arrival;
use crate::web::problem::Problem;
use crate::web::state::{SharedState, bearer, channel_of};

/// Characters of a channel session id that the hub generated. Only such an id cannot be guessed.
const GENERATED_ID_CHARS: usize = 43;

/// The endpoint a request came to, and what its bearer token permits.
pub(super) struct McpEndpoint {
    /// The channel of `/mcp/{id}`; none for `/mcp`.
    pub(super) channel: Option<Admitted>,
    /// Whether the caller may do what the server token protects (D23).
    pub(super) is_operator: bool,
}

impl McpEndpoint {
    /// Checks the request's bearer token (D23).
    pub(super) async fn authorize(state: &SharedState, request: &HttpRequest) -> Result<Self, Problem> {
        let bearer = bearer(request.headers());
        let is_operator =
            state.server_token.as_ref().is_none_or(|hash| bearer.is_some_and(|token| hash.matches(token)));
        if request.match_info().get("id").is_none() {
            return if is_operator { Ok(Self { channel: None, is_operator }) } else { Err(unauthorized().into()) };
        }
        let id = channel_of(request);
        let has_hub_token = is_operator && state.server_token.is_some();
        let channel = if has_hub_token { state.hub.find(id).await } else { state.hub.admit(id, bearer).await };
        Ok(Self { channel: Some(channel?), is_operator })
    }

    /// The name that session ids of this endpoint are bound to.
    pub(super) fn name(&self) -> &str {
        self.channel.as_ref().map_or("", |channel| channel.id().as_str())
    }
}

fn unauthorized() -> Refusal {
    Refusal::new(Code::Unauthorized, "invalid bearer token").hint(
        "this endpoint needs the server token: `Authorization: Bearer <token>`; /mcp/<channel> needs the channel's",
    )
}

/// One message in its context.
pub(super) struct RequestContext<'a> {
    pub(super) state: &'a SharedState,
    pub(super) mcp: &'a Data<McpState>,
    pub(super) request: &'a HttpRequest,
    pub(super) endpoint: &'a McpEndpoint,
    pub(super) version: ProtocolVersion,
    /// The MCP session of the message. Stateless messages have none, and some session-based ones neither.
    pub(super) mcp_session: Option<McpSessionId>,
    /// The channel memberships that this MCP session is bound to.
    pub(super) memberships: Option<Memberships>,
    /// Whether other messages of a batch wait for this response.
    pub(super) is_in_batch: bool,
}

/// The arguments by which every tool of a channel names the member it acts for.
#[derive(Debug, Default)]
pub(super) struct MembershipArgs {
    pub(super) channel_id: Option<String>,
    pub(super) session_id: Option<String>,
}

/// A channel that was found, and a session on it.
pub(super) struct ChannelSession {
    pub(super) channel: Admitted,
    pub(super) session: SessionId,
}

impl RequestContext<'_> {
    /// The membership of this MCP session, if it has only one.
    pub(super) fn sole_membership(&self) -> Option<&Membership> {
        self.memberships.as_ref()?.sole()
    }

    /// Returns the channel session a tool acts for: that of its arguments, else that of the MCP session.
    pub(super) async fn channel_session(&self, args: &MembershipArgs) -> Result<ChannelSession, Refusal> {
        let given = args.session_id.as_deref().map(|id| SessionId::present(Some(id))).transpose()?.flatten();
        match given {
            Some(session) => self.named_session(args.channel_id.as_deref(), session).await,
            None if args.session_id.is_some() => Err(Refusal::invalid("session_id must be the one that join returned")),
            None => {
                let Membership { channel, session, .. } = self.implied_membership(args.channel_id.as_deref()).await?;
                match &self.endpoint.channel {
                    Some(channel) => Ok(ChannelSession { channel: channel.clone(), session }),
                    None => self.find(channel.as_str(), session).await,
                }
            }
        }
    }

    /// The channel session of a call with a session id.
    async fn named_session(&self, channel: Option<&str>, session: SessionId) -> Result<ChannelSession, Refusal> {
        let own = self.memberships.as_ref().and_then(|all| all.with_session(&session));
        if own.is_some() {
            self.record_use(&session);
        }
        match (&self.endpoint.channel, channel) {
            (Some(channel), _) => Ok(ChannelSession { channel: channel.clone(), session }),
            (None, None) => {
                let all = self.memberships.as_ref().ok_or_else(Refusal::not_joined)?;
                let channel = own.map(|own| &own.channel).or_else(|| all.channel());
                self.find(channel.ok_or_else(text::channel_missing)?.as_str(), session).await
            }
            // No channel token was checked: the session id alone authenticates, so it must be unguessable.
            (None, Some(channel)) => {
                match own.is_some_and(|own| own.channel.as_str() == channel) || is_generated(&session) {
                    true => self.find(channel, session).await,
                    false => Err(text::guessable_session_id()),
                }
            }
        }
    }

    /// The membership that a call without a session id acts for: the only one. Agents that share the connection must say
    /// which of them calls, so that none speaks in the name of another.
    async fn implied_membership(&self, channel: Option<&str>) -> Result<Membership, Refusal> {
        let fits = |membership: &&Membership| channel.is_none_or(|channel| membership.channel.as_str() == channel);
        let all = self.memberships.as_ref().ok_or_else(Refusal::not_joined)?;
        if !all.iter().any(|membership| fits(&membership)) {
            return Err(Refusal::not_joined());
        }
        if let Some(sole) = all.sole() {
            return Ok(sole.clone());
        }
        let (current, ended) = self.current_memberships(all).await;
        if let (Some(mcp_session), false) = (&self.mcp_session, ended.is_empty()) {
            let forget = move |all: Option<&Memberships>, _: u64| all.and_then(|all| all.without(&ended));
            self.mcp.sessions.change(mcp_session.nonce, self.now_ms(), forget).await;
        }
        match &current[..] {
            [] => Err(Refusal::not_joined()),
            [(one, _)] => Some(one).filter(fits).cloned().ok_or_else(Refusal::not_joined),
            several => Err(text::session_missing(several)),
        }
    }

    /// The memberships that count, with the callsign of each, and the sessions of the others.
    async fn current_memberships(&self, all: &Memberships) -> (Vec<(Membership, String)>, Vec<SessionId>) {
        let (mut current, mut ended) = (Vec::new(), Vec::new());
        let mut known = Vec::<&ChannelId>::new();
        for membership in all.iter() {
            if known.contains(&&membership.channel) {
                continue;
            }
            known.push(&membership.channel);
            let on_channel: Vec<_> = all.iter().filter(|other| other.channel == membership.channel).collect();
            let holders = self.holders(&on_channel).await;
            for (at, membership) in on_channel.into_iter().enumerate() {
                let holder = holders.as_ref().and_then(|holders| holders.get(at)?.as_ref());
                let is_live = holders.is_none() || holder.is_some_and(|holder| holder.is_live);
                if membership.counts(is_live, self.now_ms()) {
                    let callsign = holder.map(|holder| &holder.callsign).or(membership.callsign.as_ref());
                    current.push((membership.clone(), callsign.map_or_else(String::new, ToString::to_string)));
                } else {
                    ended.push(membership.session.clone());
                }
            }
        }
        (current, ended)
    }

    /// The members that have the sessions of memberships on one channel; none if the hub is too busy to tell.
    pub(super) async fn holders(&self, on_channel: &[&Membership]) -> Option<Vec<Option<SessionHolder>>> {
        let sessions: Vec<_> = on_channel.iter().map(|membership| membership.session.clone()).collect();
        let unknown = vec![None; sessions.len()];
        let Some(first) = on_channel.first() else { return Some(unknown) };
        let reply = match self.state.hub.find(first.channel.as_str()).await {
            Ok(channel) => self.state.hub.query(&channel, SessionHolders { sessions }).await,
            Err(error) => Err(error),
        };
        reply
            .map_err(HubError::into_refusal)
            .or_else(|refusal| match refusal.code {
                Code::NotFound => Ok(unknown),
                _ => Err(refusal),
            })
            .ok()
    }

    fn record_use(&self, session: &SessionId) {
        let now_ms = self.now_ms();
        let is_due = self.memberships.as_ref().is_some_and(|all| all.used(session, now_ms).is_some());
        if let Some(mcp_session) = self.mcp_session.as_ref().filter(|_| is_due) {
            let session = session.clone();
            let used = move |all: Option<&Memberships>, _: u64| {
                all.map(|all| all.used(&session, now_ms).unwrap_or_else(|| all.clone()))
            };
            drop(self.mcp.sessions.change(mcp_session.nonce, now_ms, used));
        }
    }

    pub(super) fn now_ms(&self) -> u64 {
        self.state.clock.now().at_ms
    }

    async fn find(&self, channel: &str, session: SessionId) -> Result<ChannelSession, Refusal> {
        let channel = self.state.hub.find(channel).await.map_err(HubError::into_refusal)?;
        Ok(ChannelSession { channel, session })
    }

    /// When and on which connection the message came.
    pub(super) fn arrival(&self) -> Arrival {
        Arrival::of(self.request, self.state.clock.uptime_ms())
    }

    /// The base URL under which clients reach this hub.
    pub(super) fn origin(&self) -> String {
        self.state.public_origin(self.request)
    }

    /// The server's instructions for this endpoint.
    pub(super) fn instructions(&self) -> String {
        text::instructions(&self.origin(), self.endpoint.channel.as_ref().map(Admitted::id))
    }

    /// How the caller stays reachable.
    pub(super) fn stay_reachable(&self) -> String {
        let client = self.state.preset(self.request).client;
        text::stay_reachable(&self.origin(), client.map(|client| client.wake))
    }
}

fn is_generated(session: &SessionId) -> bool {
    let id = session.text().unwrap_or_default();
    id.len() == GENERATED_ID_CHARS && id.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
}

/// What is there for a member, in every result of a tool that acts for it (A6).
#[derive(Clone, Copy, Debug, Default, Serialize)]
pub(super) struct Counts {
    pub(super) unread: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) tasks: Option<TasksForYou>,
}

impl Counts {
    /// The lines that say so; empty if there is nothing.
    pub(super) fn lines(self) -> String {
        let mut lines = String::new();
        if self.unread > 0 {
            lines += &format!("\n{} unread: call listen", self.unread);
        }
        if let Some(TasksForYou { for_you }) = self.tasks {
            lines += &format!("\n{for_you} for you to take or answer: call tasks");
        }
        lines
    }
}

/// Refreshes a session and returns what is there for its member; fails when it has ended. Operations that only read
/// the channel do not check the session themselves.
pub(super) async fn refresh(state: &SharedState, at: &ChannelSession) -> Result<Counts, Refusal> {
    let reply = state.hub.ask(&at.channel, Keepalive { session: at.session.clone() }).await;
    let KeepaliveReply { unread, tasks, .. } = reply.map_err(HubError::into_refusal)?;
    Ok(Counts { unread, tasks })
}
