//! Malformed requests: with invalid heads, lengths, chunks, bodies or parameters.

use rogerrat_testkit::Agent;
use serde_json::json;

/// All malformed requests, with the valid token and session of ann.
pub(crate) fn malformed_requests(ann: &Agent) -> Vec<MalformedRequest> {
    [invalid_heads(ann), truncated(ann), invalid_chunks(ann), invalid_values(ann)].concat()
}

/// A malformed request and its name.
#[derive(Clone, Debug)]
pub(crate) struct MalformedRequest {
    pub(crate) name: String,
    pub(crate) bytes: Vec<u8>,
    /// Whether it is only the start of a valid request, to which no response is expected.
    pub(crate) is_truncated: bool,
}

fn malformed(name: impl Into<String>, bytes: impl Into<Vec<u8>>) -> MalformedRequest {
    MalformedRequest { name: name.into(), bytes: bytes.into(), is_truncated: false }
}

/// Requests with a malformed head.
fn invalid_heads(ann: &Agent) -> Vec<MalformedRequest> {
    let path = ann.channel.path("send");
    let auth = format!("Authorization: Bearer {}\r\nX-Session-Id: {}\r\n", ann.channel.token, ann.session);
    let body = r#"{"message":"rubbish"}"#;
    let length = body.len();
    let mut all = Vec::new();
    for line in [
        "POST",
        "POST {path}",
        "POST  {path} HTTP/1.1",
        "POST {path} HTTP/1.1 extra",
        "POST {path} HTTP/9.9",
        "POST {path} HTTP/2.0",
        "POST {path} http/1.1",
        "POST {path} HTTP/1",
        "POST {path} HTTP/1.11",
        "POST {path} SIP/2.0",
        "{path} POST HTTP/1.1",
        "P(ST {path} HTTP/1.1",
        "P\0ST {path} HTTP/1.1",
        "POST {path}\0 HTTP/1.1",
        "POST {path}\x7f HTTP/1.1",
        "POST {path} x HTTP/1.1",
        "POST\t{path}\tHTTP/1.1",
        "post {path} HTTP/1.1",
        "POST * HTTP/1.1",
        "POST example HTTP/1.1",
        "POST //{path} HTTP/1.1",
        "POST {path}/ HTTP/1.1",
        "POST {path}%2f HTTP/1.1",
        "POST {path}%00 HTTP/1.1",
        "POST {path}%zz HTTP/1.1",
        "POST {path}% HTTP/1.1",
        "POST /../../etc/passwd HTTP/1.1",
        "POST /api/channels/../channels HTTP/1.1",
        "POST /api/channels/%2e%2e/send HTTP/1.1",
        "POST http://evil.example{path} HTTP/1.1",
        "POST http:// HTTP/1.1",
        "CONNECT 127.0.0.1:80 HTTP/1.1",
        "TRACE {path} HTTP/1.1",
        "PRI * HTTP/2.0",
        "\x16\x03\x01\x02\x00\x01\x00\x01\u{fc}\x03\x03",
    ] {
        let line = line.replace("{path}", &path);
        all.push(malformed(
            line.clone(),
            format!("{line}\r\nHost: localhost\r\n{auth}Content-Length: {length}\r\n\r\n{body}"),
        ));
    }
    for (name, header) in [
        ("no colon", "MalformedRequest".to_owned()),
        ("space before the colon", "X-Thing : y".into()),
        ("no name", ": y".into()),
        ("NUL in a name", "X-\0: y".into()),
        ("NUL in a value", "X-Thing: a\0b".into()),
        ("control in a value", "X-Thing: a\x01b".into()),
        ("bare CR in a value", "X-Thing: a\rb: c".into()),
        ("a folded line", "X-Thing: a\r\n b".into()),
        ("a huge value", format!("X-Thing: {}", "v".repeat(300_000))),
        ("a huge name", format!("{}: v", "N".repeat(300_000))),
        ("many headers", (0..2000).map(|n| format!("X-{n}: v")).collect::<Vec<_>>().join("\r\n")),
        ("two lengths", "Content-Length: 5\r\nContent-Length: 6".into()),
        ("a negative length", "Content-Length: -5".into()),
        ("a length with a sign", "Content-Length: +5".into()),
        ("a length in words", "Content-Length: five".into()),
        ("a hexadecimal length", "Content-Length: 0x5".into()),
        ("a fraction as length", "Content-Length: 5.0".into()),
        ("a list as length", "Content-Length: 5, 5".into()),
        ("an endless length", format!("Content-Length: {}", "9".repeat(40))),
        ("an empty length", "Content-Length:".into()),
        ("length and chunks", "Content-Length: 5\r\nTransfer-Encoding: chunked".into()),
        ("an unknown encoding", "Transfer-Encoding: gzip".into()),
        ("two encodings", "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked".into()),
        ("chunks not last", "Transfer-Encoding: chunked, identity".into()),
        ("two hosts", "Host: evil.example".into()),
    ] {
        let length = if name.contains("length") || name.contains("chunk") || name.contains("encoding") {
            String::new()
        } else {
            format!("Content-Length: {length}\r\n")
        };
        let text = format!("POST {path} HTTP/1.1\r\nHost: localhost\r\n{header}\r\n{auth}{length}\r\n{body}");
        all.push(malformed(name, text));
    }
    for (name, host) in [
        ("no host", ""),
        ("an empty host", "Host:\r\n"),
        ("a strange host", "Host: a b\r\n"),
        ("a foreign host", "Host: evil.example\r\n"),
    ] {
        all.push(malformed(
            name,
            format!("POST {path} HTTP/1.1\r\n{host}{auth}Content-Length: {length}\r\n\r\n{body}"),
        ));
    }
    all.push(malformed("HTTP/0.9", "GET /api/bands\r\n\r\n"));
    all.push(malformed("nothing", ""));
    all.push(malformed("empty lines", "\r\n\r\n\r\n"));
    all.push(malformed("only NULs", vec![0; 5000]));
    all.push(malformed("only 0xff", vec![0xff; 5000]));
    all.push(malformed("an endless line", vec![b'A'; 400_000]));
    all
}

