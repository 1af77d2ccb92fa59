//! A reader of Server-Sent Events in an HTTP/1.1 response, chunked or not. It never reads a socket: its caller passes the bytes
//! in.

use memchr::memmem;
use serde::Deserialize;

use super::error::HttpError;
use super::response::{RESPONSE_BYTES, is_chunked, parse_head};

/// Maximum bytes of the line that holds the size of a chunk.
const CHUNK_SIZE_LINE_BYTES: usize = 1024;
const LINE_END_BYTES: usize = 2;

/// One event of a stream.
#[derive(Debug, PartialEq, Eq)]
pub struct SseEvent {
    /// The `event:` field.
    pub name: String,
    /// The `data:` field.
    pub data: String,
}

/// Splits the response to a stream request into its head, chunks and events.
///
/// [`next_event`](Self::next_event) returns parsed events; [`next_frame`](Self::next_frame) returns frames in place,
/// without an allocation for each event. Both return `None` until more bytes have been passed in.
#[derive(Debug, Default)]
pub struct SseReader {
    status: Option<u16>,
    /// The body has no chunks and ends with the connection, as from an HTTP/1.0 proxy.
    is_plain: bool,
    /// The last chunk was received.
    ended: bool,
    text: Vec<u8>,
    /// Start of the next frame in `text`.
    at: usize,
}

impl SseReader {
    /// Returns the response status once the head is complete, and removes the head from `input`.
    ///
    /// # Errors
    ///
    /// Fails if the head is not HTTP or too long.
    pub fn status(&mut self, input: &mut Vec<u8>) -> Result<Option<u16>, HttpError> {
        if self.status.is_some() {
            return Ok(self.status);
        }
        let inspect = |response: &httparse::Response<'_, '_>| (response.code, is_chunked(response.headers));
        if let Some((head_bytes, (status, is_chunked))) = parse_head(input, inspect)? {
            (self.status, self.is_plain) = (status, !is_chunked);
            input.drain(..head_bytes);
        }
        Ok(self.status)
    }

    /// Moves all complete chunks out of `input`, or everything if the body has no chunks.
    ///
    /// # Errors
    ///
    /// Fails if the chunk framing is invalid or an event is too long.
    pub fn take(&mut self, input: &mut Vec<u8>) -> Result<(), HttpError> {
        if self.is_plain {
            let pending_bytes = self.text.len() - self.at;
            if input.len() + pending_bytes >= RESPONSE_BYTES {
                return Err(HttpError::InvalidResponse("the event is too large".into()));
            }
            self.push(input);
            input.clear();
            return Ok(());
        }
        let mut used_bytes = 0;
        let taken = loop {
            match self.take_chunk(&input[used_bytes..]) {
                Ok(Some(chunk_bytes)) => used_bytes += chunk_bytes,
                Ok(None) => break Ok(()),
                Err(error) => break Err(error),
            }
        };
        input.drain(..used_bytes);
        taken
    }

    /// Appends bytes of the stream that need no chunk decoding, such as those of HTTP/2.
    pub fn push(&mut self, piece: &[u8]) {
        // Removing consumed bytes only when they are the larger half makes the cost per byte constant.
        if self.at * 2 >= self.text.len() {
            self.text.drain(..self.at);
            self.at = 0;
        }
        self.text.extend_from_slice(piece);
    }

    /// Returns the next complete frame without its final empty line: the raw fields of an event, or a comment.
    pub fn next_frame(&mut self) -> Option<&[u8]> {
        let start = self.at;
        let length = memmem::find(&self.text[start..], b"\n\n")?;
        self.at = start + length + LINE_END_BYTES;
        Some(&self.text[start..start + length])
    }

    /// Returns the next complete event; skips comments.
    pub fn next_event(&mut self) -> Option<SseEvent> {
        loop {
            let frame = String::from_utf8_lossy(self.next_frame()?);
            let field = |name: &str| frame.lines().find_map(|line| line.strip_prefix(name)).unwrap_or("").trim();
            let (name, data) = (field("event:"), field("data:"));
            if !name.is_empty() {
                return Some(SseEvent { name: name.to_owned(), data: data.to_owned() });
            }
        }
    }

    /// Whether the last chunk was received.
    #[must_use]
    pub fn has_ended(&self) -> bool {
        self.ended
    }

    /// Returns the bytes that are not a complete frame.
    #[must_use]
    pub fn rest(mut self) -> Vec<u8> {
        self.text.split_off(self.at)
    }

