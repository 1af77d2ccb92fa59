//! A stream of events as it comes, for a thousand streams on one thread: frames are looked at where they lie.
//! It tells messages from comments and other events by their first bytes, and reads nothing of what they say.

use memchr::memmem;
use rogerrat_client::http::{Connection, HttpError, SseReader, expect_success};

/// Bytes of one event; the largest message stays far below.
const LONGEST: usize = 8 << 20;
const LINE_END: usize = 2;

#[derive(Default)]
pub(super) struct Feed {
    text: Vec<u8>,
    /// Where the next frame begins.
    at: usize,
}

impl Feed {
    /// Reads the head of the answer to a request for a stream; what came behind it stays for `chunks`.
    pub(super) async fn head(&mut self, connection: &mut Connection) -> Result<(), HttpError> {
        let mut head = SseReader::default();
        let status = loop {
            let input = connection.more().await?;
            if let Some(status) = head.status(input)? {
                break status;
            }
        };
        let input = connection.input();
        expect_success("stream", status, input)?;
        self.chunks(input)
    }

    /// Takes all whole chunks out of `input`.
    pub(super) fn chunks(&mut self, input: &mut Vec<u8>) -> Result<(), HttpError> {
        let mut used = 0;
        loop {
            let rest = &input[used..];
            let size_line =
                httparse::parse_chunk_size(rest).map_err(|_| HttpError::InvalidResponse("no chunk size".into()))?;
            let httparse::Status::Complete((line_bytes, size)) = size_line else { break };
            let size = usize::try_from(size).ok().filter(|size| *size <= LONGEST);
            let size = size.ok_or_else(|| HttpError::InvalidResponse("a chunk is too large".into()))?;
            if rest.len() < line_bytes + size + LINE_END {
                break;
            }
            if size == 0 {
                return Err(HttpError::Closed);
            }
            self.push(&rest[line_bytes..line_bytes + size]);
            used += line_bytes + size + LINE_END;
        }
        input.drain(..used);
        Ok(())
    }

    pub(super) fn push(&mut self, piece: &[u8]) {
        if self.at == self.text.len() {
            self.text.clear();
            self.at = 0;
        }
        self.text.extend_from_slice(piece);
    }

    /// The next whole frame, without the empty line at its end.
    pub(super) fn next(&mut self) -> Option<&[u8]> {
        let rest = &self.text[self.at..];
        let length = memmem::find(rest, b"\n\n")?;
        let start = self.at;
        self.at += length + LINE_END;
        Some(&self.text[start..start + length])
    }
}

/// What a message's frame says, or `None` for any other frame.
pub(super) fn message_data(frame: &[u8]) -> Option<&[u8]> {
    if !frame.starts_with(b"event: message\n") {
        return None;
    }
    let start = memmem::find(frame, b"data: ")? + b"data: ".len();
    let end = memchr::memchr(b'\n', &frame[start..]).map_or(frame.len(), |length| start + length);
    Some(&frame[start..end])
}

#[cfg(test)]
mod tests {
    use super::*;

    const ANSWER: &[u8] = b"1a\r\nretry: 2000\nevent: hello\nd\r\n9\r\nata: {}\n\n\r\n\
        2b\r\n: ping\n\nevent: message\ndata: {\"id\":7}\nid: 7\r\n2\r\n\n\n\r\n";

    #[test]
    fn frames_may_come_in_any_pieces() {
        for piece_bytes in [1, 3, 7, ANSWER.len()] {
            let (mut feed, mut input, mut frames) = (Feed::default(), Vec::new(), Vec::new());
            for piece in ANSWER.chunks(piece_bytes) {
                input.extend_from_slice(piece);
                feed.chunks(&mut input).unwrap();
                while let Some(frame) = feed.next() {
                    frames.push(message_data(frame).map(<[u8]>::to_vec));
                }
            }
            assert_eq!(frames, [None, None, Some(br#"{"id":7}"#.to_vec())], "{piece_bytes}");
        }
    }

    #[test]
    fn the_last_chunk_is_the_end() {
        assert!(matches!(Feed::default().chunks(&mut b"0\r\n\r\n".to_vec()), Err(HttpError::Closed)));
        assert!(Feed::default().chunks(&mut b"zz\r\n".to_vec()).is_err());
    }
}
