//! Hubs that share a log, each with its two ports on this machine.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use actix_server::{Server, ServerHandle};
use futures_util::future::{BoxFuture, Either, ready};
use rogerrat_actors::{
    Accounts, ChannelLocation, Clock, Hub, HubError, Instance, InstanceId, Located, MemoryAccounts, MemoryInstance,
    Ports, SharedMemoryLog,
};
use rogerrat_domain::{ChannelId, HubKey};
use serde_json::{Value, json};
use tokio::net::TcpStream;

use super::client::{Call, Reply};
use crate::config::{CommandLine, Config, EffectiveConfig, Environment};
use crate::startup::{Interfaces, settings};
use crate::transport;
use crate::web::TunnelHost;
use crate::web::peers::ChannelLocator;

pub(super) const ADMIN_TOKEN: &str = "administer-the-hub";
pub(super) const CHATROOM_PASSWORD: &str = "chatroom-password";
/// No test is about rate limits, unless it says so.
const LIMITS: [&str; 7] = [
    "SEND_PER_SESSION",
    "SEND_PER_SESSION_BAND",
    "SEND_PER_ADDRESS",
    "CREATE_PER_ADDRESS",
    "JOIN_PER_ADDRESS",
    "ACCOUNT_PER_ADDRESS",
    "SEND_PER_ACCOUNT",
];

/// The log of several hubs, and their accounts.
pub(super) struct Shared {
    log: SharedMemoryLog,
    accounts: Arc<dyn Accounts>,
}

impl Shared {
    pub(super) fn new() -> Self {
        let log = SharedMemoryLog::new();
        let beside = Arc::new(log.start_instance("http://accounts"));
        // It is no hub, and takes no lanes.
        beside.disconnect();
        let accounts = Arc::new(MemoryAccounts::beside(beside));
        Self { log, accounts }
    }

    pub(super) async fn hub(&self) -> TestHub {
        self.hub_with(&[]).await
    }

    /// A hub with environment variables of its own.
    pub(super) async fn hub_with(&self, variables: &[(&str, &str)]) -> TestHub {
        self.hub_located_by(variables, |hub| Arc::new(hub)).await
    }

    /// A hub whose channels something else locates.
    pub(super) async fn hub_located_by(
        &self,
        variables: &[(&str, &str)],
        locator: impl FnOnce(Hub) -> Arc<dyn ChannelLocator>,
    ) -> TestHub {
        let config = config(variables);
        let any_port = SocketAddr::from(([127, 0, 0, 1], 0));
        let (listener, peer_listener) = (transport::bind(any_port).unwrap(), transport::bind(any_port).unwrap());
        let (address, peer_address) = (listener.local_addr().unwrap(), peer_listener.local_addr().unwrap());
        let log = Arc::new(self.log.start_instance(&format!("http://{peer_address}")));
        let ports = Ports { accounts: self.accounts.clone(), ..Ports::with_log(log.clone()) };
        let clock = Clock::start();
        let hub = Hub::start(settings::rules(&config), ports, HubKey::new([7; 32]), clock).await.unwrap();
        let mut builder = Server::build().workers(1).shutdown_timeout(60).disable_signals();
        let (stopping, locator) = (builder.graceful_shutdown_signal(), locator(hub.clone()));
        let opened = Interfaces::open(&config, &hub, clock, TunnelHost::default(), locator, stopping).await;
        let interfaces = opened.unwrap_or_else(|error| panic!("{error}"));
        interfaces.state.set_bound(Some(address));
        let (of_clients, of_peers) = (interfaces.clone(), interfaces.clone());
        builder = builder.listen("hub", listener, move || of_clients.service::<TcpStream>(None)).unwrap();
        builder = builder.listen("peers", peer_listener, move || of_peers.peer_service::<TcpStream>()).unwrap();
        let server = builder.run();
        let handle = server.handle();
        actix_web::rt::spawn(server);
        TestHub { hub, interfaces, address, peer_address, log, handle }
    }
}

fn config(variables: &[(&str, &str)]) -> Config {
    let own = |name: &str, value: &str| (name.to_owned().into(), value.to_owned().into());
    let mut all = vec![own("HOME", "/home/ann"), own("ROGERRAT_SERVER__ADMIN_TOKEN", ADMIN_TOKEN)];
    all.extend(LIMITS.iter().map(|name| own(&format!("ROGERRAT_LIMITS__{name}"), "0")));
    all.extend(variables.iter().map(|(name, value)| own(name, value)));
    let environment = Environment { variables: all, cores: 1, generate_token: String::new };
    let read = EffectiveConfig::read(&CommandLine::default(), &environment);
    read.unwrap_or_else(|errors| panic!("{errors}")).config
}

/// A hub in this process.
pub(super) struct TestHub {
    pub(super) hub: Hub,
    pub(super) interfaces: Interfaces,
    pub(super) address: SocketAddr,
    pub(super) peer_address: SocketAddr,
    pub(super) log: Arc<MemoryInstance>,
    pub(super) handle: ServerHandle,
}

impl TestHub {
    /// Creates a channel, which this hub owns from then on.
    pub(super) async fn create(&self, input: Value) -> TestChannel {
        let created = Call::post("/api/channels", &input).at(self.address).await.ok();
        let text = |name: &str| created[name].as_str().unwrap_or_else(|| panic!("{created}")).to_owned();
        let channel = TestChannel { id: text("channel_id"), token: text("join_token") };
        channel.call("GET", "/roster").at(self.address).await;
        channel
    }

