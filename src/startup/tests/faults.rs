//! Other instances that are not there, do not answer, or end in the middle.

use std::io::ErrorKind;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::Relaxed};
use std::sync::{Arc, Mutex, OnceLock};
use std::time::Duration;

use futures_util::future::join_all;
use rogerrat_actors::{Fact, Instance, InstanceId, Instances as _};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpSocket, TcpStream};

use super::client::{Connection, Stream, wait_until};
use super::cluster::{AllAt, Member, Shared, TestHub};

/// A hub that takes something else for the owner of its channel.
struct Misled {
    hub: TestHub,
    ann: Member,
    reports: Arc<AtomicUsize>,
}

async fn misled(owner: SocketAddr) -> Misled {
    let (named, mut reports) = (Arc::new(OnceLock::new()), None);
    let shared = Shared::new();
    let hub = shared
        .hub_located_by(&[], |hub| {
            let locator = Arc::new(AllAt::new(hub, &named));
            reports = Some(locator.reports.clone());
            locator
        })
        .await;
    let ann = hub.channel().await.join(&hub, "ann").await;
    named.set(Instance { id: InstanceId(77), url: format!("http://{owner}").into() }).unwrap();
    Misled { hub, ann, reports: reports.unwrap() }
}

/// How long an instance may be silent, may take to answer, and is waited for then, in milliseconds.
fn set_limits(hub: &TestHub, silence_ms: u64, answer_ms: u64, hold_ms: u64) {
    let [silence, answer, hold] = [silence_ms, answer_ms, hold_ms].map(Duration::from_millis);
    hub.interfaces.state.peers.as_ref().unwrap().set_limits(silence, answer, hold);
}

/// An owner that accepts everything and is silent, until it is to answer.
struct SilentOwner {
    address: SocketAddr,
    /// How many requests of clients came.
    forwarded: Arc<AtomicUsize>,
    answers: Arc<AtomicBool>,
}

impl SilentOwner {
    async fn start() -> Self {
        let (forwarded, answers) = (Arc::<AtomicUsize>::default(), Arc::<AtomicBool>::default());
        let (count, may_answer) = (forwarded.clone(), answers.clone());
        let address = fake(move |mut connection| {
            let (count, may_answer) = (count.clone(), may_answer.clone());
            async move {
                let is_check = read_head(&mut connection).await.starts_with(b"GET / ");
                count.fetch_add(usize::from(!is_check), Relaxed);
                if may_answer.load(Relaxed) {
                    let status = if is_check { "204 No Content\r\n" } else { "200 OK\r\ncontent-length: 0\r\n" };
                    connection.write_all(format!("HTTP/1.1 {status}\r\n").as_bytes()).await.unwrap();
                }
                std::future::pending::<()>().await;
            }
        })
        .await;
        Self { address, forwarded, answers }
    }
}

/// Listens, and answers each connection as `respond` does.
async fn fake<F: Future<Output = ()> + 'static>(respond: impl Fn(TcpStream) -> F + 'static) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    actix_web::rt::spawn(async move {
        while let Ok((connection, _)) = listener.accept().await {
            actix_web::rt::spawn(respond(connection));
        }
    });
    address
}

/// A port that refuses connections, as long as its socket exists: nobody else can get it.
fn closed_port() -> (TcpSocket, SocketAddr) {
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind(SocketAddr::from(([127, 0, 0, 1], 0))).unwrap();
    let address = socket.local_addr().unwrap();
    (socket, address)
}

async fn read_head(connection: &mut TcpStream) -> Vec<u8> {
    let (mut head, mut piece) = (Vec::new(), [0; 4096]);
    while !head.windows(4).any(|end| end == b"\r\n\r\n") {
        match connection.read(&mut piece).await {
            Ok(bytes) if bytes > 0 => head.extend_from_slice(&piece[..bytes]),
            _ => break,
        }
    }
    head
}

#[actix_web::test]
async fn c13_an_owner_whose_port_is_closed_gives_an_error_and_is_reported() {
    let (_reserved, closed) = closed_port();
    let Misled { hub, ann, reports } = misled(closed).await;
    for call in [ann.call("GET", "/history"), ann.sending("hi")] {
        reports.store(0, Relaxed);
        let reply = call.at(hub.address).await;
        assert_eq!((reply.status, reply.json()["code"].as_str()), (503, Some("overloaded")), "{reply:?}");
        assert!(reply.body.contains("cannot be reached; nothing was done"), "{}", reply.body);
        assert_eq!(reports.load(Relaxed), 4);
    }
}

