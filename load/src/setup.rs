//! Before the load: making channels and joining agents, several at once, each on a connection of its own.

use std::sync::{Mutex, PoisonError};

use futures_util::stream::{self, StreamExt as _, TryStreamExt as _};
use rogerrat_client::http::{HttpError, expect_success};
use serde::Deserialize;

use super::http_connection::Line;
use super::run_state::RunState;
use super::target::{Durability, Session, Target};

/// Channels that are made at once.
const AT_ONCE: usize = 16;

#[derive(Deserialize)]
pub(super) struct Created {
    pub(super) channel_id: String,
    pub(super) join_token: String,
}

#[derive(Deserialize)]
struct Joined {
    session_id: String,
}

/// Makes channels with agents on them.
pub(super) struct Setup<'a> {
    target: &'a Target,
    /// Whether every join counts for the run_state's population.
    counts: bool,
    run_state: &'a RunState,
    durability: Option<Durability>,
    /// Lines that nobody uses at the moment.
    lines: Mutex<Vec<Line>>,
}

impl<'a> Setup<'a> {
    pub(super) fn new(target: &'a Target, run_state: &'a RunState, durability: Option<Durability>) -> Self {
        Self { target, run_state, durability, counts: true, lines: Mutex::default() }
    }

    /// One that leaves the population alone.
    pub(super) fn silent(target: &'a Target, run_state: &'a RunState, durability: Option<Durability>) -> Self {
        Self { counts: false, ..Self::new(target, run_state, durability) }
    }

    /// Channel after channel, with the agents that `callsigns` names for it, in this order.
    pub(super) async fn channels(
        &self,
        count: usize,
        callsigns: impl Fn(usize) -> Vec<String>,
    ) -> Result<Vec<Vec<Session>>, HttpError> {
        let callsigns = &callsigns;
        let channel = |index: usize| async move {
            let mut line = self.line();
            let sessions = self.channel(&mut line, &callsigns(index)).await;
            self.lines.lock().unwrap_or_else(PoisonError::into_inner).push(line);
            sessions
        };
        stream::iter(0..count).map(channel).buffered(AT_ONCE).try_collect().await
    }

    fn line(&self) -> Line {
        let idle = self.lines.lock().unwrap_or_else(PoisonError::into_inner).pop();
        idle.unwrap_or_else(|| self.target.line())
    }

    async fn channel(&self, line: &mut Line, callsigns: &[String]) -> Result<Vec<Session>, HttpError> {
        let created = create(line, self.target, self.durability, None).await?;
        let mut sessions = Vec::with_capacity(callsigns.len());
        for callsign in callsigns {
            sessions.push(join(line, self.target, &created, callsign).await?);
            if self.counts {
                self.run_state.grow();
            }
        }
        Ok(sessions)
    }
}

/// A new channel.
pub(super) async fn create(
    line: &mut Line,
    target: &Target,
    durability: Option<Durability>,
    ttl_s: Option<u32>,
) -> Result<Created, HttpError> {
    let (status, body) = line.call(&target.create_request(durability, ttl_s)).await?;
    read("create channel", status, body)
}

/// An agent joins.
pub(super) async fn join(
    line: &mut Line,
    target: &Target,
    channel: &Created,
    callsign: &str,
) -> Result<Session, HttpError> {
    let Created { channel_id, join_token } = channel;
    let (status, body) = line.call(&target.join_request(channel_id, join_token, callsign)).await?;
    let Joined { session_id } = read("join", status, body)?;
    Ok(Session { channel_id: channel_id.clone(), join_token: join_token.clone(), session_id })
}

fn read<T: for<'de> Deserialize<'de>>(what: &'static str, status: u16, body: &[u8]) -> Result<T, HttpError> {
    expect_success(what, status, body)?;
    serde_json::from_slice(body).map_err(|error| HttpError::InvalidResponse(format!("{what}: {error}")))
}
