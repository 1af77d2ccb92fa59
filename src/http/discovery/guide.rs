//! `/llms.txt`, the guide for agents, and `/llms-full.txt`, the raw calls: rendered for the origin and the preset of the
//! request.
//!
//! The texts are `web/llms.md` and `web/llms-full.md`; this fills in what depends on the hub, the preset and the limits.

use rogerrat_domain::{Code, limits};

use super::fill;
use crate::web::presets::{Mode, Preset};
use crate::web::problem::status;
use crate::web::snippets::quoted;
use crate::web::state::AppState;

const GUIDE: &str = include_str!("../../../web/llms.md");
const RAW_CALLS: &str = include_str!("../../../web/llms-full.md");
const MCP_NEEDS: &str = ", with the header `Authorization: Bearer <server token>`";
const CREATE_NEEDS: &str = ", set `ROGERRAT_HUB_TOKEN` to the server token, from the hub's operator";

/// Renders the guide. It is short: an agent has all of it in its context.
pub(super) fn guide(state: &AppState, origin: &str, preset: Preset) -> String {
    let has_token = state.server_token.is_some();
    fill(
        GUIDE,
        &[
            ("banner", &banner(preset)),
            ("origin", origin),
            ("hub", &quoted(origin)),
            ("version", env!("CARGO_PKG_VERSION")),
            ("mcp_needs", if has_token { MCP_NEEDS } else { "" }),
            ("create_needs", if has_token { CREATE_NEEDS } else { "" }),
            ("wake", preset.wake()),
            ("text_chars", &limits::TEXT_CHARS.to_string()),
        ],
    )
}

/// Renders the page of the raw calls.
pub(super) fn raw_calls(state: &AppState, origin: &str, preset: Preset) -> String {
    let has_token = state.server_token.is_some();
    let create = if has_token {
        "printf 'header = \"Authorization: Bearer %s\"\\n' \"${ROGERRAT_TOKEN:?set it to the server token}\" |\n  \
         curl -sS -K - -X POST \"$HUB/api/channels\" -d '{}'"
    } else {
        "curl -sS -X POST \"$HUB/api/channels\" -d '{}'"
    };
    fill(
        RAW_CALLS,
        &[
            ("banner", &banner(preset)),
            ("origin", origin),
            ("hub", &quoted(origin)),
            ("version", env!("CARGO_PKG_VERSION")),
            ("create", create),
            ("create_needs", if has_token { "the server token, from the hub's operator" } else { "none" }),
            ("modes", &modes()),
            ("clients", &clients()),
            ("limits", &limits_table(state)),
            ("errors", &errors()),
            ("callsign_chars", &limits::CALLSIGN_CHARS.to_string()),
            ("text_chars", &limits::TEXT_CHARS.to_string()),
            ("status_chars", &limits::STATUS_CHARS.to_string()),
            ("suggested_replies", &limits::SUGGESTED_REPLIES.to_string()),
            ("attachments", &limits::ATTACHMENTS.to_string()),
            ("lease", &(limits::LEASE_DEFAULT_MS / 1000).to_string()),
            ("ring", &limits::RING_MESSAGES.to_string()),
            ("wait_max", &(limits::WAIT_MAX_MS / 1000).to_string()),
            ("listen_max", &(limits::LISTEN_MAX_MS / 1000).to_string()),
            ("send_per_session_band", &count(state.limits.send_per_session_band)),
        ],
    )
}

/// What the preset changes, at the top of the guide. Empty without a preset.
fn banner(preset: Preset) -> String {
    let mut lines = Vec::new();
    if let Some(mode) = preset.mode {
        lines.push(format!(
            "> **{} mode**: {}. Channels created under this host name default to {}. {}",
            mode.label,
            mode.headline,
            settings(mode),
            mode.advice
        ));
    }
    if let Some(client) = preset.client {
        lines.push(format!("> **{} edition.** {}", client.name, client.wake));
    }
    if lines.is_empty() { String::new() } else { lines.join("\n>\n") + "\n\n" }
}

fn settings(mode: &Mode) -> String {
    let Mode { retention, trust_mode, session_ttl_seconds, generates_password, .. } = mode;
    let password = if *generates_password { ", a generated owner_password" } else { "" };
    format!(
        "retention `{}`, trust_mode `{}`, session_ttl_seconds `{session_ttl_seconds}`{password}",
        wire_name(retention),
        wire_name(trust_mode)
    )
}

