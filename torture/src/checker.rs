//! Looks after each restart, and now and then between, whether everybody still has their place.

use std::sync::Arc;

use serde::Deserialize;
use serde_json::Value;

use super::caller::{Answer, Caller, request};
use super::context::{Context, Phase, pause};
use super::oracle::{ConsumerNo, Event, Place};
use super::rng::Rng;
use super::setup::Fixture;

const LONGEST_PAUSE_MS: u64 = 800;
/// What `GET` of a channel says that a restart must not change.
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
    roster_all: Vec<Place>,
}

#[derive(Deserialize)]
struct Joined {
    session_id: String,
    idx: u64,
}

#[derive(Deserialize)]
struct Consumers {
    consumers: Vec<ConsumerRow>,
}

#[derive(Deserialize)]
struct ConsumerRow {
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

/// A reader and its cursors.
struct Subject {
    caller: Caller,
    default_consumer: ConsumerNo,
    second_consumer: Option<ConsumerNo>,
}

pub(super) struct Checker {
    context: Arc<Context>,
    /// By channel.
    subjects: Vec<Vec<Subject>>,
    rng: Rng,
}

impl Checker {
    pub(super) fn new(context: &Arc<Context>, fixture: &Fixture, rng: Rng) -> Self {
        let readers = fixture.readers.iter().map(|readers| {
            let subject = |reader: &super::setup::ReaderPlace| Subject {
                caller: Caller::new(context, &reader.pass),
                default_consumer: reader.default_consumer,
                second_consumer: reader.second_consumer,
            };
            readers.iter().map(subject).collect()
        });
        Self { context: Arc::clone(context), subjects: readers.collect(), rng }
    }

    /// Until the readers begin to drain.
    pub(super) async fn run(mut self) -> Self {
        while self.context.serves().await < Phase::Draining {
            for channel in 0..self.subjects.len() {
                let reader = self.rng.pick(self.subjects[channel].len());
                self.subjects[channel][reader].inspect(channel).await;
            }
            let length = self.rng.ms(0, LONGEST_PAUSE_MS);
            pause(length).await;
        }
        self
    }

    /// Everybody once more, when all is quiet.
    pub(super) async fn finish(&mut self) {
        for (channel, subjects) in self.subjects.iter_mut().enumerate() {
            for subject in subjects.iter_mut() {
                subject.inspect(channel).await;
            }
            if let Some(subject) = subjects.first_mut() {
                subject.history(channel).await;
            }
        }
    }
}

impl Subject {
    async fn inspect(&mut self, channel: usize) {
        self.roster(channel).await;
        self.rejoin().await;
        self.cursors().await;
        self.settings(channel).await;
        self.stranger(channel).await;
    }

    async fn roster(&mut self, channel: usize) {
        let request = self.caller.pass.get("/roster");
        if let Some(Roster { roster_all: places }) = self.caller.learn("a look at the roster", &request).await {
            self.caller.hear(Event::RosterSeen { channel, places });
        }
    }

    /// As a client does that has lost everything but its callsign and the token.
    async fn rejoin(&mut self) {
        let pass = &self.caller.pass;
        let path = format!("/api/channels/{}/join", pass.channel_id);
        let bearer = format!("Authorization: Bearer {}\r\n", pass.token);
        let request = request("POST", &path, &bearer, &format!(r#"{{"callsign":"{}"}}"#, pass.callsign));
        if let Some(Joined { session_id, idx }) = self.caller.learn("a join", &request).await {
            let same_session = session_id == self.caller.pass.session;
            self.caller.hear(Event::Rejoined { member: self.caller.pass.member, same_session, idx });
        }
    }

    async fn cursors(&mut self) {
        let (default_consumer, second_consumer) = (self.default_consumer, self.second_consumer);
        for consumer in [Some(default_consumer), second_consumer].into_iter().flatten() {
            self.caller.hear(Event::CursorAsked { consumer });
        }
        let request = self.caller.pass.get("/consumers");
        let Some(Consumers { consumers }) = self.caller.learn("a look at the cursors", &request).await else { return };
        for ConsumerRow { name, cursor } in consumers {
            let consumer = if name.is_none() { Some(default_consumer) } else { second_consumer };
            if let Some(consumer) = consumer {
                self.caller.hear(Event::CursorSeen { consumer, cursor });
            }
        }
    }

    async fn settings(&mut self, channel: usize) {
        let request = self.caller.pass.get("");
        if let Some(body) = self.caller.learn::<Value>("a look at the settings", &request).await {
            let settings = SETTINGS.map(|name| format!("{name} {}", body[name])).join(", ");
            self.caller.hear(Event::SettingsSeen { channel, settings });
        }
    }

    async fn stranger(&mut self, channel: usize) {
        let path = format!("/api/channels/{}/roster", self.caller.pass.channel_id);
        let request = request("GET", &path, "Authorization: Bearer not-the-token-of-this-channel\r\n", "");
        if let Answer::Done(_) = self.caller.ask("a stranger's request", &request).await {
            self.caller.hear(Event::StrangerSeen { channel, let_in: true });
        }
    }

    async fn history(&mut self, channel: usize) {
        let request = self.caller.pass.get("/history?n=100");
        if let Some(History { history }) = self.caller.learn("a look at the history", &request).await {
            let ids = history.into_iter().map(|sent| sent.id).collect();
            self.caller.hear(Event::HistorySeen { channel, ids });
        }
    }
}
