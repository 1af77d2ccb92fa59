//! A client of the simulation: it sends, reads and acknowledges as one member, and turns to another hub when one does not
//! answer.

use std::cell::Cell;
use std::future::Future;
use std::net::{IpAddr, Ipv4Addr};
use std::rc::Rc;
use std::time::Duration;

use futures_util::future::{Either, select};
use rogerrat_domain::op::{Ack, Draft, JoinInput, ReadInput, Send, SendInput};
use rogerrat_domain::{AckMode, ChannelId, Code, SessionId};
use tokio::sync::oneshot;
use tokio::time::{sleep, timeout};

use super::oracle::Who;
use super::simulation::World;
use crate::random::RngExt as _;
use crate::tests::harness::texts;
use crate::{Admitted, ChannelLocation, Hub, HubError};

/// How long a client waits for an answer.
pub(super) const ANSWER_LIMIT: Duration = Duration::from_secs(5);
/// How long a hub waits for another before it reports it as unreachable.
const PEER_LIMIT: Duration = Duration::from_secs(3);
const LEASE_MS: u64 = 30_000;

/// Why a request was not answered as wished.
pub(super) enum Failure {
    /// There was no answer: the outcome is unknown.
    NoAnswer,
    Refused(HubError),
}

impl Failure {
    /// Whether the member must join again.
    fn has_lost_session(&self) -> bool {
        matches!(self, Self::Refused(HubError::Refused(refusal)) if matches!(refusal.code, Code::NotJoined | Code::SessionExpired))
    }
}

/// Counts something while it lasts.
struct Counted(Rc<Cell<u32>>);

impl Counted {
    fn new(count: Rc<Cell<u32>>) -> Self {
        count.set(count.get() + 1);
        Self(count)
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.set(self.0.get() - 1);
    }
}

pub(super) struct Client {
    pub(super) world: Rc<World>,
    pub(super) who: Who,
    pub(super) session: SessionId,
    pub(super) manual: bool,
    sent: Cell<u32>,
    /// What it may acknowledge: an acknowledgement covers everything below, so only answers count to which no other read was
    /// under way that could hold a message.
    seen_upto: Rc<Cell<u64>>,
    reads: Rc<Cell<u32>>,
}

impl World {
    /// Makes a request for a channel at some hub, which forwards it to the owner. `serve` runs at the owner, and goes on
    /// there when the caller gives up.
    pub(super) async fn request<T: 'static, F: Future<Output = Result<T, HubError>> + 'static>(
        self: &Rc<Self>,
        channel: &ChannelId,
        serve: impl Fn(Hub, Admitted, super::links::Links) -> F,
    ) -> Result<T, Failure> {
        let entry = self.some_node();
        if !entry.links.pass().await {
            return Err(Failure::NoAnswer);
        }
        for _ in 0..3 {
            let target = match entry.hub.locate(channel).await.map_err(Failure::Refused)? {
                ChannelLocation::Here | ChannelLocation::Free => entry.clone(),
                ChannelLocation::Elsewhere(instance) => {
                    let target = self.node(instance.id);
                    let is_cut = entry.links.state().cut_from_peers || target.links.state().cut_from_peers;
                    let reached = !is_cut && timeout(PEER_LIMIT, target.links.pass()).await.unwrap_or(false);
                    if !reached || target.is_stopping.get() {
                        sleep(Duration::from_millis(20)).await;
                        entry.hub.report_unreachable(instance.id).await.map_err(Failure::Refused)?;
                        continue;
                    }
                    target
                }
            };
            let at = target.hub.find(channel.as_str()).await.map_err(Failure::Refused)?;
            let (reply, answer) = oneshot::channel();
            let served = serve(target.hub.clone(), at, target.links.clone());
            let node = target.clone();
            node.requests.set(node.requests.get() + 1);
            actix_rt::spawn(async move {
                // What a process was doing when it was killed ends with it.
                let result = select(Box::pin(served), Box::pin(node.links.killed())).await;
                node.requests.set(node.requests.get() - 1);
                // Nothing leaves a process that is frozen.
                if let Either::Left((result, _)) = result
                    && node.links.pass().await
                {
                    let _ = reply.send(result);
                }
            });
            let result = answer.await.map_err(|_| Failure::NoAnswer)?;
            if !entry.links.pass().await {
                return Err(Failure::NoAnswer);
            }
            match result {
                Err(HubError::Moved) => entry.hub.forget_location(channel),
                // It decided on a state that others have changed since, and has not learned that it is not the owner.
                Err(HubError::Refused(_)) if self.oracle().has_other_owner(channel, target.id) => {
                    return Err(Failure::NoAnswer);
                }
                result => return result.map_err(Failure::Refused),
            }
        }
        Err(Failure::NoAnswer)
    }
}

impl Client {
    /// Joins a channel.
    pub(super) async fn join(world: Rc<World>, who: Who, manual: bool) -> Self {
        let session = Self::join_until_answered(&world, &who, None).await;
        world.oracle().joined(&who);
        Self { world, who, session, manual, sent: Cell::new(0), seen_upto: Rc::default(), reads: Rc::default() }
    }

    async fn join_until_answered(world: &Rc<World>, who: &Who, presented: Option<SessionId>) -> SessionId {
        loop {
            let (name, presented) = (who.1.clone(), presented.clone());
            let join = world.request(&who.0, move |hub, at, _| {
                let input = JoinInput { callsign: Some(name.clone()), ..JoinInput::default() };
                let presented = presented.clone();
                async move { hub.join(&at, input, presented, IpAddr::V4(Ipv4Addr::LOCALHOST)).await }
            });
            match timeout(ANSWER_LIMIT, join).await {
                Ok(Ok(reply)) => return SessionId::present(Some(&reply.session_id)).unwrap().unwrap(),
                _ => sleep(Duration::from_millis(500)).await,
            }
        }
    }

