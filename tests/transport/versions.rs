//! HTTP/1.1 and HTTP/2 on one port: the same conversation in both, and timeouts for silent connections.

use std::io::{Read as _, Write as _};

use rogerrat_testkit::{Hub, timed};
use serde_json::json;

use super::curl::{StreamReader, curl};
use super::http2::{Http2, PREFACE, WINDOW};

const CREATE: [&str; 3] = ["-X", "POST", "-d{}"];

/// Runs a conversation with curl in one version of HTTP.
fn converse(hub: &Hub, how: &str, version: &str) {
    let origin = hub.origin();
    let request = |what: &str, headers: &[String], more: &[&str]| {
        let url = format!("{origin}{what}");
        let headers: Vec<_> = headers.iter().flat_map(|header| ["-H", header.as_str()]).collect();
        let response = curl(&[&[how, url.as_str()][..], &headers, more].concat());
        assert_eq!(response.version, version, "{what}");
        assert!(response.header("x-request-id").is_some(), "{what}: {}", response.head);
        response
    };
    let created = request("/api/channels", &[], &CREATE).json();
    assert!(created["mcp_url"].as_str().unwrap().starts_with(&origin), "{created}");
    let base = format!("/api/channels/{}", created["channel_id"].as_str().unwrap());
    let bearer = format!("Authorization: Bearer {}", created["join_token"].as_str().unwrap());
    let join = |callsign: &str| {
        let body = json!({"callsign": callsign}).to_string();
        let joined =
            request(&format!("{base}/join"), std::slice::from_ref(&bearer), &["-X", "POST", "-d", &body]).json();
        vec![bearer.clone(), format!("X-Session-Id: {}", joined["session_id"].as_str().unwrap())]
    };
    let (ann, bob) = (join("ann"), join("bob"));
    let stream = format!("{origin}{base}/stream");
    let mut reader = StreamReader::start(&[how, &stream, "-H", &bob[0], "-H", &bob[1]]);
    reader.until("retry:");
    request(&format!("{base}/send"), &ann, &["-X", "POST", "-d", r#"{"to":"all","message":"good day"}"#]).json();
    assert!(reader.until("good day").starts_with("data:"));
    request(&format!("{base}/send"), &bob, &["-X", "POST", "-d", r#"{"to":"ann","message":"hi"}"#]).json();
    let waited = request(&format!("{base}/wait?timeout=20"), &ann, &[]).json();
    assert_eq!(waited["messages"][0]["text"], "hi");
    let wrong = request(&format!("{base}/send"), &ann, &[]);
    assert_eq!((wrong.status, wrong.header("allow")), (405, Some("POST")));
    assert_eq!(request(&format!("{base}/history"), &ann, &["-I"]).status, 200);
    assert_eq!(request(&format!("{base}/listen"), &ann, &["-I"]).status, 405);
    assert_eq!(request("/livez", &["Host: evil.example".into()], &[]).status, 200);
    assert_eq!(request("/api/stats", &["Host: evil.example".into()], &[]).status, 421);
}

#[test]
fn one_port_serves_both_versions() {
    let hub = Hub::start();
    converse(&hub, "--http1.1", "1.1");
    converse(&hub, "--http2-prior-knowledge", "2");
    // An offer to upgrade is ignored.
    converse(&hub, "--http2", "1.1");
}

#[test]
fn a_silent_connection_times_out() {
    let hub = Hub::start();
    let connections = [&b""[..], b"P", b"PRI * HTTP/2.0\r\n\r\nSM"].map(|start| {
        let mut tcp = std::net::TcpStream::connect(hub.0).unwrap();
        tcp.set_read_timeout(Some(rogerrat_testkit::TIMEOUT)).unwrap();
        tcp.write_all(start).unwrap();
        (start, tcp)
    });
    for (start, mut tcp) in connections {
        let mut answer = Vec::new();
        let ended = tcp.read_to_end(&mut answer);
        let timed_out = ended.is_err_and(|error| error.kind() == std::io::ErrorKind::WouldBlock);
        assert!(!timed_out, "{start:?}: the connection is still open");
        assert!(answer.starts_with(b"HTTP/1.1 408 "), "{start:?}: {}", String::from_utf8_lossy(&answer));
    }
}

/// The hub must read the body before it answers: otherwise curl loses the response.
#[test]
fn d14_a_rejected_post_gets_its_response() {
    let hub = Hub::start();
    let (unknown, stats) = (format!("{}/api/channels/x/send", hub.origin()), format!("{}/api/stats", hub.origin()));
    for _ in 0..50 {
        assert_eq!(curl(&["--http2-prior-knowledge", &unknown, "-d", "{}"]).status, 404);
        assert_eq!(curl(&["--http2-prior-knowledge", &stats, "-d", "{}"]).status, 405);
    }
}

#[test]
fn a_preface_may_arrive_in_pieces() {
    let hub = Hub::start();
    let mut tcp = std::net::TcpStream::connect(hub.0).unwrap();
    tcp.set_nodelay(true).unwrap();
    for piece in PREFACE.chunks(5) {
        tcp.write_all(piece).unwrap();
        // The hub serves another connection in between, so this piece arrived separately.
        assert_eq!(hub.get("/livez").send().status, 200);
    }
    tcp.write_all(&[0, 0, 0, 4, 0, 0, 0, 0, 0]).unwrap();
    let mut head = [0; 9];
    tcp.read_exact(&mut head).unwrap();
    assert_eq!(head[3], 4, "the hub sends its settings");
}

#[test]
fn d32_idle_connections_do_not_delay_a_stop() {
    let mut hub = Hub::with(&[], &[("ROGERRAT_SERVER__DRAIN_MS", "600000")]);
    let ann = hub.channel().join("ann");
    let _silent = hub.connect();
    let mut idle = Http2::open(*hub, WINDOW);
    let history = idle.get(&ann, "history");
    assert!(idle.body_until(history, "]").contains("history"));
    let mut parked = Http2::open(*hub, WINDOW);
    let poll = parked.get(&ann, "wait?timeout=300");
    ann.until_waiting(true);
    hub.signal("TERM");
    assert!(parked.body_until(poll, "}").contains(r#""draining":true"#));
    let (duration, status) = timed(|| hub.wait_for_exit());
    assert_eq!(status.code(), Some(0));
    assert!(duration.as_secs() < 20, "{duration:?}");
}