    /// A durable channel with a transcript.
    pub(super) async fn channel(&self) -> TestChannel {
        self.create(json!({"durability": "disk", "retention": "full"})).await
    }

    /// Stops listening, without a word to anybody.
    pub(super) async fn kill(&self) {
        self.handle.stop(false).await;
        self.log.disconnect();
    }

    /// Gives everything up and stops, as after a signal.
    pub(super) async fn stop(&self) {
        self.hub.drain().await;
        self.hub.close().await;
        self.handle.stop(true).await;
    }

    pub(super) fn instance(&self) -> Instance {
        let url = format!("http://{}", self.peer_address).into();
        Instance { id: self.hub.instance().unwrap(), url }
    }

    pub(super) fn polls(&self) -> u64 {
        self.hub.totals().now.polls
    }

    pub(super) fn streams(&self) -> u64 {
        self.hub.totals().now.streams
    }

    /// How many requests this hub has responded to itself.
    pub(super) fn served(&self) -> u64 {
        self.interfaces.state.request_metrics.totals().requests.values().sum()
    }
}

/// A channel and its token.
#[derive(Clone, Debug)]
pub(super) struct TestChannel {
    pub(super) id: String,
    pub(super) token: String,
}

impl TestChannel {
    pub(super) fn call(&self, method: &'static str, rest: &str) -> Call {
        Call::new(method, format!("/api/channels/{}{rest}", self.id)).bearer(&self.token)
    }

    pub(super) async fn join(&self, hub: &TestHub, callsign: &str) -> Member {
        let call = self.call("POST", "/join").body(json!({"callsign": callsign}).to_string());
        let joined = call.at(hub.address).await.ok();
        Member { channel: self.clone(), session: joined["session_id"].as_str().unwrap().to_owned() }
    }
}

/// A member of a channel. It may talk to any hub.
#[derive(Clone, Debug)]
pub(super) struct Member {
    pub(super) channel: TestChannel,
    pub(super) session: String,
}

impl Member {
    pub(super) fn call(&self, method: &'static str, rest: &str) -> Call {
        self.channel.call(method, rest).header("x-session-id", &self.session)
    }

    pub(super) fn sending(&self, text: &str) -> Call {
        self.call("POST", "/send").body(json!({"to": "all", "text": text}).to_string())
    }

    pub(super) async fn send(&self, hub: &TestHub, text: &str) -> Value {
        self.sending(text).at(hub.address).await.ok()
    }

    /// Reads what is there.
    pub(super) async fn read(&self, hub: &TestHub) -> Value {
        self.call("GET", "/listen?timeout=1").at(hub.address).await.ok()
    }

    pub(super) async fn at(&self, hub: &TestHub, method: &'static str, rest: &str) -> Reply {
        self.call(method, rest).at(hub.address).await
    }
}

/// The texts of the messages in a reply, each with its attempt.
pub(super) fn texts(reply: &Value) -> Vec<(String, u64)> {
    let messages = reply["messages"].as_array().unwrap_or_else(|| panic!("{reply}"));
    let text = |message: &Value| message["text"].as_str().unwrap().to_owned();
    messages.iter().map(|message| (text(message), message["attempt"].as_u64().unwrap_or(1))).collect()
}

/// Says that one instance has all channels.
pub(super) struct AllAt {
    pub(super) hub: Hub,
    pub(super) owner: Arc<std::sync::OnceLock<Instance>>,
    pub(super) looks: Arc<AtomicUsize>,
    pub(super) reports: Arc<AtomicUsize>,
}

impl AllAt {
    pub(super) fn new(hub: Hub, owner: &Arc<std::sync::OnceLock<Instance>>) -> Self {
        Self { hub, owner: owner.clone(), looks: Arc::default(), reports: Arc::default() }
    }
}

impl ChannelLocator for AllAt {
    fn instance(&self) -> Option<InstanceId> {
        self.hub.instance()
    }

    fn locate<'a>(&'a self, _: &'a ChannelId) -> Located<'a> {
        self.looks.fetch_add(1, Relaxed);
        let owner = self.owner.get();
        Either::Left(ready(Ok(owner.map_or(ChannelLocation::Here, |owner| ChannelLocation::Elsewhere(owner.clone())))))
    }

    fn admits<'a>(&'a self, _: &'a ChannelId, _: &'a [String]) -> BoxFuture<'a, Result<bool, HubError>> {
        Box::pin(ready(Ok(true)))
    }

    fn take<'a>(&'a self, channel: &'a ChannelId) -> BoxFuture<'a, Result<ChannelLocation, HubError>> {
        Box::pin(self.locate(channel))
    }

    fn living(&self) -> BoxFuture<'_, Result<Vec<Instance>, HubError>> {
        Box::pin(ready(Ok(self.owner.get().cloned().into_iter().collect())))
    }

    fn forget(&self, _: &ChannelId) {}

    fn report_unreachable(&self, _: InstanceId) -> BoxFuture<'_, Result<bool, HubError>> {
        self.reports.fetch_add(1, Relaxed);
        Box::pin(ready(Ok(false)))
    }
}
