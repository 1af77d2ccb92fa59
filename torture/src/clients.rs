//! All clients of a run: they send, read and check while hubs fail, and at the end they drain and check once more.

use std::sync::Arc;
use std::time::Duration;

use tokio::task::JoinSet;

use super::checker::Checker;
use super::context::{Context, Phase};
use super::oracle::Event;
use super::reader;
use super::rng::Rng;
use super::setup::{Fixture, ReaderFixture};
use super::writer::{Recipient, Writer};

/// How long the last sends may take, and then the last reads.
const FINISH_TIMEOUT: Duration = Duration::from_secs(90);
/// The random streams of a seed. Those of writers and readers come after.
const CHECKER_STREAM: u64 = 2;
const LAST_FIXED_STREAM: u64 = 3;

pub(super) struct Clients {
    writers: JoinSet<Writer>,
    readers: JoinSet<()>,
    checkers: JoinSet<Checker>,
    /// Checks only at the end.
    last_checker: Option<Checker>,
}

impl Clients {
    /// Starts them on the current thread.
    pub(super) fn start(context: &Arc<Context>, fixture: &Fixture, seed: u64) -> Self {
        let mut stream = LAST_FIXED_STREAM;
        let mut next_rng = || {
            stream += 1;
            Rng::new(seed, stream)
        };
        let (mut writers, mut readers, mut checkers) = (JoinSet::new(), JoinSet::new(), JoinSet::new());
        for (channel_writers, channel_readers) in fixture.writers.iter().zip(&fixture.readers) {
            let recipient = |reader: &ReaderFixture| Recipient {
                member: reader.member.no,
                callsign: reader.member.callsign.clone(),
            };
            let recipients = channel_readers.iter().map(recipient).collect::<Vec<_>>();
            for writer in channel_writers {
                writers.spawn(Writer::new(context, writer, recipients.clone(), next_rng()).run());
            }
            for reader in channel_readers {
                reader::start(reader, context, &mut readers, &mut next_rng);
            }
        }
        let checker = Checker::new(context, fixture, Rng::new(seed, CHECKER_STREAM));
        // While some of several hubs fail, nothing is known that it could check.
        let last_checker = match context.is_cluster() {
            true => Some(checker),
            false => {
                checkers.spawn(checker.run());
                None
            }
        };
        Self { writers, readers, checkers, last_checker }
    }

    /// Lets writers finish their messages and readers read everything, then checks everything once more.
    pub(super) async fn drain(self, context: &Context) {
        context.enter(Phase::Settling);
        let mut writers = join_all(context, "writer", self.writers).await;
        context.enter(Phase::Draining);
        join_all(context, "reader", self.readers).await;
        let mut checkers = join_all(context, "checker", self.checkers).await;
        checkers.extend(self.last_checker);
        for checker in &mut checkers {
            checker.finish().await;
        }
        for writer in &mut writers {
            writer.finish().await;
        }
    }
}

/// Waits for all tasks; reports and aborts those that do not end in time.
async fn join_all<T: 'static>(context: &Context, role: &str, mut tasks: JoinSet<T>) -> Vec<T> {
    let mut results = Vec::new();
    let ended = async {
        while let Some(ended) = tasks.join_next().await {
            match ended {
                Ok(result) => results.push(result),
                Err(error) => context.record(Event::Unfinished { what: format!("a {role} failed: {error}") }),
            }
        }
    };
    if tokio::time::timeout(FINISH_TIMEOUT, ended).await.is_err() {
        let what = format!("{} of the {role}s did not end within {} s", tasks.len(), FINISH_TIMEOUT.as_secs());
        context.record(Event::Unfinished { what });
    }
    results
}
