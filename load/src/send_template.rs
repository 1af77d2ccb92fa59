//! A request, built once and written again and again: as the bytes of HTTP/1.1 and, when asked for, as HTTP/2 wants it.

use std::ops::Range;

use bytes::Bytes;

use super::message::Numbered;

pub(super) struct Request {
    /// Head and body as they go over an HTTP/1.1 connection.
    raw: Vec<u8>,
    head_bytes: usize,
    modern: Option<http::request::Parts>,
}

impl Request {
    /// `target` begins with a slash. Header lines end with CR and LF; the host and the length of a body come by themselves.
    pub(super) fn new(is_modern: bool, method: &str, host: &str, target: &str, headers: &str, body: &str) -> Self {
        let about_body = match body.len() {
            0 if method == "GET" => String::new(),
            length => format!("Content-Type: application/json\r\nContent-Length: {length}\r\n"),
        };
        let head = format!("{method} {target} HTTP/1.1\r\nHost: {host}\r\n{headers}{about_body}\r\n");
        let modern = is_modern.then(|| modern(method, host, target, &format!("{headers}{about_body}")));
        let head_bytes = head.len();
        Self { raw: [head.as_bytes(), body.as_bytes()].concat(), head_bytes, modern: modern.flatten() }
    }

    pub(super) fn raw(&self) -> &[u8] {
        &self.raw
    }

    /// For HTTP/2: a head of its own, and the body as it is now.
    pub(super) fn modern(&self) -> Option<(http::Request<()>, Bytes)> {
        let parts = self.modern.as_ref()?;
        let mut request = http::Request::new(());
        *request.method_mut() = parts.method.clone();
        *request.uri_mut() = parts.uri.clone();
        *request.headers_mut() = parts.headers.clone();
        Some((request, Bytes::copy_from_slice(&self.raw[self.head_bytes..])))
    }
}

/// `None` where a host or path is none that HTTP/2 can say; the address was parsed as a URL before.
fn modern(method: &str, host: &str, target: &str, headers: &str) -> Option<http::request::Parts> {
    let mut request = http::Request::builder().method(method).uri(format!("http://{host}{target}"));
    for (name, value) in headers.lines().filter_map(|line| line.split_once(": ")) {
        request = request.header(name, value);
    }
    Some(request.body(()).ok()?.into_parts().0)
}

/// A request that sends a message whose text is numbered in place: its length never changes.
pub(super) struct SendTemplate {
    request: Request,
    text: Range<usize>,
}

impl SendTemplate {
    /// Takes the request whose body holds `payload_bytes` dots between `before` and `after`.
    pub(super) fn new(request: Request, payload_bytes: usize, after: &str) -> Self {
        let end = request.raw.len() - after.len();
        Self { request, text: end - payload_bytes..end }
    }

    pub(super) fn number(&mut self, numbered: Numbered) -> &Request {
        numbered.write(&mut self.request.raw[self.text.clone()]);
        &self.request
    }
}
