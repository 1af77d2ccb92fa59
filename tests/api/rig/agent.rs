//! Channels and the agents on them, as tests speak of them: `ann.send("bob", "hi")`, `bob.listen()`.

use std::cell::RefCell;
use std::ops::Range;

use serde_json::{Value, json};

use super::{Conn, Door, Reply, Request, Stream, described, until};

/// A channel and what admits to it.
#[derive(Clone, Debug)]
pub(crate) struct Channel {
    pub(crate) door: Door,
    pub(crate) id: String,
    pub(crate) token: String,
}

impl Channel {
    pub(crate) fn new(door: Door, id: &str, token: &str) -> Self {
        Self { door, id: id.into(), token: token.into() }
    }

    /// A request to `…/api/channels/<id>/<what>` with the channel's token.
    pub(crate) fn request(&self, method: &str, what: &str) -> Request {
        self.door.request(method, &self.path(what)).bearer(&self.token)
    }

    pub(crate) fn get(&self, what: &str) -> Reply {
        self.request("GET", what).send()
    }

    pub(crate) fn path(&self, what: &str) -> String {
        format!("/api/channels/{}/{what}", self.id)
    }

    pub(crate) fn try_join(&self, body: &Value) -> Reply {
        self.request("POST", "join").json(body).send()
    }

    /// Joins with a session id of the caller's own.
    pub(crate) fn try_join_as(&self, callsign: &str, session: &str) -> Reply {
        self.request("POST", "join").session(session).json(&json!({"callsign": callsign})).send()
    }

    #[track_caller]
    pub(crate) fn join(&self, callsign: &str) -> Agent {
        Agent::of(self, &self.try_join(&json!({"callsign": callsign})).ok())
    }

    #[track_caller]
    pub(crate) fn join_as(&self, callsign: &str, session: &str) -> Agent {
        Agent::of(self, &self.try_join_as(callsign, session).ok())
    }

    pub(crate) fn roster(&self) -> Vec<String> {
        strings(&self.get("roster").ok()["roster"])
    }

    /// The texts of the channel's last 100 messages.
    pub(crate) fn history(&self) -> Vec<String> {
        texts(&self.get("history?n=100").ok()["history"])
    }

    /// Everything about the channel that others could see change.
    pub(crate) fn picture(&self) -> Value {
        json!([self.get("history?n=100").ok(), self.get("roster").ok(), self.get("stats").ok()])
    }
}

/// Somebody on a channel.
#[derive(Debug)]
pub(crate) struct Agent {
    pub(crate) channel: Channel,
    pub(crate) session: String,
    pub(crate) callsign: String,
    /// What it was told when it joined.
    pub(crate) joined: Value,
    line: RefCell<Option<Conn>>,
}

impl Agent {
    pub(crate) fn of(channel: &Channel, joined: &Value) -> Self {
        Self {
            channel: channel.clone(),
            session: joined["session_id"].as_str().unwrap().into(),
            callsign: joined["callsign"].as_str().unwrap().into(),
            joined: joined.clone(),
            line: RefCell::new(None),
        }
    }

    pub(crate) fn request(&self, method: &str, what: &str) -> Request {
        self.channel.request(method, what).session(&self.session)
    }

    /// Sends a request on the agent's own connection.
    pub(crate) fn call(&self, request: Request) -> Reply {
        let line = self.line.borrow_mut().take().filter(Conn::is_open);
        let conn = line.unwrap_or_else(|| self.channel.door.dial());
        let (reply, conn) = request.on(conn);
        if reply.header("connection") != Some("close") {
            *self.line.borrow_mut() = Some(conn);
        }
        reply
    }

    pub(crate) fn get(&self, what: &str) -> Reply {
        self.call(self.request("GET", what))
    }

    pub(crate) fn post(&self, what: &str, body: &Value) -> Reply {
        self.call(self.request("POST", what).json(body))
    }

    pub(crate) fn try_send(&self, body: &Value) -> Reply {
        self.post("send", body)
    }

