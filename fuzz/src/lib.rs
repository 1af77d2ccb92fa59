//! The fuzzed parsers of the hub, with the checks of their property tests.
//!
//! The HTTP parsers are part of a binary crate, so their files are included here. They depend on the domain only.
#![allow(dead_code)]

use std::str::from_utf8;

#[path = "../../src/web/address.rs"]
mod address;
#[path = "../../src/http/checks.rs"]
mod checks;
#[path = "../../actors/domain/tests/parsers/checks.rs"]
mod domain;
#[path = "../../src/web/hosts.rs"]
mod hosts;
#[path = "../../src/web/json.rs"]
mod json;
#[path = "../../src/web/presets.rs"]
mod presets;
#[path = "../../src/http/query.rs"]
mod query;

#[path = "../../src/web"]
mod web {
    pub(crate) mod answer_format;
}

/// A body, parsed as every kind of request.
pub fn body(data: &[u8]) {
    checks::body(data);
}

/// A send: its `Idempotency-Key` up to the first line break, then its body.
pub fn send(data: &[u8]) {
    let (key, body) = split_at_line_break(data);
    domain::send(body, from_utf8(key).ok().filter(|key| !key.is_empty()));
}

/// Parses the body of a join.
pub fn join(data: &[u8]) {
    domain::join(data);
}

/// Parses the body of a create.
pub fn create(data: &[u8]) {
    domain::create(data);
}

/// Parses a query string.
pub fn query_string(data: &[u8]) {
    if let Ok(text) = from_utf8(data) {
        checks::query(text);
    }
}

/// A Host and, after a line break, an Origin.
pub fn host_and_origin(data: &[u8]) {
    let (host, origin) = split_at_line_break(data);
    if let (Ok(host), Ok(origin)) = (from_utf8(host), from_utf8(origin)) {
        checks::hosts(host, (!origin.is_empty()).then_some(origin));
    }
}

/// Parses an `X-Forwarded-For` header.
pub fn forwarded(data: &[u8]) {
    if let Ok(text) = from_utf8(data) {
        checks::forwarded(text);
    }
}

/// Channel ids, session ids, consumer names and callsigns.
pub fn names(data: &[u8]) {
    if let Ok(text) = from_utf8(data) {
        domain::names(text);
    }
}

/// Text, sanitized for display.
pub fn display_text(data: &[u8]) {
    if let Ok(text) = from_utf8(data) {
        domain::shown(text);
    }
}

fn split_at_line_break(data: &[u8]) -> (&[u8], &[u8]) {
    let at = data.iter().position(|byte| *byte == b'\n').unwrap_or(data.len());
    (&data[..at], data.get(at + 1..).unwrap_or_default())
}
