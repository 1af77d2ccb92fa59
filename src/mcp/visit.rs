//! One message of a client: where it came in, what it may do there, and for whom it acts.

use actix_web::HttpRequest;
use actix_web::web::Data;
use rogerrat_actors::Admitted;
use rogerrat_domain::op::Keepalive;
use rogerrat_domain::{Code, Refusal, SessionId};
use serde::Deserialize;

use super::Mcp;
use super::bindings::Seat;
use super::era::Version;
use super::session::Ticket;
use crate::web::problem::Problem;
use crate::web::state::{SharedState, bearer, channel_of};

/// Letters of a session id that the hub made; nobody guesses such a one.
const MINTED_CHARS: usize = 43;

/// Which endpoint a request came to, and what its bearer admits to.
pub(super) struct Entrance {
    /// The channel of `/mcp/{id}`; none for `/mcp`.
    pub(super) channel: Option<Admitted>,
    /// Whether it may do what the hub's own token guards (D23).
    pub(super) is_operator: bool,
}

impl Entrance {
    /// Lets a request in, or not (D23).
    pub(super) async fn of(state: &SharedState, request: &HttpRequest) -> Result<Self, Problem> {
        let bearer = bearer(request.headers());
        let is_operator = state.server_token.as_ref().is_none_or(|hash| bearer.is_some_and(|said| hash.admits(said)));
        if request.match_info().get("id").is_none() {
            return if is_operator { Ok(Self { channel: None, is_operator }) } else { Err(unauthorized().into()) };
        }
        let id = channel_of(request);
        let holds_the_token = is_operator && state.server_token.is_some();
        let channel = if holds_the_token { state.hub.find(id).await } else { state.hub.admit(id, bearer).await };
        Ok(Self { channel: Some(channel?), is_operator })
    }

    /// What ids of sessions are good for.
    pub(super) fn name(&self) -> &str {
        self.channel.as_ref().map_or("", |channel| channel.id().as_str())
    }
}

fn unauthorized() -> Refusal {
    Refusal::new(Code::Unauthorized, "invalid bearer token").hint(
        "this endpoint needs the hub's token: `Authorization: Bearer <token>`; /mcp/<channel> takes the channel's",
    )
}

/// One message.
pub(super) struct Visit<'a> {
    pub(super) state: &'a SharedState,
    pub(super) mcp: &'a Data<Mcp>,
    pub(super) request: &'a HttpRequest,
    pub(super) entrance: &'a Entrance,
    pub(super) version: Version,
    /// The session it belongs to; modern messages, and some legacy ones, belong to none.
    pub(super) ticket: Option<Ticket>,
    /// The seat that session is bound to.
    pub(super) bound: Option<Seat>,
    /// Whether others wait for its answer.
    pub(super) is_in_batch: bool,
}

/// The arguments by which every tool of a channel can say for whom it acts.
#[derive(Debug, Default, Deserialize)]
pub(super) struct SeatArgs {
    pub(super) channel_id: Option<String>,
    pub(super) session_id: Option<String>,
}

/// A place on a channel, found.
pub(super) struct Seated {
    pub(super) at: Admitted,
    pub(super) session: SessionId,
}

impl Visit<'_> {
    /// Whom a tool acts for: what its arguments say, else what the session is bound to.
    pub(super) async fn seated(&self, said: &SeatArgs) -> Result<Seated, Refusal> {
        let given = said.session_id.as_deref().map(|id| SessionId::present(Some(id))).transpose()?.flatten();
        if said.session_id.is_some() && given.is_none() {
            return Err(Refusal::invalid("session_id is the one that join returned"));
        }
        match (&self.entrance.channel, &said.channel_id) {
            (Some(at), _) => {
                let session = given.or_else(|| self.bound.as_ref().map(|seat| seat.session.clone()));
                Ok(Seated { at: at.clone(), session: session.ok_or_else(Refusal::not_joined)? })
            }
            (None, None) => {
                let seat = self.bound.as_ref().ok_or_else(Refusal::not_joined)?;
                self.seat(seat.channel.as_str(), given.unwrap_or_else(|| seat.session.clone())).await
            }
            (None, Some(channel)) => {
                let own = self.bound.as_ref().filter(|seat| seat.channel.as_str() == channel);
                let known = own.map(|seat| seat.session.clone());
                match given {
                    // Here the session alone lets in, so it must be one that cannot be guessed.
                    Some(session) if Some(&session) != known.as_ref() && !is_minted(&session) => {
                        Err(Refusal::new(Code::Unauthorized, "a session id of your own is not enough here"))
                    }
                    given => self.seat(channel, given.or(known).ok_or_else(Refusal::not_joined)?).await,
                }
            }
        }
    }

    async fn seat(&self, channel: &str, session: SessionId) -> Result<Seated, Refusal> {
        let at = self.state.hub.find(channel).await.map_err(rogerrat_actors::HubError::into_refusal)?;
        Ok(Seated { at, session })
    }

    /// Where others reach this hub.
    pub(super) fn origin(&self) -> String {
        self.state.public_origin(self.request)
    }
}

fn is_minted(session: &SessionId) -> bool {
    let id = session.text().unwrap_or_default();
    id.len() == MINTED_CHARS && id.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
}

/// Checks that a seat is still held, and tells what waits for it. Reading who is there and what was said asks for nothing
/// of the kind by itself.
pub(super) async fn held(state: &SharedState, seated: &Seated) -> Result<usize, Refusal> {
    let reply = state.hub.ask(&seated.at, Keepalive { session: seated.session.clone() }).await;
    reply.map(|reply| reply.unread).map_err(rogerrat_actors::HubError::into_refusal)
}
