//! `create_account` and `create_identity`: the same as over REST. What they give out is shown only now.

use rogerrat_actors::HubError;
use rogerrat_domain::account::{AccountOpened, IdentityInput, IdentityReply};
use rogerrat_domain::{Code, Refusal};
use serde::{Deserialize, Serialize};

use super::Arguments;
use super::create::unread;
use crate::mcp::answer::Told;
use crate::mcp::visit::Visit;

/// A reply, and what waits where this connection has joined.
#[derive(Serialize)]
struct With<T> {
    #[serde(flatten)]
    reply: T,
    #[serde(skip_serializing_if = "Option::is_none")]
    unread: Option<usize>,
}

/// Opens an account.
pub(super) async fn open(visit: &Visit<'_>) -> Result<Told, Refusal> {
    let Visit { state, request, .. } = visit;
    if !visit.entrance.is_operator {
        return Err(Refusal::new(Code::Unauthorized, "opening accounts here needs the hub's token")
            .hint("use the endpoint /mcp with `Authorization: Bearer <token of the hub>`"));
    }
    state.rate_limits.accounts.count(|| state.client(request))?;
    let reply = state.hub.open_account().await.map_err(HubError::into_refusal)?;
    let AccountOpened { account_id, recovery_token, session_token, .. } = &reply;
    let text = format!(
        "Opened account {account_id}. recovery_token {recovery_token}, session_token {session_token}: both are shown only \
         now. Give the recovery token to your human to keep; nobody else needs it. create_identity and create_channel \
         (as account_token) take the session token."
    );
    Ok(Told::new(&With { unread: unread(visit).await, reply }, text))
}

#[derive(Deserialize)]
struct Account {
    session_token: String,
}

/// Makes an identity.
pub(super) async fn add_identity(visit: &Visit<'_>, arguments: &Arguments<'_>) -> Result<Told, Refusal> {
    let (Account { session_token }, input): (_, IdentityInput) = (arguments.read()?, arguments.read()?);
    let hub = &visit.state.hub;
    let owner = hub.admit_owner(Some(session_token.trim())).await.map_err(HubError::into_refusal)?;
    let reply = hub.add_identity(&owner, input.callsign.as_deref()).await.map_err(HubError::into_refusal)?;
    let IdentityReply { callsign, identity_key } = &reply;
    let text = format!(
        "Made the identity {callsign}. identity_key {identity_key}: keep it, it is shown only now. Say it as identity_key \
         when you join; nobody else can join as {callsign}, and what you send is marked as verified."
    );
    Ok(Told::new(&With { unread: unread(visit).await, reply }, text))
}
