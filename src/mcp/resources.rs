//! Resources: the history and the roster of the caller's channel.
//!
//! They exist on a channel's own endpoint, and for a session that has joined the channel. For other callers they are
//! reported as not found.

use rogerrat_actors::{Admitted, HubError};
use rogerrat_domain::op::{History, Roster, RosterReply, SessionHolder};
use rogerrat_domain::{AttachmentForm, ByteBound, Message, SessionId, limits};
use serde_json::{Value, json};

use super::answer_size::{FRAME_BYTES, escaped_bytes};
use super::context::{ChannelSession, RequestContext, refresh};
use super::response::to_json;
use super::roster_size::BoundedRoster;
use super::rpc::{ErrorCode, Params, RpcError, string};

const SCHEME: &str = "rogerrat://channel/";
const KINDS: [(&str, &str, &str); 2] = [
    ("history", "Channel history", "The last messages of the channel, oldest first"),
    ("roster", "Channel roster", "The members of the channel"),
];
/// Characters of an unknown URI that its error repeats.
const URI_CHARS: usize = 256;

/// `resources/list`
pub(super) fn list(context: &RequestContext<'_>) -> Value {
    let of_endpoint = context.endpoint.channel.as_ref().map(|channel| channel.id().clone());
    let mut channels: Vec<_> = match of_endpoint {
        Some(channel) => vec![channel],
        None => context.memberships.iter().flat_map(|all| all.iter()).map(|bound| bound.channel.clone()).collect(),
    };
    channels.sort_unstable();
    channels.dedup();
    let resources = channels.iter().flat_map(|channel| {
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
            "description": format!("{description}; only for a channel you have joined"),
            "mimeType": "application/json",
        })
    });
    json!({"resourceTemplates": templates})
}

/// The channel that a URI names.
pub(super) fn channel_of(uri: &str) -> Option<&str> {
    uri.strip_prefix(SCHEME)?.split('/').next()
}

/// `resources/read`
pub(super) async fn read(context: &RequestContext<'_>, params: &Params<'_>) -> Result<Value, RpcError> {
    let Some(uri) = params.uri.and_then(string) else {
        return Err(RpcError::invalid_params("`uri` must be the URI of a resource"));
    };
    let not_found = || {
        let is_modern = context.version.is_modern();
        let code = if is_modern { ErrorCode::InvalidParams } else { ErrorCode::ResourceNotFound };
        let uri: String = uri.chars().take(URI_CHARS).collect();
        RpcError::new(code, "resource not found").with_data(json!({"uri": uri}))
    };
    let (channel, kind) = uri.strip_prefix(SCHEME).and_then(|rest| rest.split_once('/')).ok_or_else(not_found)?;
    let (channel, session) = readable_channel(context, channel).await.ok_or_else(not_found)?;
    let content = match kind {
        "history" => history(context, &channel, session).await,
        "roster" => context.state.hub.roster(&channel, Roster { session, limit: None }).await.map(roster),
        _ => return Err(not_found()),
    };
    let content = content.map_err(|_: HubError| not_found())?;
    Ok(json!({"contents": [{"uri": uri, "mimeType": "application/json", "text": content}]}))
}

async fn history(
    context: &RequestContext<'_>,
    channel: &Admitted,
    session: Option<SessionId>,
) -> Result<String, HubError> {
    let query = History { session, n: limits::READ_MESSAGES, thread: None, before: None };
    let mut reply = context.state.hub.query(channel, query).await?;
    let max_bytes = limits::ANSWER_MCP_BYTES - FRAME_BYTES;
    reply.keep_newest(ByteBound { max_bytes, weigh });
    reply.history.attachments = AttachmentForm::Reference;
    Ok(to_json(&reply))
}

/// The size of a message in a JSON document that is itself a text.
fn weigh(message: &Message) -> usize {
    escaped_bytes(&String::from_utf8_lossy(&message.json_by_reference())) + 1
}

fn roster(reply: RosterReply) -> String {
    to_json(&BoundedRoster::new(reply, limits::ANSWER_MCP_BYTES - FRAME_BYTES))
}

/// The channel, and the caller's session on it; none when the caller may not read it. Agents that share the connection
/// see what all members of the channel see, because nothing says which of them reads.
async fn readable_channel(context: &RequestContext<'_>, channel: &str) -> Option<(Admitted, Option<SessionId>)> {
    let sole = context.sole_membership().filter(|bound| bound.channel.as_str() == channel);
    if let Some(own) = &context.endpoint.channel {
        return (own.id().as_str() == channel).then(|| (own.clone(), sole.map(|bound| bound.session.clone())));
    }
    let all = context.memberships.as_ref()?;
    let on_channel: Vec<_> = all.iter().filter(|bound| bound.channel.as_str() == channel).collect();
    let is_member = |holder: &Option<SessionHolder>| holder.as_ref().is_some_and(|holder| holder.is_live);
    if !context.holders(&on_channel).await?.iter().any(is_member) {
        return None;
    }
    let channel = context.state.hub.find(channel).await.ok()?;
    let Some(sole) = sole else { return Some((channel, None)) };
    let at = ChannelSession { channel, session: sole.session.clone() };
    refresh(context.state, &at).await.ok()?;
    Some((at.channel, Some(at.session)))
}
