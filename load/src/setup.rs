//! Creates channels and joins agents before the load, several at the same time.

use std::sync::{Mutex, PoisonError};

use futures_util::stream::{self, StreamExt as _, TryStreamExt as _};
use rogerrat_client::http::{HttpError, expect_success};
use serde::Deserialize;

use super::http_connection::HttpConnection;
use super::scenario::ServerContext;
use super::target::{Durability, Session, Target};

/// Channels that are created at the same time.
const CONCURRENCY: usize = 16;

/// A new channel.
#[derive(Deserialize)]
pub(super) struct Created {
    pub(super) channel_id: String,
    pub(super) join_token: String,
}

#[derive(Deserialize)]
struct Joined {
    session_id: String,
}

/// Creates channels with agents.
pub(super) struct Setup<'a> {
    server: &'a ServerContext,
    /// Whether every join counts for the population.
    counts: bool,
    /// By hub.
    idle_connections: Vec<Mutex<Vec<HttpConnection>>>,
}

impl<'a> Setup<'a> {
    pub(super) fn new(server: &'a ServerContext) -> Self {
        let idle_connections = (0..server.hubs()).map(|_| Mutex::default()).collect();
        Self { server, counts: true, idle_connections }
    }

    /// Does not count joins, for scenarios whose population is not agents.
    pub(super) fn uncounted(server: &'a ServerContext) -> Self {
        Self { counts: false, ..Self::new(server) }
    }

    /// Creates `count` channels; the agents with the callsigns of each join in this order.
    pub(super) async fn channels(
        &self,
        count: usize,
        callsigns: impl Fn(usize) -> Vec<String>,
    ) -> Result<Vec<Vec<Session>>, HttpError> {
        let callsigns = &callsigns;
        let channel = |index: usize| async move {
            let hub = self.server.owner(index);
            let mut connection = self.connection(hub);
            let sessions = self.channel(hub, &mut connection, &callsigns(index)).await;
            self.idle_connections[hub].lock().unwrap_or_else(PoisonError::into_inner).push(connection);
            sessions
        };
        stream::iter(0..count).map(channel).buffered(CONCURRENCY).try_collect().await
    }

    fn connection(&self, hub: usize) -> HttpConnection {
        let idle = self.idle_connections[hub].lock().unwrap_or_else(PoisonError::into_inner).pop();
        idle.unwrap_or_else(|| self.server.hub(hub).connection())
    }

    async fn channel(
        &self,
        hub: usize,
        connection: &mut HttpConnection,
        callsigns: &[String],
    ) -> Result<Vec<Session>, HttpError> {
        let target = self.server.hub(hub);
        let created = create(connection, target, self.server.durability, None).await?;
        let mut sessions = Vec::with_capacity(callsigns.len());
        for callsign in callsigns {
            sessions.push(join(connection, target, &created, callsign).await?);
            if self.counts {
                self.server.run_state.grow_population();
            }
        }
        Ok(sessions)
    }
}

pub(super) async fn create(
    connection: &mut HttpConnection,
    target: &Target,
    durability: Option<Durability>,
    ttl_s: Option<u32>,
) -> Result<Created, HttpError> {
    let (status, body) = connection.call(&target.create_request(durability, ttl_s)).await?;
    parse("create channel", status, body)
}

/// Joins an agent.
pub(super) async fn join(
    connection: &mut HttpConnection,
    target: &Target,
    channel: &Created,
    callsign: &str,
) -> Result<Session, HttpError> {
    let Created { channel_id, join_token } = channel;
    let (status, body) = connection.call(&target.join_request(channel_id, join_token, callsign)).await?;
    let Joined { session_id } = parse("join", status, body)?;
    Ok(Session { channel_id: channel_id.clone(), join_token: join_token.clone(), session_id })
}

fn parse<T: for<'de> Deserialize<'de>>(what: &'static str, status: u16, body: &[u8]) -> Result<T, HttpError> {
    expect_success(what, status, body)?;
    serde_json::from_slice(body).map_err(|error| HttpError::InvalidResponse(format!("{what}: {error}")))
}