/// Heads and bodies truncated at different positions.
fn truncated(ann: &Agent) -> Vec<MalformedRequest> {
    let whole = ann.request("POST", "send").json(&json!({"message": "rubbish"})).bytes();
    let cuts = (1..whole.len()).step_by(whole.len() / 90);
    cuts.map(|at| MalformedRequest { is_truncated: true, ..malformed(format!("cut at {at}"), &whole[..at]) }).collect()
}

/// Malformed chunked bodies.
fn invalid_chunks(ann: &Agent) -> Vec<MalformedRequest> {
    let head = ann.request("POST", "send").header("Transfer-Encoding", "chunked").body("").bytes();
    let body = r#"{"message":"rubbish"}"#;
    let bad = [
        "zz\r\n{body}\r\n0\r\n\r\n",
        "-5\r\n{body}\r\n0\r\n\r\n",
        "0x15\r\n{body}\r\n0\r\n\r\n",
        "\r\n{body}\r\n0\r\n\r\n",
        "fffffffffffffffff\r\n{body}\r\n0\r\n\r\n",
        "ffffffffffffffff\r\n{body}",
        "7fffffff\r\n{body}",
        "15 {body}\r\n0\r\n\r\n",
        "15\n{body}\n0\n\n",
        "5\r\n{body}\r\n0\r\n\r\n",
        "15\r\n{body}0\r\n\r\n",
        "15\r\n{body}\r\n",
        "15\r\n{body}\r\n0\r\n",
        "15\r\n{body}\r\n0\r\nX",
        "14\r\n{body}\r\n0\r\n\r\n",
        "16\r\n{body}\r\n0\r\n\r\n",
        "0\r\n\r\n",
        "",
        "\0\r\n",
    ];
    let chunked = |bad: &&str| {
        let mut bytes = head.clone();
        bytes.extend_from_slice(bad.replace("{body}", body).as_bytes());
        malformed(format!("chunks {bad:?}"), bytes)
    };
    bad.iter().map(chunked).collect()
}