#[actix_web::test]
async fn c13_an_owner_that_accepts_and_is_silent_is_given_up() {
    let unknown = "the outcome is unknown";
    for (method, path, text) in [
        // What was delivered to the lost connection would be missing in a second response.
        ("GET", "/listen", unknown),
        ("GET", "/wait", unknown),
        ("GET", "/stream", unknown),
        ("POST", "/send", unknown),
        // It is sent again when the owner answers, or another one serves the channel.
        ("GET", "/history", "nothing was done"),
    ] {
        let silent = SilentOwner::start().await;
        let Misled { hub, ann, reports } = misled(silent.address).await;
        set_limits(&hub, 100, 300, 100);
        let call = if path == "/send" { ann.sending("hi") } else { ann.call(method, path) };
        let reply = call.at(hub.address).await;
        assert_eq!((reply.status, reply.json()["code"].as_str()), (503, Some("overloaded")), "{path}: {reply:?}");
        assert!(reply.body.contains(text), "{path}: {}", reply.body);
        assert_eq!(silent.forwarded.load(Relaxed), 1, "{path}");
        assert!(reports.load(Relaxed) >= 1, "{path}");
        // Nobody waits as long as the first request again.
        let reply = ann.at(&hub, "GET", "/listen").await;
        assert!(reply.status == 503 && reply.body.contains("nothing was done"), "{path}: {reply:?}");
        assert_eq!(silent.forwarded.load(Relaxed), 1, "{path}");
    }
}

#[actix_web::test]
async fn c13_requests_for_a_silent_owner_wait_until_it_answers() {
    let silent = SilentOwner::start().await;
    let Misled { hub, ann, .. } = misled(silent.address).await;
    set_limits(&hub, 100, 300, 600_000);
    assert_eq!(ann.sending("hi").at(hub.address).await.status, 503);
    for call in [ann.sending("again"), ann.call("GET", "/listen")] {
        silent.answers.store(true, Relaxed);
        assert_eq!(call.at(hub.address).await.status, 200);
    }
    assert_eq!(silent.forwarded.load(Relaxed), 3, "each was sent once");
}

#[actix_web::test]
async fn c13_requests_for_an_owner_that_was_declared_ended_wait_no_longer() {
    let silent = SilentOwner::start().await;
    let Misled { hub, ann, .. } = misled(silent.address).await;
    set_limits(&hub, 600_000, 600_000, 600_000);
    let waiting = ["/wait", "/stream"].map(|path| actix_web::rt::spawn(ann.call("GET", path).at(hub.address)));
    let sending = actix_web::rt::spawn(ann.sending("hi").at(hub.address));
    wait_until("all should wait for the owner", || silent.forwarded.load(Relaxed) == 3).await;
    // Another hub has declared that.
    hub.log.write_fact(Fact::InstanceEnded { instance: 77 }).await.unwrap();
    for reply in join_all(waiting.into_iter().chain([sending])).await {
        let reply = reply.unwrap();
        assert!(reply.status == 503 && reply.body.contains("the outcome is unknown"), "{reply:?}");
    }
    let reply = ann.at(&hub, "GET", "/listen").await;
    assert!(reply.status == 503 && reply.body.contains("nothing was done"), "{reply:?}");
    assert_eq!(silent.forwarded.load(Relaxed), 3, "nothing is sent to it any more");
}

#[actix_web::test]
async fn c13_an_owner_that_is_silent_in_the_middle_of_a_stream_ends_it() {
    let silent = fake(|mut connection| async move {
        read_head(&mut connection).await;
        let head = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhello\r\n";
        connection.write_all(head).await.unwrap();
        std::future::pending::<()>().await;
    })
    .await;
    let Misled { hub, ann, .. } = misled(silent).await;
    set_limits(&hub, 1000, 1000, 1000);
    let mut stream = Stream::open(hub.address, ann.call("GET", "/stream")).await;
    stream.until("hello").await;
    assert!(stream.rest().await.is_err());
}

#[actix_web::test]
async fn c12_an_owner_learns_that_its_response_was_not_passed_on() {
    let ends = Arc::new(Mutex::new(Vec::new()));
    let seen = ends.clone();
    let owner = fake(move |mut connection| {
        let seen = seen.clone();
        async move {
            read_head(&mut connection).await;
            seen.lock().unwrap().push(None);
            let end = connection.read(&mut [0; 1]).await.map_err(|error| error.kind());
            seen.lock().unwrap().push(Some(end));
        }
    })
    .await;
    let Misled { hub, ann, .. } = misled(owner).await;
    let mut connection = Connection::open(hub.address).await;
    let mut waiting = Box::pin(connection.start(ann.call("GET", "/wait")));
    tokio::select! {
        _ = &mut waiting => panic!("the owner does not respond"),
        () = wait_until("the owner should have the request", || !ends.lock().unwrap().is_empty()) => {}
    }
    drop(waiting);
    drop(connection);
    wait_until("the connection should end", || ends.lock().unwrap().len() == 2).await;
    // A connection that is merely closed would look like that of a client that has the response.
    assert_eq!(ends.lock().unwrap()[1], Some(Err(ErrorKind::ConnectionReset)));
}