    /// Returns how many bytes of `input` the first chunk takes, if it is complete.
    fn take_chunk(&mut self, input: &[u8]) -> Result<Option<usize>, HttpError> {
        let invalid = |reason: &str| HttpError::InvalidResponse(reason.to_owned());
        let size_line = httparse::parse_chunk_size(input).map_err(|_| invalid("invalid chunk size"))?;
        let (line_bytes, size) = match size_line {
            httparse::Status::Complete(line) => line,
            httparse::Status::Partial if input.len() < CHUNK_SIZE_LINE_BYTES => return Ok(None),
            httparse::Status::Partial => return Err(invalid("the chunk size line is too long")),
        };
        let pending_bytes = self.text.len() - self.at;
        let size = usize::try_from(size).ok().filter(|size| size + pending_bytes < RESPONSE_BYTES);
        let size = size.ok_or_else(|| invalid("the chunk is too large"))?;
        let chunk_bytes = line_bytes + size + LINE_END_BYTES;
        if input.len() < chunk_bytes {
            return Ok(None);
        }
        self.push(&input[line_bytes..line_bytes + size]);
        self.ended |= size == 0;
        Ok(Some(chunk_bytes))
    }
}

impl SseEvent {
    /// Parses the data as JSON.
    ///
    /// # Errors
    ///
    /// Fails if the data is not the JSON of a `T`.
    pub fn read<T: for<'de> Deserialize<'de>>(&self) -> Result<T, HttpError> {
        serde_json::from_str(&self.data).map_err(|error| HttpError::InvalidResponse(error.to_string()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RESPONSE: &[u8] = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n\
        1a\r\nretry: 2000\nevent: hello\nd\r\n9\r\nata: {}\n\n\r\n\
        2b\r\n: ping\n\nevent: message\ndata: {\"id\":7}\nid: 7\r\n2\r\n\n\n\r\n0\r\n\r\n";

    fn event(name: &str, data: &str) -> SseEvent {
        SseEvent { name: name.into(), data: data.into() }
    }

    #[test]
    fn reads_events_split_at_any_byte() {
        for piece_bytes in [1, 3, 7, RESPONSE.len()] {
            let (mut reader, mut input, mut found) = (SseReader::default(), Vec::new(), Vec::new());
            for piece in RESPONSE.chunks(piece_bytes) {
                input.extend_from_slice(piece);
                if reader.status(&mut input).unwrap() == Some(200) {
                    reader.take(&mut input).unwrap();
                    found.extend(std::iter::from_fn(|| reader.next_event()));
                }
            }
            assert_eq!(found, [event("hello", "{}"), event("message", r#"{"id":7}"#)], "{piece_bytes}");
            assert!(reader.has_ended() && reader.rest().is_empty());
        }
    }

    #[test]
    fn reads_a_response_without_chunks() {
        let mut input = b"HTTP/1.0 200 OK\r\n\r\nevent: hello\ndata: {}\n\nevent: me".to_vec();
        let mut reader = SseReader::default();
        assert_eq!(reader.status(&mut input).unwrap(), Some(200));
        reader.take(&mut input).unwrap();
        assert_eq!((reader.next_event(), reader.next_event()), (Some(event("hello", "{}")), None));
        reader.push(b"ssage\ndata: 1\n\n");
        assert_eq!(reader.next_event(), Some(event("message", "1")));
    }

    #[test]
    fn returns_raw_frames_in_place() {
        let mut reader = SseReader::default();
        reader.push(b": ping\n\nevent: message\nda");
        assert_eq!(reader.next_frame(), Some(&b": ping"[..]));
        assert_eq!(reader.next_frame(), None);
        reader.push(b"ta: {}\n\n");
        assert_eq!(reader.next_frame(), Some(&b"event: message\ndata: {}"[..]));
        assert!(reader.next_frame().is_none() && !reader.has_ended());
    }

    #[test]
    fn limits_the_chunk_size_line() {
        let (mut reader, mut input) = (SseReader::default(), b"5;x=".to_vec());
        reader.take(&mut input).unwrap();
        input.resize(CHUNK_SIZE_LINE_BYTES, b'x');
        assert!(matches!(reader.take(&mut input), Err(HttpError::InvalidResponse(_))));
    }

    #[test]
    fn returns_an_incomplete_event_as_the_rest() {
        let (mut reader, mut input) =
            (SseReader::default(), b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n".to_vec());
        assert_eq!(reader.status(&mut input).unwrap(), Some(200));
        input.extend_from_slice(b"6\r\nevent:\r\n4\r\n mes");
        reader.take(&mut input).unwrap();
        assert!(reader.next_event().is_none() && !reader.has_ended());
        assert_eq!((reader.rest(), input), (b"event:".to_vec(), b"4\r\n mes".to_vec()));
    }
}
