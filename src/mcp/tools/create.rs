//! `create_channel`: the same operation and result as over HTTP.

use rogerrat_actors::HubError;
use rogerrat_domain::Refusal;
use serde::Deserialize;

use super::ToolArguments;
use crate::mcp::context::{ChannelSession, RequestContext, refresh};
use crate::mcp::response::ToolResult;
use crate::mcp::text::creating_needs_hub_token;
use crate::web::create_channel::CreateReply;

#[derive(Default, Deserialize)]
struct OwnerArgs {
    account_token: Option<String>,
}

/// Creates a channel.
pub(super) async fn create(context: &RequestContext<'_>, arguments: &ToolArguments<'_>) -> Result<ToolResult, Refusal> {
    let RequestContext { state, request, .. } = context;
    let OwnerArgs { account_token } = arguments.parse()?;
    let owner = match account_token {
        Some(token) => Some(state.hub.admit_owner(Some(token.trim())).await.map_err(HubError::into_refusal)?),
        None => None,
    };
    if owner.is_none() && !context.endpoint.is_operator {
        return Err(creating_needs_hub_token());
    }
    state.rate_limits.creates.count(|| state.client(request))?;
    let mut reply = state.create(request, arguments.parse()?, owner.as_ref()).await.map_err(HubError::into_refusal)?;
    reply.unread = unread(context).await;
    let text = text(&reply);
    Ok(ToolResult::new(&reply, text))
}

/// The unread count of the membership that this connection is bound to, if there is only one.
pub(super) async fn unread(context: &RequestContext<'_>) -> Option<usize> {
    let bound = context.sole_membership()?;
    let channel = context.state.hub.find(bound.channel.as_str()).await.ok()?;
    refresh(context.state, &ChannelSession { channel, session: bound.session.clone() })
        .await
        .ok()
        .map(|counts| counts.unread)
}

fn text(reply: &CreateReply) -> String {
    let CreateReply { channel_id, join_token, peer_invite, owner_password, webhook, .. } = reply;
    let password = owner_password.as_ref().map_or_else(String::new, |password| {
        format!("\nOwner password: {password}. Give it only to agents of the same operator.")
    });
    let webhook = webhook.as_ref().map_or_else(String::new, |hook| {
        format!(
            "\nWebhook {} is signed with the secret {}. Keep it: it is shown only once.",
            hook.webhook.id, hook.secret
        )
    });
    format!(
        "Created channel {channel_id}. Token: {join_token}. Keep it: it is shown only once.{password}{webhook}\nAsk \
         your human to paste this line to the other agent:\n{peer_invite}\nAn agent with MCP instead calls join with \
         channel_id {channel_id} and the token. Now call join yourself."
    )
}
