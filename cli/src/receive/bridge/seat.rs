//! The seat the bridge has on a channel: what the tools act for, and what is followed.

use std::time::Duration;

use rogerrat_client::ChannelTarget;
use serde_json::{Map, Value, json};
use tokio::sync::watch;
use tokio::time::timeout;

/// For the join that the bridge does by itself.
const JOINING: Duration = Duration::from_secs(2);

/// A place that was joined.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Seat {
    pub(super) channel: String,
    pub(super) token: Option<String>,
    pub(super) session: String,
    /// Under which it can be joined again.
    pub(super) callsign: Option<String>,
}

impl Seat {
    /// Where a place was joined.
    pub(super) fn of(place: &ChannelTarget) -> Option<Self> {
        let session = place.session.clone().filter(|_| !place.channel.is_empty())?;
        let ChannelTarget { channel, token, callsign, .. } = place.clone();
        Some(Self { channel, token, session, callsign })
    }
}

/// What is known of it, and who waits for that.
#[derive(Clone)]
pub(super) struct Seats {
    seat: watch::Sender<Option<Seat>>,
    /// Whether the client has begun: before, nothing may be pushed.
    ready: watch::Sender<bool>,
    /// Whether the bridge takes a seat by itself.
    joins: bool,
    /// On a channel's own endpoint the tools take no `channel_id`.
    is_on_a_channel: bool,
}

impl Seats {
    pub(super) fn new(place: &ChannelTarget) -> Self {
        let seat = Seat::of(place);
        let joins = seat.is_none() && place.callsign.is_some() && !place.channel.is_empty();
        Self {
            seat: watch::Sender::new(seat),
            ready: watch::Sender::new(false),
            joins,
            is_on_a_channel: !place.channel.is_empty(),
        }
    }

    pub(super) fn is_on_a_channel(&self) -> bool {
        self.is_on_a_channel
    }

    pub(super) fn take(&self, seat: Option<Seat>) {
        self.seat.send_if_modified(|before| {
            let is_new = *before != seat;
            *before = seat;
            is_new
        });
    }

    pub(super) fn watch(&self) -> watch::Receiver<Option<Seat>> {
        self.seat.subscribe()
    }

    pub(super) fn begin(&self) {
        self.ready.send_if_modified(|ready| !std::mem::replace(ready, true));
    }

    /// Comes back when the client has begun.
    pub(super) async fn begun(&self) {
        // It is our own sender: it cannot be gone.
        let _ = self.ready.subscribe().wait_for(|ready| *ready).await;
    }

    /// The seat the tools act for. One that is about to be taken is waited for.
    async fn seat(&self) -> Option<Seat> {
        let mut seat = self.watch();
        if self.joins {
            let _ = timeout(JOINING, seat.wait_for(Option::is_some)).await;
        }
        seat.borrow().clone()
    }

    /// Says for whom a tool acts, where its caller does not and the tool asks for it.
    pub(super) async fn fill(&self, tool: &Value, arguments: &mut Map<String, Value>) {
        let takes = |name: &str| !tool["inputSchema"]["properties"][name].is_null();
        if !takes("session_id") || arguments.contains_key("session_id") {
            return;
        }
        let Some(seat) = self.seat().await else { return };
        if arguments.get("channel_id").is_some_and(|said| *said != *seat.channel) {
            return;
        }
        arguments.insert("session_id".into(), json!(seat.session));
        if takes("channel_id") {
            arguments.insert("channel_id".into(), json!(seat.channel));
        }
    }

    /// Takes the seat that the tools `join` and `leave` took or gave up.
    pub(super) fn learn(&self, tool: &str, arguments: &Map<String, Value>, place: &ChannelTarget, told: &Value) {
        let text = |value: &Value| value.as_str().filter(|text| is_word(text)).map(str::to_owned);
        match tool {
            "join" => {
                let (Some(channel), Some(session)) = (text(&told["channel_id"]), text(&told["session_id"])) else {
                    return;
                };
                let said = arguments.get("token").and_then(text);
                let token = if self.is_on_a_channel { place.token.clone() } else { said };
                self.take(Some(Seat { channel, token, session, callsign: text(&told["callsign"]) }));
            }
            "leave" => {
                let left = arguments.get("session_id").and_then(Value::as_str);
                let is_ours = |seat: &Seat| Some(&*seat.session) == left;
                self.seat.send_if_modified(|seat| seat.take_if(|seat| is_ours(seat)).is_some());
            }
            _ => {}
        }
    }
}

/// Nothing that could be more than one word of a request.
fn is_word(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_graphic())
}
