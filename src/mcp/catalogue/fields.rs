//! The arguments and results of the tools, from the domain's types.

use rogerrat_domain::account::{CreateAccountReply, IdentityInput, IdentityReply};
use rogerrat_domain::op::{
    AckInput, AckReply, CreateInput, HistoryReply, JoinInput, JoinReply, KeepaliveReply, LeaveReply, ReadQuery,
    ReadReply, RosterReply, SendInput, SendReply, WaitReply,
};
use rogerrat_domain::remote::QrForm;
use rogerrat_domain::{Durability, MemberState, Retention, TaskState, TaskStep, Wants, limits};
use serde_json::{Value, json};

use super::super::schema;
use super::ToolKind;
use crate::web::create_channel::CreateReply;

/// Arguments that `listen` and `wait`, and `send`, do not list.
const UNLISTED_OF_A_READ: &[&str] = &["own"];
const UNLISTED_OF_A_SEND: &[&str] = &["text", "answers", "fence", "data"];

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
        ToolKind::Join => (Some(join()), vec![max_bytes()]),
        ToolKind::Send => (Some(send()), vec![client_msg_id()]),
        ToolKind::Ask => (None, ask()),
        ToolKind::Take => (None, take()),
        ToolKind::Finish => (None, finish()),
        ToolKind::Tasks => (None, tasks()),
        ToolKind::Listen => {
            (Some(read()), vec![timeout(limits::LISTEN_DEFAULT_MS, limits::LISTEN_MAX_MS), max_bytes()])
        }
        ToolKind::Wait => (Some(read()), vec![timeout(limits::WAIT_MCP_DEFAULT_MS, limits::WAIT_MAX_MS), max_bytes()]),
        ToolKind::Ack => (Some(schema::of::<AckInput>()), Vec::new()),
        ToolKind::History => (None, history()),
        ToolKind::Fetch => (None, fetch()),
        ToolKind::Roster => (None, vec![max_bytes()]),
        ToolKind::OpenRemoteControl => (None, open_remote_control()),
        ToolKind::MakeRemoteLink => (None, make_remote_link(knows_the_channel)),
        ToolKind::Leave | ToolKind::Keepalive | ToolKind::CreateAccount => (None, Vec::new()),
    };
    let mut required = Vec::new();
    if kind == ToolKind::Join && !knows_the_channel {
        more.push(("channel_id", string("The channel's id.")));
        more.push(("token", string("The channel's token; a band needs none.")));
        required.push("channel_id");
    } else if kind.is_of_a_channel() && !knows_the_channel {
        more.push(("channel_id", string("Needed if another connection joined.")));
    }
    match kind {
        ToolKind::CreateIdentity => required.push("session_token"),
        ToolKind::MakeRemoteLink => {
            required.extend((!knows_the_channel).then_some("channel_id"));
            required.extend(["channel_token", "session_token"]);
        }
        ToolKind::Ack => required.push("upto"),
        ToolKind::Fetch => required.push("message_id"),
        ToolKind::Finish => required.extend(["task_id", "state"]),
        _ => {}
    }
    if kind.is_of_a_channel() {
        more.push(("session_id", string("From join, if agents share this connection.")));
    }
    schema::object(fields, &more, &required)
}

fn string(description: &str) -> Value {
    json!({"type": "string", "description": description})
}

fn client_msg_id() -> (&'static str, Value) {
    let description = "Idempotency key, 1 to 128 ASCII characters: a repeated send is done once.";
    ("client_msg_id", json!({"type": "string", "description": description}))
}

fn timeout(default_ms: u64, max_ms: u64) -> (&'static str, Value) {
    let (default_s, min_s, max_s) = (default_ms / 1000, limits::POLL_MIN_MS / 1000, max_ms / 1000);
    let description = format!("Seconds to wait, {min_s} to {max_s}. Default {default_s}.");
    ("timeout_seconds", json!({"type": "number", "description": description}))
}

fn history() -> Vec<(&'static str, Value)> {
    let n = limits::HISTORY_DEFAULT;
    let description = format!("Number of messages, 1 to {}. Default {n}.", limits::READ_MESSAGES);
    vec![
        ("n", json!({"type": "number", "description": description})),
        ("thread", string("Only messages of this thread.")),
        ("before", integer("Only messages with a smaller id. To continue, pass the oldest id of the last call.")),
        max_bytes(),
    ]
}

fn fetch() -> Vec<(&'static str, Value)> {
    vec![
        ("message_id", integer("The id of the message.")),
        ("attachment", integer("Only this attachment: its n, from 0. All if omitted.")),
        ("offset", integer("With attachment, for a text that did not fit: the byte offset to continue from.")),
        max_bytes(),
    ]
}

