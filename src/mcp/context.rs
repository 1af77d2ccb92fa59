//! The context of one message: the endpoint it came to, what the caller may do there, and for which member it acts.

use actix_web::HttpRequest;
use actix_web::web::Data;
use rogerrat_actors::{Admitted, HubError};
use rogerrat_domain::op::Keepalive;
use rogerrat_domain::{Code, Refusal, SessionId};

use super::protocol_version::ProtocolVersion;
use super::session::McpSessionId;
use super::session_store::Membership;
use super::state::McpState;
use super::text;
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
    /// The channel membership that this MCP session is bound to.
    pub(super) membership: Option<Membership>,
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
    /// Returns the channel session a tool acts for: that of its arguments, else that of the MCP session.
    pub(super) async fn channel_session(&self, args: &MembershipArgs) -> Result<ChannelSession, Refusal> {
        let given = args.session_id.as_deref().map(|id| SessionId::present(Some(id))).transpose()?.flatten();
        if args.session_id.is_some() && given.is_none() {
            return Err(Refusal::invalid("session_id must be the one that join returned"));
        }
        match (&self.endpoint.channel, &args.channel_id) {
            (Some(channel), _) => {
                let session = given.or_else(|| self.membership.as_ref().map(|bound| bound.session.clone()));
                Ok(ChannelSession { channel: channel.clone(), session: session.ok_or_else(Refusal::not_joined)? })
            }
            (None, None) => {
                let bound = self.membership.as_ref().ok_or_else(Refusal::not_joined)?;
                self.find(bound.channel.as_str(), given.unwrap_or_else(|| bound.session.clone())).await
            }
            (None, Some(channel)) => {
                let bound = self.membership.as_ref().filter(|bound| bound.channel.as_str() == channel);
                let bound = bound.map(|bound| bound.session.clone());
                match given {
                    // No channel token was checked: the session id alone authenticates, so it must be unguessable.
                    Some(session) if Some(&session) != bound.as_ref() && !is_generated(&session) => {
                        Err(text::guessable_session_id())
                    }
                    given => self.find(channel, given.or(bound).ok_or_else(Refusal::not_joined)?).await,
                }
            }
        }
    }

    async fn find(&self, channel: &str, session: SessionId) -> Result<ChannelSession, Refusal> {
        let channel = self.state.hub.find(channel).await.map_err(HubError::into_refusal)?;
        Ok(ChannelSession { channel, session })
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

/// Refreshes a session and returns its number of unread messages; fails when it has ended. Operations that only read
/// the channel do not check the session themselves.
pub(super) async fn refresh(state: &SharedState, at: &ChannelSession) -> Result<usize, Refusal> {
    let reply = state.hub.ask(&at.channel, Keepalive { session: at.session.clone() }).await;
    reply.map(|reply| reply.unread).map_err(HubError::into_refusal)
}
