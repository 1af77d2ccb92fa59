//! The tools: their names, descriptions, schemas and annotations.

mod fields;

use serde_json::{Value, json};

use super::arguments::Parameter;
use super::schema;
use crate::web::presets::Mode;

/// The function of a tool.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ToolKind {
    CreateChannel,
    Join,
    Send,
    Listen,
    Wait,
    Ack,
    Roster,
    History,
    Fetch,
    Ask,
    Take,
    Finish,
    Tasks,
    Leave,
    Keepalive,
    CreateAccount,
    CreateIdentity,
    OpenRemoteControl,
    MakeRemoteLink,
}

impl ToolKind {
    /// Whether it acts for a member of a channel, or makes the caller one.
    pub(super) fn is_of_a_channel(self) -> bool {
        !matches!(
            self,
            Self::CreateChannel
                | Self::CreateAccount
                | Self::CreateIdentity
                | Self::OpenRemoteControl
                | Self::MakeRemoteLink
        )
    }

    /// Whether it takes the id of a channel.
    fn names_a_channel(self) -> bool {
        self.is_of_a_channel() || self == Self::MakeRemoteLink
    }
}

/// One tool, in two forms: for `/mcp`, and for `/mcp/{id}`, where the channel is known.
pub(super) struct Tool {
    pub(super) name: &'static str,
    pub(super) kind: ToolKind,
    /// Its entries in `tools/list`.
    listed: [Value; 2],
    /// Its arguments.
    parameters: [Vec<Parameter>; 2],
}

impl Tool {
    /// Its arguments on an endpoint. That of a channel also accepts the channel's id.
    pub(super) fn parameters(&self, on_channel_endpoint: bool) -> &[Parameter] {
        &self.parameters[usize::from(on_channel_endpoint)]
    }
}

/// All tools.
pub(super) struct Catalogue(Vec<Tool>);

impl Catalogue {
    pub(super) fn new() -> Self {
        Self(all())
    }

    pub(super) fn find(&self, name: &str) -> Option<&Tool> {
        self.0.iter().find(|tool| tool.name == name)
    }

    /// The arguments of every tool on every endpoint.
    #[cfg(test)]
    pub(super) fn parameters(&self) -> impl Iterator<Item = &[Parameter]> {
        self.0.iter().flat_map(|tool| tool.parameters.iter().map(Vec::as_slice))
    }

    /// The content of `tools/list` for an endpoint and a mode (A8). On a channel's own endpoint `join` comes first.
    pub(super) fn list(&self, on_channel_endpoint: bool, mode: Option<&Mode>) -> Vec<Value> {
        let side = usize::from(on_channel_endpoint);
        let mut list: Vec<_> = self.0.iter().map(|tool| tool.listed[side].clone()).collect();
        if let Some(mode) = mode
            && let Some(create) = list.iter_mut().find(|tool| tool["name"] == "create_channel")
        {
            create["description"] =
                format!("{CREATE_CHANNEL} Here a channel is {}. {}", mode.headline, mode.advice).into();
        }
        if on_channel_endpoint {
            list.rotate_left(1);
        }
        list
    }
}

const CREATE_CHANNEL: &str = "Create a private channel. Returns its id, its token and a one-line invite for the other \
                              agent. Then call join yourself.";

fn all() -> Vec<Tool> {
    vec![
        tool("create_channel", ToolKind::CreateChannel, "Create a channel", CREATE_CHANNEL, Annotations::CHANGES),
        tool(
            "join",
            ToolKind::Join,
            "Join a channel",
            "Join a channel under a callsign, or resume your session. The result states how far to trust your peers \
             and how to stay reachable: read both.",
            Annotations::IDEMPOTENT,
        ),
        tool(
            "send",
            ToolKind::Send,
            "Send a message",
            "Send a message to one agent or to all, or a transient status. Direct messages to absent agents are kept \
             for them.",
            Annotations::CHANGES,
        ),
        tool(
            "listen",
            ToolKind::Listen,
            "Read new messages",
            "Return your unread messages. If there are none, wait for one, by default for 30 seconds.",
            Annotations::CHANGES,
        ),
        tool(
            "wait",
            ToolKind::Wait,
            "Wait for messages",
            "Like listen, but waits longer. To stay reachable, call it after everything you send, and again when it \
             ends. A wait that ends without messages is normal.",
            Annotations::CHANGES,
        ),
        tool(
            "ack",
            ToolKind::Ack,
            "Acknowledge messages",
            "After reading with ack=manual: mark all messages up to an id as done. They are not delivered again.",
            Annotations::IDEMPOTENT,
        ),
        tool(
            "roster",
            ToolKind::Roster,
            "List the members",
            "List the members of the channel by callsign and number.",
            Annotations::READ_ONLY,
        ),
        tool(
            "history",
            ToolKind::History,
            "Read the history",
            "Return the last messages of the channel, including your own. Marks nothing as read.",
            Annotations::READ_ONLY,
        ),
        tool(
            "fetch",
            ToolKind::Fetch,
            "Read a message and its files",
            "Return one message with its files, which other tools only name: pictures as images, texts as text. Marks \
             nothing as read.",
            Annotations::READ_ONLY,
        ),
        tool(
            "ask",
            ToolKind::Ask,
            "Ask and wait for the answer",
            "Ask an agent, or all, and wait for the answer. If none comes in time, call again with ask_id; do not ask again.",
            Annotations::CHANGES,
        ),
        tool(
            "take",
            ToolKind::Take,
            "Take work",
            "Take work that others posted. It is yours alone until the lease ends. Then call finish.",
            Annotations::CHANGES,
        ),
        tool(
            "finish",
            ToolKind::Finish,
            "Finish a task",
            "Report what became of a task. `working` renews your lease, `input` asks its sender, `open` gives it back, \
             `cancelled` withdraws your own.",
            Annotations::CHANGES,
        ),
        tool(
            "tasks",
            ToolKind::Tasks,
            "List tasks",
            "List questions and work, who has what, and what is for you; or one task with its answers.",
            Annotations::READ_ONLY,
        ),
        tool(
            "leave",
            ToolKind::Leave,
            "Leave the channel",
            "Leave the channel and release your callsign.",
            Annotations::IDEMPOTENT,
        ),
        tool(
            "keepalive",
            ToolKind::Keepalive,
            "Keep the session alive",
            "Keep your session alive while you are busy. Returns the unread count.",
            Annotations::IDEMPOTENT,
        ),
        tool(
            "create_account",
            ToolKind::CreateAccount,
            "Create an account",
            "Create an account, only if your human wants to own callsigns or channels. Returns a recovery token for \
             the human and a session token for you.",
            Annotations::CHANGES,
        ),
        tool(
            "create_identity",
            ToolKind::CreateIdentity,
            "Create an identity",
            "Reserve a callsign for an account on every channel. Returns its identity_key: join with it, and your \
             messages are marked as verified.",
            Annotations::CHANGES,
        ),
        tool(
            "open_remote_control",
            ToolKind::OpenRemoteControl,
            "Open remote control",
            "Let your human instruct you from a phone. Returns links and a PIN for the human, and what to join with.",
            Annotations::CHANGES,
        ),
        tool(
            "make_remote_link",
            ToolKind::MakeRemoteLink,
            "Add a phone to a channel",
            "Let your human join a channel from a phone. Returns links for the human.",
            Annotations::CHANGES,
        ),
    ]
}

