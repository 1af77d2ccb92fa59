//! What the tools are called, what they take and tell, and what a client may assume of them.

use rogerrat_domain::account::{AccountOpened, IdentityInput, IdentityReply};
use rogerrat_domain::limits;
use rogerrat_domain::op::{
    AckInput, AckReply, CreateInput, HistoryReply, JoinInput, JoinReply, KeepaliveReply, LeaveReply, ReadQuery,
    ReadReply, RosterReply, SendInput, SendReply, WaitReply,
};
use serde_json::{Value, json};

use crate::mcp::schema::{self, of};
use crate::mcp::visit::Visit;
use crate::web::create_channel::CreateReply;

/// What a tool does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::mcp) enum Does {
    Create,
    Join,
    Send,
    Listen,
    Wait,
    Ack,
    Roster,
    History,
    Leave,
    Keepalive,
    OpenAccount,
    AddIdentity,
}

impl Does {
    /// Whether it needs no seat on a channel.
    fn is_for_nobody_seated(self) -> bool {
        matches!(self, Self::Create | Self::OpenAccount | Self::AddIdentity)
    }
}

/// One tool.
pub(in crate::mcp) struct Tool {
    pub(super) name: &'static str,
    pub(super) does: Does,
    /// As it is listed on `/mcp`, and on `/mcp/{id}`, where the channel is known.
    listed: [Value; 2],
    /// The names of its arguments on both.
    arguments: [Vec<String>; 2],
}

impl Tool {
    /// The names of the arguments it takes where it was called.
    pub(super) fn arguments(&self, visit: &Visit<'_>) -> &[String] {
        &self.arguments[side(visit)]
    }
}

/// All tools.
pub(in crate::mcp) struct Catalogue(Vec<Tool>);

impl Catalogue {
    pub(in crate::mcp) fn new() -> Self {
        Self(all())
    }

    pub(in crate::mcp) fn find(&self, name: &str) -> Option<&Tool> {
        self.0.iter().find(|tool| tool.name == name)
    }

    /// The list for an endpoint. On a channel's own endpoint joining comes first.
    pub(in crate::mcp) fn plain(&self, of_a_channel: bool) -> Vec<Value> {
        let mut list: Vec<_> = self.0.iter().map(|tool| tool.listed[usize::from(of_a_channel)].clone()).collect();
        if of_a_channel {
            list.rotate_left(1);
        }
        list
    }

    /// The list, for an endpoint and the preset it was asked under (A8).
    pub(in crate::mcp) fn list(&self, visit: &Visit<'_>) -> Vec<Value> {
        let mut list = self.plain(visit.entrance.channel.is_some());
        if let Some(mode) = visit.state.preset(visit.request).mode {
            let description = format!("{CREATE} Here a channel is {}. {}", mode.headline, mode.advice);
            if let Some(create) = list.iter_mut().find(|tool| tool["name"] == "create_channel") {
                create["description"] = description.into();
            }
        }
        list
    }
}

fn side(visit: &Visit<'_>) -> usize {
    usize::from(visit.entrance.channel.is_some())
}

const CREATE: &str = "Create a private channel. Returns its id, its token and one line to paste to the other agent; then \
                      call join yourself.";

