//! Polls and streams through a hub that does not own the channel, and clients that leave in the middle.

use futures_util::future::join_all;
use serde_json::{Value, json};

use super::client::{Call, Connection, Stream, wait_until};
use super::cluster::{Shared, texts};

fn message(text: &str) -> (String, u64) {
    (text.to_owned(), 1)
}

#[actix_web::test]
async fn c10_a_poll_and_a_wait_are_answered_when_a_message_comes() {
    let shared = Shared::new();
    let (a, b) = (shared.hub().await, shared.hub().await);
    let channel = a.channel().await;
    let (ann, bob) = (channel.join(&a, "ann").await, channel.join(&a, "bob").await);
    for (poll, text) in [("/listen?timeout=60", "one"), ("/wait?timeout=290", "two")] {
        let polling = actix_web::rt::spawn(bob.call("GET", poll).at(b.address));
        wait_until("the poll should be parked at the owner", || a.polls() == 1).await;
        assert_eq!(b.polls(), 0);
        ann.send(&b, text).await;
        assert_eq!(texts(&polling.await.unwrap().ok()), [message(text)]);
    }
    let timed_out = bob.at(&b, "GET", "/listen?timeout=1").await.ok();
    assert_eq!(timed_out["timed_out"], true);
}

#[actix_web::test]
async fn c10_streams_by_get_and_post_carry_each_event_at_once() {
    let shared = Shared::new();
    let (a, b) = (shared.hub().await, shared.hub().await);
    let channel = a.channel().await;
    let (ann, bob) = (channel.join(&a, "ann").await, channel.join(&a, "bob").await);
    for (method, target, body) in [("GET", "/stream?ack=manual", ""), ("POST", "/stream", r#"{"ack":"manual"}"#)] {
        let mut stream = Stream::open(b.address, bob.call(method, target).body(body)).await;
        assert_eq!(stream.status, 200);
        stream.until("event: hello").await;
        for n in 0..3 {
            let text = format!("{method} {n}");
            let sent = ann.send(&b, &text).await;
            stream.until(&text).await;
            let acked = bob.call("POST", "/ack").body(json!({"upto": sent["id"]}).to_string()).at(b.address).await;
            assert_eq!(acked.status, 200, "{acked:?}");
        }
        assert_eq!(a.streams(), 1);
        drop(stream);
        wait_until("the stream should end at the owner", || a.streams() == 0).await;
    }
}

#[actix_web::test]
async fn c12_a_client_that_leaves_while_it_waits_loses_nothing_and_gets_nothing_twice() {
    let shared = Shared::new();
    let (a, b) = (shared.hub().await, shared.hub().await);
    let channel = a.channel().await;
    let (ann, bob) = (channel.join(&a, "ann").await, channel.join(&a, "bob").await);
    for n in 0..10 {
        let mut connection = match n % 2 {
            0 => Connection::open(b.address).await,
            _ => Connection::that_resets(b.address).await,
        };
        let call = bob.call("GET", "/wait?timeout=290");
        let waiting = actix_web::rt::spawn(async move {
            let _ = connection.start(call).await;
        });
        wait_until("the poll should be parked at the owner", || a.polls() == 1).await;
        waiting.abort();
        wait_until("the poll should end at the owner", || a.polls() == 0).await;
        let text = format!("m{n}");
        ann.send(&a, &text).await;
        assert_eq!(texts(&bob.read(&b).await), [message(&text)]);
    }
    assert_eq!(texts(&bob.read(&b).await), []);
}

/// The message and the end of the client cross each other. What may have been delivered comes again with attempt 2.
#[actix_web::test]
async fn c12_a_message_that_meets_a_leaving_client_is_not_lost() {
    let shared = Shared::new();
    let (a, b) = (shared.hub().await, shared.hub().await);
    let channel = a.channel().await;
    let (ann, bob) = (channel.join(&a, "ann").await, channel.join(&a, "bob").await);
    for n in 0..40 {
        let mut connection = Connection::that_resets(b.address).await;
        let call = bob.call("GET", "/wait?timeout=290");
        let waiting = actix_web::rt::spawn(async move {
            let _ = connection.start(call).await;
            std::future::pending::<()>().await;
        });
        wait_until("the poll should be parked at the owner", || a.polls() == 1).await;
        let text = format!("m{n}");
        let sending = actix_web::rt::spawn(ann.sending(&text).at(a.address));
        waiting.abort();
        sending.await.unwrap().ok();
        let read = texts(&bob.call("GET", "/listen?timeout=60").at(b.address).await.ok());
        assert!(read == [message(&text)] || read == [(text.clone(), 2)], "{read:?}");
    }
    assert_eq!(texts(&bob.read(&b).await), []);
}

#[actix_web::test]
async fn c12_http2_clients_are_forwarded_and_leave_by_a_reset() {
    let shared = Shared::new();
    let (a, b) = (shared.hub().await, shared.hub().await);
    let channel = a.channel().await;
    let (ann, bob) = (channel.join(&a, "ann").await, channel.join(&a, "bob").await);
    let tcp = tokio::net::TcpStream::connect(b.address).await.unwrap();
    let (mut client, connection) = h2::client::handshake(tcp).await.unwrap();
    actix_web::rt::spawn(connection);
    let request = |timeout: u32| {
        let uri = format!("http://localhost/api/channels/{}/listen?timeout={timeout}", channel.id);
        let request = http::Request::get(uri).header("authorization", format!("Bearer {}", channel.token));
        request.header("x-session-id", &bob.session).body(()).unwrap()
    };
    for text in ["one", "two"] {
        let (waiting, _) = client.send_request(request(60), true).unwrap();
        wait_until("the poll should be parked at the owner", || a.polls() == 1).await;
        drop(waiting);
        wait_until("the poll should end at the owner", || a.polls() == 0).await;
        let (waiting, _) = client.send_request(request(60), true).unwrap();
        wait_until("the poll should be parked at the owner", || a.polls() == 1).await;
        ann.send(&a, text).await;
        let response = waiting.await.unwrap();
        assert_eq!(response.status(), 200);
        let (mut body, mut read) = (response.into_body(), Vec::new());
        while let Some(piece) = body.data().await {
            let piece = piece.unwrap();
            body.flow_control().release_capacity(piece.len()).unwrap();
            read.extend_from_slice(&piece);
        }
        assert_eq!(texts(&serde_json::from_slice(&read).unwrap()), [message(text)]);
    }
    assert_eq!(texts(&bob.read(&a).await), []);
}

#[actix_web::test]
async fn c12_a_stream_whose_client_leaves_returns_what_was_not_acknowledged() {
    let shared = Shared::new();
    let (a, b) = (shared.hub().await, shared.hub().await);
    let channel = a.channel().await;
    let (ann, bob) = (channel.join(&a, "ann").await, channel.join(&a, "bob").await);
    let mut stream = Stream::open(b.address, bob.call("GET", "/stream?ack=manual")).await;
    stream.until("event: hello").await;
    ann.send(&a, "unacknowledged").await;
    stream.until("unacknowledged").await;
    drop(stream);
    wait_until("the stream should end at the owner", || a.streams() == 0).await;
    let again = bob.at(&b, "GET", "/listen?timeout=5&ack=manual").await.ok();
    assert_eq!(texts(&again), [("unacknowledged".to_owned(), 2)]);
}

/// The owner has written the answer, and the client resets its connection without reading it (ADR 38).
#[actix_web::test]
async fn c12_an_answer_whose_client_resets_its_connection_comes_again() {
    use tokio::io::AsyncWriteExt as _;
    let shared = Shared::new();
    let (a, b) = (shared.hub().await, shared.hub().await);
    let channel = a.channel().await;
    let (ann, bob) = (channel.join(&a, "ann").await, channel.join(&a, "bob").await);
    let mut client = tokio::net::TcpStream::connect(b.address).await.unwrap();
    let request = format!(
        "GET /api/channels/{}/listen?timeout=60 HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer {}\r\n\
         x-session-id: {}\r\n\r\n",
        channel.id, channel.token, bob.session
    );
    client.write_all(request.as_bytes()).await.unwrap();
    wait_until("the poll should be parked at the owner", || a.polls() == 1).await;
    ann.send(&a, "unread").await;
    client.readable().await.unwrap();
    // With unread bytes, closing it sends a reset.
    drop(client);
    let again = bob.at(&a, "GET", "/listen?timeout=60").await.ok();
    assert_eq!(texts(&again), [("unread".to_owned(), 2)]);
}

#[actix_web::test]
async fn c12_requests_of_one_connection_follow_each_other_to_the_owner() {
    let shared = Shared::new();
    let (a, b) = (shared.hub().await, shared.hub().await);
    let (of_a, of_b) = (a.channel().await, b.channel().await);
    let (ann, bob) = (of_a.join(&a, "ann").await, of_b.join(&b, "bob").await);
    let mut connection = Connection::open(b.address).await;
    for n in 0..20 {
        let sent = connection.send(ann.sending(&format!("m{n}"))).await.ok();
        assert!(sent["id"].is_u64(), "{sent}");
        assert_eq!(connection.send(ann.call("HEAD", "/history")).await.body, "");
        assert_eq!(connection.send(bob.sending("here")).await.status, 200);
        assert_eq!(connection.send(ann.call("GET", "/nothing")).await.status, 404);
        assert_eq!(connection.send(Call::get("/livez")).await.status, 200);
    }
}

#[actix_web::test]
async fn c10_two_hundred_polls_wait_at_once() {
    const POLLS: usize = 200;
    let shared = Shared::new();
    let (a, b) = (shared.hub().await, shared.hub().await);
    let channel = a.channel().await;
    let ann = channel.join(&a, "ann").await;
    let mut readers = Vec::new();
    for n in 0..POLLS {
        readers.push(channel.join(&b, &format!("r{n}")).await);
    }
    let polls: Vec<_> = readers
        .iter()
        .map(|reader| actix_web::rt::spawn(reader.call("GET", "/wait?timeout=290").at(b.address)))
        .collect();
    wait_until("all polls should be parked", || a.polls() == POLLS as u64).await;
    ann.send(&b, "now").await;
    let replies: Vec<Value> = join_all(polls).await.into_iter().map(|reply| reply.unwrap().ok()).collect();
    assert!(replies.iter().all(|reply| texts(reply) == [message("now")]));
    wait_until("no poll should be left", || a.polls() == 0).await;
}
