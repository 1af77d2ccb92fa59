//! A stream's answer as it comes: head, chunks, events. It never reads a socket.

use serde::Deserialize;

use super::error::HttpError;
use super::response::{REPLY_BYTES, head};

/// Bytes of the line before a chunk.
const LINE_BYTES: usize = 1024;

/// One event of a stream.
#[derive(Debug, PartialEq, Eq)]
pub struct SseEvent {
    pub name: String,
    pub data: String,
}

/// What has come of a stream and was not used yet.
#[derive(Debug, Default)]
pub struct SseReader {
    status: Option<u16>,
    /// The last chunk has come.
    ended: bool,
    text: Vec<u8>,
}

impl SseReader {
    /// The status, when the head has come whole.
    pub fn status(&mut self, input: &mut Vec<u8>) -> Result<Option<u16>, HttpError> {
        if self.status.is_some() {
            return Ok(self.status);
        }
        if let Some((head_bytes, status)) = head(input, |reply| reply.code)? {
            self.status = status;
            input.drain(..head_bytes);
        }
        Ok(self.status)
    }

    /// Takes all whole chunks out of `input`.
    pub fn take(&mut self, input: &mut Vec<u8>) -> Result<(), HttpError> {
        const LINE_END: usize = 2;
        loop {
            let size_line =
                httparse::parse_chunk_size(input).map_err(|_| HttpError::InvalidResponse("no chunk size".into()))?;
            let (line_bytes, size) = match size_line {
                httparse::Status::Complete(line) => line,
                httparse::Status::Partial if input.len() < LINE_BYTES => return Ok(()),
                httparse::Status::Partial => {
                    return Err(HttpError::InvalidResponse("the size of a chunk has no end".into()));
                }
            };
            let size = usize::try_from(size).ok().filter(|size| size + self.text.len() < REPLY_BYTES);
            let size = size.ok_or_else(|| HttpError::InvalidResponse("a chunk is too large".into()))?;
            let Some(chunk) = input.get(line_bytes..line_bytes + size) else { return Ok(()) };
            if input.len() < line_bytes + size + LINE_END {
                return Ok(());
            }
            self.text.extend_from_slice(chunk);
            self.ended |= size == 0;
            input.drain(..line_bytes + size + LINE_END);
        }
    }

    /// The next whole event; comments are none.
    pub fn next(&mut self) -> Option<SseEvent> {
        loop {
            let end = self.text.windows(2).position(|pair| pair == b"\n\n")?;
            let frame = self.text.drain(..end + 2).collect::<Vec<_>>();
            let frame = String::from_utf8_lossy(&frame);
            let field = |name: &str| frame.lines().find_map(|line| line.strip_prefix(name)).unwrap_or("").trim();
            let (name, data) = (field("event:"), field("data:"));
            if !name.is_empty() {
                return Some(SseEvent { name: name.to_owned(), data: data.to_owned() });
            }
        }
    }

    pub fn has_ended(&self) -> bool {
        self.ended
    }

    /// The rest, which is no whole event.
    pub fn rest(self) -> Vec<u8> {
        self.text
    }
}

impl SseEvent {
    pub fn read<T: for<'de> Deserialize<'de>>(&self) -> Result<T, HttpError> {
        serde_json::from_str(&self.data).map_err(|error| HttpError::InvalidResponse(error.to_string()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ANSWER: &[u8] = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n\
        1a\r\nretry: 2000\nevent: hello\nd\r\n9\r\nata: {}\n\n\r\n\
        2b\r\n: ping\n\nevent: message\ndata: {\"id\":7}\nid: 7\r\n2\r\n\n\n\r\n0\r\n\r\n";

    fn event(name: &str, data: &str) -> SseEvent {
        SseEvent { name: name.into(), data: data.into() }
    }

    #[test]
    fn events_may_come_in_any_pieces() {
        for piece_bytes in [1, 3, 7, ANSWER.len()] {
            let (mut events, mut input, mut found) = (SseReader::default(), Vec::new(), Vec::new());
            for piece in ANSWER.chunks(piece_bytes) {
                input.extend_from_slice(piece);
                if events.status(&mut input).unwrap() == Some(200) {
                    events.take(&mut input).unwrap();
                    found.extend(std::iter::from_fn(|| events.next()));
                }
            }
            assert_eq!(found, [event("hello", "{}"), event("message", r#"{"id":7}"#)], "{piece_bytes}");
            assert!(events.has_ended() && events.rest().is_empty());
        }
    }

    #[test]
    fn the_size_of_a_chunk_has_an_end() {
        let (mut events, mut input) = (SseReader::default(), b"5;x=".to_vec());
        events.take(&mut input).unwrap();
        input.resize(LINE_BYTES, b'x');
        assert!(matches!(events.take(&mut input), Err(HttpError::InvalidResponse(_))));
    }

    #[test]
    fn half_an_event_is_left_over() {
        let (mut events, mut input) = (SseReader::default(), b"HTTP/1.1 200 OK\r\n\r\n".to_vec());
        assert_eq!(events.status(&mut input).unwrap(), Some(200));
        input.extend_from_slice(b"6\r\nevent:\r\n4\r\n mes");
        events.take(&mut input).unwrap();
        assert!(events.next().is_none() && !events.has_ended());
        assert_eq!((events.rest(), input), (b"event:".to_vec(), b"4\r\n mes".to_vec()));
    }
}
