//! Before the first kill: channels, members and consumers, so that everybody was there before anything is sent.

use std::net::SocketAddr;

use rogerrat_client::http::{Connection, expect_success};
use serde::Deserialize;

use super::args::TortureArgs;
use super::caller::{Answer, Pass, request};
use super::oracle::{ChannelNo, ConsumerNo, Oracle, Reading};

/// The second cursor of a member that has one.
pub(super) const SECOND_CONSUMER: &str = "tape";
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
    WaitWithSecondConsumer,
}

/// They take turns.
const BEHAVIOURS: [Behaviour; 5] = [
    Behaviour::Listen,
    Behaviour::Manual,
    Behaviour::ResumingStream,
    Behaviour::WaitWithSecondConsumer,
    Behaviour::Stream,
];

impl Behaviour {
    fn reading(self) -> Reading {
        match self {
            Self::Listen | Self::Stream | Self::WaitWithSecondConsumer => Reading::Automatic,
            Self::ResumingStream => Reading::Resuming,
            Self::Manual => Reading::Manual,
        }
    }
}

pub(super) struct ReaderPlace {
    pub(super) pass: Pass,
    pub(super) behaviour: Behaviour,
    pub(super) default_consumer: ConsumerNo,
    pub(super) second_consumer: Option<ConsumerNo>,
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

pub(super) async fn set_up(address: SocketAddr, args: &TortureArgs) -> Result<(Fixture, Oracle), String> {
    let mut setup =
        Setup { connection: Connection::new(address), oracle: Oracle::default(), fixture: Fixture::default() };
    for durable in (0..args.channels).map(|_| true).chain((0..args.memory_channels).map(|_| false)) {
        setup.channel(durable, args).await?;
    }
    let second_consumers = setup.fixture.readers.iter().flatten().filter(|reader| reader.second_consumer.is_some());
    futures_util::future::try_join_all(second_consumers.map(|reader| start_tape(address, &reader.pass))).await?;
    Ok((setup.fixture, setup.oracle))
}

struct Setup {
    connection: Connection,
    oracle: Oracle,
    fixture: Fixture,
}

impl Setup {
    async fn channel(&mut self, durable: bool, args: &TortureArgs) -> Result<(), String> {
        let durability = if durable { "disk" } else { "memory" };
        let body = format!(r#"{{"durability":"{durability}","session_ttl_seconds":{DAY_S}}}"#);
        let created = self.ask("create channel", &request("POST", "/api/channels", "", &body)).await?;
        let channel = self.oracle.channel(durable);
        self.fixture.durable.push(durable);
        let mut writers = Vec::new();
        for number in 0..args.writers {
            writers.push(self.join(channel, &created, format!("w{number}")).await?);
        }
        let mut readers = Vec::new();
        for (number, behaviour) in (0..args.readers).zip(BEHAVIOURS.into_iter().cycle()) {
            let pass = self.join(channel, &created, format!("r{number}")).await?;
            let default_consumer = self.oracle.consumer(pass.member, "", behaviour.reading());
            let second_consumer = (behaviour == Behaviour::WaitWithSecondConsumer)
                .then(|| self.oracle.consumer(pass.member, SECOND_CONSUMER, Reading::Manual));
            readers.push(ReaderPlace { pass, behaviour, default_consumer, second_consumer });
        }
        self.fixture.writers.push(writers);
        self.fixture.readers.push(readers);
        Ok(())
    }

    async fn join(&mut self, channel: ChannelNo, created: &Created, callsign: String) -> Result<Pass, String> {
        let Created { channel_id, join_token: token } = created;
        let (path, bearer) = (format!("/api/channels/{channel_id}/join"), format!("Authorization: Bearer {token}\r\n"));
        let body = format!(r#"{{"callsign":"{callsign}"}}"#);
        let joined: Joined = self.ask("join", &request("POST", &path, &bearer, &body)).await?;
        let member = self.oracle.member(channel, &callsign, joined.idx);
        self.fixture.callsigns.push(callsign.clone());
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
    let first = pass.get(&format!("/listen?timeout=1&ack=manual&consumer={SECOND_CONSUMER}"));
    let mut connection = Connection::new(address);
    let (status, body) = connection.call(&first).await.map_err(|fault| fault.to_string())?;
    match Answer::of(status, body) {
        Answer::Done(_) => Ok(()),
        _ => Err(format!("the first read of a consumer was answered {status}")),
    }
}
