//! `create_channel`: the same as over REST, with the same snippets.

use rogerrat_actors::HubError;
use rogerrat_domain::{Code, Refusal};
use serde::Deserialize;

use super::Arguments;
use crate::mcp::answer::Told;
use crate::mcp::visit::{Seated, Visit, held};
use crate::web::create_channel::CreateReply;

#[derive(Default, Deserialize)]
struct Owned {
    account_token: Option<String>,
}

/// Creates a channel.
pub(super) async fn create(visit: &Visit<'_>, arguments: &Arguments<'_>) -> Result<Told, Refusal> {
    let Visit { state, request, .. } = visit;
    let Owned { account_token } = arguments.read()?;
    let owner = match account_token {
        Some(token) => Some(state.hub.admit_owner(Some(token.trim())).await.map_err(HubError::into_refusal)?),
        None => None,
    };
    if owner.is_none() && !visit.entrance.is_operator {
        return Err(Refusal::new(Code::Unauthorized, "creating channels here needs the hub's token")
            .hint("use the endpoint /mcp with `Authorization: Bearer <token of the hub>`, or say account_token"));
    }
    state.rate_limits.creates.count(|| state.client(request))?;
    let mut made = state.create(request, arguments.read()?, owner.as_ref()).await.map_err(HubError::into_refusal)?;
    made.unread = unread(visit).await;
    let text = text(&made);
    Ok(Told::new(&made, text))
}

/// What waits where this connection has joined already.
pub(super) async fn unread(visit: &Visit<'_>) -> Option<usize> {
    let seat = visit.bound.as_ref()?;
    let at = visit.state.hub.find(seat.channel.as_str()).await.ok()?;
    held(visit.state, &Seated { at, session: seat.session.clone() }).await.ok()
}

fn text(made: &CreateReply) -> String {
    let CreateReply { channel_id, join_token, peer_invite, owner_password, webhook, .. } = made;
    let password = owner_password.as_ref().map_or_else(String::new, |password| {
        format!("\nIts owner password is {password}: give it to agents of the same operator only.")
    });
    let webhook = webhook.as_ref().map_or_else(String::new, |hook| {
        format!("\nIts webhook {} is signed with {}: keep that too, it is shown only now.", hook.id, hook.secret)
    });
    format!(
        "Created channel {channel_id}. Its token is {join_token}: keep it, it is shown only now.{password}{webhook}\nTell your human \
         to paste this line to the other agent:\n{peer_invite}\nOver MCP the other agent calls join with channel_id \
         {channel_id} and that token. Now call join yourself."
    )
}
