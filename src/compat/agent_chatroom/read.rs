//! Reading: what is held, what comes after a place, and all that comes. Who reads is nobody, and nothing is consumed.

use std::pin::pin;
use std::time::Duration;

use actix_web::http::{StatusCode, header};
use actix_web::web::Bytes;
use actix_web::{HttpRequest, HttpResponse};
use futures_util::stream;
use rogerrat_actors::Admitted;
use rogerrat_domain::op::{Tail, TailReply};
use serde::Serialize;
use tokio::sync::watch;
use tokio::time::{sleep, timeout};

use super::gate::{No, enter, parameter, password, told};
use super::wire::{self, Said};
use crate::web::state::SharedState;

/// How often a silent stream shows that it lives.
const KEEPALIVE: Duration = Duration::from_secs(15);
/// The longest a poll may wait.
const WAIT_MAX_S: f64 = 120.0;

#[derive(Serialize)]
struct Health {
    status: &'static str,
}

#[derive(Serialize)]
struct All {
    messages: Vec<Said>,
}

#[derive(Serialize)]
struct Polled {
    messages: Vec<Said>,
    next: u64,
}

/// `GET …/health`
pub(super) async fn health() -> HttpResponse {
    wire::answer(StatusCode::OK, &Health { status: "ok" })
}

/// `GET …/messages`
pub(super) async fn messages(state: SharedState, request: HttpRequest) -> HttpResponse {
    let held = async {
        let at = enter(&state, &request).await?;
        let reply = state.hub.ask(&at, Tail { after: 0 }).await?;
        Ok(wire::answer(StatusCode::OK, &All { messages: said(&reply) }))
    };
    told(held.await)
}

/// `GET …/messages/poll?after=N`
pub(super) async fn poll(state: SharedState, request: HttpRequest) -> HttpResponse {
    let polled = async {
        let at = enter(&state, &request).await?;
        let after = place(parameter(&request, "after").as_deref())?.unwrap_or(0);
        let wait = wait(parameter(&request, "wait").as_deref())?;
        let mut follower = Follower::of(&state, &request, at, after);
        let reply = follower.wait_until(wait).await?;
        Ok(wire::answer(StatusCode::OK, &Polled { messages: said(&reply), next: reply.next }))
    };
    told(polled.await)
}

/// `GET …/messages/stream`
pub(super) async fn stream(state: SharedState, request: HttpRequest) -> HttpResponse {
    let opened = async {
        let at = enter(&state, &request).await?;
        let last = request.headers().get("last-event-id").and_then(|id| id.to_str().ok());
        let mut follower = Follower::of(&state, &request, at, u64::MAX);
        follower.after = match place(last.filter(|id| !id.is_empty()))? {
            Some(last) => last.saturating_add(1),
            // What was said before is not told again.
            None => follower.ask().await?.next,
        };
        let begin = stream::once(async { Ok::<_, std::convert::Infallible>(Bytes::from_static(b": connected\n\n")) });
        let rest =
            stream::unfold(follower, |mut follower| async move { Some((Ok(follower.frames().await?), follower)) });
        Ok(HttpResponse::Ok()
            .content_type("text/event-stream")
            .insert_header((header::CACHE_CONTROL, "no-cache, no-transform"))
            .insert_header(("x-accel-buffering", "no"))
            .streaming(futures_util::StreamExt::chain(begin, rest)))
    };
    told(opened.await)
}

fn said(reply: &TailReply) -> Vec<Said> {
    reply.messages.iter().filter_map(|(_, message)| Said::of(message)).collect()
}

/// A place in the list; none was said.
fn place(said: Option<&str>) -> Result<Option<u64>, No> {
    let wrong = || No::invalid("after must be a whole number, 0 or more");
    let Some(said) = said.map(str::trim) else { return Ok(None) };
    let is_number = !said.is_empty() && said.bytes().all(|byte| byte.is_ascii_digit());
    // What is a number and not one of ours is beyond all there is.
    if is_number { Ok(Some(said.parse().unwrap_or(u64::MAX))) } else { Err(wrong()) }
}

fn wait(said: Option<&str>) -> Result<Duration, No> {
    let seconds = said.map_or(Ok(0.0), |said| said.trim().parse::<f64>());
    let seconds = seconds.ok().filter(|seconds| seconds.is_finite() && *seconds >= 0.0);
    let seconds = seconds.ok_or_else(|| No::invalid("wait must be a number of seconds, 0 or more"))?;
    Ok(Duration::from_secs_f64(seconds.min(WAIT_MAX_S)))
}

/// What lets a follower in again.
enum Pass {
    /// The channel's token. It may be another one by now.
    Token(Option<String>),
    /// The room at the root, whose password stays as long as the hub runs.
    Root,
}

/// Who follows a room from a place on. It holds nothing: what comes is read from the channel when its reader is ready for it.
struct Follower {
    state: SharedState,
    at: Admitted,
    pass: Pass,
    news: watch::Receiver<u64>,
    after: u64,
}

impl Follower {
    fn of(state: &SharedState, request: &HttpRequest, at: Admitted, after: u64) -> Self {
        let pass = request.match_info().get("id").map_or(Pass::Root, |_| Pass::Token(password(request)));
        Self { state: state.clone(), news: state.hub.news(&at), at, pass, after }
    }

    /// What there is now, for who may still have it.
    async fn ask(&mut self) -> Result<TailReply, No> {
        self.find_again().await?;
        self.news.borrow_and_update();
        Ok(self.state.hub.ask(&self.at, Tail { after: self.after }).await?)
    }

    /// Comes in again: the channel may have left memory and come back, or have gone, or have another token.
    async fn find_again(&mut self) -> Result<(), No> {
        let (hub, id) = (&self.state.hub, self.at.id().as_str());
        self.at = match &self.pass {
            Pass::Token(token) => hub.admit(id, token.as_deref()).await?,
            Pass::Root => hub.find(id).await?,
        };
        self.news = self.state.hub.news(&self.at);
        Ok(())
    }

    /// What there is, or what comes in time.
    async fn wait_until(&mut self, wait: Duration) -> Result<TailReply, No> {
        let mut is_over = wait.is_zero();
        let mut deadline = pin!(sleep(wait));
        loop {
            let reply = self.ask().await?;
            if !reply.messages.is_empty() || is_over || self.state.hub.is_draining() {
                return Ok(reply);
            }
            self.after = self.after.min(reply.next);
            tokio::select! {
                // Without news, too, it comes in again now and then.
                _ = timeout(KEEPALIVE, self.news.changed()) => {}
                () = &mut deadline => is_over = true,
            }
        }
    }

    /// The next frames of a stream; none when it is over.
    async fn frames(&mut self) -> Option<Bytes> {
        loop {
            if self.state.hub.is_draining() {
                return None;
            }
            let TailReply { messages, next } = self.ask().await.ok()?;
            self.after = next;
            if !messages.is_empty() {
                let frames = messages.iter().filter_map(|(place, message)| {
                    Some(format!("id: {place}\ndata: {}\n\n", wire::json(&Said::of(message)?)))
                });
                return Some(frames.collect::<String>().into());
            }
            if timeout(KEEPALIVE, self.news.changed()).await.is_err() {
                self.find_again().await.ok()?;
                return Some(Bytes::from_static(b": keepalive\n\n"));
            }
        }
    }
}
