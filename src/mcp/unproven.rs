//! Answers of calls that had to wait: whether their client took them.
//!
//! A client that gives up on a call may neither cancel it nor close its connection: it reads the response and discards
//! it. So the response to a call that had to wait is unproven after it was written, and stays claimed until something
//! proves that the client took it, or the same consumer reads again. Calls that were answered at once need no proof: no
//! client gives up that soon. ADR 24 lists what proves what, and why.

mod evidence;

use std::collections::HashMap;
use std::mem::take;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures_util::future::join_all;
use rogerrat_actors::{DeliveryGuard, UnprovenAnswer};
use rogerrat_domain::{ChannelId, ConsumerName, MessageId, SessionId};

use super::session_store::Nonce;
use crate::transport::ConnectionEvents;
use evidence::{AnswerFacts, Behaviour, ConnectionUse, Verdict};
pub(super) use evidence::{Arrival, is_relayed};

/// A call that was answered this soon had not to wait.
const AT_ONCE_MS: u64 = 10;
/// How long a request waits for the connection of an earlier answer to show that the client has closed it.
const CLOSE_DELAY: Duration = Duration::from_millis(50);
/// How many clients are remembered. Answers to more of them count as taken.
const MAX_CLIENTS: usize = 50_000;
/// How long a client without an open call is remembered.
const CLIENT_LIFETIME_MS: u64 = 24 * 3600 * 1000;

/// A client: an MCP session, or a member's session if there is no MCP session.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) enum ClientKey {
    Session(Nonce),
    Member(ChannelId, SessionId),
}

/// Whose cursor a call reads with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Reader {
    pub(super) channel: ChannelId,
    pub(super) session: SessionId,
    pub(super) consumer: Option<ConsumerName>,
}

/// A call of `listen` or `wait`.
#[derive(Debug)]
pub(super) struct ReadCall {
    pub(super) client: ClientKey,
    pub(super) reader: Reader,
    /// The JSON-RPC id.
    pub(super) request_id: Box<str>,
    pub(super) arrival: Arrival,
    /// The client has messages up to this id: it reads after it, or acknowledges it.
    pub(super) has_upto: Option<MessageId>,
    /// Whether its protocol version cancels a call by closing its response.
    pub(super) closes_to_cancel: bool,
    /// Whether its connection shows nothing of the caller.
    pub(super) is_relayed: bool,
}

/// The unproven answers of all clients.
#[derive(Debug, Default)]
pub(super) struct UnprovenAnswers {
    clients: Mutex<HashMap<ClientKey, Client>>,
    next_serial: AtomicU64,
}

/// What is known of a client. At most one answer is unproven for each consumer it reads with.
#[derive(Debug)]
struct Client {
    behaviour: Behaviour,
    calls: Vec<OpenCall>,
    answers: Vec<LateAnswer>,
    used_ms: u64,
}

#[derive(Debug)]
struct OpenCall {
    serial: u64,
    call: Arc<ReadCall>,
    was_cancelled: bool,
}

/// An answer that is unproven.
#[derive(Debug)]
struct LateAnswer {
    call: Arc<ReadCall>,
    delivery: UnprovenAnswer,
    /// Whether a request has waited for its connection to show something.
    was_awaited: bool,
    facts: AnswerFacts,
}

type Clients<'a> = MutexGuard<'a, HashMap<ClientKey, Client>>;

impl UnprovenAnswers {
    fn lock(&self) -> Clients<'_> {
        self.clients.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Registers a call, and settles the answer to the call before it. None if too many clients are remembered.
    pub(super) async fn begin_read(self: &Arc<Self>, call: ReadCall) -> Option<TrackedRead> {
        let call = Arc::new(call);
        let connections = {
            let mut clients = self.lock();
            if clients.len() >= MAX_CLIENTS && !clients.contains_key(&call.client) {
                clients.retain(|_, client| !client.calls.is_empty() || !client.answers.is_empty());
                if clients.len() >= MAX_CLIENTS {
                    return None;
                }
            }
            let client = clients.entry(call.client.clone()).or_insert_with(|| Client::new(call.arrival.at_ms));
            let mut connections = client.connections_to_await();
            let older = client.calls.iter().filter(|older| older.call.reader == call.reader);
            connections.extend(older.filter_map(|older| older.call.arrival.connection.clone()));
            connections.retain(|events| !call.arrival.is_on(events));
            if connections.is_empty() {
                return Some(self.register(clients, call));
            }
            connections
        };
        await_events(connections).await;
        Some(self.register(self.lock(), call))
    }