fn all() -> Vec<Tool> {
    use Does::{Ack, AddIdentity, Create, History, Join, Keepalive, Leave, Listen, OpenAccount, Roster, Send, Wait};
    vec![
        tool("create_channel", Create, "Create a channel", CREATE, Hints::WRITES),
        tool(
            "join",
            Join,
            "Join a channel",
            "Join a channel under a callsign, or go on where you were. The result says how far to trust your peers and \
             how to stay reachable: read both.",
            Hints::SETTLES,
        ),
        tool(
            "send",
            Send,
            "Send a message",
            "Send a message to one agent or to all, or a passing status of your work. Who is away finds a direct message \
             later.",
            Hints::SPEAKS,
        ),
        tool(
            "listen",
            Listen,
            "Listen for messages",
            "Return what was sent to you. If there is nothing, wait for it, half a minute unless you say otherwise.",
            Hints::WRITES,
        ),
        tool(
            "wait",
            Wait,
            "Wait for messages",
            "Like listen, but for longer: call it after every answer of yours, again and again, to stay reachable. A wait \
             that ends without messages is normal.",
            Hints::WRITES,
        ),
        tool(
            "ack",
            Ack,
            "Acknowledge messages",
            "After reading with ack=manual: everything up to this id is done and will not come again.",
            Hints::SETTLES,
        ),
        tool("roster", Roster, "See who is there", "Who is on the channel, by callsign and number.", Hints::READS),
        tool(
            "history",
            History,
            "See what was said",
            "The last messages of the channel, your own too. Nothing counts as read by it.",
            Hints::READS,
        ),
        tool("leave", Leave, "Leave the channel", "Leave the channel. Your callsign becomes free.", Hints::SETTLES),
        tool(
            "keepalive",
            Keepalive,
            "Keep the session alive",
            "A sign of life, for when you are busy for long. Tells what is unread.",
            Hints::SETTLES,
        ),
        tool(
            "create_account",
            OpenAccount,
            "Open an account",
            "Only if your human wants callsigns or channels that stay theirs: open an account. Returns a recovery token \
             for the human to keep and a session token for you.",
            Hints::WRITES,
        ),
        tool(
            "create_identity",
            AddIdentity,
            "Make an identity",
            "Make a callsign the account's own on every channel. Returns its key: join with it, and what you send is \
             marked as verified.",
            Hints::WRITES,
        ),
    ]
}

/// What a client may assume of a tool.
#[derive(Clone, Copy)]
struct Hints {
    reads: bool,
    settles: bool,
    speaks: bool,
}

impl Hints {
    /// It changes nothing.
    const READS: Self = Self { reads: true, settles: true, speaks: false };
    /// It adds or moves something, each time it is called.
    const WRITES: Self = Self { reads: false, settles: false, speaks: false };
    /// Calling it twice is as good as once.
    const SETTLES: Self = Self { reads: false, settles: true, speaks: false };
    /// Other agents hear it.
    const SPEAKS: Self = Self { reads: false, settles: false, speaks: true };
}

fn tool(name: &'static str, does: Does, title: &str, description: &str, hints: Hints) -> Tool {
    let listed = |input: Value| {
        json!({
            "name": name,
            "title": title,
            "description": description,
            "inputSchema": input,
            "outputSchema": output(does),
            "annotations": {
                "title": title,
                "readOnlyHint": hints.reads,
                "destructiveHint": false,
                "idempotentHint": hints.settles,
                "openWorldHint": hints.speaks,
            },
        })
    };
    let inputs = [input(does, false), input(does, true)];
    let arguments = inputs.each_ref().map(|input| {
        input["properties"].as_object().map(|fields| fields.keys().cloned().collect()).unwrap_or_default()
    });
    Tool { name, does, listed: inputs.map(listed), arguments }
}

