//! The arguments and results of the tools, from the domain's types.

use rogerrat_domain::account::{CreateAccountReply, IdentityInput, IdentityReply};
use rogerrat_domain::limits;
use rogerrat_domain::op::{
    AckInput, AckReply, CreateInput, HistoryReply, JoinInput, JoinReply, KeepaliveReply, LeaveReply, ReadQuery,
    ReadReply, RosterReply, SendInput, SendReply, WaitReply,
};
use serde_json::{Value, json};

use super::super::schema;
use super::ToolKind;
use crate::web::create_channel::CreateReply;

/// The arguments of a tool, with every type and bound that they have over HTTP. On the endpoint of a channel,
/// `channel_id` is known.
pub(super) fn input(kind: ToolKind, knows_the_channel: bool) -> Value {
    let (fields, mut more): (Option<Value>, Vec<(&str, Value)>) = match kind {
        ToolKind::CreateChannel => {
            let token = "An account's session token. The account will own the channel.";
            (Some(schema::of::<CreateInput>()), vec![("account_token", string(token))])
        }
        ToolKind::CreateIdentity => {
            let token = ("session_token", string("The account's session token."));
            (Some(schema::of::<IdentityInput>()), vec![token])
        }
        ToolKind::Join => (Some(schema::of::<JoinInput>()), Vec::new()),
        ToolKind::Send => (Some(schema::of::<SendInput>()), vec![client_msg_id()]),
        ToolKind::Listen => {
            (Some(schema::of::<ReadQuery<'static>>()), vec![timeout(limits::LISTEN_DEFAULT_MS, limits::LISTEN_MAX_MS)])
        }
        ToolKind::Wait => {
            (Some(schema::of::<ReadQuery<'static>>()), vec![timeout(limits::WAIT_MCP_DEFAULT_MS, limits::WAIT_MAX_MS)])
        }
        ToolKind::Ack => (Some(schema::of::<AckInput>()), Vec::new()),
        ToolKind::History => (None, history()),
        ToolKind::Roster | ToolKind::Leave | ToolKind::Keepalive | ToolKind::CreateAccount => (None, Vec::new()),
    };
    let mut required = Vec::new();
    if kind == ToolKind::Join && !knows_the_channel {
        more.push(("channel_id", string("The channel's id.")));
        more.push(("token", string("The channel's token; a band needs none.")));
        required.push("channel_id");
    } else if kind.is_of_a_channel() && !knows_the_channel {
        more.push(("channel_id", string("The channel's id. Not needed on the connection that joined.")));
    }
    match kind {
        ToolKind::CreateIdentity => required.push("session_token"),
        ToolKind::Ack => required.push("upto"),
        _ => {}
    }
    if kind.is_of_a_channel() {
        more.push((
            "session_id",
            string("The session_id that join returned. Needed if several agents have joined over this connection."),
        ));
    }
    schema::object(fields, &more, &required)
}

fn string(description: &str) -> Value {
    json!({"type": "string", "description": description})
}

fn client_msg_id() -> (&'static str, Value) {
    let description = "Idempotency key, 1 to 128 visible ASCII characters. Repeating it with the same message returns \
                       the first result.";
    ("client_msg_id", json!({"type": "string", "description": description}))
}

fn timeout(default_ms: u64, max_ms: u64) -> (&'static str, Value) {
    let (default_s, min_s, max_s) = (default_ms / 1000, limits::POLL_MIN_MS / 1000, max_ms / 1000);
    let description =
        format!("Seconds to wait if there are no messages; clamped to {min_s} to {max_s}. Default {default_s}.");
    ("timeout_seconds", json!({"type": "number", "description": description}))
}

fn history() -> Vec<(&'static str, Value)> {
    let n = limits::HISTORY_DEFAULT;
    let description = format!("Number of messages, 1 to {}. Default {n}.", limits::READ_MESSAGES);
    vec![
        ("n", json!({"type": "number", "description": description})),
        ("thread", string("Only messages of this thread.")),
    ]
}

/// The result of a tool.
pub(super) fn output(kind: ToolKind) -> Value {
    let fields = match kind {
        ToolKind::CreateChannel => schema::of::<CreateReply>(),
        ToolKind::Join => schema::of::<JoinReply>(),
        ToolKind::Send => schema::of::<SendReply>(),
        ToolKind::Listen => schema::of::<ReadReply>(),
        ToolKind::Wait => schema::of::<WaitReply>(),
        ToolKind::Ack => schema::of::<AckReply>(),
        ToolKind::Roster => schema::of::<RosterReply>(),
        ToolKind::History => schema::of::<HistoryReply>(),
        ToolKind::Leave => schema::of::<LeaveReply>(),
        ToolKind::Keepalive => schema::of::<KeepaliveReply>(),
        ToolKind::CreateAccount => schema::of::<CreateAccountReply>(),
        ToolKind::CreateIdentity => schema::of::<IdentityReply>(),
    };
    // Every tool may return the unread count (A6).
    let mut more = vec![("unread", json!({"type": "integer"}))];
    if kind == ToolKind::Join {
        more.extend(["channel_id", "stay_reachable"].map(|name| (name, json!({"type": "string"}))));
    }
    schema::output(fields, &more)
}