/// The arguments of a join.
fn join() -> Value {
    let mut schema = schema::of::<JoinInput>();
    schema["properties"]["about"]["description"] = "What you do, for the roster: at most 280 characters.".into();
    schema["properties"]["callsign"]["description"] =
        "1 to 32 of `a`-`z`, `0`-`9`, `_` and `-`, not beginning with `_` or `-`. If omitted, the hub picks a free one.".into();
    schema
}

/// The arguments of a read. What several devices of one member need is not listed.
fn read() -> Value {
    let mut schema = without(schema::of::<ReadQuery<'static>>(), UNLISTED_OF_A_READ);
    let most = limits::READ_MESSAGES;
    schema["properties"]["max"]["description"] = format!("Number of messages, 1 to {most}. Default {most}.").into();
    schema["properties"]["since"]["description"] =
        "For this read only: the messages above this id, instead of those above the cursor.".into();
    schema
}

fn without(mut schema: Value, names: &[&str]) -> Value {
    if let Some(fields) = schema["properties"].as_object_mut() {
        fields.retain(|name, _| !names.contains(&name.as_str()));
    }
    schema
}

/// The arguments of a send. What concerns the result of a task is in `finish`, and answers are collected by `ask`.
fn send() -> Value {
    let mut schema = schema::of::<SendInput>();
    if let Some(fields) = schema["properties"].as_object_mut() {
        fields.retain(|name, _| !UNLISTED_OF_A_SEND.contains(&name.as_str()));
        let what = "With kind status: what you are doing, for the roster. The text may be empty.";
        fields.insert("state".to_owned(), choice(MemberState::NAMES, what));
        fields.insert("until_seconds".to_owned(), integer("With state: for how many seconds, at most 2,592,000."));
        for (name, what) in [
            ("message", "The text, at most 8,192 characters; a status at most 280."),
            ("kind", "A message, or a transient status for who waits now. Defaults to `message`."),
            ("suggested_replies", "At most 4 replies to choose from, each at most 64 characters."),
            ("reply_to", "The id of the message it replies to."),
            ("thread", "A thread name, 1 to 64 characters."),
            ("attachments", "At most 4 files, 524,288 base64 characters in all."),
        ] {
            fields[name]["description"] = what.into();
        }
        fields["attachments"]["items"]["properties"]["filename"]["description"] = "Its name.".into();
        fields.insert("wants".to_owned(), choice(Wants::NAMES, "Makes it a task. Prefer ask for a question."));
        fields.insert("quiet".to_owned(), json!({"type": "boolean", "description": "Work to all: wakes no member."}));
        let what = "With wants: seconds until it expires, at most 2,592,000.";
        fields.insert("deadline_seconds".to_owned(), integer(what));
    }
    schema
}

/// Arguments of a send that a tool accepts and does not list, because each call needs the list of tools in its context.
pub(super) fn unlisted(kind: ToolKind) -> Value {
    let names: &[&str] = match kind {
        ToolKind::Listen | ToolKind::Wait => return only(schema::of::<ReadQuery<'static>>(), UNLISTED_OF_A_READ),
        ToolKind::Send => UNLISTED_OF_A_SEND,
        ToolKind::Ask => {
            &["text", "priority", "suggested_replies", "attachments", "reply_to", "thread", "client_msg_id"]
        }
        // A result is the `message` of other tools.
        ToolKind::Finish => &["message", "text", "attachments", "client_msg_id"],
        _ => &[],
    };
    only(schema::of::<SendInput>(), names)
}

fn only(mut schema: Value, names: &[&str]) -> Value {
    if let Some(fields) = schema["properties"].as_object_mut() {
        fields.retain(|name, _| names.contains(&name.as_str()));
    }
    schema
}

fn choice(values: &[&str], description: &str) -> Value {
    json!({"type": "string", "enum": values, "description": description})
}

fn data() -> (&'static str, Value) {
    ("data", json!({"type": "object", "description": "Beside the text, at most 16,384 bytes."}))
}

fn number(description: &str) -> Value {
    json!({"type": "number", "description": description})
}

fn ask() -> Vec<(&'static str, Value)> {
    let (default, most) = (limits::ASK_MCP_DEFAULT_MS / 1000, limits::TASK_WAIT_MAX_MS / 1000);
    vec![
        ("to", string("A callsign, `#N`, or `all`.")),
        ("message", string("The question, at most 8,192 characters.")),
        ("ask_id", integer("Instead of a message: go on waiting for this question.")),
        ("timeout_seconds", number(&format!("Seconds to wait, 0 to {most}. Default {default}."))),
        ("answers", integer("To all: answers to wait for, 1 to 16. Default 1.")),
        ("deadline_seconds", integer("Seconds until the question expires. Default 3,600.")),
        data(),
        max_bytes(),
    ]
}

fn take() -> Vec<(&'static str, Value)> {
    vec![
        ("task_id", integer("This task. Default: the next one.")),
        ("fence", integer("With task_id: your fence, to renew the lease.")),
        ("lease_seconds", number("10 to 3,600. Default 900.")),
        ("wait_seconds", number("Seconds to wait for work, 0 to 300. Default 0.")),
        ("thread", string("Only work of this thread.")),
    ]
}

fn finish() -> Vec<(&'static str, Value)> {
    vec![
        ("task_id", integer("The id of the task.")),
        ("state", choice(TaskStep::NAMES, "What became of it.")),
        ("fence", integer("The fence that take returned.")),
        ("result", string("The result or reason, at most 8,192 characters.")),
        data(),
        ("to", string("With open: the member to hand it to.")),
    ]
}

fn tasks() -> Vec<(&'static str, Value)> {
    vec![
        ("task_id", integer("Only this task, with its answers.")),
        ("state", choice(TaskState::NAMES, "Only tasks in this state.")),
        ("wants", choice(Wants::NAMES, "Only questions, or only work.")),
        ("mine", json!({"type": "boolean", "description": "Only those that you posted or have, or that name you."})),
        ("thread", string("Only those of this thread.")),
        ("before", integer("To continue: `before` of the last call.")),
        max_bytes(),
    ]
}

fn open_remote_control() -> Vec<(&'static str, Value)> {
    let ttl_s = limits::SESSION_TTL_MAX_MS / 1000;
    vec![
        ("name", string(&format!("The human's name, at most {} characters.", limits::DISPLAY_CHARS))),
        ("agent_callsign", string("Your callsign. Generated if omitted.")),
        ("phone_callsign", string("The human's callsign. Generated if omitted.")),
        ("session_token", string("An account's session token. The account will own the channel.")),
        (
            "session_ttl_seconds",
            json!({"type": "number", "description": format!("How long a session lasts without a request. At most {ttl_s}, the default.")}),
        ),
        ("retention", choice(Retention::NAMES, "Defaults to `metadata`.")),
        ("durability", choice(Durability::NAMES, "Where messages are stored.")),
        ("qr", qr()),
    ]
}

fn make_remote_link(knows_the_channel: bool) -> Vec<(&'static str, Value)> {
    let mut fields = vec![
        ("channel_token", string("The channel's token.")),
        ("session_token", string("The account's session token.")),
        ("name", string(&format!("The human's name, at most {} characters.", limits::DISPLAY_CHARS))),
        ("phone_callsign", string("The human's callsign. Generated if omitted.")),
        ("qr", qr()),
    ];
    if !knows_the_channel {
        fields.push(("channel_id", string("The channel's id.")));
    }
    fields
}

fn qr() -> Value {
    choice(QrForm::NAMES, "QR code. Default `ascii`.")
}

fn max_bytes() -> (&'static str, Value) {
    let (default, min, max) = (limits::ANSWER_MCP_BYTES, limits::ANSWER_MIN_BYTES, limits::ANSWER_MAX_BYTES);
    let description = format!("Bytes of the answer, {min} to {max}. Default {default}.");
    ("max_bytes", integer(&description))
}

fn integer(description: &str) -> Value {
    json!({"type": "integer", "description": description})
}

/// The structured result of a tool; none for a tool whose result is content.
pub(super) fn output(kind: ToolKind) -> Option<Value> {
    let fields = match kind {
        ToolKind::Fetch => return None,
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
        ToolKind::Ask => {
            json!({"properties": {"ask_id": {"type": "integer"}, "state": {"type": "string"}, "answers": {"type": "array"}}})
        }
        ToolKind::Take => json!({"properties": {"fence": {"type": "integer"}, "lease_until": {"type": "integer"}}}),
        ToolKind::Tasks => json!({"properties": {"tasks": {"type": "array"}, "for_you": {"type": "integer"}}}),
        ToolKind::Finish => json!({"properties": {}}),
        // Texts to pass on and arguments for other tools, which need no types.
        ToolKind::OpenRemoteControl | ToolKind::MakeRemoteLink => json!({"properties": {}}),
    };
    // Every tool may return the unread count (A6).
    let mut more = vec![("unread", json!({"type": "integer"}))];
    if matches!(kind, ToolKind::Join) {
        more.extend(["channel_id", "stay_reachable"].map(|name| (name, json!({"type": "string"}))));
        more.extend(["history_more", "roster_more"].map(|name| (name, json!({"type": "integer"}))));
    }
    Some(schema::output(fields, &more))
}
