//! A hub for each test, and agents that use it.

use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use futures_util::future::poll_fn;
use rogerrat_domain::limits::MEMBER_TTL_MS;
use rogerrat_domain::op::{
    Ack, AckReply, CreateInput, Draft, History, JoinInput, JoinReply, Keepalive, Leave, ReadInput, ReceiptState,
    Receipts, Roster, RosterReply, Send, SendInput, SendReply,
};
use rogerrat_domain::{AccountLimits, AckMode, BacklogLimits, Code, ConsumerName, HubKey, SessionId};

use crate::channel::handle::ChannelHandle;
use crate::ports::webhook_sender::WebhookSender;
use crate::tests::webhook_receiver::WebhookReceiver;
use crate::{Admitted, Clock, Hub, HubError, HubRules, Log, LogError, MemoryLog, Ports, ReadResponse, StreamReader};

pub(crate) const HOUR_MS: u64 = 3_600_000;
pub(crate) const DAWN_MS: u64 = 1_800_000_000_000;

/// An account that may do everything.
const UNLIMITED: AccountLimits =
    AccountLimits { channels: None, identities: None, webhooks: None, sends_per_minute: None };

pub(crate) struct TestHub {
    pub(crate) hub: Hub,
    pub(crate) world: Arc<WebhookReceiver>,
    pub(crate) at: Admitted,
    pub(crate) clock: Clock,
}

impl TestHub {
    pub(crate) async fn new() -> Self {
        Self::with_log(Arc::new(MemoryLog::default())).await
    }

    pub(crate) async fn with_log(log: Arc<dyn Log>) -> Self {
        Self::with(log, CreateInput::default()).await
    }

    /// A hub with one channel that is created so.
    pub(crate) async fn with(log: Arc<dyn Log>, create: CreateInput) -> Self {
        Self::on(Ports::with_log(log), create).await
    }

    /// The same, on ports of the test's own.
    pub(crate) async fn on(ports: Ports, create: CreateInput) -> Self {
        Self::starting_at(DAWN_MS, ports, create).await
    }

    /// The same, started at a wall-clock time.
    pub(crate) async fn starting_at(at_ms: u64, ports: Ports, create: CreateInput) -> Self {
        tokio::time::pause();
        let world = Arc::new(WebhookReceiver::default());
        let clock = Clock::steady(at_ms);
        let hub = Self::hub(ports, clock, world.clone()).await;
        let created = hub.create(create, None).await.unwrap();
        let at = hub.admit(created.channel.id().as_str(), Some(&created.token)).await.unwrap();
        Self { hub, world, at, clock }
    }

    /// The same hub after its process ended, gently or not.
    pub(crate) async fn restarted(self, log: Arc<dyn Log>) -> Self {
        self.restarted_on(Ports::with_log(log)).await
    }

    /// The same, on ports of the test's own.
    pub(crate) async fn restarted_on(self, ports: Ports) -> Self {
        let id = self.at.id().clone();
        // A clock that went back: ids must not.
        let clock = Clock::steady(DAWN_MS - HOUR_MS);
        let hub = Self::hub(ports, clock, self.world.clone()).await;
        let at = hub.find(id.as_str()).await.unwrap();
        Self { hub, world: self.world, at, clock }
    }

    /// Another hub on the same log.
    pub(crate) async fn beside(&self, ports: Ports) -> Self {
        let hub = Self::hub(ports, self.clock, self.world.clone()).await;
        let at = hub.find(self.at.id().as_str()).await.unwrap();
        Self { hub, world: self.world.clone(), at, clock: self.clock }
    }

    async fn hub(ports: Ports, clock: Clock, world: Arc<WebhookReceiver>) -> Hub {
        Self::try_hub(ports, clock, world, HOUR_MS / 12).await.unwrap()
    }

    /// Starts a hub, unless its log fails. A channel that loses nothing by it is unloaded after `idle_lossless_ms`.
    pub(crate) async fn try_hub(
        ports: Ports,
        clock: Clock,
        world: Arc<dyn WebhookSender>,
        idle_lossless_ms: u64,
    ) -> Result<Hub, LogError> {
        let rules = HubRules {
            sends_per_minute: None,
            sends_per_minute_band: None,
            idle_ms: Some(HOUR_MS),
            idle_lossless_ms: Some(idle_lossless_ms),
            backlog: BacklogLimits { messages: 1300, bytes: 64 << 20 },
            unused_ms: Some(30 * 24 * HOUR_MS),
            member_ttl_ms: MEMBER_TTL_MS,
            per_account: UNLIMITED,
            mails_per_hour: 1000,
        };
        Hub::start(rules, ports.posting(world), HubKey::new([7; 32]), clock).await
    }

    pub(crate) fn handle(&self) -> &Arc<ChannelHandle> {
        &self.at.0
    }

    pub(crate) async fn try_join(&self, callsign: &str) -> Result<JoinReply, HubError> {
        let input = JoinInput { callsign: Some(callsign.into()), ..JoinInput::default() };
        self.hub.join(&self.at, input, None, IpAddr::V4(Ipv4Addr::LOCALHOST)).await
    }

    pub(crate) async fn join(&self, callsign: &str) -> Agent {
        let session = SessionId::present(Some(&self.try_join(callsign).await.unwrap().session_id)).unwrap().unwrap();
        Agent { hub: self.hub.clone(), at: self.at.clone(), session }
    }

    pub(crate) async fn roster(&self) -> RosterReply {
        self.hub.query(&self.at, Roster { session: None, limit: None }).await.unwrap()
    }