    fn register(self: &Arc<Self>, mut clients: Clients<'_>, call: Arc<ReadCall>) -> TrackedRead {
        let serial = self.next_serial.fetch_add(1, Relaxed);
        // It was there a moment ago, but may have been forgotten meanwhile.
        let client = clients.entry(call.client.clone()).or_insert_with(|| Client::new(call.arrival.at_ms));
        client.used_ms = call.arrival.at_ms;
        if !call.closes_to_cancel {
            client.note_given_up(&call.reader, call.arrival.at_ms);
        }
        let behaviour = client.behaviour;
        let settled = take_if(&mut client.answers, |answer| answer.call.reader == call.reader);
        client.calls.push(OpenCall { serial, call: call.clone(), was_cancelled: false });
        drop(clients);
        for LateAnswer { delivery, facts, .. } in settled {
            if facts.is_taken_before_read(behaviour, &call.arrival, call.has_upto) {
                delivery.prove();
            }
        }
        let is_trusted = call.closes_to_cancel || behaviour.cancels;
        TrackedRead { registry: self.clone(), call, serial: Some(serial), is_trusted }
    }

    /// A request of a client that acts for a member and does not read.
    pub(super) async fn on_request(
        &self,
        client: &ClientKey,
        channel: &ChannelId,
        session: &SessionId,
        arrival: impl FnOnce() -> Arrival,
    ) {
        let connections = match self.lock().get_mut(client) {
            Some(client) if client.answers.is_empty() => return,
            Some(client) => client.connections_to_await(),
            None => return,
        };
        if !connections.is_empty() {
            let (mut others, arrival) = (connections, arrival());
            others.retain(|events| !arrival.is_on(events));
            await_events(others).await;
        }
        let mut clients = self.lock();
        let Some(known) = clients.get_mut(client) else { return };
        let behaviour = known.behaviour;
        let is_of_member = |answer: &LateAnswer| {
            let reader = &answer.call.reader;
            reader.session == *session && reader.channel == *channel
        };
        let is_settled =
            |answer: &LateAnswer| is_of_member(answer) && answer.facts.after_request(behaviour) != Verdict::Unknown;
        let settled = take_if(&mut known.answers, is_settled);
        if known.is_forgettable() {
            clients.remove(client);
        }
        drop(clients);
        for LateAnswer { delivery, facts, .. } in settled {
            if facts.after_request(behaviour) == Verdict::Taken {
                delivery.prove();
            }
        }
    }

    /// A session cancels a call, whose response may be on its way or was written.
    pub(super) fn on_cancelled(&self, session: Nonce, request_id: &str, now_ms: u64) {
        let (client, mut clients) = (ClientKey::Session(session), self.lock());
        if clients.len() >= MAX_CLIENTS && !clients.contains_key(&client) {
            return;
        }
        let client = clients.entry(client).or_insert_with(|| Client::new(now_ms));
        client.behaviour.cancels = true;
        for open in client.calls.iter_mut().filter(|open| *open.call.request_id == *request_id) {
            open.was_cancelled = true;
        }
        let cancelled = take_if(&mut client.answers, |answer| *answer.call.request_id == *request_id);
        drop(clients);
        // Dropped, their messages are due again.
        drop(cancelled);
    }

    /// Forgets clients that were not used for long.
    pub(super) fn sweep(&self, now_ms: u64) {
        let mut clients = self.lock();
        let is_old =
            |client: &Client| client.calls.is_empty() && now_ms.saturating_sub(client.used_ms) > CLIENT_LIFETIME_MS;
        let forgotten: Vec<_> = clients.extract_if(|_, client| is_old(client)).collect();
        clients.shrink_to_fit();
        drop(clients);
        drop(forgotten);
    }

    fn end_call(&self, client: &ClientKey, serial: u64, answer: Option<LateAnswer>) {
        let mut clients = self.lock();
        // A client with an open call is never forgotten.
        let Some(known) = clients.get_mut(client) else { return };
        let Some(at) = known.calls.iter().position(|open| open.serial == serial) else { return };
        let was_cancelled = known.calls.remove(at).was_cancelled;
        let (cancelled, unproven) = if was_cancelled { (answer, None) } else { (None, answer) };
        known.answers.extend(unproven);
        if known.is_forgettable() {
            clients.remove(client);
        }
        drop(clients);
        // Dropped, its messages are due again.
        drop(cancelled);
    }
}

