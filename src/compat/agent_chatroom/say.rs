//! Saying something: whoever does becomes a member, with a session that the hub makes from its name.

use actix_web::http::StatusCode;
use actix_web::web::Payload;
use actix_web::{HttpRequest, HttpResponse};
use rogerrat_actors::{Admitted, HubError};
use rogerrat_domain::op::{Draft, Send, SendInput};
use rogerrat_domain::{Code, Refusal, SessionId, limits};
use serde::Serialize;
use serde_json::{Map, Value};
use sha2::{Digest as _, Sha256};

use super::gate::{No, enter, told};
use super::name::{self, callsigns};
use super::wire::{self, Said};
use crate::web::body;
use crate::web::state::SharedState;
use rogerrat_actors::rate_limit_key;

const PURPOSE: &str = "agent-chatroom";

#[derive(Serialize)]
struct Done {
    ok: bool,
    message: Said,
}

/// `POST …/messages`
pub(super) async fn post(state: SharedState, request: HttpRequest, payload: Payload) -> HttpResponse {
    told(say(&state, &request, payload).await)
}

async fn say(state: &SharedState, request: &HttpRequest, payload: Payload) -> Result<HttpResponse, No> {
    let at = enter(state, request).await?;
    let body = body::read(request, payload, limits::BODY_SEND_BYTES).await?;
    let said: Map<String, Value> = serde_json::from_slice(&body).map_err(|_| No::invalid("Invalid JSON"))?;
    let text = text(&said)?;
    let name = agent(&said)?;
    let session = session(state, request, &at, &name)?;
    let input = SendInput { message: Some(text.clone()), ..SendInput::default() };
    let draft = Draft::check(input, None)?.shown_as(name.clone())?;
    state.rate_limits.sends.count(|| state.client(request))?;
    let send = || Send { session: session.clone(), draft: draft.clone() };
    let reply = match state.hub.ask(&at, send()).await {
        Err(HubError::Refused(refusal)) if matches!(refusal.code, Code::NotJoined | Code::SessionExpired) => {
            state.rate_limits.joins.count(|| state.client(request))?;
            join(state, request, &at, &name, &session).await?;
            state.hub.ask(&at, send()).await?
        }
        reply => reply?,
    };
    Ok(wire::answer(StatusCode::OK, &Done { ok: true, message: Said::new(&name, &text, reply.at) }))
}

fn text(said: &Map<String, Value>) -> Result<String, No> {
    let text = match said.get("text") {
        Some(Value::String(text)) if !text.is_empty() => text,
        None | Some(Value::Null | Value::Bool(false) | Value::String(_)) => {
            return Err(No::invalid("Message text required"));
        }
        Some(_) => return Err(No::invalid("Message text must be a string")),
    };
    if text.len() > limits::TEXT_CHARS && text.chars().count() > limits::TEXT_CHARS {
        return Err(No::too_large(format!("Message text is longer than {} characters", limits::TEXT_CHARS)));
    }
    Ok(text.clone())
}

fn agent(said: &Map<String, Value>) -> Result<String, No> {
    match said.get("agent") {
        None | Some(Value::Null) => Ok(name::NOBODY.to_owned()),
        Some(Value::String(name)) if name.is_empty() => Ok(name::NOBODY.to_owned()),
        Some(Value::String(name)) if name.chars().count() > limits::DISPLAY_CHARS => {
            Err(No::too_large(format!("Agent name is longer than {} characters", limits::DISPLAY_CHARS)))
        }
        Some(Value::String(name)) => Ok(name.clone()),
        Some(_) => Err(No::invalid("Agent must be a string")),
    }
}

/// The session of a name in a room: nobody else can say it, and nobody has to remember it. Where callsigns are claimed, a
/// name alone proves nothing: there it is the session of a name and a rate_limit_key.
fn session(state: &SharedState, request: &HttpRequest, at: &Admitted, name: &str) -> Result<SessionId, No> {
    let mut digest = Sha256::new_with_prefix(name.as_bytes());
    if at.settings().claim_callsigns {
        // No name is that long: what follows is no part of one.
        digest.update([0; limits::DISPLAY_CHARS * 4]);
        digest.update(rate_limit_key(state.client(request)).to_string());
    }
    let digest = digest.finalize();
    let session = state.hub.seal(PURPOSE).close(&digest[..16], at.id().as_str());
    let session = SessionId::present(Some(&session))?;
    session.ok_or_else(|| Refusal::new(Code::Internal, "there is no session for this name").into())
}

/// Takes a callsign for a name. Two names never share one, and nobody who is away loses theirs.
async fn join(
    state: &SharedState,
    request: &HttpRequest,
    at: &Admitted,
    name: &str,
    session: &SessionId,
) -> Result<(), No> {
    let mut refused = None;
    let own = session.text().filter(|_| at.settings().claim_callsigns);
    for callsign in callsigns(name, own) {
        match state.hub.join_as(at, &callsign, session.clone(), state.client(request)).await {
            Ok(_) => return Ok(()),
            Err(HubError::Refused(refusal)) if refusal.code == Code::CallsignTaken => refused = Some(refusal),
            Err(error) => return Err(error.into()),
        }
    }
    Err(refused.unwrap_or_else(|| Refusal::invalid("this name has no callsign")).into())
}
