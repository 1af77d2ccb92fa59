//! Properties of everything read from requests. The property tests below and the fuzz targets check them.

use std::net::{IpAddr, SocketAddr};

use rogerrat_domain::op::{CreateInput, JoinInput, SendInput};
use rogerrat_domain::{AckMode, Code, Hint, Refusal, limits};
use serde::de::DeserializeOwned;
use url::Url;

use super::hosts::Hosts;
use super::query::{QueryParams, message_id};
use super::{address, json};

/// Parses a body as every kind of request.
pub(crate) fn body(body: &[u8]) {
    read::<SendInput>(body);
    read::<JoinInput>(body);
    read::<CreateInput>(body);
    if let Ok(fields) = json::parse(body)
        && let Err(refusal) = QueryParams::with_body("", &fields).and_then(|params| params.read_input(None))
    {
        echoes_little(&refusal, body);
    }
}

fn read<T: DeserializeOwned>(body: &[u8]) {
    if let Err(refusal) = json::parse::<T>(body) {
        assert!(matches!(refusal.code, Code::Invalid | Code::InvalidJson));
        let is_json = serde_json::from_slice::<serde_json::Value>(body).is_ok();
        assert!(refusal.code == Code::Invalid || !is_json, "valid JSON is not refused as invalid JSON");
        echoes_little(&refusal, body);
    }
}

/// Parses a query string, and the same text as `Last-Event-ID`.
pub(crate) fn query(text: &str) {
    let query = QueryParams::of(text);
    for (default_ms, max_ms) in [(limits::LISTEN_DEFAULT_MS, limits::LISTEN_MAX_MS), (1_000, limits::WAIT_MAX_MS)] {
        match query.timeout_ms(default_ms, max_ms) {
            Ok(ms) => assert!((limits::POLL_MIN_MS..=max_ms).contains(&ms)),
            Err(refusal) => echoes_little(&refusal, text.as_bytes()),
        }
    }
    assert!((1..=limits::READ_MESSAGES).contains(&query.history_n()));
    for last_event_id in [None, Some(text)] {
        match query.read_input(last_event_id) {
            Ok(input) => {
                assert!((1..=limits::READ_MESSAGES).contains(&input.max) && input.ack_upto != Some(0));
                if let AckMode::Leased { lease_ms } = input.ack_mode {
                    assert!((1_000..=limits::LEASE_MAX_MS).contains(&lease_ms));
                }
            }
            Err(refusal) => echoes_little(&refusal, text.as_bytes()),
        }
    }
    match message_id(text) {
        Ok(id) => assert_eq!(message_id(&id.to_string()), Ok(id)),
        Err(refusal) => echoes_little(&refusal, text.as_bytes()),
    }
}

/// Checks a Host and an Origin.
pub(crate) fn hosts(host: &str, origin: Option<&str>) {
    let public = Url::parse("https://rogerrat.example").ok();
    let hosts = Hosts::new("box", public.as_ref(), vec!["hub.lan".into()], vec!["https://app.example".into()]);
    let checked = hosts.check(host, origin);
    assert_eq!(checked, hosts.check(&host.to_ascii_uppercase(), origin), "the case is ignored");
    if let Err(refusal) = &checked {
        assert!(matches!(refusal.code, Code::Misdirected | Code::Forbidden));
        echoes_little(refusal, host.as_bytes());
    }
    if host.parse::<IpAddr>().is_ok() {
        assert!(hosts.check(host, None).is_ok(), "an address cannot be rebound");
    }
}

