//! Creates channels, members and consumers before anything is sent and before the first kill.

use std::net::SocketAddr;

use rogerrat_client::http::{Connection, expect_success};
use serde::Deserialize;

use super::member_client::{Member, Response, build_request};
use super::oracle::{ChannelNo, ConsumerNo, Oracle, ReadMode};

/// The name of the second consumer of a member that has one.
pub(super) const SECOND_CONSUMER: &str = "second";
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
    /// Automatic polls, and polls of a second consumer with manual acks.
    TwoConsumers,
}

/// The readers of a channel take turns with these.
const BEHAVIOURS: [Behaviour; 5] =
    [Behaviour::Listen, Behaviour::Manual, Behaviour::ResumingStream, Behaviour::TwoConsumers, Behaviour::Stream];

impl Behaviour {
    fn mode(self) -> ReadMode {
        match self {
            Self::Listen | Self::Stream | Self::TwoConsumers => ReadMode::Automatic,
            Self::ResumingStream => ReadMode::Resuming,
            Self::Manual => ReadMode::Manual,
        }
    }
}

pub(super) struct ReaderFixture {
    pub(super) member: Member,
    pub(super) behaviour: Behaviour,
    pub(super) default_consumer: ConsumerNo,
    pub(super) second_consumer: Option<ConsumerNo>,
}

/// All members, by channel.
#[derive(Default)]
pub(super) struct Fixture {
    pub(super) writers: Vec<Vec<Member>>,
    pub(super) readers: Vec<Vec<ReaderFixture>>,
    /// By member.
    pub(super) callsigns: Vec<String>,
    /// By channel.
    pub(super) durable: Vec<bool>,
}

/// How many channels and members there are.
#[derive(Debug, Clone, Copy)]
pub struct TortureLoad {
    /// Channels that store their messages on disk.
    pub durable_channels: u32,
    /// Channels that store their messages in memory.
    pub memory_channels: u32,
    /// Sending members of each channel.
    pub writers: u32,
    /// Reading members of each channel. They alternate between five ways of reading.
    pub readers: u32,
}

/// Creates all channels and members, on each address in turn, with the server token if the hubs require one. `oracle` knows
/// none yet.
pub(super) async fn set_up(
    addresses: &[SocketAddr],
    token: Option<&str>,
    load: TortureLoad,
    oracle: Oracle,
) -> Result<(Fixture, Oracle), String> {
    let mut addresses = addresses.iter().copied().cycle();
    let mut next = || addresses.next().ok_or("no address");
    let address = next()?;
    let connection = Connection::new(address);
    let credentials = token.map(bearer).unwrap_or_default();
    let mut setup = Setup { connection, credentials, oracle, fixture: Fixture::default() };
    let durable = (0..load.durable_channels).map(|_| true);
    for durable in durable.chain((0..load.memory_channels).map(|_| false)) {
        setup.channel(durable, load).await?;
        setup.connection = Connection::new(next()?);
    }
    let readers = setup.fixture.readers.iter().flatten().filter(|reader| reader.second_consumer.is_some());
    let second_consumers = readers.map(|reader| create_second_consumer(address, &reader.member));
    futures_util::future::try_join_all(second_consumers).await?;
    Ok((setup.fixture, setup.oracle))
}

fn bearer(token: &str) -> String {
    format!("Authorization: Bearer {token}\r\n")
}

struct Setup {
    connection: Connection,
    /// The header for creating channels.
    credentials: String,
    oracle: Oracle,
    fixture: Fixture,
}

impl Setup {
    async fn channel(&mut self, durable: bool, load: TortureLoad) -> Result<(), String> {
        let durability = if durable { "disk" } else { "memory" };
        let body = format!(r#"{{"durability":"{durability}","session_ttl_seconds":{DAY_S}}}"#);
        let create = build_request("POST", "/api/channels", &self.credentials, &body);
        let created = self.request("create channel", &create).await?;
        let channel = self.oracle.channel(durable);
        self.fixture.durable.push(durable);
        let mut writers = Vec::new();
        for number in 0..load.writers {
            writers.push(self.join(channel, &created, format!("w{number}")).await?);
        }
        let mut readers = Vec::new();
        for (number, behaviour) in (0..load.readers).zip(BEHAVIOURS.into_iter().cycle()) {
            let member = self.join(channel, &created, format!("r{number}")).await?;
            let default_consumer = self.oracle.consumer(member.no, "", behaviour.mode());
            let second_consumer = (behaviour == Behaviour::TwoConsumers)
                .then(|| self.oracle.consumer(member.no, SECOND_CONSUMER, ReadMode::Manual));
            readers.push(ReaderFixture { member, behaviour, default_consumer, second_consumer });
        }
        self.fixture.writers.push(writers);
        self.fixture.readers.push(readers);
        Ok(())
    }

    async fn join(&mut self, channel: ChannelNo, created: &Created, callsign: String) -> Result<Member, String> {
        let Created { channel_id, join_token: token } = created;
        let (path, bearer) = (format!("/api/channels/{channel_id}/join"), bearer(token));
        let body = format!(r#"{{"callsign":"{callsign}"}}"#);
        let joined: Joined = self.request("join", &build_request("POST", &path, &bearer, &body)).await?;
        let no = self.oracle.member(channel, &callsign, joined.idx);
        self.fixture.callsigns.push(callsign.clone());
        let (channel_id, token) = (channel_id.clone(), token.clone());
        Ok(Member { no, channel, callsign, channel_id, token, session: joined.session_id })
    }

    async fn request<T: for<'de> Deserialize<'de>>(&mut self, what: &'static str, request: &[u8]) -> Result<T, String> {
        let (status, body) = self.connection.call(request).await.map_err(|error| error.to_string())?;
        expect_success(what, status, body).map_err(|error| error.to_string())?;
        serde_json::from_slice(body).map_err(|error| format!("{what}: {error}"))
    }
}

/// Creates a consumer with its first read, which returns no message.
async fn create_second_consumer(address: SocketAddr, member: &Member) -> Result<(), String> {
    let first = member.get(&format!("/listen?timeout=1&ack=manual&consumer={SECOND_CONSUMER}"));
    let mut connection = Connection::new(address);
    let (status, body) = connection.call(&first).await.map_err(|error| error.to_string())?;
    match Response::of(status, body) {
        Response::Success(_) => Ok(()),
        _ => Err(format!("the first read of a consumer failed with status {status}")),
    }
}
