//! Posting a message. The client becomes a member, with a session that the hub derives from its name.

use actix_web::http::StatusCode;
use actix_web::web::Payload;
use actix_web::{HttpRequest, HttpResponse};
use rogerrat_actors::{Admitted, HubError, rate_limit_key};
use rogerrat_domain::op::{Draft, Send, SendInput};
use rogerrat_domain::{Code, Refusal, SessionId, limits};
use serde::Serialize;
use serde_json::{Map, Value};
use sha2::{Digest as _, Sha256};

use super::admission::{RoomError, admit, respond};
use super::callsign::{self, callsigns};
use super::wire::{self, RoomMessage};
use crate::web::state::SharedState;
use crate::web::{body, json};

const PURPOSE: &str = "agent-chatroom";

#[derive(Serialize)]
struct PostReply {
    ok: bool,
    message: RoomMessage,
}

/// `POST …/messages`
pub(super) async fn post(state: SharedState, request: HttpRequest, payload: Payload) -> HttpResponse {
    respond(send(&state, &request, payload).await)
}

async fn send(state: &SharedState, request: &HttpRequest, payload: Payload) -> Result<HttpResponse, RoomError> {
    let at = admit(state, request).await?;
    let body = body::read(request, payload, limits::BODY_SEND_BYTES).await?;
    let body = json::decode(json::without_bom(&body)).map_err(RoomError::invalid)?;
    let fields: Map<String, Value> = serde_json::from_str(body).map_err(|_| RoomError::invalid("Invalid JSON"))?;
    let text = text(&fields)?;
    let name = agent(&fields)?;
    let session = session(state, request, &at, &name)?;
    let input = SendInput { message: Some(text.clone()), ..SendInput::default() };
    let draft = Draft::check(input, None)?.with_display(name.clone())?;
    state.rate_limits.sends.count(|| state.client(request))?;
    let operation = || Send { session: session.clone(), draft: draft.clone() };
    let reply = match state.hub.ask(&at, operation()).await {
        Err(HubError::Refused(refusal)) if matches!(refusal.code, Code::NotJoined | Code::SessionExpired) => {
            state.rate_limits.joins.count(|| state.client(request))?;
            join(state, request, &at, &name, &session).await?;
            state.hub.ask(&at, operation()).await?
        }
        reply => reply?,
    };
    Ok(wire::response(StatusCode::OK, &PostReply { ok: true, message: RoomMessage::new(&name, &text, reply.at) }))
}

fn text(fields: &Map<String, Value>) -> Result<String, RoomError> {
    let text = match fields.get("text") {
        Some(Value::String(text)) if !text.is_empty() => text,
        None | Some(Value::Null | Value::Bool(false) | Value::String(_)) => {
            return Err(RoomError::invalid("Message text required"));
        }
        Some(_) => return Err(RoomError::invalid("Message text must be a string")),
    };
    if text.len() > limits::TEXT_CHARS && text.chars().count() > limits::TEXT_CHARS {
        return Err(RoomError::too_large(format!("Message text is longer than {} characters", limits::TEXT_CHARS)));
    }
    Ok(text.clone())
}

fn agent(fields: &Map<String, Value>) -> Result<String, RoomError> {
    match fields.get("agent") {
        None | Some(Value::Null) => Ok(callsign::DEFAULT_NAME.to_owned()),
        Some(Value::String(name)) if name.is_empty() => Ok(callsign::DEFAULT_NAME.to_owned()),
        Some(Value::String(name)) if name.chars().count() > limits::DISPLAY_CHARS => {
            Err(RoomError::too_large(format!("Agent name is longer than {} characters", limits::DISPLAY_CHARS)))
        }
        Some(Value::String(name)) => Ok(name.clone()),
        Some(_) => Err(RoomError::invalid("Agent must be a string")),
    }
}

/// Derives the session of a name in a room. No client can guess it, and no client has to store it. If callsigns are
/// claimed, a name alone proves nothing, so the session also depends on the client address.
fn session(state: &SharedState, request: &HttpRequest, at: &Admitted, name: &str) -> Result<SessionId, RoomError> {
    let mut digest = Sha256::new_with_prefix(name.as_bytes());
    if at.settings().claim_callsigns {
        // Padding longer than any name, so that no name can imitate the address that follows.
        digest.update([0; limits::DISPLAY_CHARS * 4]);
        digest.update(rate_limit_key(state.client(request)).to_string());
    }
    let digest = digest.finalize();
    let session = state.hub.seal(PURPOSE).sign(&digest[..16], at.id().as_str());
    let session = SessionId::present(Some(&session))?;
    session.ok_or_else(|| Refusal::new(Code::Internal, "no session for this name").into())
}

/// Joins under a callsign derived from a name. It never takes a callsign from another member, even one that is offline.
async fn join(
    state: &SharedState,
    request: &HttpRequest,
    at: &Admitted,
    name: &str,
    session: &SessionId,
) -> Result<(), RoomError> {
    let mut refused = None;
    let own = session.text().filter(|_| at.settings().claim_callsigns);
    for callsign in callsigns(name, own) {
        match state.hub.join_as(at, &callsign, session.clone(), state.client(request)).await {
            Ok(_) => return Ok(()),
            Err(HubError::Refused(refusal)) if refusal.code == Code::CallsignTaken => refused = Some(refusal),
            Err(error) => return Err(error.into()),
        }
    }
    Err(refused.unwrap_or_else(|| Refusal::invalid("no callsign for this name")).into())
}
