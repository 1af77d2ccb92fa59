//! Requests that are built once and sent many times, as HTTP/1.1 bytes and optionally as HTTP/2 parts.

use std::ops::Range;

use bytes::Bytes;

use super::message::MessageTag;

pub(super) struct Request {
    /// Head and body in HTTP/1.1.
    raw: Vec<u8>,
    head_bytes: usize,
    http2: Option<http::request::Parts>,
}

impl Request {
    /// `target` starts with a slash. Header lines end with CR and LF; host, content type and length are added.
    pub(super) fn new(is_http2: bool, method: &str, host: &str, target: &str, headers: &str, body: &str) -> Self {
        let body_headers = match body.len() {
            0 if method == "GET" => String::new(),
            length => format!("Content-Type: application/json\r\nContent-Length: {length}\r\n"),
        };
        let head = format!("{method} {target} HTTP/1.1\r\nHost: {host}\r\n{headers}{body_headers}\r\n");
        let http2 = is_http2.then(|| http2_parts(method, host, target, &format!("{headers}{body_headers}")));
        let head_bytes = head.len();
        Self { raw: [head.as_bytes(), body.as_bytes()].concat(), head_bytes, http2: http2.flatten() }
    }

    pub(super) fn raw(&self) -> &[u8] {
        &self.raw
    }

    /// Returns the HTTP/2 head and a copy of the current body.
    pub(super) fn http2(&self) -> Option<(http::Request<()>, Bytes)> {
        let parts = self.http2.as_ref()?;
        let mut request = http::Request::new(());
        *request.method_mut() = parts.method.clone();
        *request.uri_mut() = parts.uri.clone();
        *request.headers_mut() = parts.headers.clone();
        Some((request, Bytes::copy_from_slice(&self.raw[self.head_bytes..])))
    }
}

/// Returns `None` if the host or the path is no valid URI; both were parsed as a URL before.
fn http2_parts(method: &str, host: &str, target: &str, headers: &str) -> Option<http::request::Parts> {
    let mut request = http::Request::builder().method(method).uri(format!("http://{host}{target}"));
    for (name, value) in headers.lines().filter_map(|line| line.split_once(": ")) {
        request = request.header(name, value);
    }
    Some(request.body(()).ok()?.into_parts().0)
}

/// A request that sends a message. The tag is written into its text in place, so that its length never changes.
pub(super) struct SendTemplate {
    request: Request,
    text: Range<usize>,
}

impl SendTemplate {
    /// Takes a request whose body ends with `payload_bytes` dots and `after`.
    pub(super) fn new(request: Request, payload_bytes: usize, after: &str) -> Self {
        let end = request.raw.len() - after.len();
        Self { request, text: end - payload_bytes..end }
    }

    /// Returns the request with this tag in its text.
    pub(super) fn with_tag(&mut self, tag: MessageTag) -> &Request {
        tag.write(&mut self.request.raw[self.text.clone()]);
        &self.request
    }
}
