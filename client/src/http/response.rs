//! Reading one HTTP/1.1 reply out of the bytes that have come so far: by `Content-Length` or by chunks.
//! It never reads a socket and keeps nothing between calls; an incomplete reply is simply parsed again.

use super::error::HttpError;

/// More headers than this in a reply are refused.
const HEADERS: usize = 64;
/// Bytes of a reply until its body.
const HEAD_BYTES: usize = 64 << 10;
/// Bytes of one reply, head and body: what a hub holds of a channel and for a member is a third of it.
pub(super) const REPLY_BYTES: usize = 64 << 20;

/// What is left to know about a complete reply when its body has been copied out.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Head {
    pub(crate) status: u16,
    /// The server will close this connection.
    pub(crate) close: bool,
    /// Bytes of the input that belong to this reply.
    pub(crate) used_bytes: usize,
}

enum Framing {
    Length(usize),
    Chunked,
}

/// Looks at the head of a reply, when it has come whole, and says how long it is.
pub fn head<T>(
    input: &[u8],
    look: impl FnOnce(&httparse::Response<'_, '_>) -> T,
) -> Result<Option<(usize, T)>, HttpError> {
    let mut headers = [httparse::EMPTY_HEADER; HEADERS];
    let mut reply = httparse::Response::new(&mut headers);
    // What comes behind a head is not looked at; a long one is not looked at again with each piece of it.
    let begin = &input[..input.len().min(HEAD_BYTES)];
    match reply.parse(begin).map_err(|error| garbled(error.to_string()))? {
        httparse::Status::Complete(bytes) => Ok(Some((bytes, look(&reply)))),
        httparse::Status::Partial if input.len() < HEAD_BYTES => Ok(None),
        httparse::Status::Partial => Err(garbled(format!("its head is longer than {} KiB", HEAD_BYTES >> 10))),
    }
}

/// What has come of a reply, and is used by nobody yet, has no end.
pub(super) fn check_length(input: &[u8]) -> Result<(), HttpError> {
    if input.len() < REPLY_BYTES { Ok(()) } else { Err(too_long()) }
}

/// Parses one reply from the start of `input` and leaves its body in `body`; `None` when more bytes are needed.
pub(crate) fn parse(input: &[u8], body: &mut Vec<u8>) -> Result<Option<Head>, HttpError> {
    body.clear();
    let look = |reply: &httparse::Response<'_, '_>| {
        let status = reply.code.unwrap_or(0);
        (status, closes(reply.headers) || reply.version == Some(0), framing(status, reply.headers))
    };
    let Some((head_bytes, (status, close, framing))) = head(input, look)? else { return Ok(None) };
    let rest = &input[head_bytes..];
    let taken = match framing? {
        Framing::Length(length) => copy_length(rest, length, body),
        Framing::Chunked => copy_chunks(rest, body)?,
    };
    Ok(taken.map(|bytes| Head { status, close, used_bytes: head_bytes + bytes }))
}

fn framing(status: u16, headers: &[httparse::Header<'_>]) -> Result<Framing, HttpError> {
    if matches!(status, 204 | 304) {
        return Ok(Framing::Length(0));
    }
    if has_token(headers, "transfer-encoding", "chunked") {
        return Ok(Framing::Chunked);
    }
    let value = find(headers, "content-length").ok_or_else(|| garbled("it has neither a length nor chunks"))?;
    let length = std::str::from_utf8(value).ok().and_then(|text| text.trim().parse().ok());
    match length {
        Some(length) if length < REPLY_BYTES => Ok(Framing::Length(length)),
        Some(_) => Err(too_long()),
        None => Err(garbled("its Content-Length is no number")),
    }
}

fn copy_length(rest: &[u8], length: usize, body: &mut Vec<u8>) -> Option<usize> {
    body.extend_from_slice(rest.get(..length)?);
    Some(length)
}

/// Copies all chunks, once the last has come.
fn copy_chunks(rest: &[u8], body: &mut Vec<u8>) -> Result<Option<usize>, HttpError> {
    if chunks(rest, |_| {})?.is_none() {
        return Ok(None);
    }
    chunks(rest, |chunk| body.extend_from_slice(chunk))
}

/// Goes through chunks; trailers are not expected, so the end is the empty line after the last chunk.
fn chunks(rest: &[u8], mut take: impl FnMut(&[u8])) -> Result<Option<usize>, HttpError> {
    const LINE_END: usize = 2;
    let mut at = 0;
    loop {
        let size_line = httparse::parse_chunk_size(&rest[at..]).map_err(|_| garbled("a chunk has no valid size"))?;
        let httparse::Status::Complete((line_bytes, size)) = size_line else {
            return Ok(None);
        };
        let size = usize::try_from(size).ok().filter(|size| *size < REPLY_BYTES).ok_or_else(too_long)?;
        let start = at + line_bytes;
        let end = start + size + LINE_END;
        let Some(chunk) = rest.get(start..end) else {
            return Ok(None);
        };
        if !chunk.ends_with(b"\r\n") {
            return Err(garbled("a chunk does not end with its line"));
        }
        take(&chunk[..size]);
        if size == 0 {
            return Ok(Some(end));
        }
        at = end;
    }
}

fn closes(headers: &[httparse::Header<'_>]) -> bool {
    has_token(headers, "connection", "close")
}

fn find<'a>(headers: &[httparse::Header<'a>], name: &str) -> Option<&'a [u8]> {
    headers.iter().find(|header| header.name.eq_ignore_ascii_case(name)).map(|header| header.value)
}

