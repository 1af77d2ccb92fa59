//! A client of a room.

use rogerrat_testkit::{Channel, Conn, HttpTarget, Reply, Request};
use serde_json::{Value, json};

/// A room and its password.
#[derive(Clone, Debug)]
pub(crate) struct Room {
    pub(crate) target: HttpTarget,
    pub(crate) base: String,
    pub(crate) password: String,
}

impl Room {
    /// A channel as a room.
    pub(crate) fn of(channel: &Channel) -> Self {
        let base = format!("/compat/agent-chatroom/{}", channel.id);
        Self { target: channel.target, base, password: channel.token.clone() }
    }

    /// The room at the root.
    pub(crate) fn root(target: HttpTarget, password: &str) -> Self {
        Self { target, base: String::new(), password: password.into() }
    }

    pub(crate) fn bare(&self, method: &str, path: &str) -> Request {
        self.target.request(method, &format!("{}{path}", self.base))
    }

    pub(crate) fn request(&self, method: &str, path: &str) -> Request {
        self.bare(method, path).header("X-Room-Password", &self.password)
    }

    pub(crate) fn post(&self, body: &Value) -> Reply {
        self.request("POST", "/messages").json(body).send()
    }

    #[track_caller]
    pub(crate) fn say(&self, agent: &str, text: &str) {
        let reply = self.post(&json!({"agent": agent, "text": text}));
        assert_eq!(reply.status, 200, "{}", reply.text());
    }

    /// The texts from a position on, and the next position.
    #[track_caller]
    pub(crate) fn poll(&self, after: u64) -> (Vec<String>, u64) {
        let polled = self.request("GET", &format!("/messages/poll?after={after}")).send().ok();
        (texts(&polled), polled["next"].as_u64().unwrap())
    }

    /// Opens a stream and reads its first frame.
    pub(crate) fn stream(&self, last: Option<u64>) -> Frames {
        let request = self.request("GET", "/messages/stream");
        let request = last.iter().fold(request, |request, id| request.header("Last-Event-ID", &id.to_string()));
        let mut conn = request.start();
        let head = conn.head().unwrap();
        assert_eq!((head.status, head.header("content-type")), (200, Some("text/event-stream")));
        let mut frames = Frames { conn, text: String::new() };
        assert_eq!(frames.next().unwrap(), ": connected");
        frames
    }
}

pub(crate) fn texts(reply: &Value) -> Vec<String> {
    reply["messages"].as_array().unwrap().iter().map(|message| message["text"].as_str().unwrap().to_owned()).collect()
}

/// The frames of a stream.
pub(crate) struct Frames {
    conn: Conn,
    text: String,
}

impl Frames {
    /// The next frame without its terminator. `None` at the end of the stream.
    pub(crate) fn next(&mut self) -> Option<String> {
        loop {
            if let Some((frame, rest)) = self.text.split_once("\n\n") {
                let frame = frame.to_owned();
                self.text = rest.to_owned();
                return Some(frame);
            }
            let chunk = self.conn.chunk().filter(|chunk| !chunk.is_empty())?;
            self.text.push_str(std::str::from_utf8(&chunk).unwrap());
        }
    }
}
