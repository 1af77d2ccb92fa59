//! Channels and the agents on them: `ann.send("bob", "hi")`, `bob.listen()`.

use std::cell::RefCell;
use std::ops::Range;

use serde_json::{Value, json};

use super::{Conn, HttpTarget, Reply, Request, Stream, openapi, wait_until};

/// A channel, with the token to join it.
#[derive(Clone, Debug)]
pub struct Channel {
    /// The hub.
    pub target: HttpTarget,
    /// Its id.
    pub id: String,
    /// Its join token.
    pub token: String,
}

impl Channel {
    /// A channel that exists.
    pub fn new(target: HttpTarget, id: &str, token: &str) -> Self {
        Self { target, id: id.into(), token: token.into() }
    }

    /// A request to `/api/channels/<id>/<what>` with the channel's token.
    pub fn request(&self, method: &str, what: &str) -> Request {
        self.target.request(method, &self.path(what)).bearer(&self.token)
    }

    /// Sends a `GET` request with the channel's token.
    pub fn get(&self, what: &str) -> Reply {
        self.request("GET", what).send()
    }

    /// The `http://` origin of its hub.
    pub fn origin(&self) -> String {
        self.target.origin()
    }

    /// The path of one of the channel's resources.
    pub fn path(&self, what: &str) -> String {
        format!("/api/channels/{}/{what}", self.id)
    }

    /// Sends a join request.
    pub fn try_join(&self, body: &Value) -> Reply {
        self.request("POST", "join").json(body).send()
    }

    /// Sends a join request with a session id that the caller chose.
    pub fn try_join_as(&self, callsign: &str, session: &str) -> Reply {
        self.request("POST", "join").session(session).json(&json!({"callsign": callsign})).send()
    }

    /// Joins.
    #[track_caller]
    pub fn join(&self, callsign: &str) -> Agent {
        Agent::from_join(self, &self.try_join(&json!({"callsign": callsign})).ok())
    }

    /// Joins with a session id that the caller chose.
    #[track_caller]
    pub fn join_as(&self, callsign: &str, session: &str) -> Agent {
        Agent::from_join(self, &self.try_join_as(callsign, session).ok())
    }

    /// The callsigns on the roster.
    pub fn roster(&self) -> Vec<String> {
        strings(&self.get("roster").ok()["roster"])
    }

    /// The texts of the channel's last 100 messages.
    pub fn history(&self) -> Vec<String> {
        texts(&self.get("history?n=100").ok()["history"])
    }

    /// The channel's history, roster and statistics, to compare before and after.
    pub fn visible_state(&self) -> Value {
        let mut roster = self.get("roster").ok();
        roster["roster_all"] = self.roster_all();
        roster["members"].take();
        json!([self.get("history?n=100").ok(), roster, self.get("stats").ok()])
    }

    /// All members: callsign, number, and whether each is online, without what changes with every request.
    pub fn roster_all(&self) -> Value {
        let mut rows = self.get("roster").ok()["roster_all"].take();
        for row in rows.as_array_mut().unwrap() {
            row.as_object_mut().unwrap().retain(|field, _| ["callsign", "online", "idx"].contains(&field.as_str()));
        }
        rows
    }
}

/// A member of a channel with an open session.
#[derive(Debug)]
pub struct Agent {
    /// The channel.
    pub channel: Channel,
    /// The id of its session.
    pub session: String,
    /// Its callsign.
    pub callsign: String,
    /// The body of the reply to its join.
    pub joined: Value,
    conn: RefCell<Option<Conn>>,
}

impl Agent {
    /// The agent that a reply to a join describes.
    pub fn from_join(channel: &Channel, joined: &Value) -> Self {
        Self {
            channel: channel.clone(),
            session: joined["session_id"].as_str().unwrap().into(),
            callsign: joined["callsign"].as_str().unwrap().into(),
            joined: joined.clone(),
            conn: RefCell::new(None),
        }
    }

    /// A request to `/api/channels/<id>/<what>` with the channel's token and the agent's session id.
    pub fn request(&self, method: &str, what: &str) -> Request {
        self.channel.request(method, what).session(&self.session)
    }

    /// Sends a request on the agent's connection, which is kept open between requests.
    pub fn call(&self, request: Request) -> Reply {
        let open = self.conn.borrow_mut().take().filter(Conn::is_open);
        let conn = open.unwrap_or_else(|| self.channel.target.connect());
        let (reply, conn) = request.on(conn);
        if reply.header("connection") != Some("close") {
            *self.conn.borrow_mut() = Some(conn);
        }
        reply
    }

    /// Sends a `GET` request.
    pub fn get(&self, what: &str) -> Reply {
        self.call(self.request("GET", what))
    }