/// Well-formed HTTP with invalid bodies and parameters.
fn invalid_values(ann: &Agent) -> Vec<MalformedRequest> {
    let mut all = Vec::new();
    let deep = format!("{}1{}", "[".repeat(5000), "]".repeat(5000));
    let broken = [
        "{",
        "}",
        "[]",
        "null",
        "1",
        "\"x\"",
        "{\"a\"}",
        "{\"a\":1,}",
        "{\"a\":}",
        "nul",
        "{]",
        "\u{0}",
        "\u{feff}{",
        "{}{}",
        "{\"a\":\"\\u12\"}",
        "{\"a\":\"a\nb\"}",
        "{\"a\":01}",
        "{\"a\":.5}",
        deep.as_str(),
        "message=x&to=all",
        "<xml/>",
        "--x\r\nContent-Disposition: form-data\r\n\r\nx\r\n--x--",
    ];
    let typed = [
        ("send", "{\"message\":[1]}"),
        ("send", "{\"message\":1e999}"),
        ("send", "{\"message\":\"\\ud800\"}"),
        ("send", "{\"message\":true}"),
        ("send", "{\"message\":\"x\",\"to\":-1}"),
        ("send", "{\"message\":\"x\",\"message\":\"y\"}"),
        ("join", "{\"callsign\":\"\\u0000\"}"),
        ("join", "{\"callsign\":[\"x\"]}"),
        ("join", "{\"callsign\":true}"),
        ("ack", "{\"upto\":-1}"),
        ("ack", "{\"upto\":1e30}"),
        ("ack", "{\"upto\":true}"),
        ("ack", "{\"upto\":99999999999999999999999}"),
    ];
    let create = ann.channel.target.post("/api/channels");
    let to = |what: &str| if what == "create" { create.clone() } else { ann.request("POST", what) };
    let everywhere = ["send", "join", "ack", "create"].into_iter().flat_map(|what| broken.map(|bad| (what, bad)));
    for (what, bad) in everywhere.chain(typed) {
        let name = format!("{what} {}", bad.chars().take(40).collect::<String>());
        all.push(malformed(name, to(what).body(bad).bytes()));
    }
    for what in ["send", "join", "ack", "create"] {
        let bytes = to(what)
            .body(&b"{\"message\":\"\xc3\x28\",\"callsign\":\"\xff\",\"upto\":\"\xff\",\"retention\":\"\xff\"}"[..]);
        all.push(malformed(format!("{what} not UTF-8"), bytes.bytes()));
    }
    for method in ["GET", "PUT", "PATCH", "DELETE", "OPTIONS", "HEAD", "PROPFIND", "X"] {
        all.push(malformed(
            format!("{method} send"),
            ann.request(method, "send").body(r#"{"message":"rubbish"}"#).bytes(),
        ));
    }
    for what in [
        "listen?timeout=x",
        "listen?timeout=%00",
        "listen?timeout=%ff",
        "listen?since=x",
        "listen?since=%",
        "listen?consumer=%00",
        "listen?consumer=%e2%80%a8",
        "listen?max=0",
        "listen?max=999999999999999999999999x",
        "listen?ack=x",
        "listen?ack_upto=99999999999999999",
        "listen?lease=x&ack=manual",
        "wait?timeout=NaN",
        "wait?since=inf",
        "stream?since=x",
        "stream?consumer=A",
        "messages/x/receipts",
        "messages/-1/receipts",
        "messages/99999999999999999999999/receipts",
        "messages/1/receipts",
        "messages/%00/receipts",
        "nothing",
        "listen/",
        "listen%20",
        "LISTEN",
    ] {
        all.push(malformed(what, ann.request("GET", what).bytes()));
    }
    for session in ["", "short", "never-was-here", &"s".repeat(5000), "ünïcödé-session", "tab\tin-the-session"] {
        let request = ann.channel.request("POST", "send").session(session).body(r#"{"message":"rubbish"}"#);
        all.push(malformed(format!("session {}", session.chars().take(10).collect::<String>()), request.bytes()));
    }
    all
}
