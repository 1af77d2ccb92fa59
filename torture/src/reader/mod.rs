//! The members that read, each in its own way.

mod automatic;
mod manual;
mod stream;

use std::sync::Arc;
use std::time::Duration;

pub(super) use automatic::Automatic;
use manual::Manual;
use stream::Stream;
use tokio::task::JoinSet;

use super::context::Context;
use super::rng::Rng;
use super::setup::{Behaviour, ReaderFixture, SECOND_CONSUMER};

/// A pause after an error, so that a reader does not retry in a tight loop.
const AFTER_ERROR: Duration = Duration::from_millis(50);

/// Starts the tasks of a reader. In the last phase, each ends when nothing is due to it.
pub(super) fn start(
    reader: &ReaderFixture,
    context: &Arc<Context>,
    tasks: &mut JoinSet<()>,
    mut next_rng: impl FnMut() -> Rng,
) {
    let ReaderFixture { member, behaviour, default_consumer: consumer, second_consumer } = reader;
    let (consumer, rng) = (*consumer, next_rng());
    match behaviour {
        Behaviour::Listen => tasks.spawn(Automatic::new(context, member, consumer, "listen", rng).run()),
        Behaviour::TwoConsumers => tasks.spawn(Automatic::new(context, member, consumer, "wait", rng).run()),
        Behaviour::Manual => tasks.spawn(Manual::new(context, member, consumer, None, rng).run()),
        Behaviour::Stream => tasks.spawn(Stream::new(context, member, consumer, false, rng).run()),
        Behaviour::ResumingStream => tasks.spawn(Stream::new(context, member, consumer, true, rng).run()),
    };
    if let Some(second) = second_consumer {
        tasks.spawn(Manual::new(context, member, *second, Some(SECOND_CONSUMER), next_rng()).run());
    }
}
