//! Limits on connections, and answers to HTTP/1.0 clients.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};

use rogerrat_testkit::{Hub, TIMEOUT, wait_until};
use serde_json::json;

fn hub(limit: &str, more: &[(&str, &str)]) -> Hub {
    Hub::with(&[], &[&[("ROGERRAT_SERVER__MAX_CONNECTIONS_PER_ADDRESS", limit)], more].concat())
}

/// A connection with an answered request.
fn connect(address: SocketAddr) -> (TcpStream, String) {
    let mut tcp = TcpStream::connect(address).unwrap();
    tcp.set_read_timeout(Some(TIMEOUT)).unwrap();
    tcp.write_all(b"GET /livez HTTP/1.1\r\nHost: localhost\r\n\r\n").unwrap();
    let mut answer = [0; 4096];
    let bytes = tcp.read(&mut answer).unwrap_or_default();
    (tcp, String::from_utf8_lossy(&answer[..bytes]).into_owned())
}

#[test]
fn d30_a_connection_above_the_limit_of_its_address_is_refused_with_the_reason() {
    let hub = hub("5", &[]);
    let idle: Vec<_> = (0..5).map(|_| connect(hub.0)).collect();
    assert!(idle.iter().all(|(_, answer)| answer.starts_with("HTTP/1.1 200 ")));
    let (_, refused) = connect(hub.0);
    assert!(refused.starts_with("HTTP/1.1 503 ") && refused.contains("retry-after: "), "{refused}");
    let error: serde_json::Value = serde_json::from_str(refused.split_once("\r\n\r\n").unwrap().1).unwrap();
    assert_eq!(error["code"], "overloaded");
    assert!(error["hint"].as_str().unwrap().contains("max_connections_per_address"), "{error}");
    drop(idle);
    wait_until("a closed connection makes room", || connect(hub.0).1.starts_with("HTTP/1.1 200 "));
    let metrics = hub.get("/metrics").send().text();
    let refused = metrics.lines().find_map(|line| line.strip_prefix("rogerrat_connections_refused_total "));
    assert!(refused.unwrap().parse::<u32>().unwrap() >= 1, "{metrics}");
}

#[test]
fn d30_connections_of_a_trusted_proxy_are_not_limited() {
    for (limit, proxies) in [("3", "127.0.0.0/8"), ("0", "")] {
        let hub = hub(limit, &[("ROGERRAT_SERVER__TRUSTED_PROXIES", proxies)]);
        let open: Vec<_> = (0..30).map(|_| connect(hub.0)).collect();
        assert!(open.iter().all(|(_, answer)| answer.starts_with("HTTP/1.1 200 ")));
    }
}

/// HTTP/1.0 has no chunks: an answer of unknown length ends with the connection, also if the client wants to keep it.
#[test]
fn an_http_1_0_client_gets_no_chunks() {
    let hub = Hub::unlimited();
    let channel = hub.channel();
    let (ann, bob) = (channel.join("ann"), channel.join("bob"));
    ann.say(&"long ".repeat(1000));
    let get = |what: &str, more: &str| {
        let head =
            format!("Host: localhost\r\nAuthorization: Bearer {}\r\nX-Session-Id: {}", channel.token, bob.session);
        format!("GET {} HTTP/1.0\r\n{head}\r\n{more}\r\n", channel.path(what))
    };
    let call = json!({"jsonrpc": "2.0", "id": 1, "method": "tools/call",
        "params": {"name": "wait", "arguments": {"timeout": 1, "session_id": bob.session}}});
    let call = call.to_string();
    let wait = format!(
        "POST /mcp/{} HTTP/1.0\r\nHost: localhost\r\nAuthorization: Bearer {}\r\nAccept: text/event-stream\r\n\
         Content-Length: {}\r\n\r\n{call}",
        channel.id,
        channel.token,
        call.len()
    );
    let requests = [
        (get("history", "Accept-Encoding: gzip\r\nConnection: keep-alive\r\n"), true),
        (get("transcript", ""), true),
        (get("listen?timeout=1", ""), true),
        (wait, true),
        (get("stream", "Connection: keep-alive\r\n"), false),
    ];
    for (request, must_end) in requests {
        let mut tcp = TcpStream::connect(hub.0).unwrap();
        tcp.set_read_timeout(Some(TIMEOUT)).unwrap();
        tcp.write_all(request.as_bytes()).unwrap();
        let mut answer = Vec::new();
        if must_end {
            tcp.read_to_end(&mut answer).unwrap();
        } else {
            while !answer.windows(5).any(|bytes| bytes == b"hello") {
                let mut more = [0; 1024];
                let bytes = tcp.read(&mut more).unwrap();
                assert!(bytes > 0, "the stream has ended");
                answer.extend_from_slice(&more[..bytes]);
            }
        }
        let text = String::from_utf8_lossy(&answer);
        let (head, _) = text.split_once("\r\n\r\n").unwrap();
        assert!(!head.to_lowercase().contains("chunked"), "{request}{head}");
    }
}
