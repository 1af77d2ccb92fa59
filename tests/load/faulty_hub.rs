//! A small hub with a fault: it loses, duplicates, reorders or misdelivers every eleventh message and reports success.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::sync_channel;
use std::sync::{Arc, Mutex};

use actix_web::dev::ServerHandle;
use actix_web::{App, HttpRequest, HttpResponse, HttpServer, rt, web};
use serde_json::{Value, json};
use tokio::sync::Notify;
use tokio::time::{Duration, timeout};

/// What goes wrong with every eleventh message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    None,
    Lose,
    Double,
    /// The message is delivered after the next one.
    Swap,
    /// The message is delivered to another member.
    Misdeliver,
    /// The end of the text is missing.
    Cut,
}

const EVERY: u64 = 11;

#[derive(Default)]
struct Mailbox {
    queue: Mutex<Vec<Value>>,
    delayed: Mutex<Option<Value>>,
    arrived: Notify,
}

struct Hub {
    fault: Fault,
    count: AtomicU64,
    /// By session.
    members: Mutex<HashMap<String, Member>>,
}

/// Channel, callsign, and undelivered messages.
type Member = (String, String, Arc<Mailbox>);

/// A running hub with a fault. It is stopped when dropped.
pub(crate) struct FaultyHub {
    pub(crate) url: String,
    handle: ServerHandle,
}

impl Drop for FaultyHub {
    fn drop(&mut self) {
        drop(self.handle.stop(false));
    }
}

impl FaultyHub {
    pub(crate) fn start(fault: Fault) -> Self {
        let (started, is_started) = sync_channel(1);
        std::thread::spawn(move || {
            rt::System::new().block_on(async move {
                let hub = web::Data::new(Hub { fault, count: AtomicU64::new(1), members: Mutex::default() });
                let server = HttpServer::new(move || {
                    App::new()
                        .app_data(hub.clone())
                        .route("/api/channels", web::post().to(create))
                        .route("/api/channels/{id}/join", web::post().to(join))
                        .route("/api/channels/{id}/send", web::post().to(send))
                        .route("/api/channels/{id}/leave", web::post().to(leave))
                        .route("/api/channels/{id}/listen", web::get().to(listen))
                        .route("/api/channels/{id}/wait", web::get().to(listen))
                });
                let server = server.workers(1).disable_signals().bind("127.0.0.1:0").unwrap();
                let url = format!("http://{}", server.addrs()[0]);
                let server = server.run();
                started.send(Self { url, handle: server.handle() }).unwrap_or_else(|_| panic!("the test has ended"));
                server.await
            })
        });
        is_started.recv().unwrap()
    }
}

async fn create(hub: web::Data<Hub>) -> HttpResponse {
    let id = hub.count.fetch_add(1, Ordering::Relaxed);
    HttpResponse::Ok().json(json!({"channel_id": format!("faulty-{id}"), "join_token": "t"}))
}

async fn join(hub: web::Data<Hub>, channel: web::Path<String>, body: web::Json<Value>) -> HttpResponse {
    let session = format!("session-{}", hub.count.fetch_add(1, Ordering::Relaxed));
    let callsign = body["callsign"].as_str().unwrap().to_owned();
    hub.members.lock().unwrap().insert(session.clone(), (channel.into_inner(), callsign, Arc::default()));
    HttpResponse::Ok().json(json!({"session_id": session}))
}

async fn leave() -> HttpResponse {
    HttpResponse::Ok().json(json!({"ok": true}))
}

fn session(request: &HttpRequest) -> String {
    request.headers().get("x-session-id").unwrap().to_str().unwrap().to_owned()
}

async fn send(hub: web::Data<Hub>, request: HttpRequest, body: web::Json<Value>) -> HttpResponse {
    let id = hub.count.fetch_add(1, Ordering::Relaxed);
    let members = hub.members.lock().unwrap();
    let (channel, from, _) = &members[&session(&request)];
    let to = body["to"].as_str().unwrap();
    let mut message = json!({"id": id, "from": from, "to": to, "text": body["message"], "at": id});
    let number = body["message"].as_str().and_then(|text| text.split(' ').next()?.parse::<u64>().ok()).unwrap_or(0);
    let fault = if number > 0 && number.is_multiple_of(EVERY) { hub.fault } else { Fault::None };
    let receiver = |name: &str| members.values().find(|member| member.0 == *channel && member.1 == name);
    let wrong = members.values().find(|member| member.0 == *channel && member.1 != to).map(|member| &member.1);
    let receiver_name = if fault == Fault::Misdeliver { wrong.map_or(to, String::as_str) } else { to };
    if fault == Fault::Cut {
        message["text"] = json!(message["text"].as_str().unwrap().trim_end_matches('.'));
    }
    if let Some((_, _, mailbox)) = receiver(receiver_name) {
        let mut queue = mailbox.queue.lock().unwrap();
        let mut delayed = mailbox.delayed.lock().unwrap();
        match fault {
            Fault::Lose => {}
            Fault::Swap => *delayed = Some(message),
            Fault::Double => queue.extend([message.clone(), message]),
            _ => queue.push(message),
        }
        if fault != Fault::Swap {
            queue.extend(delayed.take());
        }
        mailbox.arrived.notify_one();
    }
    HttpResponse::Ok().json(json!({"ok": true, "id": id, "at": id, "queued": false, "to": to}))
}

async fn listen(hub: web::Data<Hub>, request: HttpRequest, query: web::Query<HashMap<String, String>>) -> HttpResponse {
    let mailbox = hub.members.lock().unwrap()[&session(&request)].2.clone();
    let seconds = query["timeout"].parse().unwrap();
    let take = || std::mem::take(&mut *mailbox.queue.lock().unwrap());
    let mut messages = take();
    if messages.is_empty() {
        let _ = timeout(Duration::from_secs(seconds), mailbox.arrived.notified()).await;
        messages = take();
    }
    HttpResponse::Ok().json(json!({"messages": messages, "timed_out": messages.is_empty()}))
}