fn has_token(headers: &[httparse::Header<'_>], name: &str, token: &str) -> bool {
    let value = find(headers, name).and_then(|value| std::str::from_utf8(value).ok()).unwrap_or("");
    value.split(',').any(|word| word.trim().eq_ignore_ascii_case(token))
}

fn too_long() -> HttpError {
    garbled(format!("it is longer than {} MiB", REPLY_BYTES >> 20))
}

fn garbled(why: impl Into<String>) -> HttpError {
    HttpError::InvalidResponse(why.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    const PLAIN: &[u8] = b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\nx-a: b\r\n\r\nhello";
    const CHUNKED: &[u8] = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nhel\r\n2;x=y\r\nlo\r\n0\r\n\r\n";

    /// Feeds a reply byte by byte: nothing comes before the last byte, and then everything.
    fn dribble(reply: &[u8]) {
        let mut body = Vec::new();
        for end in 0..reply.len() {
            assert_eq!(parse(&reply[..end], &mut body).unwrap(), None, "after {end} bytes");
        }
        let head = Head { status: 200, close: false, used_bytes: reply.len() };
        assert_eq!(parse(reply, &mut body).unwrap(), Some(head));
        assert_eq!(body, b"hello");
    }

    #[test]
    fn a_reply_may_come_in_pieces() {
        dribble(PLAIN);
        dribble(CHUNKED);
    }

    #[test]
    fn the_next_reply_stays_in_the_input() {
        let mut body = Vec::new();
        let head = parse(&[PLAIN, CHUNKED].concat(), &mut body).unwrap().unwrap();
        assert_eq!(head.used_bytes, PLAIN.len());
    }

    #[test]
    fn close_and_no_content_are_understood() {
        let mut body = vec![1];
        let reply = b"HTTP/1.1 204 No Content\r\nConnection: foo, Close\r\n\r\n";
        let head = parse(reply, &mut body).unwrap().unwrap();
        assert_eq!(head, Head { status: 204, close: true, used_bytes: reply.len() });
        assert!(body.is_empty());
        let old = parse(b"HTTP/1.0 200 OK\r\ncontent-length: 0\r\n\r\n", &mut body).unwrap().unwrap();
        assert!(old.close);
    }

    #[test]
    fn what_is_too_long_says_so() {
        let mut body = Vec::new();
        let endless = [b"HTTP/1.1 200 OK\r\nx: ", &*vec![b'x'; HEAD_BYTES]].concat();
        let huge = b"HTTP/1.1 200 OK\r\ncontent-length: 99999999999\r\n\r\n";
        let chunk = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nfffffff\r\n";
        for (reply, words) in [(&endless[..], "64 KiB"), (huge, "64 MiB"), (chunk, "64 MiB")] {
            let told = parse(reply, &mut body).unwrap_err().to_string();
            assert!(told.contains(words), "{told}");
        }
        assert!(parse(&endless[..HEAD_BYTES - 1], &mut body).unwrap().is_none());
    }

    #[test]
    fn nonsense_is_a_fault() {
        let mut body = Vec::new();
        for reply in [
            &b"SSH-2.0-hello\r\n"[..],
            b"HTTP/1.1 200 OK\r\n\r\n",
            b"HTTP/1.1 200 OK\r\ncontent-length: minus\r\n\r\n",
            b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n",
            b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n1\r\nabc\r\n",
        ] {
            assert!(matches!(parse(reply, &mut body), Err(HttpError::InvalidResponse(_))), "{reply:?}");
        }
    }
}
