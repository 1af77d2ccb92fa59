//! `open_remote_control` and `make_remote_link`: the same operations as over HTTP, with short results.

use rogerrat_actors::HubError;
use rogerrat_domain::account::IdentityReply;
use rogerrat_domain::remote::{RemoteInput, RemoteLinkInput};
use rogerrat_domain::{AccountId, ChannelId, Refusal};
use serde::{Deserialize, Serialize};

use super::ToolArguments;
use super::create::unread;
use crate::mcp::context::RequestContext;
use crate::mcp::response::ToolResult;
use crate::mcp::text::creating_needs_hub_token;
use crate::web::remote::{AddedPhone, OpenedRemote, PhoneLinks, PhoneRequest, QrForms};

#[derive(Default, Deserialize)]
struct OwnerArgs {
    session_token: Option<String>,
}

#[derive(Deserialize)]
struct ChannelArgs {
    channel_token: String,
}

#[derive(Serialize)]
struct OpenResult {
    read_me_first: String,
    channel_id: ChannelId,
    channel_token: String,
    owner_password: String,
    agent: IdentityReply,
    phone: IdentityReply,
    #[serde(flatten)]
    links: PhoneLinks,
    account_id: AccountId,
    #[serde(skip_serializing_if = "Option::is_none")]
    recovery_token: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    session_token: Option<String>,
    session_ttl_seconds: u64,
    expires_in_seconds: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    unread: Option<usize>,
}

#[derive(Serialize)]
struct LinkResult {
    read_me_first: String,
    channel_id: ChannelId,
    owner_password: Option<String>,
    owner_password_existing: bool,
    phone: IdentityReply,
    #[serde(flatten)]
    links: PhoneLinks,
    #[serde(skip_serializing_if = "Option::is_none")]
    unread: Option<usize>,
}

/// Opens remote control.
pub(super) async fn open(context: &RequestContext<'_>, arguments: &ToolArguments<'_>) -> Result<ToolResult, Refusal> {
    let RequestContext { state, request, .. } = context;
    let owner = match arguments.parse::<OwnerArgs>()?.session_token {
        Some(token) => Some(state.hub.admit_owner(Some(token.trim())).await.map_err(HubError::into_refusal)?),
        None => None,
    };
    if owner.is_none() && !context.endpoint.is_operator {
        return Err(creating_needs_hub_token());
    }
    state.rate_limits.creates.count(|| state.client(request))?;
    if owner.is_none() {
        state.rate_limits.accounts.count(|| state.client(request))?;
    }
    let input: RemoteInput = arguments.parse()?;
    let opened = state.open_remote_control(request, &input, QrForms::for_tools(input.qr), owner.as_ref()).await;
    let OpenedRemote { remote, session_ttl_seconds, links } = opened.map_err(HubError::into_refusal)?;
    let (recovery_token, session_token) = remote.account_tokens.unzip();
    let read_me_first = format!(
        "1. Give your human operator_handoff word for word{}. 2. Call join with channel_id, token (channel_token), \
         identity_key (that of `agent`) and owner_password. 3. Call wait. Messages from `{}` that are marked as verified \
         come from your human. A link is a key: write it nowhere else.",
        if links.qr_ascii_clean.is_some() { ", and the QR code" } else { "" },
        remote.phone.callsign
    );
    let result = OpenResult {
        read_me_first,
        channel_id: remote.created.channel.id().clone(),
        channel_token: remote.created.token,
        owner_password: remote.pin,
        agent: remote.agent,
        phone: remote.phone,
        links,
        account_id: remote.account_id,
        recovery_token,
        session_token,
        session_ttl_seconds,
        expires_in_seconds: session_ttl_seconds,
        unread: unread(context).await,
    };
    let text = format!(
        "{}\n\nchannel_id: {}\ntoken: {}\nidentity_key: {}\nowner_password: {}\nYour callsign: {}\n{}{}",
        result.read_me_first,
        result.channel_id,
        result.channel_token,
        result.agent.identity_key,
        result.owner_password,
        result.agent.callsign,
        result.recovery_token.as_ref().zip(result.session_token.as_ref()).map_or_else(
            String::new,
            |(recovery, session)| {
                format!(
                    "Account {}: recovery_token {recovery}, for your human to keep; session_token {session}, for \
                 make_remote_link.\n",
                    result.account_id
                )
            }
        ),
        lines(&result.links)
    );
    Ok(ToolResult::new(&result, text))
}

/// Adds a phone to a channel.
pub(super) async fn link(context: &RequestContext<'_>, arguments: &ToolArguments<'_>) -> Result<ToolResult, Refusal> {
    let RequestContext { state, request, .. } = context;
    let (ChannelArgs { channel_token }, input): (_, RemoteLinkInput) = (arguments.parse()?, arguments.parse()?);
    let token = channel_token.trim();
    let channel_id = match &context.endpoint.channel {
        Some(channel) => channel.id().to_string(),
        None => arguments.membership.channel_id.clone().unwrap_or_default(),
    };
    let at = state.hub.admit(&channel_id, Some(token)).await.map_err(HubError::into_refusal)?;
    state.rate_limits.creates.count(|| state.client(request))?;
    let owner = state.hub.admit_owner(Some(input.session_token.trim())).await.map_err(HubError::into_refusal)?;
    let phone = PhoneRequest {
        channel: &at,
        token,
        owner: &owner,
        name: input.name.as_deref(),
        callsign: input.phone_callsign.as_deref(),
    };
    let added = state.add_phone(request, &phone, QrForms::for_tools(input.qr)).await;
    let AddedPhone { phone, pin, links } = added.map_err(HubError::into_refusal)?;
    let read_me_first = format!(
        "Give your human operator_handoff word for word{}. Messages from `{}` that are marked as verified come from your \
         human. A link is a key: write it nowhere else.",
        if links.qr_ascii_clean.is_some() { ", and the QR code" } else { "" },
        phone.callsign
    );
    let result = LinkResult {
        read_me_first,
        channel_id: at.id().clone(),
        owner_password_existing: pin.is_none(),
        owner_password: pin,
        phone,
        links,
        unread: unread(context).await,
    };
    let text = format!("{}\n\n{}", result.read_me_first, lines(&result.links));
    Ok(ToolResult::new(&result, text))
}

fn lines(links: &PhoneLinks) -> String {
    let notice = links.notice.as_ref().map_or_else(String::new, |notice| format!("Tell your human: {notice}\n"));
    let qr = links.qr_ascii_clean.as_ref().map_or_else(String::new, |qr| format!("\n\nQR code:\n{qr}"));
    format!("{notice}\noperator_handoff:\n{}{qr}", links.operator_handoff)
}