    async fn join_again(&mut self) {
        self.session = Self::join_until_answered(&self.world, &self.who, Some(self.session.clone())).await;
        self.world.oracle().joined(&self.who);
    }

    /// Does as a client does, some number of times.
    pub(super) async fn play(&mut self, steps: usize) {
        for _ in 0..steps {
            let (what, pause_ms) = self.world.draw(|rng| (rng.random_range(0..13), rng.random_range(0..3_000)));
            match what {
                0..5 => self.send().await,
                5..9 => drop(self.read(2_000).await),
                9..12 => self.play_tasks().await,
                _ => self.ack().await,
            }
            sleep(Duration::from_millis(pause_ms)).await;
        }
    }

    /// A text that it has not sent before.
    pub(super) fn next_text(&self) -> String {
        self.sent.set(self.sent.get() + 1);
        format!("{}-{}", self.who.1, self.sent.get())
    }

    /// Sends a message, with a key, until it is acknowledged or the client gives up.
    async fn send(&mut self) {
        let text = self.next_text();
        let recipients = self.world.oracle().members_beside(&self.who);
        for _ in 0..8 {
            let (session, text_sent) = (self.session.clone(), text.clone());
            let send = self.world.request(&self.who.0, move |hub, at, _| {
                let input =
                    SendInput { to: Some("all".into()), message: Some(text_sent.clone()), ..SendInput::default() };
                let (session, draft) = (session.clone(), Draft::check(input, Some(&text_sent)));
                async move { hub.ask(&at, Send { session, draft: draft? }).await }
            });
            match timeout(ANSWER_LIMIT, send).await {
                Ok(Ok(reply)) => {
                    return self.world.oracle().acknowledged(&self.who.0, reply.id, &text, recipients);
                }
                Ok(Err(failure)) if failure.has_lost_session() => self.join_again().await,
                _ => {}
            }
            let pause_ms = self.world.draw(|rng| rng.random_range(100..1_500));
            sleep(Duration::from_millis(pause_ms)).await;
        }
    }

    /// Reads. Returns how many messages or gaps arrived, or none without an answer.
    pub(super) async fn read(&mut self, timeout_ms: u64) -> Option<usize> {
        let ack_mode = if self.manual { AckMode::Leased { lease_ms: LEASE_MS } } else { AckMode::Read };
        let (world, who, session, seen_upto) =
            (self.world.clone(), self.who.clone(), self.session.clone(), self.seen_upto.clone());
        let (reads, is_alone) = (self.reads.clone(), self.reads.get() == 0);
        let gave_up = Rc::new(Cell::new(false));
        let has_given_up = gave_up.clone();
        let read = self.world.request(&self.who.0, move |hub, at, links| {
            let (world, who, session, seen_upto) = (world.clone(), who.clone(), session.clone(), seen_upto.clone());
            let (gave_up, reads) = (gave_up.clone(), reads.clone());
            async move {
                let _counted = Counted::new(reads);
                let input = ReadInput { ack_mode, ..ReadInput::default() };
                let mut response = hub.read(&at, session, input, timeout_ms, false).await?;
                // The answer takes its time to the client, who may have closed the connection meanwhile, or not.
                let (latency_ms, reads_late) = world.draw(|rng| (rng.random_range(0..40), rng.random_bool(0.5)));
                sleep(Duration::from_millis(latency_ms)).await;
                if !links.pass().await || gave_up.get() && !reads_late {
                    return Ok(0);
                }
                response.guard.complete();
                let (mut oracle, mut upto) = (world.oracle(), seen_upto.get());
                for (message, text) in response.messages.iter().zip(texts(&response)) {
                    oracle.delivered(&who, message.message.id, message.attempt, &text);
                    upto = upto.max(message.message.id);
                }
                if let Some(gap) = response.gap {
                    oracle.gap(&who, gap.from, gap.to);
                    // A consumer that acknowledges is shown a gap until it acknowledges that, too.
                    upto = upto.max(gap.to);
                }
                if is_alone {
                    seen_upto.set(upto);
                }
                Ok(response.messages.len() + usize::from(response.gap.is_some()))
            }
        });
        match timeout(ANSWER_LIMIT, read).await {
            Ok(Ok(arrived)) => return Some(arrived),
            Ok(Err(failure)) if failure.has_lost_session() => self.join_again().await,
            _ => has_given_up.set(true),
        }
        None
    }

    /// Acknowledges what arrived, if that is how this client reads.
    pub(super) async fn ack(&self) {
        let (session, upto) = (self.session.clone(), self.seen_upto.get());
        if !self.manual || upto == 0 {
            return;
        }
        let ack = self.world.request(&self.who.0, move |hub, at, _| {
            let ack = Ack { session: session.clone(), consumer: None, upto };
            async move { hub.ask(&at, ack).await }
        });
        drop(timeout(ANSWER_LIMIT, ack).await);
    }

    /// Reads until nothing comes any more, leases included.
    pub(super) async fn read_everything(&mut self) {
        for _ in 0..3 {
            let (mut failures, mut reads) = (0, 0);
            while failures < 40 && reads < 200 {
                match self.read(0).await {
                    Some(0) => break,
                    Some(_) => {
                        reads += 1;
                        self.ack().await;
                    }
                    None => {
                        failures += 1;
                        sleep(Duration::from_millis(500)).await;
                    }
                }
            }
            if failures == 40 || reads == 200 {
                let what = format!("{} cannot read {} to its end: {failures} failures", self.who.1, self.who.0);
                self.world.oracle().violations.push(what);
                return;
            }
            sleep(Duration::from_millis(LEASE_MS + 1_000)).await;
        }
    }
}