    pub(crate) async fn history(&self) -> usize {
        let all = History { session: None, n: 100, thread: None, before: None };
        self.hub.query(&self.at, all).await.unwrap().history.len()
    }

    /// Lets everything that can happen now happen.
    pub(crate) async fn settle(&self) {
        for _ in 0..50 {
            tokio::task::yield_now().await;
        }
    }

    /// Lets time pass.
    pub(crate) async fn pass(&self, ms: u64) {
        tokio::time::advance(Duration::from_millis(ms)).await;
        self.settle().await;
    }
}

#[derive(Clone)]
pub(crate) struct Agent {
    hub: Hub,
    at: Admitted,
    session: SessionId,
}

impl Agent {
    pub(crate) async fn send(&self, to: &str, text: &str) -> Result<SendReply, HubError> {
        let input = SendInput { to: Some(to.into()), message: Some(text.into()), ..SendInput::default() };
        let draft = Draft::check(input, None)?;
        self.hub.ask(&self.at, Send { session: self.session.clone(), draft }).await
    }

    pub(crate) fn session(&self) -> SessionId {
        self.session.clone()
    }

    /// Sends to all, with more fields.
    pub(crate) async fn send_input(&self, input: SendInput) -> Result<SendReply, HubError> {
        let draft = Draft::check(SendInput { to: Some("all".into()), ..input }, None)?;
        self.hub.ask(&self.at, Send { session: self.session.clone(), draft }).await
    }

    pub(crate) async fn send_keyed(&self, to: &str, text: &str, key: &str) -> Result<SendReply, HubError> {
        let input = SendInput { to: Some(to.into()), message: Some(text.into()), ..SendInput::default() };
        let draft = Draft::check(input, Some(key))?;
        self.hub.ask(&self.at, Send { session: self.session.clone(), draft }).await
    }

    pub(crate) async fn read(&self, timeout_ms: u64) -> Result<ReadResponse, HubError> {
        self.hub.read(&self.at, self.session.clone(), ReadInput::default(), timeout_ms, false).await
    }

    /// Reads and takes what comes.
    pub(crate) async fn texts(&self, timeout_ms: u64) -> Vec<String> {
        let mut response = self.read(timeout_ms).await.unwrap();
        response.guard.complete();
        texts(&response)
    }

    /// Reads with acknowledgements, with a lease of a minute.
    pub(crate) async fn lease(&self, consumer: Option<&str>) -> Result<ReadResponse, HubError> {
        let input = ReadInput {
            ack_mode: AckMode::Leased { lease_ms: 60_000 },
            consumer: consumer.map(|name| ConsumerName::parse(name).unwrap()),
            ..ReadInput::default()
        };
        let mut response = self.hub.read(&self.at, self.session.clone(), input, 1000, false).await?;
        response.guard.complete();
        Ok(response)
    }

    pub(crate) async fn ack(&self, upto: u64, consumer: Option<&str>) -> AckReply {
        let consumer = consumer.map(|name| ConsumerName::parse(name).unwrap());
        self.hub.ask(&self.at, Ack { session: self.session.clone(), consumer, upto }).await.unwrap()
    }

    pub(crate) async fn receipt(&self, id: u64) -> (ReceiptState, Option<u32>) {
        let reply = self.hub.query(&self.at, Receipts { session: self.session.clone(), id }).await.unwrap();
        (reply.receipts[0].state, reply.receipts[0].attempts)
    }

    /// The same agent, with its old session, at a hub that was started again.
    pub(crate) fn at(&self, test_hub: &TestHub) -> Self {
        Self { hub: test_hub.hub.clone(), at: test_hub.at.clone(), session: self.session.clone() }
    }

    pub(crate) async fn stream(&self) -> StreamReader {
        self.hub.stream(&self.at, self.session.clone(), ReadInput::default()).await.unwrap()
    }

    /// A stream with acknowledgements, of a consumer.
    pub(crate) async fn stream_as(&self, consumer: &str) -> StreamReader {
        let input = ReadInput {
            ack_mode: AckMode::Leased { lease_ms: 60_000 },
            consumer: Some(ConsumerName::parse(consumer).unwrap()),
            ..ReadInput::default()
        };
        self.hub.stream(&self.at, self.session.clone(), input).await.unwrap()
    }

    pub(crate) async fn keepalive(&self) -> Result<usize, Code> {
        let reply = self.hub.ask(&self.at, Keepalive { session: self.session.clone() }).await;
        reply.map(|r| r.unread).map_err(|e| e.into_refusal().code)
    }

    pub(crate) async fn leave(&self) {
        self.hub.ask(&self.at, Leave { session: self.session.clone() }).await.unwrap();
    }
}

pub(crate) fn texts(response: &ReadResponse) -> Vec<String> {
    let text = |json: &[u8]| {
        let json = String::from_utf8(json.to_vec()).unwrap();
        let from = json.find("\"text\":\"").unwrap() + 8;
        json[from..].split('"').next().unwrap().to_owned()
    };
    response.messages.iter().map(|given| text(&given.message.json())).collect()
}

/// The next frame of a stream; none at its end.
pub(crate) async fn frame(reader: &mut StreamReader) -> Option<String> {
    let bytes = poll_fn(|cx| reader.poll_frame(cx)).await?;
    Some(String::from_utf8(bytes.to_vec()).unwrap())
}

/// Polls a future once: starts it without waiting for it.
pub(crate) async fn started<F: Future + Unpin>(future: &mut F) {
    poll_fn(|cx| {
        assert!(std::pin::Pin::new(&mut *future).poll(cx).is_pending(), "it should wait");
        Poll::Ready(())
    })
    .await;
}
