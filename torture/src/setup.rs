//! Before the first kill: channels, members and consumers, so that everybody was there before anything is sent.

use std::net::SocketAddr;

use rogerrat_client::http::{Connection, expect_success};
use serde::Deserialize;

use super::args::TortureArgs;
use super::caller::{Answer, Pass, request};
use super::oracle::{ChannelNo, ConsumerNo, Oracle, Reading};

/// The second cursor of a member that has one.
pub(super) const TAPE: &str = "tape";
const DAY_S: u32 = 86_400;

#[derive(Deserialize)]
struct Created {
    channel_id: String,
    join_token: String,
}

#[derive(Deserialize)]
struct Joined {
    session_id: String,
    idx: u64,
}

/// How a reader reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Behaviour {
    Listen,
    Stream,
    ResumingStream,
    Manual,
    /// Automatic polls, and acknowledged ones with a second cursor.
    WaitWithTape,
}

/// They take turns.
const HABITS: [Behaviour; 5] =
    [Behaviour::Listen, Behaviour::Manual, Behaviour::ResumingStream, Behaviour::WaitWithTape, Behaviour::Stream];

impl Behaviour {
    fn reading(self) -> Reading {
        match self {
            Self::Listen | Self::Stream | Self::WaitWithTape => Reading::Automatic,
            Self::ResumingStream => Reading::Resuming,
            Self::Manual => Reading::Manual,
        }
    }
}

pub(super) struct ReaderPlace {
    pub(super) pass: Pass,
    pub(super) habit: Behaviour,
    pub(super) ear: ConsumerNo,
    pub(super) tape: Option<ConsumerNo>,
}

/// Everybody, by channel.
#[derive(Default)]
pub(super) struct Fixture {
    pub(super) writers: Vec<Vec<Pass>>,
    pub(super) readers: Vec<Vec<ReaderPlace>>,
    /// By member.
    pub(super) callsigns: Vec<String>,
    /// By channel.
    pub(super) durable: Vec<bool>,
}

pub(super) async fn cast(address: SocketAddr, args: &TortureArgs) -> Result<(Fixture, Oracle), String> {
    let mut setup = Setup { connection: Connection::new(address), oracle: Oracle::default(), cast: Fixture::default() };
    for durable in (0..args.channels).map(|_| true).chain((0..args.memory_channels).map(|_| false)) {
        setup.channel(durable, args).await?;
    }
    let tapes = setup.cast.readers.iter().flatten().filter(|reader| reader.tape.is_some());
    futures_util::future::try_join_all(tapes.map(|reader| start_tape(address, &reader.pass))).await?;
    Ok((setup.cast, setup.oracle))
}

struct Setup {
    connection: Connection,
    oracle: Oracle,
    cast: Fixture,
}

impl Setup {
    async fn channel(&mut self, durable: bool, args: &TortureArgs) -> Result<(), String> {
        let durability = if durable { "disk" } else { "memory" };
        let body = format!(r#"{{"durability":"{durability}","session_ttl_seconds":{DAY_S}}}"#);
        let created = self.ask("create channel", &request("POST", "/api/channels", "", &body)).await?;
        let channel = self.oracle.channel(durable);
        self.cast.durable.push(durable);
        let mut writers = Vec::new();
        for number in 0..args.writers {
            writers.push(self.join(channel, &created, format!("w{number}")).await?);
        }
        let mut readers = Vec::new();
        for (number, habit) in (0..args.readers).zip(HABITS.into_iter().cycle()) {
            let pass = self.join(channel, &created, format!("r{number}")).await?;
            let ear = self.oracle.consumer(pass.member, "", habit.reading());
            let tape =
                (habit == Behaviour::WaitWithTape).then(|| self.oracle.consumer(pass.member, TAPE, Reading::Manual));
            readers.push(ReaderPlace { pass, habit, ear, tape });
        }
        self.cast.writers.push(writers);
        self.cast.readers.push(readers);
        Ok(())
    }

    async fn join(&mut self, channel: ChannelNo, created: &Created, callsign: String) -> Result<Pass, String> {
        let Created { channel_id, join_token: token } = created;
        let (path, bearer) = (format!("/api/channels/{channel_id}/join"), format!("Authorization: Bearer {token}\r\n"));
        let body = format!(r#"{{"callsign":"{callsign}"}}"#);
        let joined: Joined = self.ask("join", &request("POST", &path, &bearer, &body)).await?;
        let member = self.oracle.member(channel, &callsign, joined.idx);
        self.cast.callsigns.push(callsign.clone());
        let (channel_id, token) = (channel_id.clone(), token.clone());
        Ok(Pass { channel, member, callsign, channel_id, token, session: joined.session_id })
    }

    async fn ask<T: for<'de> Deserialize<'de>>(&mut self, what: &'static str, request: &[u8]) -> Result<T, String> {
        let (status, body) = self.connection.call(request).await.map_err(|fault| fault.to_string())?;
        expect_success(what, status, body).map_err(|fault| fault.to_string())?;
        serde_json::from_slice(body).map_err(|error| format!("{what}: {error}"))
    }
}

/// A consumer is made by its first read; there is nothing to read yet.
async fn start_tape(address: SocketAddr, pass: &Pass) -> Result<(), String> {
    let first = pass.get(&format!("/listen?timeout=1&ack=manual&consumer={TAPE}"));
    let mut connection = Connection::new(address);
    let (status, body) = connection.call(&first).await.map_err(|fault| fault.to_string())?;
    match Answer::of(status, body) {
        Answer::Done(_) => Ok(()),
        _ => Err(format!("the first read of a consumer was answered {status}")),
    }
}
