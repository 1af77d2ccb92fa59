//! The bridge's membership on a channel: the tools act with it, and its messages are pushed.

use std::time::Duration;

use rogerrat_client::ChannelTarget;
use serde_json::{Map, Value, json};
use tokio::sync::watch;
use tokio::time::timeout;

/// How long a tool call waits for the join that the bridge makes itself.
const JOIN_TIMEOUT: Duration = Duration::from_secs(2);

/// A session on a channel.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Membership {
    pub(super) channel: String,
    pub(super) token: Option<String>,
    pub(super) session: String,
    /// Callsign to join again with.
    pub(super) callsign: Option<String>,
}

impl Membership {
    /// The membership of a target with a session.
    pub(super) fn of(target: &ChannelTarget) -> Option<Self> {
        let session = target.session.clone().filter(|_| !target.channel.is_empty())?;
        let ChannelTarget { channel, token, callsign, .. } = target.clone();
        Some(Self { channel, token, session, callsign })
    }
}

/// The current membership, shared by tool calls and the notifier.
#[derive(Clone)]
pub(super) struct MembershipState {
    current: watch::Sender<Option<Membership>>,
    /// Whether the client is initialized. Before, nothing may be pushed.
    initialized: watch::Sender<bool>,
    /// Whether the bridge joins without a tool call.
    joins: bool,
    /// Whether it forwards to a channel's own endpoint, whose tools have no `channel_id`.
    has_fixed_channel: bool,
}

impl MembershipState {
    pub(super) fn new(target: &ChannelTarget) -> Self {
        let current = Membership::of(target);
        let has_fixed_channel = !target.channel.is_empty();
        let joins = current.is_none() && target.callsign.is_some() && has_fixed_channel;
        Self { current: watch::Sender::new(current), initialized: watch::Sender::new(false), joins, has_fixed_channel }
    }

    pub(super) fn has_fixed_channel(&self) -> bool {
        self.has_fixed_channel
    }

    pub(super) fn set(&self, membership: Option<Membership>) {
        self.current.send_if_modified(|current| {
            let is_new = *current != membership;
            *current = membership;
            is_new
        });
    }

    pub(super) fn watch(&self) -> watch::Receiver<Option<Membership>> {
        self.current.subscribe()
    }

    pub(super) fn set_initialized(&self) {
        self.initialized.send_if_modified(|initialized| !std::mem::replace(initialized, true));
    }

    /// Waits until the client is initialized.
    pub(super) async fn wait_initialized(&self) {
        // The sender is in `self`, so it cannot be closed.
        let _ = self.initialized.subscribe().wait_for(|initialized| *initialized).await;
    }

    /// The membership for a tool call. Waits for a join that the bridge is about to make.
    async fn get(&self) -> Option<Membership> {
        let mut current = self.watch();
        if self.joins {
            let _ = timeout(JOIN_TIMEOUT, current.wait_for(Option::is_some)).await;
        }
        current.borrow().clone()
    }

    /// Adds session and channel to the arguments of a tool that takes them, unless the caller has given them.
    pub(super) async fn fill_arguments(&self, tool: &Value, arguments: &mut Map<String, Value>) {
        let takes = |name: &str| !tool["inputSchema"]["properties"][name].is_null();
        let given = |name: &str| arguments.get(name).filter(|value| !is_blank(value));
        if !takes("session_id") || given("session_id").is_some() {
            return;
        }
        let Some(membership) = self.get().await else { return };
        if given("channel_id").is_some_and(|given| *given != *membership.channel) {
            return;
        }
        arguments.insert("session_id".into(), json!(membership.session));
        if takes("channel_id") {
            arguments.insert("channel_id".into(), json!(membership.channel));
        }
    }

    /// Updates the membership after a successful call of the tools `join` and `leave`.
    pub(super) fn update(&self, tool: &str, arguments: &Map<String, Value>, target: &ChannelTarget, result: &Value) {
        let text = |value: &Value| value.as_str().filter(|text| is_header_value(text)).map(str::to_owned);
        match tool {
            "join" => {
                let (Some(channel), Some(session)) = (text(&result["channel_id"]), text(&result["session_id"])) else {
                    return;
                };
                let given_token = arguments.get("token").and_then(text);
                let token = if self.has_fixed_channel { target.token.clone() } else { given_token };
                self.set(Some(Membership { channel, token, session, callsign: text(&result["callsign"]) }));
            }
            "leave" => {
                let left = arguments.get("session_id").and_then(Value::as_str);
                let is_left = |membership: &Membership| Some(&*membership.session) == left;
                self.current.send_if_modified(|current| current.take_if(|membership| is_left(membership)).is_some());
            }
            _ => {}
        }
    }
}

/// Whether an argument counts as absent, as at the hub.
fn is_blank(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::String(text) => text.trim().is_empty(),
        Value::Array(items) => items.is_empty(),
        _ => false,
    }
}

/// Whether a text can be part of a request without changing it.
fn is_header_value(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_graphic())
}
