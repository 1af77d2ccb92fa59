//! A client of a channel's stream of server-sent events.

use std::time::Duration;

use serde_json::Value;

use super::{Conn, Reply, Request, openapi};

/// One server-sent event: the lines between two blank lines.
#[derive(Clone, Debug)]
pub struct Event {
    /// The lines as received.
    pub lines: Vec<String>,
}

impl Event {
    /// The value of a field.
    pub fn field(&self, name: &str) -> Option<&str> {
        self.lines.iter().find_map(|line| line.strip_prefix(name)?.strip_prefix(": "))
    }

    /// The `event` field, or an empty text.
    pub fn name(&self) -> &str {
        self.field("event").unwrap_or_default()
    }

    /// The `data` field as JSON.
    pub fn data(&self) -> Value {
        serde_json::from_str(self.field("data").unwrap_or_else(|| panic!("no data: {self:?}"))).unwrap()
    }

    /// The names of its fields, in order.
    pub fn fields(&self) -> Vec<&str> {
        self.lines.iter().map(|line| line.split(':').next().unwrap_or_default()).collect()
    }
}

/// An open stream. The data of each event is checked against `/openapi.json`.
#[derive(Debug)]
pub struct Stream {
    conn: Conn,
    text: String,
    /// The head of the HTTP response.
    pub head: Reply,
    /// The first event.
    pub hello: Event,
}

impl Stream {
    /// Opens a stream and reads its `hello` event.
    #[track_caller]
    pub fn open(request: Request) -> Self {
        let mut conn = request.start();
        let head = conn.head().expect("a response to the stream request");
        assert_eq!(head.status, 200, "{:?}", conn.chunk().map(|c| String::from_utf8_lossy(&c).into_owned()));
        let hello = Event { lines: Vec::new() };
        let mut stream = Self { conn, text: String::new(), head, hello };
        stream.hello = stream.next().expect("a first event");
        assert_eq!(stream.hello.name(), "hello", "{:?}", stream.hello);
        stream
    }

    /// Whether more of the stream comes within a time.
    pub fn has_data_within(&mut self, time: Duration) -> bool {
        self.text.contains("\n\n") || self.conn.has_data_within(time)
    }

    /// The next event, without comments; none when the stream has ended.
    #[expect(clippy::should_implement_trait, reason = "a test asks for one event at a time")]
    pub fn next(&mut self) -> Option<Event> {
        loop {
            if let Some((event, rest)) = self.text.split_once("\n\n") {
                let lines = event.lines().map(str::to_owned).collect::<Vec<_>>();
                self.text = rest.to_owned();
                if lines.iter().all(|line| line.starts_with(':')) {
                    continue;
                }
                let event = Event { lines };
                openapi::check_event(event.name(), &event.data());
                return Some(event);
            }
            let chunk = self.conn.chunk()?;
            self.text += &String::from_utf8(chunk).unwrap();
        }
    }

    /// The text of the next event, which must be a message.
    #[track_caller]
    pub fn text(&mut self) -> String {
        let event = self.next().expect("a message");
        assert_eq!(event.name(), "message", "{event:?}");
        event.data()["text"].as_str().unwrap().to_owned()
    }

    /// The next event, after which the stream must end.
    #[track_caller]
    pub fn last(&mut self) -> Event {
        let event = self.next().expect("a last event");
        assert!(self.next().is_none(), "the stream continues after {event:?}");
        event
    }

    /// All events until the stream ends.
    pub fn all(&mut self) -> Vec<Event> {
        std::iter::from_fn(|| self.next()).collect()
    }

    /// Closes the connection.
    pub fn disconnect(self) {
        drop(self.conn);
    }
}
