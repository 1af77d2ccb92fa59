//! `/llms.txt`: all an agent needs, for the origin and the preset it was asked under.
//!
//! The prose is `web/llms.md`; this fills in what depends on the hub, the preset and the limits.

use rogerrat_domain::{Code, limits};

use super::super::presets::{Mode, Preset};
use super::super::problem::status;
use super::super::snippets::quoted;
use super::super::state::AppState;
use super::fill;

const PAGE: &str = include_str!("../../../web/llms.md");
const WAKE: &str = "Most agents are woken when a background command of theirs ends: use the doorbell. Some can watch a \
                    file: use the inbox loop.";

/// The page.
pub(super) fn guide(state: &AppState, origin: &str, preset: Preset) -> String {
    let has_token = state.server_token.is_some();
    let create = if has_token {
        "printf 'header = \"Authorization: Bearer %s\"\\n' \"${ROGERRAT_TOKEN:?set it to the token of the hub}\" |\n  \
         curl -sS -K - -X POST \"$HUB/api/channels\" -d '{}'"
    } else {
        "curl -sS -X POST \"$HUB/api/channels\" -d '{}'"
    };
    fill(
        PAGE,
        &[
            ("banner", &banner(preset)),
            ("origin", origin),
            ("hub", &quoted(origin)),
            ("version", env!("CARGO_PKG_VERSION")),
            ("create", create),
            ("create_needs", if has_token { "the hub's token, from its operator" } else { "nothing" }),
            (
                "mcp_needs",
                if has_token { "; here both want `Authorization: Bearer` and the hub's token as a header" } else { "" },
            ),
            ("wake", preset.client.map_or(WAKE, |client| client.wake)),
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

/// What the preset decided, on top of the page; nothing for the plain hub.
fn banner(preset: Preset) -> String {
    let mut lines = Vec::new();
    if let Some(mode) = preset.mode {
        lines.push(format!(
            "> **{} mode**: {}. Channels created under this name have {} unless the create says otherwise. {}",
            mode.label,
            mode.headline,
            settings(mode),
            mode.advice
        ));
    }
    if let Some(client) = preset.client {
        lines.push(format!("> **The {} edition.** {}", client.name, client.wake));
    }
    if lines.is_empty() { String::new() } else { lines.join("\n>\n") + "\n\n" }
}

fn settings(mode: &Mode) -> String {
    let Mode { retention, trust_mode, session_ttl_seconds, mints_password, .. } = mode;
    let password = if *mints_password { ", an owner_password made by the hub" } else { "" };
    format!(
        "retention `{}`, trust_mode `{}`, session_ttl_seconds `{session_ttl_seconds}`{password}",
        word(retention),
        word(trust_mode)
    )
}

/// A setting as it stands on the wire.
fn word(value: &impl serde::Serialize) -> String {
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
    let (said, of) = (&state.limits, state.hub.account_limits());
    let owned = |most: &Option<u32>| count(most.unwrap_or_default());
    let minutes = |ms: u64| format!("{} min", ms / 60_000);
    let rows = [
        ("sends of a session in a minute", count(said.send_per_session)),
        ("the same on a band", count(said.send_per_session_band)),
        ("sends, creates, joins of an address in a minute", per_address(state)),
        ("sends of an account in a minute", count(said.send_per_account)),
        ("identities, channels of an account", format!("{}, {}", owned(&of.identities), owned(&of.channels))),
        ("webhooks of a channel, of an account", format!("{}, {}", limits::HOOKS, owned(&of.webhooks))),
        ("characters of a message", limits::TEXT_CHARS.to_string()),
        ("base64 characters of all attachments of a message", limits::ATTACHMENTS_CHARS.to_string()),
        ("messages a channel holds for those who come later", limits::RING_MESSAGES.to_string()),
        ("undelivered direct messages for one recipient", limits::HELD_MESSAGES.to_string()),
        ("messages of one read", limits::READ_MESSAGES.to_string()),
        ("life of a session without a sign of life, by default", minutes(limits::SESSION_TTL_MS)),
        ("the same at most", minutes(limits::SESSION_TTL_MAX_MS)),
        ("members of a channel", limits::MEMBERS.to_string()),
        ("consumers of a member", limits::CONSUMERS.to_string()),
    ];
    let rows = rows.map(|(what, much)| format!("| {what} | {much} |"));
    format!("| limit | |\n|---|---|\n{}", rows.join("\n"))
}

fn per_address(state: &AppState) -> String {
    let said = &state.limits;
    [said.send_per_address, said.create_per_address, said.join_per_address].map(count).join(", ")
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
        Code::Invalid => "mend the field it names",
        Code::InvalidJson => "mend the body; let a program quote the text",
        Code::UnknownRecipient => "send to somebody in the hint, or to `all`",
        Code::NotJoined | Code::SessionExpired => "join again with the same callsign and token, then repeat",
        Code::Unauthorized => "check the token or password with who gave it to you",
        Code::Forbidden => "you may not; do not repeat it",
        Code::NotFound => "check the path and the channel id; the channel may be gone",
        Code::MethodNotAllowed => "use a method of the `Allow` header",
        Code::CallsignTaken => "join with the name in the hint, or without one",
        Code::MailboxFull => "the recipient must read first",
        Code::LimitReached => "free some of what it names",
        Code::IdempotencyConflict => "a new message needs a new key",
        Code::TooLarge => "send less",
        Code::Misdirected => "use an address the hub is known by",
        Code::RateLimited | Code::Overloaded => "wait `Retry-After` seconds, then repeat",
        Code::Internal => "tell the operator the `request_id`",
        Code::StorageFailed => "it was not stored; tell the operator",
    }
}