fn input(does: Does, knows_the_channel: bool) -> Value {
    let (fields, without, mut with): (Option<Value>, &[&str], Vec<(&str, Value)>) = match does {
        Does::Create => {
            let owner = "The session token of an account: the channel is its own then.";
            (Some(of::<CreateInput>()), &[], vec![("account_token", text(owner))])
        }
        Does::OpenAccount => (None, &[], Vec::new()),
        Does::AddIdentity => {
            (Some(of::<IdentityInput>()), &[], vec![("session_token", text("The account's session token."))])
        }
        Does::Join => (Some(of::<JoinInput>()), &[], Vec::new()),
        Does::Send => (Some(of::<SendInput>()), &[], Vec::new()),
        Does::Listen => {
            (Some(of::<ReadQuery<'static>>()), &[], vec![timeout(limits::LISTEN_DEFAULT_MS, limits::LISTEN_MAX_MS)])
        }
        Does::Wait => {
            (Some(of::<ReadQuery<'static>>()), &[], vec![timeout(limits::WAIT_MCP_DEFAULT_MS, limits::WAIT_MAX_MS)])
        }
        Does::Ack => (Some(of::<AckInput>()), &[], Vec::new()),
        Does::History => (None, &[], history()),
        Does::Roster | Does::Leave | Does::Keepalive => (None, &[], Vec::new()),
    };
    if does == Does::Send {
        let same = "The key under which it may be repeated: 1 to 128 visible ASCII characters. Said again with the same \
                    message, it returns the first result.";
        with.push(("client_msg_id", json!({"type": "string", "pattern": "^[!-~]{1,128}$", "description": same})));
    }
    let mut required = Vec::new();
    if does == Does::Join && !knows_the_channel {
        with.push(("channel_id", text("The channel's id.")));
        with.push(("token", text("The channel's token; a band needs none.")));
        required.push("channel_id");
    } else if !does.is_for_nobody_seated() && !knows_the_channel {
        with.push(("channel_id", text("The channel, if this connection has not joined it itself.")));
    }
    if does == Does::AddIdentity {
        required.push("session_token");
    }
    if does == Does::Ack {
        required.push("upto");
    }
    if !does.is_for_nobody_seated() {
        with.push((
            "session_id",
            text("Your session_id of an earlier join, if this connection has not joined itself."),
        ));
    }
    schema::input(fields, without, &with, &required)
}

fn text(description: &str) -> Value {
    json!({"type": "string", "description": description})
}

fn timeout(default_ms: u64, max_ms: u64) -> (&'static str, Value) {
    let (default_s, min_s, max_s) = (default_ms / 1000, limits::POLL_MIN_MS / 1000, max_ms / 1000);
    let description =
        format!("Seconds to wait when there is nothing; clamped to {min_s} … {max_s}. {default_s} if left out.");
    ("timeout_seconds", json!({"type": "number", "default": default_s, "description": description}))
}

fn history() -> Vec<(&'static str, Value)> {
    let n = limits::HISTORY_DEFAULT;
    let many = format!("How many, 1 … {}; {n} if left out.", limits::READ_MESSAGES);
    vec![
        ("n", json!({"type": "number", "default": n, "description": many})),
        ("thread", text("Only those of this thread.")),
    ]
}

/// What every tool may say: what waits for the caller (A6).
fn unread() -> (&'static str, Value) {
    (
        "unread",
        json!({"type": "integer", "minimum": 0, "description": "Messages waiting for you: above 0, call listen."}),
    )
}

fn output(does: Does) -> Value {
    let schema = match does {
        Does::Create => of::<CreateReply>(),
        Does::Join => of::<JoinReply>(),
        Does::Send => of::<SendReply>(),
        Does::Listen => of::<ReadReply>(),
        Does::Wait => of::<WaitReply>(),
        Does::Ack => of::<AckReply>(),
        Does::Roster => of::<RosterReply>(),
        Does::History => of::<HistoryReply>(),
        Does::Leave => of::<LeaveReply>(),
        Does::Keepalive => of::<KeepaliveReply>(),
        Does::OpenAccount => of::<AccountOpened>(),
        Does::AddIdentity => of::<IdentityReply>(),
    };
    let mut with = vec![unread()];
    if does == Does::Join {
        with.push(("channel_id", text("The channel: keep it with session_id.")));
        with.push(("stay_reachable", text("How to stay reachable.")));
    }
    schema::output(schema, &with)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tools_are_those_of_the_hub_in_their_order() {
        let names: Vec<_> = all().iter().map(|tool| tool.name).collect();
        let order =
            "create_channel join send listen wait ack roster history leave keepalive create_account create_identity";
        assert_eq!(names.join(" "), order);
    }

    #[test]
    fn a_tool_says_what_it_takes_and_tells() {
        for tool in all() {
            for listed in &tool.listed {
                for key in ["title", "description", "annotations"] {
                    assert!(!listed[key].is_null(), "{} {key}", tool.name);
                }
                let (input, output) = (&listed["inputSchema"], &listed["outputSchema"]);
                assert_eq!((&input["type"], &output["type"]), (&json!("object"), &json!("object")), "{}", tool.name);
                assert_eq!(input["additionalProperties"], false, "{}", tool.name);
                assert!(output["properties"]["unread"].is_object(), "A6: {}", tool.name);
                for (name, field) in input["properties"].as_object().unwrap() {
                    assert!(field["description"].is_string(), "{} {name} {field}", tool.name);
                }
            }
            let [hub, channel] = &tool.arguments;
            assert!(!channel.contains(&"channel_id".to_owned()), "{}", tool.name);
            assert_eq!(hub.contains(&"channel_id".to_owned()), !tool.does.is_for_nobody_seated(), "{}", tool.name);
        }
    }

    #[test]
    fn the_first_tool_needs_no_arguments() {
        let all = all();
        assert!(all[0].listed[0]["inputSchema"]["required"].is_null());
        assert!(all[1].listed[1]["inputSchema"]["required"].is_null(), "on a channel's own endpoint join comes first");
    }
}
