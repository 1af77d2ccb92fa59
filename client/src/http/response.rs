//! A parser of one HTTP/1.1 response from the bytes received so far, with `Content-Length`, chunked framing, or
//! until the connection closes.
//! It never reads a socket and keeps no state between calls; an incomplete response is parsed again.

use super::error::HttpError;

/// Maximum headers of a response.
const HEADERS: usize = 64;
/// Maximum bytes of a response head.
const HEAD_BYTES: usize = 64 << 10;
/// Maximum bytes of a response, head and body. The largest response of a hub is about a third of it.
pub(super) const RESPONSE_BYTES: usize = 64 << 20;

/// The parts of a complete response that are needed once its body was copied.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Head {
    pub(crate) status: u16,
    /// The server will close this connection.
    pub(crate) close: bool,
    /// Bytes of the input that belong to this response.
    pub(crate) used_bytes: usize,
}

enum Framing {
    Length(usize),
    Chunked,
    /// The body ends with the connection, as from an HTTP/1.0 proxy.
    UntilClosed,
}

/// Parses the head of a response. Returns its length in bytes and the result of `inspect`, or `None` while it is
/// incomplete.
///
/// # Errors
///
/// Fails if the head is not HTTP or longer than 64 KiB.
pub fn parse_head<T>(
    input: &[u8],
    inspect: impl FnOnce(&httparse::Response<'_, '_>) -> T,
) -> Result<Option<(usize, T)>, HttpError> {
    let mut headers = [httparse::EMPTY_HEADER; HEADERS];
    let mut response = httparse::Response::new(&mut headers);
    // The limit keeps a long body from being scanned again with each piece of it.
    let begin = &input[..input.len().min(HEAD_BYTES)];
    match response.parse(begin).map_err(|error| invalid(error.to_string()))? {
        httparse::Status::Complete(bytes) => Ok(Some((bytes, inspect(&response)))),
        httparse::Status::Partial if input.len() < HEAD_BYTES => Ok(None),
        httparse::Status::Partial => Err(invalid(format!("the head is longer than {} KiB", HEAD_BYTES >> 10))),
    }
}

/// Fails if the received but unused input is too long.
pub(super) fn check_length(input: &[u8]) -> Result<(), HttpError> {
    if input.len() < RESPONSE_BYTES { Ok(()) } else { Err(too_long()) }
}

/// Parses one response from the start of `input` and copies its body to `body`. Returns `None` while it is incomplete.
/// `is_closed` tells whether the server has closed the connection.
pub(crate) fn parse(input: &[u8], body: &mut Vec<u8>, is_closed: bool) -> Result<Option<Head>, HttpError> {
    body.clear();
    let inspect = |response: &httparse::Response<'_, '_>| {
        let status = response.code.unwrap_or(0);
        (status, closes(response.headers) || response.version == Some(0), framing(status, response.headers))
    };
    let Some((head_bytes, (status, close, framing))) = parse_head(input, inspect)? else { return Ok(None) };
    let rest = &input[head_bytes..];
    let taken = match framing? {
        Framing::Length(length) => copy_length(rest, length, body),
        Framing::Chunked => copy_chunks(rest, body)?,
        Framing::UntilClosed => is_closed.then(|| copy_all(rest, body)),
    };
    Ok(taken.map(|bytes| Head { status, close, used_bytes: head_bytes + bytes }))
}