impl Client {
    fn new(now_ms: u64) -> Self {
        Self { behaviour: Behaviour::default(), calls: Vec::new(), answers: Vec::new(), used_ms: now_ms }
    }

    /// The connections of unproven answers that show nothing and were not awaited before.
    fn connections_to_await(&mut self) -> Vec<Arc<ConnectionEvents>> {
        let silent = self.answers.iter_mut().filter(|answer| !answer.was_awaited);
        let silent = silent.filter(|answer| answer.facts.connection_use() == ConnectionUse::Open);
        silent
            .filter_map(|answer| {
                answer.was_awaited = true;
                answer.facts.connection.as_ref().map(|(events, _)| events.clone())
            })
            .collect()
    }

    /// Whether nothing needs to be remembered.
    fn is_forgettable(&self) -> bool {
        self.calls.is_empty() && self.answers.is_empty() && self.behaviour == Behaviour::default()
    }

    /// A new call of the reader: calls of it whose connections are still open were given up.
    fn note_given_up(&mut self, reader: &Reader, now_ms: u64) {
        let open = self.calls.iter().filter(|open| open.call.reader == *reader && open.call.arrival.is_connected());
        let waited = open.map(|open| now_ms.saturating_sub(open.call.arrival.at_ms));
        self.behaviour.gives_up_after_ms = waited.chain(self.behaviour.gives_up_after_ms).min();
    }
}

/// A call that is waiting, or whose response is being written. Dropping it ends the call.
#[derive(Debug)]
pub(super) struct TrackedRead {
    registry: Arc<UnprovenAnswers>,
    call: Arc<ReadCall>,
    /// None when the call has ended.
    serial: Option<u64>,
    is_trusted: bool,
}

impl TrackedRead {
    /// Whether the answer would be unproven now, and a later read by the same consumer could return it again.
    pub(super) fn is_unproven(&self, now_ms: u64) -> bool {
        self.is_late(now_ms) && !self.is_trusted
    }

    fn is_late(&self, now_ms: u64) -> bool {
        now_ms.saturating_sub(self.call.arrival.at_ms) >= AT_ONCE_MS
    }

    /// The response was written, with messages up to an id.
    pub(super) fn written(mut self, mut guard: DeliveryGuard, upto: MessageId, is_json: bool, now_ms: u64) {
        if !self.is_late(now_ms) {
            return guard.complete();
        }
        let Some(delivery) = guard.written() else { return };
        let Some(serial) = self.serial.take() else { return };
        let ReadCall { arrival, closes_to_cancel, is_relayed, .. } = &*self.call;
        let facts = AnswerFacts {
            upto,
            written_ms: now_ms,
            was_closed: !arrival.is_connected(),
            waited_ms: now_ms.saturating_sub(arrival.at_ms),
            is_json,
            closes_to_cancel: *closes_to_cancel,
            is_relayed: *is_relayed,
            connection: arrival.connection.as_ref().map(|events| (events.clone(), events.reads())),
        };
        let answer = LateAnswer { call: self.call.clone(), delivery, was_awaited: false, facts };
        self.registry.end_call(&self.call.client, serial, Some(answer));
    }
}

impl Drop for TrackedRead {
    fn drop(&mut self) {
        if let Some(serial) = self.serial {
            self.registry.end_call(&self.call.client, serial, None);
        }
    }
}

/// Waits for a moment until all connections show something.
async fn await_events(connections: Vec<Arc<ConnectionEvents>>) {
    join_all(connections.iter().map(|events| events.changed_within(CLOSE_DELAY))).await;
}

/// Removes and returns the answers that match.
fn take_if(answers: &mut Vec<LateAnswer>, is_taken: impl Fn(&LateAnswer) -> bool) -> Vec<LateAnswer> {
    if answers.is_empty() {
        return Vec::new();
    }
    let (taken, rest) = take(answers).into_iter().partition(is_taken);
    *answers = rest;
    taken
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_request_waits_for_all_connections_at_the_same_time() {
        let silent = (0..16).map(|_| Arc::new(ConnectionEvents::new(Arc::new(|| 0)))).collect();
        let waited = tokio::time::timeout(CLOSE_DELAY * 2, await_events(silent)).await;
        assert!(waited.is_ok(), "it waits as for one connection");
    }
}
