//! HTTP/1.1 and HTTP/2 on the one port: the same conversation, and no way to sit there in silence.

use std::io::{Read as _, Write as _};

use rogerrat_testkit::{Hub, timed};
use serde_json::json;

use super::curl::{Reading, curl};
use super::http2::{Http2, PREFACE, WINDOW};

const CREATE: [&str; 3] = ["-X", "POST", "-d{}"];

/// A whole conversation with curl in one version of HTTP.
fn converse(hub: &Hub, how: &str, version: &str) {
    let origin = hub.origin();
    let ask = |what: &str, headers: &[String], more: &[&str]| {
        let url = format!("{origin}{what}");
        let headers: Vec<_> = headers.iter().flat_map(|header| ["-H", header.as_str()]).collect();
        let answer = curl(&[&[how, url.as_str()][..], &headers, more].concat());
        assert_eq!(answer.version, version, "{what}");
        assert!(answer.header("x-request-id").is_some(), "{what}: {}", answer.head);
        answer
    };
    let created = ask("/api/channels", &[], &CREATE).json();
    assert!(created["mcp_url"].as_str().unwrap().starts_with(&origin), "{created}");
    let base = format!("/api/channels/{}", created["channel_id"].as_str().unwrap());
    let bearer = format!("Authorization: Bearer {}", created["join_token"].as_str().unwrap());
    let join = |callsign: &str| {
        let body = json!({"callsign": callsign}).to_string();
        let joined = ask(&format!("{base}/join"), std::slice::from_ref(&bearer), &["-X", "POST", "-d", &body]).json();
        vec![bearer.clone(), format!("X-Session-Id: {}", joined["session_id"].as_str().unwrap())]
    };
    let (ann, bob) = (join("ann"), join("bob"));
    let stream = format!("{origin}{base}/stream");
    let mut reading = Reading::start(&[how, &stream, "-H", &bob[0], "-H", &bob[1]]);
    reading.until("retry:");
    ask(&format!("{base}/send"), &ann, &["-X", "POST", "-d", r#"{"to":"all","message":"good day"}"#]).json();
    assert!(reading.until("good day").starts_with("data:"));
    ask(&format!("{base}/send"), &bob, &["-X", "POST", "-d", r#"{"to":"ann","message":"hi"}"#]).json();
    let waited = ask(&format!("{base}/wait?timeout=20"), &ann, &[]).json();
    assert_eq!(waited["messages"][0]["text"], "hi");
    let wrong = ask(&format!("{base}/send"), &ann, &[]);
    assert_eq!((wrong.status, wrong.header("allow")), (405, Some("POST")));
    assert_eq!(ask(&format!("{base}/history"), &ann, &["-I"]).status, 200);
    assert_eq!(ask(&format!("{base}/listen"), &ann, &["-I"]).status, 405);
    assert_eq!(ask("/livez", &["Host: evil.example".into()], &[]).status, 200);
    assert_eq!(ask("/api/stats", &["Host: evil.example".into()], &[]).status, 421);
}

#[test]
fn one_port_speaks_both() {
    let hub = Hub::start();
    converse(&hub, "--http1.1", "1.1");
    converse(&hub, "--http2-prior-knowledge", "2");
    // An offer to upgrade is not taken up, and does no harm.
    converse(&hub, "--http2", "1.1");
}

#[test]
fn who_says_nothing_is_given_up() {
    let hub = Hub::start();
    let began = [&b""[..], b"P", b"PRI * HTTP/2.0\r\n\r\nSM"].map(|said| {
        let mut tcp = std::net::TcpStream::connect(hub.0).unwrap();
        tcp.set_read_timeout(Some(rogerrat_testkit::TIMEOUT)).unwrap();
        tcp.write_all(said).unwrap();
        (said, tcp)
    });
    for (said, mut tcp) in began {
        let mut answer = Vec::new();
        let ended = tcp.read_to_end(&mut answer);
        let timed_out = ended.is_err_and(|error| error.kind() == std::io::ErrorKind::WouldBlock);
        assert!(!timed_out, "{said:?} still sits there");
        assert!(answer.starts_with(b"HTTP/1.1 408 "), "{said:?}: {}", String::from_utf8_lossy(&answer));
    }
}

/// An answer must not overtake the body it does not want: curl would lose it.
#[test]
fn d14_a_refused_post_is_answered() {
    let hub = Hub::start();
    let (nobodys, stats) = (format!("{}/api/channels/x/send", hub.origin()), format!("{}/api/stats", hub.origin()));
    for _ in 0..50 {
        assert_eq!(curl(&["--http2-prior-knowledge", &nobodys, "-d", "{}"]).status, 404);
        assert_eq!(curl(&["--http2-prior-knowledge", &stats, "-d", "{}"]).status, 405);
    }
}

#[test]
fn a_preface_may_come_in_pieces() {
    let hub = Hub::start();
    let mut tcp = std::net::TcpStream::connect(hub.0).unwrap();
    tcp.set_nodelay(true).unwrap();
    for piece in PREFACE.chunks(5) {
        tcp.write_all(piece).unwrap();
        // Another connection is served meanwhile, so this piece has arrived alone.
        assert_eq!(hub.get("/livez").send().status, 200);
    }
    tcp.write_all(&[0, 0, 0, 4, 0, 0, 0, 0, 0]).unwrap();
    let mut head = [0; 9];
    tcp.read_exact(&mut head).unwrap();
    assert_eq!(head[3], 4, "the hub answers with its settings");
}

#[test]
fn d32_connections_that_idle_hold_no_stop_up() {
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
