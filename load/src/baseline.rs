//! The baseline under a hub on actix-web: the same requests and the same reply sizes on 127.0.0.1.
//! It checks no token and has no actors, roster, history or persistence; what a hub costs above it is its own doing.

mod mailbox;

use std::collections::{HashMap, VecDeque};
use std::convert::Infallible;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, RwLock};
use std::time::Duration;

use actix_web::dev::Server;
use actix_web::{App, HttpRequest, HttpResponse, HttpServer, web};
use futures_util::stream;
use mailbox::{Mailbox, Note};
use serde::Deserialize;
use serde_json::json;

/// Agents that may join; afterwards joining is refused.
const AGENTS: usize = 1_000_000;
/// Connections of one worker.
const CONNECTIONS: usize = 400_000;
const BACKLOG: u32 = 4096;
const KEEP_ALIVE: Duration = Duration::from_secs(75);
const SHUTDOWN_S: u64 = 1;
const LISTEN_S: u64 = 30;
const LONGEST_LISTEN_S: u64 = 300;
/// A time of the usual length; the baseline does not look at the clock.
const AT_MS: u64 = 1_760_000_000_000;
const UNPOISONED: &str = "nothing panics while it holds the lock";

#[derive(Clone)]
struct Agent {
    callsign: Arc<str>,
    mailbox: Arc<Mailbox>,
}

#[derive(Default)]
struct Baseline {
    count: AtomicU64,
    /// By channel, those who have joined it.
    channels: RwLock<HashMap<String, Vec<Agent>>>,
    /// By session.
    agents: RwLock<HashMap<String, Agent>>,
}

impl Baseline {
    fn next(&self) -> u64 {
        self.count.fetch_add(1, Ordering::Relaxed)
    }

    fn agent(&self, request: &HttpRequest) -> Option<Agent> {
        let session = request.headers().get("x-session-id")?.to_str().ok()?;
        self.agents.read().expect(UNPOISONED).get(session).cloned()
    }
}

#[derive(Deserialize)]
struct Join {
    callsign: String,
}

#[derive(Deserialize)]
struct Send {
    to: String,
    message: String,
}

#[derive(Deserialize)]
struct Listen {
    timeout: Option<u64>,
}

/// Binds and starts; the address is known at once, also for port 0.
pub(super) fn serve(port: u16, workers: usize) -> io::Result<(Server, SocketAddr)> {
    let baseline = web::Data::new(Baseline::default());
    let server = HttpServer::new(move || App::new().app_data(baseline.clone()).configure(routes))
        .workers(workers)
        .max_connections(CONNECTIONS)
        .backlog(BACKLOG)
        .keep_alive(KEEP_ALIVE)
        .shutdown_timeout(SHUTDOWN_S)
        .bind_auto_h2c((Ipv4Addr::LOCALHOST, port))?;
    let address = server.addrs().first().copied().ok_or(io::ErrorKind::AddrNotAvailable)?;
    Ok((server.run(), address))
}

fn routes(app: &mut web::ServiceConfig) {
    app.route("/api/channels", web::post().to(create))
        .route("/api/channels/{id}/join", web::post().to(join))
        .route("/api/channels/{id}/send", web::post().to(send))
        .route("/api/channels/{id}/listen", web::get().to(listen))
        .route("/api/channels/{id}/wait", web::get().to(listen))
        .route("/api/channels/{id}/stream", web::get().to(stream));
}

async fn create(baseline: web::Data<Baseline>) -> HttpResponse {
    HttpResponse::Ok().json(json!({"channel_id": format!("baseline-{}", baseline.next()), "join_token": "t"}))
}

async fn join(baseline: web::Data<Baseline>, channel: web::Path<String>, body: web::Json<Join>) -> HttpResponse {
    let session = format!("s{}", baseline.next());
    let agent = Agent { callsign: body.into_inner().callsign.into(), mailbox: Arc::default() };
    let mut agents = baseline.agents.write().expect(UNPOISONED);
    if agents.len() >= AGENTS {
        return HttpResponse::Conflict().finish();
    }
    agents.insert(session.clone(), agent.clone());
    baseline.channels.write().expect(UNPOISONED).entry(channel.into_inner()).or_default().push(agent);
    HttpResponse::Ok().json(json!({"session_id": session}))
}

async fn send(
    baseline: web::Data<Baseline>,
    channel: web::Path<String>,
    request: HttpRequest,
    body: web::Json<Send>,
) -> HttpResponse {
    let Some(sender) = baseline.agent(&request) else {
        return HttpResponse::BadRequest().finish();
    };
    let Send { to, message } = body.into_inner();
    let id = baseline.next();
    let text = json!(message);
    let whole = format!(r#"{{"id":{id},"from":"{}","to":"{to}","text":{text},"at":{AT_MS}}}"#, sender.callsign);
    let note = Note::new(&whole, id);
    let channels = baseline.channels.read().expect(UNPOISONED);
    let members = channels.get(&channel.into_inner()).map_or(&[][..], Vec::as_slice);
    let is_to = |agent: &&Agent| if to == "all" { agent.callsign != sender.callsign } else { *agent.callsign == *to };
    // A broadcast passes by whose mailbox is full, as a ring forgets; a message does not.
    let has_room = members.iter().filter(is_to).all(|agent| agent.mailbox.put(note.clone()) || to == "all");
    if !has_room {
        return HttpResponse::Conflict().finish();
    }
    HttpResponse::Ok().json(json!({"ok": true, "id": id, "at": AT_MS, "queued": false, "to": to}))
}

/// Framed bytes as they come; it ends with its client.
async fn stream(baseline: web::Data<Baseline>, request: HttpRequest) -> HttpResponse {
    let Some(agent) = baseline.agent(&request) else {
        return HttpResponse::BadRequest().finish();
    };
    let events = stream::unfold((agent.mailbox, VecDeque::<Note>::new()), async |(mailbox, mut ready)| {
        while ready.is_empty() {
            ready = mailbox.wait(Duration::from_secs(LONGEST_LISTEN_S)).await;
        }
        let frame = ready.pop_front().map(|note| Ok::<_, Infallible>(note.frame))?;
        Some((frame, (mailbox, ready)))
    });
    HttpResponse::Ok().content_type("text/event-stream").streaming(events)
}

async fn listen(baseline: web::Data<Baseline>, request: HttpRequest, query: web::Query<Listen>) -> HttpResponse {
    let Some(agent) = baseline.agent(&request) else {
        return HttpResponse::BadRequest().finish();
    };
    let timeout_s = query.timeout.unwrap_or(LISTEN_S).clamp(1, LONGEST_LISTEN_S);
    let timeout = Duration::from_secs(timeout_s);
    let messages = agent.mailbox.wait(timeout).await;
    HttpResponse::Ok().content_type("application/json").body(poll_reply(&messages))
}

fn poll_reply(messages: &VecDeque<Note>) -> Vec<u8> {
    let mut body = br#"{"messages":["#.to_vec();
    for (index, note) in messages.iter().enumerate() {
        if index > 0 {
            body.push(b',');
        }
        body.extend_from_slice(&note.json);
    }
    let end: &[u8] = if messages.is_empty() { br#"],"timed_out":true}"# } else { br#"],"timed_out":false}"# };
    body.extend_from_slice(end);
    body
}