/// A setting as it is serialized.
fn wire_name(value: &impl serde::Serialize) -> String {
    serde_json::to_value(value).ok().and_then(|value| value.as_str().map(str::to_owned)).unwrap_or_default()
}

fn modes() -> String {
    let modes = Preset::all().filter(|preset| preset.client.is_none()).filter_map(|preset| preset.mode);
    let row = |mode: &'static Mode| format!("- `{}.`: {}; {}", mode.label, mode.headline, settings(mode));
    modes.map(row).collect::<Vec<_>>().join("\n")
}

fn clients() -> String {
    let clients = Preset::all().filter(|preset| preset.mode.is_none()).filter_map(|preset| preset.client);
    clients.map(|client| format!("`{}.`", client.label)).collect::<Vec<_>>().join(", ")
}

fn limits_table(state: &AppState) -> String {
    let (limits_of_hub, of_account) = (&state.limits, state.hub.account_limits());
    let owned = |limit: &Option<u32>| count(limit.unwrap_or_default());
    let minutes = |ms: u64| format!("{} min", ms / 60_000);
    let rows = [
        ("sends per minute per session", count(limits_of_hub.send_per_session)),
        ("sends per minute per session on a band", count(limits_of_hub.send_per_session_band)),
        ("sends, creates, joins per minute per address", per_address(state)),
        ("sends per minute per account", count(limits_of_hub.send_per_account)),
        (
            "identities, channels per account",
            format!("{}, {}", owned(&of_account.identities), owned(&of_account.channels)),
        ),
        ("webhooks per channel, per account", format!("{}, {}", limits::HOOKS, owned(&of_account.webhooks))),
        ("characters per message", limits::TEXT_CHARS.to_string()),
        ("base64 characters of all attachments per message", limits::ATTACHMENTS_CHARS.to_string()),
        ("recent messages stored per channel", limits::RING_MESSAGES.to_string()),
        ("undelivered direct messages per recipient", limits::HELD_MESSAGES.to_string()),
        ("messages per read", limits::READ_MESSAGES.to_string()),
        ("session lifetime without activity, default", minutes(limits::SESSION_TTL_MS)),
        ("session lifetime without activity, maximum", minutes(limits::SESSION_TTL_MAX_MS)),
        ("members per channel", limits::MEMBERS.to_string()),
        ("consumers per member", limits::CONSUMERS.to_string()),
    ];
    let rows = rows.map(|(name, value)| format!("| {name} | {value} |"));
    format!("| limit | |\n|---|---|\n{}", rows.join("\n"))
}

fn per_address(state: &AppState) -> String {
    let limits = &state.limits;
    [limits.send_per_address, limits.create_per_address, limits.join_per_address].map(count).join(", ")
}

fn count(limit: u32) -> String {
    if limit == 0 { "no limit".to_owned() } else { limit.to_string() }
}

fn errors() -> String {
    let row = |code: &Code| format!("| `{}` | {} | {} |", code.as_str(), status(*code).as_u16(), advice(*code));
    let rows = Code::ALL.iter().map(row).collect::<Vec<_>>().join("\n");
    format!("| code | status | what to do |\n|---|---|---|\n{rows}")
}

fn advice(code: Code) -> &'static str {
    match code {
        Code::Invalid => "fix the field it names",
        Code::InvalidJson => "fix the body; use a program to encode the text",
        Code::UnknownRecipient => "send to a member listed in the hint, or to `all`",
        Code::NotJoined | Code::SessionExpired => "join again with the same callsign and token, then repeat",
        Code::Unauthorized => "check the token or password with whoever gave it to you",
        Code::Forbidden => "not allowed; do not retry",
        Code::Banned => "you are banned: do not retry, not even under another name",
        Code::NotFound => "check the path and the channel id; the channel may have been deleted",
        Code::MethodNotAllowed => "use a method from the `Allow` header",
        Code::CallsignTaken => "join with the name in the hint, or without one",
        Code::MailboxFull => "the recipient must read its messages first",
        Code::LimitReached => "free some of the resource it names",
        Code::IdempotencyConflict => "use a new key for a new message",
        Code::TaskTaken => "leave the task alone: somebody else has it",
        Code::TaskClosed => "nothing is left to do; a reply without `state` is still delivered",
        Code::FenceStale => "stop: the task was taken again or given back since",
        Code::TooLarge => "send less",
        Code::Misdirected => "use a host name the hub accepts",
        Code::RateLimited | Code::Overloaded => "wait `Retry-After` seconds, then retry",
        Code::Internal => "report the `request_id` to the operator",
        Code::StorageFailed => "it was not stored; tell the operator",
    }
}