    /// Sends, and gives the message's id.
    #[track_caller]
    pub(crate) fn send(&self, to: &str, text: &str) -> u64 {
        self.try_send(&json!({"to": to, "message": text})).ok()["id"].as_u64().unwrap()
    }

    #[track_caller]
    pub(crate) fn say(&self, text: &str) -> u64 {
        self.send("all", text)
    }

    /// Says these numbers, one after the other.
    pub(crate) fn count(&self, numbers: Range<usize>) -> Vec<u64> {
        numbers.map(|n| self.say(&n.to_string())).collect()
    }

    /// Says these texts, one after the other.
    pub(crate) fn tell(&self, texts: &[String]) -> Vec<u64> {
        texts.iter().map(|text| self.say(text)).collect()
    }

    /// Sends a message that weighs half a mebibyte.
    #[track_caller]
    pub(crate) fn drop_a_brick(&self, to: &str, text: &str) -> u64 {
        self.try_send(&brick(to, text)).ok()["id"].as_u64().unwrap()
    }

    /// Listens for a second at most, and gives the texts.
    #[track_caller]
    pub(crate) fn listen(&self) -> Vec<String> {
        texts(&self.get("listen?timeout=1").ok()["messages"])
    }

    pub(crate) fn wait(&self) -> Value {
        self.get("wait?timeout=1").ok()
    }

    pub(crate) fn unread(&self) -> u64 {
        self.post("keepalive", &json!({})).ok()["unread"].as_u64().unwrap()
    }

    pub(crate) fn leave(&self) {
        assert_eq!(self.post("leave", &json!({})).ok(), json!({"ok": true}));
    }

    /// Starts a poll that finds nothing, and comes back when it is parked.
    pub(crate) fn park(&self, what: &str) -> Parked {
        let parked = self.start(what);
        self.until_waiting(true);
        parked
    }

    /// Starts a poll and does not look whether it is parked.
    pub(crate) fn start(&self, what: &str) -> Parked {
        Parked(self.request("GET", what).start(), self.channel.path(what))
    }

    pub(crate) fn stream(&self, query: &str) -> Stream {
        Stream::open(self.request("GET", &format!("stream{query}")))
    }

    pub(crate) fn until_waiting(&self, waiting: bool) {
        until("a poll or stream waits, or none does", || self.is_waiting() == waiting);
    }

    /// Whether a poll or stream waits on any of its consumers.
    pub(crate) fn is_waiting(&self) -> bool {
        self.consumers().iter().any(|row| row["waiting"] == true)
    }

    pub(crate) fn consumers(&self) -> Vec<Value> {
        self.get("consumers").ok()["consumers"].as_array().unwrap().clone()
    }

    /// The agent, if it joins again as it is.
    pub(crate) fn rejoin(&self) -> Self {
        self.channel.join(&self.callsign)
    }
}

/// A poll on its way, and where it was sent.
#[derive(Debug)]
pub(crate) struct Parked(Conn, String);

impl Parked {
    #[track_caller]
    pub(crate) fn answer(mut self) -> Value {
        let reply = self.0.reply().expect("a parked poll is answered");
        described::check("GET", &self.1, &reply);
        reply.ok()
    }

    /// The client goes without a word.
    pub(crate) fn hang_up(self) {
        drop(self.0);
    }

    pub(crate) fn conn(self) -> Conn {
        self.0
    }
}

/// A message of about half a mebibyte.
fn brick(to: &str, text: &str) -> Value {
    let file = json!({"mime": "application/pdf", "data_base64": "A".repeat(524_288)});
    json!({"to": to, "message": text, "attachments": [file]})
}

/// The texts of messages.
pub(crate) fn texts(messages: &Value) -> Vec<String> {
    let messages = messages.as_array().unwrap_or_else(|| panic!("not messages: {messages}"));
    messages.iter().map(|message| message["text"].as_str().unwrap().to_owned()).collect()
}

pub(crate) fn strings(list: &Value) -> Vec<String> {
    list.as_array().unwrap().iter().map(|item| item.as_str().unwrap().to_owned()).collect()
}