    /// Sends a `POST` request.
    pub fn post(&self, what: &str, body: &Value) -> Reply {
        self.call(self.request("POST", what).json(body))
    }

    /// Sends a `send` request.
    pub fn try_send(&self, body: &Value) -> Reply {
        self.post("send", body)
    }

    /// Sends a message and returns its id.
    #[track_caller]
    pub fn send(&self, to: &str, text: &str) -> u64 {
        self.try_send(&json!({"to": to, "message": text})).ok()["id"].as_u64().unwrap()
    }

    /// Broadcasts a message and returns its id.
    #[track_caller]
    pub fn say(&self, text: &str) -> u64 {
        self.send("all", text)
    }

    /// Broadcasts each number as a message and returns the ids.
    pub fn say_numbers(&self, numbers: Range<usize>) -> Vec<u64> {
        numbers.map(|n| self.say(&n.to_string())).collect()
    }

    /// Broadcasts each text and returns the ids.
    pub fn say_all(&self, texts: &[String]) -> Vec<u64> {
        texts.iter().map(|text| self.say(text)).collect()
    }

    /// Sends a message with an attachment of half a mebibyte and returns its id.
    #[track_caller]
    pub fn send_large(&self, to: &str, text: &str) -> u64 {
        self.try_send(&large_message(to, text)).ok()["id"].as_u64().unwrap()
    }

    /// Polls with `listen` for at most a second and returns the texts.
    #[track_caller]
    pub fn listen(&self) -> Vec<String> {
        texts(&self.get("listen?timeout=1").ok()["messages"])
    }

    /// Polls with `wait` for at most a second and returns the reply.
    pub fn wait(&self) -> Value {
        self.get("wait?timeout=1").ok()
    }

    /// How many messages are unread.
    pub fn unread(&self) -> u64 {
        self.post("keepalive", &json!({})).ok()["unread"].as_u64().unwrap()
    }

    /// Leaves the channel.
    pub fn leave(&self) {
        assert_eq!(self.post("leave", &json!({})).ok(), json!({"ok": true}));
    }

    /// Starts a poll and returns when the hub has parked it.
    pub fn park(&self, what: &str) -> PendingPoll {
        let poll = self.start(what);
        self.until_waiting(true);
        poll
    }

    /// Starts a poll and returns at once.
    pub fn start(&self, what: &str) -> PendingPoll {
        PendingPoll(self.request("GET", what).start(), self.channel.path(what))
    }

    /// Opens a stream.
    pub fn stream(&self, query: &str) -> Stream {
        Stream::open(self.request("GET", &format!("stream{query}")))
    }

    /// Waits until a poll or stream of the agent is open, or until none is.
    pub fn until_waiting(&self, waiting: bool) {
        wait_until(&format!("{} has an open poll or stream: {waiting}", self.callsign), || {
            self.is_waiting() == waiting
        });
    }

    /// Whether a poll or stream of the agent is open, on any of its consumers.
    pub fn is_waiting(&self) -> bool {
        self.consumers().iter().any(|row| row["waiting"] == true)
    }

    /// The rows of `GET …/consumers`.
    pub fn consumers(&self) -> Vec<Value> {
        self.get("consumers").ok()["consumers"].as_array().unwrap().clone()
    }

    /// Joins again with the same callsign.
    pub fn rejoin(&self) -> Self {
        self.channel.join(&self.callsign)
    }
}

/// A poll that was sent and not answered yet, with its path.
#[derive(Debug)]
pub struct PendingPoll(Conn, String);

impl PendingPoll {
    /// Waits for the reply, which must be a success.
    #[track_caller]
    pub fn answer(mut self) -> Value {
        let reply = self.0.reply().expect("a reply to the poll");
        openapi::check_reply("GET", &self.1, &reply);
        reply.ok()
    }

    /// Closes the connection.
    pub fn disconnect(self) {
        drop(self.0);
    }

    /// The connection on which the reply will arrive.
    pub fn conn(self) -> Conn {
        self.0
    }
}

/// The body of a message of about half a mebibyte.
fn large_message(to: &str, text: &str) -> Value {
    let file = json!({"mime": "application/pdf", "data_base64": "A".repeat(524_288)});
    json!({"to": to, "message": text, "attachments": [file]})
}

/// The texts of a list of messages.
pub fn texts(messages: &Value) -> Vec<String> {
    let messages = messages.as_array().unwrap_or_else(|| panic!("not messages: {messages}"));
    messages.iter().map(|message| message["text"].as_str().unwrap().to_owned()).collect()
}

fn strings(list: &Value) -> Vec<String> {
    list.as_array().unwrap().iter().map(|item| item.as_str().unwrap().to_owned()).collect()
}
