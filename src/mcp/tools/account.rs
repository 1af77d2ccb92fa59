//! `create_account` and `create_identity`: the same operations as over HTTP. Their secrets are shown only once.

use rogerrat_actors::HubError;
use rogerrat_domain::Refusal;
use rogerrat_domain::account::{CreateAccountReply, IdentityInput, IdentityReply};
use serde::{Deserialize, Serialize};

use super::ToolArguments;
use super::create::unread;
use crate::mcp::context::RequestContext;
use crate::mcp::response::ToolResult;
use crate::mcp::text::accounts_need_hub_token;
use crate::web::device_label::session_label;

/// A reply with the unread count of the membership that this connection is bound to.
#[derive(Serialize)]
struct WithUnread<T> {
    #[serde(flatten)]
    reply: T,
    #[serde(skip_serializing_if = "Option::is_none")]
    unread: Option<usize>,
}

/// Creates an account.
pub(super) async fn create(context: &RequestContext<'_>) -> Result<ToolResult, Refusal> {
    let RequestContext { state, request, .. } = context;
    if !context.endpoint.is_operator {
        return Err(accounts_need_hub_token());
    }
    state.rate_limits.accounts.count(|| state.client(request))?;
    let label = session_label(None, request.headers())?;
    let reply = state.hub.open_account(label).await.map_err(HubError::into_refusal)?;
    let CreateAccountReply { account_id, recovery_token, session_token, .. } = &reply;
    let text = format!(
        "Created account {account_id}. recovery_token {recovery_token}, session_token {session_token}: both are shown \
         only once. Give the recovery token to your human to keep, and to nobody else. Pass the session token to \
         create_identity, and to create_channel as account_token."
    );
    Ok(ToolResult::new(&WithUnread { unread: unread(context).await, reply }, text))
}

#[derive(Deserialize)]
struct AccountArgs {
    session_token: String,
}

/// Creates an identity.
pub(super) async fn create_identity(
    context: &RequestContext<'_>,
    arguments: &ToolArguments<'_>,
) -> Result<ToolResult, Refusal> {
    let (AccountArgs { session_token }, input): (_, IdentityInput) = (arguments.parse()?, arguments.parse()?);
    let hub = &context.state.hub;
    let owner = hub.admit_owner(Some(session_token.trim())).await.map_err(HubError::into_refusal)?;
    let reply = hub.add_identity(&owner, input.callsign.as_deref()).await.map_err(HubError::into_refusal)?;
    let IdentityReply { callsign, identity_key } = &reply;
    let text = format!(
        "Created identity {callsign}. identity_key {identity_key}. Keep it: it is shown only once. Pass it as \
         identity_key when you join; nobody else can join as {callsign}, and your messages are marked as verified."
    );
    Ok(ToolResult::new(&WithUnread { unread: unread(context).await, reply }, text))
}
