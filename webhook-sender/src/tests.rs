//! The sender over real sockets: it connects only to addresses that were checked.

use std::collections::HashMap;
use std::net::{IpAddr, SocketAddr};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use rogerrat_domain::webhook::{Delivery, HookId, MESSAGE_RECEIVED, Secret, WebhookBody};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

use super::guard_tests::Names;
use super::*;

/// A receiver at an address, which always sends `answer`. Returns its address and its number of requests.
async fn receiver(ip: &str, answer: &'static [u8]) -> (SocketAddr, Arc<AtomicUsize>) {
    let listener = TcpListener::bind((ip, 0)).await.unwrap();
    let (address, got) = (listener.local_addr().unwrap(), Arc::new(AtomicUsize::default()));
    let count = got.clone();
    actix_rt::spawn(async move {
        while let Ok((mut socket, _)) = listener.accept().await {
            count.fetch_add(1, Relaxed);
            let mut head = [0; 4096];
            let _ = socket.read(&mut head).await;
            let _ = socket.write_all(answer).await;
            let _ = socket.shutdown().await;
        }
    });
    (address, got)
}

fn request(url: &str) -> WebhookRequest {
    let secret = Secret::from_bytes([7; 24]);
    WebhookRequest {
        url: url.into(),
        event: "message.received".into(),
        id: "whd_1".into(),
        at_s: 5,
        headers: HookHeaders::default(),
        body: WebhookBody {
            hook: HookId::from_random(1),
            delivery: Delivery::due(1, MESSAGE_RECEIVED, None, None, 5),
            message: b"{}".to_vec(),
            template: None,
        },
        plain: secret.clone(),
        standard: vec![secret],
    }
}

const OK: &[u8] = b"HTTP/1.1 204 No Content\r\n\r\n";

fn resolver(answers: Vec<Vec<&'static str>>) -> Arc<Names> {
    Arc::new(Names(Mutex::new(HashMap::from([("hook.example", answers)])), AtomicUsize::default()))
}

/// A guard for which 127.0.0.2 is public and 127.0.0.1 private.
fn guard(names: Arc<Names>) -> SsrfGuard {
    SsrfGuard::new(&["127.0.0.2/32".parse().unwrap()], super::guard_tests::usual_ports(), false, names)
}

#[actix_rt::test]
async fn a_name_that_changes_between_subscription_and_attempt_is_refused() {
    let (private, got) = receiver("127.0.0.1", OK).await;
    let names = resolver(vec![vec!["127.0.0.2"], vec!["127.0.0.1"]]);
    let sender = HttpWebhookSender::start(guard(names), tls_config().unwrap());
    let url = format!("http://hook.example:{}/", private.port());
    sender.check(url.as_str().into()).await.unwrap();
    assert_eq!(sender.post(request(&url)).await, AttemptOutcome::Forbidden);
    assert_eq!(got.load(Relaxed), 0);
}

#[actix_rt::test]
async fn the_name_is_resolved_once_between_check_and_connection() {
    let (public, got) = receiver("127.0.0.2", OK).await;
    // A second query would return a private address.
    let names = resolver(vec![vec!["127.0.0.2"], vec!["127.0.0.1"]]);
    let sender = HttpWebhookSender::start(guard(names.clone()), tls_config().unwrap());
    let url = format!("http://hook.example:{}/", public.port());
    assert_eq!(sender.post(request(&url)).await, AttemptOutcome::Answered(204));
    assert_eq!((got.load(Relaxed), names.1.load(Relaxed)), (1, 1), "the name is resolved once");
    assert_eq!(sender.post(request(&url)).await, AttemptOutcome::Forbidden, "no earlier connection is reused");
}

#[actix_rt::test]
async fn a_name_with_one_private_address_is_refused() {
    let (public, got) = receiver("127.0.0.2", OK).await;
    let sender = HttpWebhookSender::start(guard(resolver(vec![vec!["127.0.0.2", "127.0.0.1"]])), tls_config().unwrap());
    let url = format!("http://hook.example:{}/", public.port());
    assert_eq!(sender.post(request(&url)).await, AttemptOutcome::Forbidden);
    let refused = sender.check(url.as_str().into()).await.unwrap_err();
    assert_eq!((refused.code, got.load(Relaxed)), (Code::Invalid, 0));
    assert!(!refused.text.contains("127"), "the refusal must not reveal the private address");
}

#[actix_rt::test]
async fn the_next_address_is_tried_when_a_connection_fails() {
    let (public, got) = receiver("127.0.0.2", OK).await;
    let allow = ["127.0.0.2/32".parse().unwrap(), "127.0.0.3/32".parse().unwrap()];
    let names = resolver(vec![vec!["127.0.0.3", "127.0.0.2"]]);
    let sender = HttpWebhookSender::start(
        SsrfGuard::new(&allow, super::guard_tests::usual_ports(), false, names),
        tls_config().unwrap(),
    );
    let outcome = sender.post(request(&format!("http://hook.example:{}/", public.port()))).await;
    assert_eq!((outcome, got.load(Relaxed)), (AttemptOutcome::Answered(204), 1));
}

#[actix_rt::test]
async fn a_redirect_is_not_followed() {
    let (private, got) = receiver("127.0.0.1", OK).await;
    let moved = format!("HTTP/1.1 307 Moved\r\nLocation: http://127.0.0.1:{}/\r\n\r\n", private.port());
    let (public, _) = receiver("127.0.0.2", Box::leak(moved.into_boxed_str()).as_bytes()).await;
    let sender = HttpWebhookSender::start(guard(resolver(vec![vec!["127.0.0.2"]])), tls_config().unwrap());
    let outcome = sender.post(request(&format!("http://hook.example:{}/", public.port()))).await;
    assert_eq!((outcome, got.load(Relaxed)), (AttemptOutcome::Answered(307), 0));
}

#[actix_rt::test]
async fn retry_after_is_part_of_the_outcome() {
    let (public, _) = receiver("127.0.0.2", b"HTTP/1.1 429 Slow\r\nRetry-After: 30\r\nContent-Length: 0\r\n\r\n").await;
    let sender = HttpWebhookSender::start(guard(resolver(vec![vec!["127.0.0.2"]])), tls_config().unwrap());
    let outcome = sender.post(request(&format!("http://hook.example:{}/", public.port()))).await;
    assert_eq!(outcome, AttemptOutcome::Postponed(429, 30));
}

#[actix_rt::test]
async fn a_broken_or_invalid_response_counts_as_unreachable() {
    for answer in [&b""[..], b"rubbish\r\n\r\n", b"HTTP/1.1 200"] {
        let (public, _) = receiver("127.0.0.2", answer).await;
        let sender = HttpWebhookSender::start(guard(resolver(vec![vec!["127.0.0.2"]])), tls_config().unwrap());
        let outcome = sender.post(request(&format!("http://hook.example:{}/", public.port()))).await;
        assert_eq!(outcome, AttemptOutcome::Unreachable, "{answer:?}");
    }
    let address: IpAddr = "127.0.0.2".parse().unwrap();
    let free = TcpListener::bind((address, 0)).await.unwrap().local_addr().unwrap();
    let sender = HttpWebhookSender::start(guard(resolver(vec![vec!["127.0.0.2"]])), tls_config().unwrap());
    assert_eq!(
        sender.post(request(&format!("http://hook.example:{}/", free.port()))).await,
        AttemptOutcome::Unreachable
    );
}
