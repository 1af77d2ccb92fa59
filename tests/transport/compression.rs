//! Compression: gzip for long responses on request, but never for polls and streams.
//!
//! A message counts as delivered when its response body was taken, so such bodies are never buffered by an encoder.

use std::process::{Command, Stdio};

use rogerrat_testkit::{Agent, Hub, Stream};
use serde_json::Value;

use super::curl::{Response, curl};

const GZIP: &str = "Accept-Encoding: gzip, br";

fn request(agent: &Agent, what: &str, more: &[&str]) -> Response {
    let url = format!("http://{}{}", agent.channel.target.0, agent.channel.path(what));
    let bearer = format!("Authorization: Bearer {}", agent.channel.token);
    let session = format!("X-Session-Id: {}", agent.session);
    curl(&[&[url.as_str(), "-H", &bearer, "-H", &session][..], more].concat())
}

fn gunzip(body: &[u8]) -> Value {
    let mut python = Command::new("python3")
        .args(["-c", "import sys,gzip;sys.stdout.buffer.write(gzip.decompress(sys.stdin.buffer.read()))"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    std::io::Write::write_all(&mut python.stdin.take().unwrap(), body).unwrap();
    serde_json::from_slice(&python.wait_with_output().unwrap().stdout).unwrap()
}

#[test]
fn long_responses_are_compressed_on_request() {
    let hub = Hub::unlimited();
    let ann = hub.channel().join("ann");
    assert_eq!(
        request(&ann, "history", &["-H", GZIP]).header("content-encoding"),
        None,
        "short responses are not compressed"
    );
    ann.say(&"long ".repeat(1000));
    for version in ["--http1.1", "--http2-prior-knowledge"] {
        let plain = request(&ann, "history", &[version]);
        assert_eq!((plain.header("content-encoding"), plain.header("vary")), (None, Some("accept-encoding")));
        let compressed = request(&ann, "history", &[version, "-H", GZIP]);
        assert_eq!(compressed.header("content-encoding"), Some("gzip"), "{}", compressed.head);
        assert!(compressed.header("vary").is_some_and(|vary| vary.eq_ignore_ascii_case("accept-encoding")));
        assert!(compressed.body.len() * 10 < plain.body.len());
        assert_eq!(gunzip(&compressed.body), plain.json());
        assert_eq!(request(&ann, "history", &[version, "-H", GZIP, "-I"]).status, 200);
    }
    let refused = request(&ann, "messages/x/receipts", &["-H", GZIP]);
    assert_eq!((refused.status, refused.header("content-encoding")), (400, None));
}

#[test]
fn d02_polls_and_streams_are_never_compressed() {
    let hub = Hub::unlimited();
    let channel = hub.channel();
    let (ann, bob) = (channel.join("ann"), channel.join("bob"));
    for version in ["--http1.1", "--http2-prior-knowledge"] {
        for what in ["listen?timeout=5", "wait?timeout=5"] {
            bob.say(&"long ".repeat(1000));
            let answer = request(&ann, what, &[version, "-H", GZIP]);
            assert_eq!(answer.header("content-encoding"), None, "{what}");
            assert_eq!(answer.json()["messages"].as_array().unwrap().len(), 1);
        }
    }
    bob.say(&"long ".repeat(1000));
    let mut stream = Stream::open(ann.request("GET", "stream").header("Accept-Encoding", "gzip"));
    assert_eq!(stream.head.header("content-encoding"), None);
    assert!(stream.next().unwrap().lines.concat().contains("long long"));
}