/// What a client may assume about a tool.
#[derive(Clone, Copy)]
struct Annotations {
    read_only: bool,
    idempotent: bool,
}

impl Annotations {
    const READ_ONLY: Self = Self { read_only: true, idempotent: true };
    /// Each call changes something.
    const CHANGES: Self = Self { read_only: false, idempotent: false };
    /// Repeating a call changes nothing more.
    const IDEMPOTENT: Self = Self { read_only: false, idempotent: true };
}

fn tool(name: &'static str, kind: ToolKind, title: &str, description: &str, annotations: Annotations) -> Tool {
    let listed = |input: Value| {
        let mut listed = json!({
            "name": name,
            "title": title,
            "description": description,
            "inputSchema": input,
            // What is absent has its default: no read, not idempotent.
            "annotations": {
                "destructiveHint": false,
                // The hub reaches the members of its channels, a closed set, and nothing else (ADR 31).
                "openWorldHint": false,
            },
        });
        for (hint, is_set) in [("readOnlyHint", annotations.read_only), ("idempotentHint", annotations.idempotent)] {
            if is_set {
                listed["annotations"][hint] = true.into();
            }
        }
        if let Some(output) = fields::output(kind) {
            listed["outputSchema"] = output;
        }
        listed
    };
    let inputs = [false, true].map(|knows_the_channel| fields::input(kind, knows_the_channel));
    let mut parameters = inputs.each_ref().map(Parameter::all);
    parameters.iter_mut().for_each(|known| known.extend(Parameter::all(&fields::unlisted(kind))));
    if kind.names_a_channel() {
        parameters[1].push(Parameter::text("channel_id"));
    }
    Tool { name, kind, listed: inputs.map(|input| listed(schema::plain(input))), parameters }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tools_are_listed_in_their_order() {
        let names: Vec<_> = all().iter().map(|tool| tool.name).collect();
        let order = "create_channel join send listen wait ack roster history fetch ask take finish tasks leave keepalive create_account \
             create_identity open_remote_control make_remote_link";
        assert_eq!(names.join(" "), order);
    }

    #[test]
    fn every_tool_and_argument_is_described() {
        for tool in all() {
            for listed in &tool.listed {
                for key in ["title", "description", "annotations"] {
                    assert!(!listed[key].is_null(), "{} {key}", tool.name);
                }
                let (input, output) = (&listed["inputSchema"], &listed["outputSchema"]);
                assert_eq!(input["type"], "object", "{}", tool.name);
                if tool.kind != ToolKind::Fetch {
                    assert_eq!(output["type"], "object", "{}", tool.name);
                    assert!(output["properties"]["unread"].is_object(), "A6: {}", tool.name);
                }
                for (name, field) in input["properties"].as_object().unwrap() {
                    assert!(field["description"].is_string(), "{} {name} {field}", tool.name);
                }
            }
            let [hub, channel] =
                tool.listed.each_ref().map(|listed| &listed["inputSchema"]["properties"]["channel_id"]);
            assert!(channel.is_null(), "{}", tool.name);
            assert_eq!(hub.is_object(), tool.kind.names_a_channel(), "{}", tool.name);
        }
    }

    #[test]
    fn the_first_tool_needs_no_arguments() {
        let all = all();
        assert!(all[0].listed[0]["inputSchema"]["required"].is_null());
        assert!(all[1].listed[1]["inputSchema"]["required"].is_null(), "on a channel's own endpoint join comes first");
    }
}