fn framing(status: u16, headers: &[httparse::Header<'_>]) -> Result<Framing, HttpError> {
    if matches!(status, 204 | 304) {
        return Ok(Framing::Length(0));
    }
    if is_chunked(headers) {
        return Ok(Framing::Chunked);
    }
    let Some(value) = find(headers, "content-length") else { return Ok(Framing::UntilClosed) };
    let length = std::str::from_utf8(value).ok().and_then(|text| text.trim().parse().ok());
    match length {
        Some(length) if length < RESPONSE_BYTES => Ok(Framing::Length(length)),
        Some(_) => Err(too_long()),
        None => Err(invalid("Content-Length is not a number")),
    }
}

/// Whether a body with these headers is sent in chunks.
pub(super) fn is_chunked(headers: &[httparse::Header<'_>]) -> bool {
    has_token(headers, "transfer-encoding", "chunked")
}

fn copy_all(rest: &[u8], body: &mut Vec<u8>) -> usize {
    body.extend_from_slice(rest);
    rest.len()
}

fn copy_length(rest: &[u8], length: usize, body: &mut Vec<u8>) -> Option<usize> {
    body.extend_from_slice(rest.get(..length)?);
    Some(length)
}

/// Copies all chunks once the last one is complete.
fn copy_chunks(rest: &[u8], body: &mut Vec<u8>) -> Result<Option<usize>, HttpError> {
    if chunks(rest, |_| {})?.is_none() {
        return Ok(None);
    }
    chunks(rest, |chunk| body.extend_from_slice(chunk))
}

/// Visits all chunks. Trailers are not supported: the response ends with the empty line after the last chunk.
fn chunks(rest: &[u8], mut visit: impl FnMut(&[u8])) -> Result<Option<usize>, HttpError> {
    const LINE_END: usize = 2;
    let mut at = 0;
    loop {
        let size_line = httparse::parse_chunk_size(&rest[at..]).map_err(|_| invalid("invalid chunk size"))?;
        let httparse::Status::Complete((line_bytes, size)) = size_line else {
            return Ok(None);
        };
        let size = usize::try_from(size).ok().filter(|size| *size < RESPONSE_BYTES).ok_or_else(too_long)?;
        let start = at + line_bytes;
        let end = start + size + LINE_END;
        let Some(chunk) = rest.get(start..end) else {
            return Ok(None);
        };
        if !chunk.ends_with(b"\r\n") {
            return Err(invalid("a chunk does not end with CRLF"));
        }
        visit(&chunk[..size]);
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
    invalid(format!("longer than {} MiB", RESPONSE_BYTES >> 20))
}

fn invalid(reason: impl Into<String>) -> HttpError {
    HttpError::InvalidResponse(reason.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    const PLAIN: &[u8] = b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\nx-a: b\r\n\r\nhello";
    const CHUNKED: &[u8] = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nhel\r\n2;x=y\r\nlo\r\n0\r\n\r\n";

    /// Passes a response byte by byte: it is complete with the last byte only.
    fn parse_byte_by_byte(response: &[u8]) {
        let mut body = Vec::new();
        for end in 0..response.len() {
            assert_eq!(parse(&response[..end], &mut body, false).unwrap(), None, "after {end} bytes");
        }
        let head = Head { status: 200, close: false, used_bytes: response.len() };
        assert_eq!(parse(response, &mut body, false).unwrap(), Some(head));
        assert_eq!(body, b"hello");
    }

    #[test]
    fn parses_a_response_received_in_pieces() {
        parse_byte_by_byte(PLAIN);
        parse_byte_by_byte(CHUNKED);
    }

    #[test]
    fn leaves_the_next_response_in_the_input() {
        let mut body = Vec::new();
        let head = parse(&[PLAIN, CHUNKED].concat(), &mut body, false).unwrap().unwrap();
        assert_eq!(head.used_bytes, PLAIN.len());
    }

    #[test]
    fn parses_connection_close_and_no_content() {
        let mut body = vec![1];
        let response = b"HTTP/1.1 204 No Content\r\nConnection: foo, Close\r\n\r\n";
        let head = parse(response, &mut body, false).unwrap().unwrap();
        assert_eq!(head, Head { status: 204, close: true, used_bytes: response.len() });
        assert!(body.is_empty());
        let old = parse(b"HTTP/1.0 200 OK\r\ncontent-length: 0\r\n\r\n", &mut body, false).unwrap().unwrap();
        assert!(old.close);
    }

    #[test]
    fn a_body_without_a_length_ends_with_the_connection() {
        let (mut body, response) = (Vec::new(), b"HTTP/1.0 200 OK\r\ncontent-type: text/plain\r\n\r\nhello");
        assert_eq!(parse(response, &mut body, false).unwrap(), None);
        let head = parse(response, &mut body, true).unwrap().unwrap();
        assert_eq!((head.used_bytes, head.close, &*body), (response.len(), true, &b"hello"[..]));
        assert_eq!(parse(&PLAIN[..PLAIN.len() - 1], &mut body, true).unwrap(), None, "a cut body is not complete");
    }

    #[test]
    fn rejects_a_response_that_is_too_long() {
        let mut body = Vec::new();
        let endless = [b"HTTP/1.1 200 OK\r\nx: ", &*vec![b'x'; HEAD_BYTES]].concat();
        let huge = b"HTTP/1.1 200 OK\r\ncontent-length: 99999999999\r\n\r\n";
        let chunk = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nfffffff\r\n";
        for (response, words) in [(&endless[..], "64 KiB"), (huge, "64 MiB"), (chunk, "64 MiB")] {
            let error = parse(response, &mut body, false).unwrap_err().to_string();
            assert!(error.contains(words), "{error}");
        }
        assert!(parse(&endless[..HEAD_BYTES - 1], &mut body, false).unwrap().is_none());
    }

    #[test]
    fn rejects_an_invalid_response() {
        let mut body = Vec::new();
        for response in [
            &b"SSH-2.0-hello\r\n"[..],
            b"HTTP/1.1 200 OK\r\ncontent-length: minus\r\n\r\n",
            b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n",
            b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n1\r\nabc\r\n",
        ] {
            assert!(matches!(parse(response, &mut body, false), Err(HttpError::InvalidResponse(_))), "{response:?}");
        }
    }
}
