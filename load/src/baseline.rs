//! The baseline: a bare actix-web server on 127.0.0.1 with the same requests and the same response sizes as a hub.
//!
//! It checks no token and has no actors, roster, history or persistence. The difference is the cost of the hub itself.

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
use mailbox::{Mailbox, QueuedMessage};
use serde::Deserialize;
use serde_json::json;

/// Maximum agents; further joins are refused.
const AGENTS: usize = 1_000_000;
/// Maximum connections per worker.
const CONNECTIONS: usize = 400_000;
const BACKLOG: u32 = 4096;
const KEEP_ALIVE: Duration = Duration::from_secs(75);
const SHUTDOWN_S: u64 = 1;
const LISTEN_S: u64 = 30;
const MAX_LISTEN_S: u64 = 300;
/// A timestamp of realistic length; the baseline does not read the clock.
const AT_MS: u64 = 1_760_000_000_000;
const UNPOISONED: &str = "nothing panics while it holds the lock";

#[derive(Clone)]
struct Agent {
    callsign: Arc<str>,
    mailbox: Arc<Mailbox>,
}

#[derive(Default)]
struct BaselineState {
    /// The last id of a channel, a session or a message.
    last_id: AtomicU64,
    /// Members by channel.
    channels: RwLock<HashMap<String, Vec<Agent>>>,
    /// Agents by session.
    agents: RwLock<HashMap<String, Agent>>,
}

impl BaselineState {
    fn next_id(&self) -> u64 {
        self.last_id.fetch_add(1, Ordering::Relaxed)
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

/// Binds and starts the server. Returns its address, so that the caller learns the port it got for port 0.
pub(super) fn serve(port: u16, workers: usize) -> io::Result<(Server, SocketAddr)> {
    let state = web::Data::new(BaselineState::default());
    let server = HttpServer::new(move || App::new().app_data(state.clone()).configure(routes))
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

async fn create(state: web::Data<BaselineState>) -> HttpResponse {
    HttpResponse::Ok().json(json!({"channel_id": format!("baseline-{}", state.next_id()), "join_token": "t"}))
}

async fn join(state: web::Data<BaselineState>, channel: web::Path<String>, body: web::Json<Join>) -> HttpResponse {
    let session = format!("s{}", state.next_id());
    let agent = Agent { callsign: body.into_inner().callsign.into(), mailbox: Arc::default() };
    let mut agents = state.agents.write().expect(UNPOISONED);
    if agents.len() >= AGENTS {
        return HttpResponse::Conflict().finish();
    }
    agents.insert(session.clone(), agent.clone());
    state.channels.write().expect(UNPOISONED).entry(channel.into_inner()).or_default().push(agent);
    HttpResponse::Ok().json(json!({"session_id": session}))
}

async fn send(
    state: web::Data<BaselineState>,
    channel: web::Path<String>,
    request: HttpRequest,
    body: web::Json<Send>,
) -> HttpResponse {
    let Some(sender) = state.agent(&request) else {
        return HttpResponse::BadRequest().finish();
    };
    let Send { to, message } = body.into_inner();
    let id = state.next_id();
    let text = json!(message);
    let json = format!(r#"{{"id":{id},"from":"{}","to":"{to}","text":{text},"at":{AT_MS}}}"#, sender.callsign);
    let queued = QueuedMessage::new(&json, id);
    let channels = state.channels.read().expect(UNPOISONED);
    let members = channels.get(&channel.into_inner()).map_or(&[][..], Vec::as_slice);
    let is_to = |agent: &&Agent| if to == "all" { agent.callsign != sender.callsign } else { *agent.callsign == *to };
    // A broadcast skips full mailboxes, like the ring of a hub drops old messages. A direct message fails.
    let has_capacity = members.iter().filter(is_to).all(|agent| agent.mailbox.put(queued.clone()) || to == "all");
    if !has_capacity {
        return HttpResponse::Conflict().finish();
    }
    HttpResponse::Ok().json(json!({"ok": true, "id": id, "at": AT_MS, "queued": false, "to": to}))
}

/// Streams framed messages until the client disconnects.
async fn stream(state: web::Data<BaselineState>, request: HttpRequest) -> HttpResponse {
    let Some(agent) = state.agent(&request) else {
        return HttpResponse::BadRequest().finish();
    };
    let events = stream::unfold((agent.mailbox, VecDeque::<QueuedMessage>::new()), async |(mailbox, mut ready)| {
        while ready.is_empty() {
            ready = mailbox.wait(Duration::from_secs(MAX_LISTEN_S)).await;
        }
        let frame = ready.pop_front().map(|queued| Ok::<_, Infallible>(queued.frame))?;
        Some((frame, (mailbox, ready)))
    });
    HttpResponse::Ok().content_type("text/event-stream").streaming(events)
}

async fn listen(state: web::Data<BaselineState>, request: HttpRequest, query: web::Query<Listen>) -> HttpResponse {
    let Some(agent) = state.agent(&request) else {
        return HttpResponse::BadRequest().finish();
    };
    let timeout_s = query.timeout.unwrap_or(LISTEN_S).clamp(1, MAX_LISTEN_S);
    let timeout = Duration::from_secs(timeout_s);
    let messages = agent.mailbox.wait(timeout).await;
    HttpResponse::Ok().content_type("application/json").body(poll_body(&messages))
}

fn poll_body(messages: &VecDeque<QueuedMessage>) -> Vec<u8> {
    let mut body = br#"{"messages":["#.to_vec();
    for (index, queued) in messages.iter().enumerate() {
        if index > 0 {
            body.push(b',');
        }
        body.extend_from_slice(&queued.json);
    }
    let end: &[u8] = if messages.is_empty() { br#"],"timed_out":true}"# } else { br#"],"timed_out":false}"# };
    body.extend_from_slice(end);
    body
}