#[actix_web::test]
async fn c13_a_quiet_owner_that_answers_when_asked_is_waited_for() {
    let shared = Shared::new();
    let (a, b) = (shared.hub().await, shared.hub().await);
    let channel = a.channel().await;
    let (ann, bob) = (channel.join(&a, "ann").await, channel.join(&a, "bob").await);
    set_limits(&b, 5, 60_000, 60_000);
    let polling = actix_web::rt::spawn(bob.call("GET", "/listen?timeout=2").at(b.address));
    let timed_out = polling.await.unwrap().ok();
    assert_eq!(timed_out["timed_out"], true, "asked some hundred times meanwhile");
    ann.send(&b, "hi").await;
}

#[actix_web::test]
async fn c13_a_response_that_ends_too_early_is_incomplete_for_the_client_too() {
    for head in ["content-length: 100\r\n\r\nhello", "transfer-encoding: chunked\r\n\r\n5\r\nhello\r\n"] {
        let dying = fake(move |mut connection| async move {
            read_head(&mut connection).await;
            connection.write_all(format!("HTTP/1.1 200 OK\r\n{head}").as_bytes()).await.unwrap();
        })
        .await;
        let Misled { hub, ann, .. } = misled(dying).await;
        let mut stream = Stream::open(hub.address, ann.call("GET", "/history")).await;
        assert_eq!(stream.status, 200);
        stream.until("hello").await;
        assert!(stream.rest().await.is_err(), "{head}");
    }
}

#[actix_web::test]
async fn c13_an_owner_that_ends_before_it_answers_leaves_the_outcome_unknown() {
    let dying = fake(|mut connection| async move { drop(read_head(&mut connection).await) }).await;
    let Misled { hub, ann, reports } = misled(dying).await;
    let reply = ann.sending("hi").at(hub.address).await;
    assert_eq!(reply.status, 503);
    assert!(reply.body.contains("the outcome is unknown"), "{}", reply.body);
    assert!(reply.body.contains(r#""outcome":"unknown""#), "{}", reply.body);
    assert_eq!(reports.load(Relaxed), 1);
}

#[actix_web::test]
async fn c11_an_owner_that_does_not_trust_this_hub_is_no_fault_of_the_client() {
    let strict = fake(|mut connection| async move {
        read_head(&mut connection).await;
        connection.write_all(b"HTTP/1.1 403 Forbidden\r\ncontent-length: 0\r\n\r\n").await.unwrap();
        std::future::pending::<()>().await;
    })
    .await;
    let Misled { hub, ann, .. } = misled(strict).await;
    let reply = ann.sending("hi").at(hub.address).await;
    assert_eq!((reply.status, reply.json()["code"].as_str()), (503, Some("overloaded")), "{reply:?}");
}

#[actix_web::test]
async fn c10_a_request_with_more_headers_than_can_be_forwarded_is_refused_as_such() {
    let (_reserved, closed) = closed_port();
    let Misled { hub, ann, .. } = misled(closed).await;
    let call = (0..89).fold(ann.call("GET", "/history"), |call, n| call.header(&format!("x-{n}"), "1"));
    let reply = call.at(hub.address).await;
    assert_eq!((reply.status, reply.json()["code"].as_str()), (400, Some("invalid")), "{reply:?}");
}

#[actix_web::test]
async fn c10_informational_responses_and_trailers_are_left_out() {
    let other = fake(|mut connection| async move {
        read_head(&mut connection).await;
        let response =
            b"HTTP/1.1 103 Early Hints\r\nlink: <x>\r\n\r\nHTTP/1.1 201 Created\r\ntransfer-encoding: chunked\r\n\
            trailer: x-sum\r\nx-kept: yes\r\n\r\n5\r\nhello\r\n0\r\nx-sum: 1\r\n\r\n";
        connection.write_all(response).await.unwrap();
        std::future::pending::<()>().await;
    })
    .await;
    let Misled { hub, ann, .. } = misled(other).await;
    let reply = ann.at(&hub, "GET", "/history").await;
    assert_eq!((reply.status, &*reply.body, reply.header("x-kept")), (201, "hello", Some("yes")));
    assert!(reply.header("trailer").is_none() && reply.header("link").is_none());
}

#[actix_web::test]
async fn c12_a_client_that_leaves_closes_the_connection_to_the_owner() {
    let ended = Arc::new(AtomicUsize::new(0));
    let count = ended.clone();
    let waiting = fake(move |mut connection| {
        let count = count.clone();
        async move {
            read_head(&mut connection).await;
            count.fetch_add(1, Relaxed);
            let mut rest = [0];
            let _ = connection.read(&mut rest).await;
            count.fetch_add(10, Relaxed);
        }
    })
    .await;
    let Misled { hub, ann, .. } = misled(waiting).await;
    set_limits(&hub, 600_000, 1, 1);
    let polling = actix_web::rt::spawn(ann.call("GET", "/wait").at(hub.address));
    wait_until("the request should arrive", || ended.load(Relaxed) == 1).await;
    polling.abort();
    wait_until("its connection should be closed", || ended.load(Relaxed) == 11).await;
}