/// Resolves the client address of an `X-Forwarded-For` header.
pub(crate) fn forwarded(header: &str) {
    let trusted = ["10.0.0.0/8".parse().expect("a network"), "::1/128".parse().expect("a network")];
    let (proxy, other) = (IpAddr::from([10, 0, 0, 1]), IpAddr::from([9, 9, 9, 9]));
    let client = |socket| address::client(socket, [header].into_iter(), &trusted);
    assert_eq!(client(other), other, "the header of an untrusted peer is ignored");
    let found = client(proxy);
    let is_found = |hop: &str| {
        let (bare, hop) = (hop.trim().trim_start_matches('[').trim_end_matches(']'), hop.trim());
        let with_port = hop.parse::<SocketAddr>().ok().map(|socket| socket.ip());
        bare.parse().ok().or(with_port).is_some_and(|ip: IpAddr| ip.to_canonical() == found)
    };
    assert!(found == proxy || header.split(',').any(is_found), "the address is the proxy's or one in the header");
}

/// A refusal never repeats more than 64 characters of the input (D12).
fn echoes_little(refusal: &Refusal, input: &[u8]) {
    let input = String::from_utf8_lossy(input);
    let hint = match &refusal.hint {
        Some(Hint::Text(text)) => Some(text),
        _ => None,
    };
    for text in std::iter::once(&refusal.text).chain(hint) {
        assert!(text.chars().count() <= 320, "{text}");
        // A borrowed text is a constant.
        if let std::borrow::Cow::Owned(text) = text {
            let ends: Vec<_> = text.char_indices().map(|(at, _)| at).chain([text.len()]).collect();
            let mut windows = ends.windows(limits::ECHO_CHARS + 2);
            assert!(!windows.any(|w| input.contains(&text[w[0]..w[limits::ECHO_CHARS + 1]])), "{text}");
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    fn pair() -> impl Strategy<Value = String> {
        const NAMES: [&str; 10] =
            ["timeout", "since", "max", "ack", "lease", "consumer", "ack_upto", "n", "thread", "x"];
        let value = prop_oneof![
            any::<String>(),
            "[-+]?[0-9]{0,20}([.][0-9]{0,5})?([eE][-+]?[0-9]{1,3})?",
            "(auto|manual|NaN|inf|-infinity|0x10|%[0-9a-fA-F]{0,2}|[+ %&=;]){0,3}",
            "[a-z0-9_-]{0,40}",
        ];
        (prop::sample::select(&NAMES[..]), value).prop_map(|(name, value)| format!("{name}={value}"))
    }

    fn host() -> impl Strategy<Value = String> {
        prop_oneof![
            any::<String>(),
            any::<std::net::SocketAddr>().prop_map(|a| a.to_string()),
            any::<std::net::IpAddr>().prop_map(|a| a.to_string()),
            "((park|codex|live|x)-?){0,2}[.]?rogerrat[.]example[.]?(:[0-9]{0,5})?",
            "\\[?[0-9a-f:.]{0,20}\\]?(:[0-9]{0,5})?",
        ]
    }

    proptest! {
        #[test]
        fn d11_a_body_is_parsed_or_refused(body in prop::collection::vec(any::<u8>(), 0..200)) {
            super::body(&body);
        }

        #[test]
        fn d11_json_is_parsed_or_refused(
            name in prop_oneof![Just("message"), Just("to"), Just("attachments"), Just("session_ttl_seconds")],
            value in "(\"[a-z\\\\u0-9]{0,80}\"|[0-9.eE+-]{0,8}|\\[|\\]|\\{|\\}|:|,|null|true| ){0,8}",
        ) {
            super::body(format!("{{\"{name}\":{value}}}").as_bytes());
            super::body(value.as_bytes());
        }

        #[test]
        fn d08_a_query_is_parsed_or_refused(pairs in prop::collection::vec(pair(), 0..6), text in any::<String>()) {
            super::query(&pairs.join("&"));
            super::query(&text);
        }

        #[test]
        fn d24_a_host_is_accepted_or_refused(host in host(), scheme in "(https?://|null|)", origin in host()) {
            super::hosts(&host, None);
            super::hosts(&host, Some(&format!("{scheme}{origin}")));
        }

        #[test]
        fn d25_no_address_is_invented(hops in prop::collection::vec(prop_oneof![host(), "10[.][0-9][.]0[.]1"], 0..5)) {
            super::forwarded(&hops.join(", "));
        }
    }
}
