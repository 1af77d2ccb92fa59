//! Creates a channel for any interface, with the reply they share: settings, join token and connection snippets.

use actix_web::HttpRequest;
use rogerrat_actors::{HubError, Owner};
use rogerrat_domain::op::CreateInput;
use rogerrat_domain::{AccountId, DmVisibility, Durability, Retention, TrustMode, names};
use serde::Serialize;
use utoipa::ToSchema;

use rogerrat_domain::webhook::{Owner as HookOwner, SubscribeInput};

use super::snippets::{Connect, SnippetContext};
use super::state::AppState;
use super::webhook_view::SubscribedReply;

/// A new channel.
#[derive(Serialize, ToSchema)]
pub(crate) struct CreateReply {
    /// Its id.
    pub(crate) channel_id: String,
    /// The bearer that admits to it. Shown only here.
    pub(crate) join_token: String,
    /// Its MCP endpoint.
    mcp_url: String,
    /// The MCP endpoint that needs no channel.
    bootstrap_mcp_url: String,
    /// Texts to be pasted, one for each kind of client.
    connect: Connect,
    /// One line to hand to the other agent, its callsign already chosen.
    pub(crate) peer_invite: String,
    retention: Retention,
    trust_mode: TrustMode,
    /// Life of a session without a sign of life, in seconds.
    session_ttl_seconds: u64,
    /// Life of a member without a session, in seconds.
    member_ttl_seconds: u64,
    dm_visibility: DmVisibility,
    /// Whether a held callsign comes back only to who can prove it.
    claim_callsigns: bool,
    /// Whether only identities may join.
    require_identity: bool,
    durability: Durability,
    /// Whether an owner password was set.
    has_owner_password: bool,
    /// The owner password that was given, or made by the preset. Shown only here.
    #[schema(required)]
    pub(crate) owner_password: Option<String>,
    /// The account that owns it, if it was created with the session token of one.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    creator_account_id: Option<AccountId>,
    /// The webhook that was subscribed with it. Its secret is shown only here.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub(crate) webhook: Option<SubscribedReply>,
    /// Over MCP: messages waiting where you have joined.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub(crate) unread: Option<usize>,
}

impl AppState {
    /// Creates a channel, owned by `owner` if there is one. The preset of the request fills settings the input leaves open.
    ///
    /// # Errors
    /// The refusal of the hub.
    pub(crate) async fn create(
        &self,
        request: &HttpRequest,
        mut input: CreateInput,
        owner: Option<&Owner>,
    ) -> Result<CreateReply, HubError> {
        let preset = self.preset(request);
        preset.fill(&mut input, rogerrat_actors::random_password);
        let owner_password = input.owner_password.as_deref().map(str::trim).filter(|password| !password.is_empty());
        let owner_password = owner_password.map(str::to_owned);
        let webhook = input.webhook.take().map(|url| SubscribeInput { url, ..SubscribeInput::default() });
        if let Some(webhook) = &webhook {
            // An invalid URL must be refused before the channel exists.
            self.hub.check_webhook(webhook).await?;
        }
        let created = self.hub.create(input, owner).await?;
        let webhook = match webhook {
            Some(webhook) => {
                Some(self.hub.subscribe(HookOwner::Channel(created.channel.id().clone()), webhook).await?.into())
            }
            None => None,
        };
        let settings = created.channel.settings();
        let origin = self.public_origin(request);
        let snippets = SnippetContext {
            origin: &origin,
            channel: created.channel.id().as_str(),
            token: &created.token,
            preset,
            owner_password: owner_password.as_deref(),
            require_identity: settings.require_identity,
        };
        Ok(CreateReply {
            mcp_url: snippets.mcp_url(),
            bootstrap_mcp_url: format!("{origin}/mcp"),
            connect: snippets.connect(),
            peer_invite: snippets.peer_invite(names::callsign(rogerrat_actors::random_u64()).as_str()),
            channel_id: created.channel.id().to_string(),
            retention: settings.retention,
            trust_mode: settings.trust_mode,
            session_ttl_seconds: settings.session_ttl_ms / 1000,
            member_ttl_seconds: settings.member_ttl_ms / 1000,
            dm_visibility: settings.dm_visibility,
            claim_callsigns: settings.claim_callsigns,
            require_identity: settings.require_identity,
            creator_account_id: settings.creator_account_id.clone(),
            durability: settings.durability,
            has_owner_password: settings.owner_password.is_some(),
            owner_password,
            webhook,
            unread: None,
            join_token: created.token,
        })
    }
}
