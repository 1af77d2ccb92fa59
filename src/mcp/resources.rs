//! Resources: the history and the roster of the channel that a client is on.
//!
//! They are there on a channel's own endpoint, and for a session that has joined. For anybody else they do not exist.

use rogerrat_actors::{Admitted, HubError};
use rogerrat_domain::op::{History, Roster};
use rogerrat_domain::{SessionId, limits};
use serde_json::{Value, json};

use super::answer::to_json;
use super::rpc::{Fault, Params, Wrong, text};
use super::visit::{Seated, Visit, held};

const SCHEME: &str = "rogerrat://channel/";
const KINDS: [(&str, &str, &str); 2] = [
    ("history", "Channel history", "The last messages of the channel, oldest first"),
    ("roster", "Channel roster", "Who is on the channel"),
];

/// `resources/list`
pub(super) fn list(visit: &Visit<'_>) -> Value {
    let on_endpoint = visit.entrance.channel.as_ref().map(|at| at.id().clone());
    let channel = on_endpoint.or_else(|| visit.bound.as_ref().map(|seat| seat.channel.clone()));
    let resources = channel.iter().flat_map(|channel| {
        KINDS.map(|(kind, title, description)| {
            json!({
                "uri": format!("{SCHEME}{channel}/{kind}"),
                "name": kind,
                "title": title,
                "description": description,
                "mimeType": "application/json",
            })
        })
    });
    json!({"resources": resources.collect::<Vec<_>>()})
}

/// `resources/templates/list`
pub(super) fn templates() -> Value {
    let templates = KINDS.map(|(kind, title, description)| {
        json!({
            "uriTemplate": format!("{SCHEME}{{id}}/{kind}"),
            "name": kind,
            "title": title,
            "description": format!("{description} you have joined"),
            "mimeType": "application/json",
        })
    });
    json!({"resourceTemplates": templates})
}

/// `resources/read`
pub(super) async fn read(visit: &Visit<'_>, params: &Params<'_>) -> Result<Value, Fault> {
    let Some(uri) = params.uri.and_then(text) else {
        return Err(Fault::new(Wrong::Params, "`uri` must be the address of a resource"));
    };
    let not_found = || {
        let wrong = if visit.version.is_modern() { Wrong::Params } else { Wrong::Resource };
        let uri: String = uri.chars().take(256).collect();
        Fault::new(wrong, "resource not found").data(json!({"uri": uri}))
    };
    let (channel, kind) = uri.strip_prefix(SCHEME).and_then(|rest| rest.split_once('/')).ok_or_else(not_found)?;
    let (at, session) = place(visit, channel).await.ok_or_else(not_found)?;
    let told = match kind {
        "history" => history(visit, &at, session).await,
        "roster" => visit.state.hub.ask(&at, Roster { session }).await.map(|reply| to_json(&reply)),
        _ => return Err(not_found()),
    };
    let told = told.map_err(|_: HubError| not_found())?;
    Ok(json!({"contents": [{"uri": uri, "mimeType": "application/json", "text": told}]}))
}

async fn history(visit: &Visit<'_>, at: &Admitted, session: Option<SessionId>) -> Result<String, HubError> {
    let ask = History { session, n: limits::READ_MESSAGES, thread: None };
    visit.state.hub.ask(at, ask).await.map(|reply| to_json(&reply))
}

/// The channel, if the caller is on it.
async fn place(visit: &Visit<'_>, channel: &str) -> Option<(Admitted, Option<SessionId>)> {
    let bound = visit.bound.as_ref().filter(|seat| seat.channel.as_str() == channel);
    if let Some(at) = &visit.entrance.channel {
        return (at.id().as_str() == channel).then(|| (at.clone(), bound.map(|seat| seat.session.clone())));
    }
    let seat = bound?;
    let at = visit.state.hub.find(channel).await.ok()?;
    let seated = Seated { at, session: seat.session.clone() };
    held(visit.state, &seated).await.ok()?;
    Some((seated.at, Some(seated.session)))
}
