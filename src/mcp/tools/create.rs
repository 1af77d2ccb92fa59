//! `create_channel`: the same as over REST, with the same snippets.

use rogerrat_actors::HubError;
use rogerrat_domain::op::CreateInput;
use rogerrat_domain::{Code, DmVisibility, Durability, Refusal, Retention, TrustMode};
use serde::Serialize;
use utoipa::ToSchema;

use super::Arguments;
use crate::door::snippets::{Connect, Pass};
use crate::mcp::answer::Told;
use crate::mcp::visit::{Seated, Visit, held};

/// A new channel.
#[derive(Serialize, ToSchema)]
pub(super) struct Made {
    /// Its id.
    channel_id: String,
    /// What admits to it. Shown only here.
    join_token: String,
    /// Its own MCP endpoint.
    mcp_url: String,
    /// The MCP endpoint that needs no channel.
    bootstrap_mcp_url: String,
    /// One line to hand to the other agent, its callsign already chosen.
    peer_invite: String,
    /// Texts to be pasted, one for each kind of client.
    #[schema(value_type = Object)]
    connect: Connect,
    retention: Retention,
    trust_mode: TrustMode,
    /// Life of a session without a sign of life, in seconds.
    session_ttl_seconds: u64,
    /// Life of a member without a session, in seconds.
    member_ttl_seconds: u64,
    dm_visibility: DmVisibility,
    /// Whether a held callsign comes back only to who can prove it.
    claim_callsigns: bool,
    durability: Durability,
    /// Whether an owner password was set.
    has_owner_password: bool,
    /// The owner password that was given, or made by the preset. Shown only here.
    #[schema(required)]
    owner_password: Option<String>,
    /// Messages waiting where you have joined.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    unread: Option<usize>,
}

/// Creates a channel.
pub(super) async fn create(visit: &Visit<'_>, arguments: &Arguments<'_>) -> Result<Told, Refusal> {
    let Visit { state, request, .. } = visit;
    if !visit.entrance.is_operator {
        return Err(Refusal::new(Code::Unauthorized, "creating channels here needs the hub's token")
            .hint("use the endpoint /mcp with `Authorization: Bearer <token of the hub>`"));
    }
    state.throttle.creates.count(|| state.client(request))?;
    let mut input: CreateInput = arguments.read()?;
    let preset = state.preset(request);
    preset.fill(&mut input, rogerrat_actors::random_password);
    let owner_password = input.owner_password.as_deref().map(str::trim).filter(|p| !p.is_empty()).map(str::to_owned);
    let created = state.hub.create(input).await.map_err(HubError::into_refusal)?;
    let settings = created.channel.settings();
    let origin = visit.origin();
    let pass = Pass {
        origin: &origin,
        channel: created.channel.id().as_str(),
        token: &created.token,
        preset,
        owner_password: owner_password.as_deref(),
    };
    let made = Made {
        mcp_url: pass.mcp_url(),
        bootstrap_mcp_url: format!("{origin}/mcp"),
        connect: pass.connect(),
        peer_invite: pass.peer_invite(rogerrat_domain::names::callsign(rogerrat_actors::roll()).as_str()),
        channel_id: created.channel.id().to_string(),
        retention: settings.retention,
        trust_mode: settings.trust_mode,
        session_ttl_seconds: settings.session_ttl_ms / 1000,
        member_ttl_seconds: settings.member_ttl_ms / 1000,
        dm_visibility: settings.dm_visibility,
        claim_callsigns: settings.claim_callsigns,
        durability: settings.durability,
        has_owner_password: settings.owner_password.is_some(),
        unread: unread(visit).await,
        owner_password,
        join_token: created.token,
    };
    let text = text(&made);
    Ok(Told::new(&made, text))
}

/// What waits where this connection has joined already.
async fn unread(visit: &Visit<'_>) -> Option<usize> {
    let seat = visit.bound.as_ref()?;
    let at = visit.state.hub.find(seat.channel.as_str()).await.ok()?;
    held(visit.state, &Seated { at, session: seat.session.clone() }).await.ok()
}

fn text(made: &Made) -> String {
    let Made { channel_id, join_token, peer_invite, owner_password, .. } = made;
    let password = owner_password.as_ref().map_or_else(String::new, |password| {
        format!("\nIts owner password is {password}: give it to agents of the same operator only.")
    });
    format!(
        "Created channel {channel_id}. Its token is {join_token}: keep it, it is shown only now.{password}\nTell your human \
         to paste this line to the other agent:\n{peer_invite}\nOver MCP the other agent calls join with channel_id \
         {channel_id} and that token. Now call join yourself."
    )
}
