//! Checks after each restart, and now and then in between, that members, cursors and settings are unchanged.

use std::sync::Arc;

use serde::Deserialize;
use serde_json::Value;

use super::context::{Context, Phase, pause};
use super::member_client::{MemberClient, Response, build_request};
use super::oracle::{ConsumerNo, Event, RosterEntry};
use super::rng::Rng;
use super::setup::{Fixture, ReaderFixture};

const MAX_PAUSE_MS: u64 = 800;
/// The fields of a channel that a restart must not change.
const SETTINGS: [&str; 7] = [
    "retention",
    "trust_mode",
    "has_owner_password",
    "session_ttl_seconds",
    "dm_visibility",
    "claim_callsigns",
    "is_band",
];

#[derive(Deserialize)]
struct Roster {
    roster_all: Vec<RosterEntry>,
}

#[derive(Deserialize)]
struct Joined {
    session_id: String,
    idx: u64,
}

#[derive(Deserialize)]
struct Consumers {
    consumers: Vec<Cursor>,
}

#[derive(Deserialize)]
struct Cursor {
    /// The consumer; `None` for the default one.
    name: Option<String>,
    cursor: u64,
}

#[derive(Deserialize)]
struct History {
    history: Vec<Sent>,
}

#[derive(Deserialize)]
struct Sent {
    id: u64,
}

/// A reader with its consumers.
struct CheckedReader {
    client: MemberClient,
    default_consumer: ConsumerNo,
    second_consumer: Option<ConsumerNo>,
}

pub(super) struct Checker {
    context: Arc<Context>,
    /// By channel.
    readers: Vec<Vec<CheckedReader>>,
    rng: Rng,
}

impl Checker {
    pub(super) fn new(context: &Arc<Context>, fixture: &Fixture, rng: Rng) -> Self {
        let reader = |reader: &ReaderFixture| CheckedReader {
            client: MemberClient::new(context, &reader.member),
            default_consumer: reader.default_consumer,
            second_consumer: reader.second_consumer,
        };
        let readers = fixture.readers.iter().map(|readers| readers.iter().map(reader).collect()).collect();
        Self { context: Arc::clone(context), readers, rng }
    }

    /// Checks until the readers drain.
    pub(super) async fn run(mut self) -> Self {
        while self.context.wait_until_serving().await < Phase::Draining {
            for channel in 0..self.readers.len() {
                let reader = self.rng.pick(self.readers[channel].len());
                self.readers[channel][reader].check(channel).await;
            }
            let length = self.rng.ms(0, MAX_PAUSE_MS);
            pause(length).await;
        }
        self
    }

    /// Checks all readers once more, when nothing else happens.
    pub(super) async fn finish(&mut self) {
        for (channel, readers) in self.readers.iter_mut().enumerate() {
            for reader in readers.iter_mut() {
                reader.check(channel).await;
            }
            if let Some(reader) = readers.first_mut() {
                reader.check_history(channel).await;
            }
        }
    }
}

impl CheckedReader {
    async fn check(&mut self, channel: usize) {
        self.check_roster(channel).await;
        self.rejoin().await;
        self.check_cursors().await;
        self.check_settings(channel).await;
        self.try_wrong_token(channel).await;
    }

    async fn check_roster(&mut self, channel: usize) {
        let request = self.client.member.get("/roster");
        if let Some(Roster { roster_all: entries }) = self.client.request_json("reading the roster", &request).await {
            self.client.record(Event::RosterReceived { channel, entries });
        }
    }

    /// Joins like a client that has lost everything but its callsign and the token.
    async fn rejoin(&mut self) {
        let member = &self.client.member;
        let path = format!("/api/channels/{}/join", member.channel_id);
        let bearer = format!("Authorization: Bearer {}\r\n", member.token);
        let request = build_request("POST", &path, &bearer, &format!(r#"{{"callsign":"{}"}}"#, member.callsign));
        if let Some(Joined { session_id, idx }) = self.client.request_json("a join", &request).await {
            let same_session = session_id == self.client.member.session;
            self.client.record(Event::Rejoined { member: self.client.member.no, same_session, idx });
        }
    }

    async fn check_cursors(&mut self) {
        let (default_consumer, second_consumer) = (self.default_consumer, self.second_consumer);
        for consumer in [Some(default_consumer), second_consumer].into_iter().flatten() {
            self.client.record(Event::CursorRequested { consumer });
        }
        let request = self.client.member.get("/consumers");
        let Some(Consumers { consumers }) = self.client.request_json("reading the cursors", &request).await else {
            return;
        };
        for Cursor { name, cursor } in consumers {
            let consumer = if name.is_none() { Some(default_consumer) } else { second_consumer };
            if let Some(consumer) = consumer {
                self.client.record(Event::CursorReceived { consumer, cursor });
            }
        }
    }

    async fn check_settings(&mut self, channel: usize) {
        let request = self.client.member.get("");
        if let Some(fields) = self.client.request_json::<Value>("reading the settings", &request).await {
            let settings = SETTINGS.map(|name| format!("{name} {}", fields[name])).join(", ");
            self.client.record(Event::SettingsReceived { channel, settings });
        }
    }

    async fn try_wrong_token(&mut self, channel: usize) {
        let path = format!("/api/channels/{}/roster", self.client.member.channel_id);
        let request = build_request("GET", &path, "Authorization: Bearer not-the-token-of-this-channel\r\n", "");
        if let Response::Success(_) = self.client.request("a request with a wrong token", &request).await {
            self.client.record(Event::WrongTokenTried { channel, accepted: true });
        }
    }

    async fn check_history(&mut self, channel: usize) {
        let request = self.client.member.get("/history?n=100");
        if let Some(History { history }) = self.client.request_json("reading the history", &request).await {
            let ids = history.into_iter().map(|sent| sent.id).collect();
            self.client.record(Event::HistoryReceived { channel, ids });
        }
    }
}
