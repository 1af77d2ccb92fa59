//! Before the load: making channels and joining agents, one request after the other on one connection.

use super::target::{Durability, Session, Target};
use crate::cli::client::Connection;
use crate::cli::client::{Fault, expect_success};
use serde::Deserialize;

#[derive(Deserialize)]
struct Created {
    channel_id: String,
    join_token: String,
}

#[derive(Deserialize)]
struct Joined {
    session_id: String,
}

pub(super) struct Setup<'a> {
    target: &'a Target,
    connection: Connection,
}

impl<'a> Setup<'a> {
    pub(super) fn new(target: &'a Target) -> Self {
        Self { target, connection: target.connection() }
    }

    /// A new channel with these agents on it, in this order.
    pub(super) async fn channel<I>(
        &mut self,
        durability: Option<Durability>,
        callsigns: I,
    ) -> Result<Vec<Session>, Fault>
    where
        I: IntoIterator<Item: AsRef<str>>,
    {
        let created: Created = self.ask("create channel", &self.target.create_request(durability)).await?;
        let mut sessions = Vec::new();
        for callsign in callsigns {
            sessions.push(self.join(&created, callsign.as_ref()).await?);
        }
        Ok(sessions)
    }

    async fn join(&mut self, channel: &Created, callsign: &str) -> Result<Session, Fault> {
        let Created { channel_id, join_token } = channel;
        let request = self.target.join_request(channel_id, join_token, callsign);
        let Joined { session_id } = self.ask("join", &request).await?;
        Ok(Session { channel_id: channel_id.clone(), join_token: join_token.clone(), session_id })
    }

    async fn ask<T: for<'de> Deserialize<'de>>(&mut self, what: &'static str, request: &[u8]) -> Result<T, Fault> {
        let (status, body) = self.connection.call(request).await?;
        expect_success(what, status, body)?;
        serde_json::from_slice(body).map_err(|cause| Fault::Garbled(format!("{what}: {cause}")))
    }
}
