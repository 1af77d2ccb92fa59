//! A stream of server-sent events, read as the bytes it is.

use serde_json::Value;

use super::{Conn, Reply, Request, described};

/// One event: the lines between two blank ones.
#[derive(Clone, Debug)]
pub(crate) struct Event {
    pub(crate) lines: Vec<String>,
}

impl Event {
    pub(crate) fn field(&self, name: &str) -> Option<&str> {
        self.lines.iter().find_map(|line| line.strip_prefix(name)?.strip_prefix(": "))
    }

    pub(crate) fn name(&self) -> &str {
        self.field("event").unwrap_or_default()
    }

    pub(crate) fn data(&self) -> Value {
        serde_json::from_str(self.field("data").unwrap_or_else(|| panic!("no data: {self:?}"))).unwrap()
    }

    /// The names of its fields, in order.
    pub(crate) fn fields(&self) -> Vec<&str> {
        self.lines.iter().map(|line| line.split(':').next().unwrap_or_default()).collect()
    }
}

/// An open stream.
#[derive(Debug)]
pub(crate) struct Stream {
    conn: Conn,
    text: String,
    pub(crate) head: Reply,
    pub(crate) hello: Event,
}

impl Stream {
    /// Opens a stream and reads its hello.
    #[track_caller]
    pub(crate) fn open(request: Request) -> Self {
        let mut conn = request.start();
        let head = conn.head().expect("a stream answers");
        assert_eq!(head.status, 200, "{:?}", conn.chunk().map(|c| String::from_utf8_lossy(&c).into_owned()));
        let hello = Event { lines: Vec::new() };
        let mut stream = Self { conn, text: String::new(), head, hello };
        stream.hello = stream.next().expect("a stream says hello");
        assert_eq!(stream.hello.name(), "hello", "{:?}", stream.hello);
        stream
    }

    /// The next event; none when the stream has ended. Comments are no events.
    pub(crate) fn next(&mut self) -> Option<Event> {
        loop {
            if let Some((event, rest)) = self.text.split_once("\n\n") {
                let lines = event.lines().map(str::to_owned).collect::<Vec<_>>();
                self.text = rest.to_owned();
                if lines.iter().all(|line| line.starts_with(':')) {
                    continue;
                }
                let event = Event { lines };
                described::check_event(event.name(), &event.data());
                return Some(event);
            }
            let chunk = self.conn.chunk()?;
            self.text += &String::from_utf8(chunk).unwrap();
        }
    }

    /// The next event, which must be a message; its text.
    #[track_caller]
    pub(crate) fn text(&mut self) -> String {
        let event = self.next().expect("a message comes");
        assert_eq!(event.name(), "message", "{event:?}");
        event.data()["text"].as_str().unwrap().to_owned()
    }

    /// The last event, after which the stream must end.
    #[track_caller]
    pub(crate) fn last(&mut self) -> Event {
        let event = self.next().expect("a last event comes");
        assert!(self.next().is_none(), "the stream goes on after {event:?}");
        event
    }

    /// Every event until the stream ends.
    pub(crate) fn all(&mut self) -> Vec<Event> {
        std::iter::from_fn(|| self.next()).collect()
    }

    /// The client goes without a word.
    pub(crate) fn hang_up(self) {
        drop(self.conn);
    }
}
