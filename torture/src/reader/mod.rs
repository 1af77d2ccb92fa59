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
use super::setup::{Behaviour, ReaderPlace};

/// After an answer that is an error, so that nobody asks without pause.
const AFTER_TROUBLE: Duration = Duration::from_millis(50);

/// Starts what this reader does; everything ends when nothing is due to it in the last phase.
pub(super) fn start(
    place: &ReaderPlace,
    context: &Arc<Context>,
    tasks: &mut JoinSet<()>,
    mut rng: impl FnMut() -> Rng,
) {
    let ReaderPlace { pass, behaviour, default_consumer, second_consumer } = place;
    match behaviour {
        Behaviour::Listen => drop(tasks.spawn(Automatic::new(context, pass, *default_consumer, "listen", rng()).run())),
        Behaviour::WaitWithSecondConsumer => {
            drop(tasks.spawn(Automatic::new(context, pass, *default_consumer, "wait", rng()).run()));
        }
        Behaviour::Manual => drop(tasks.spawn(Manual::new(context, pass, *default_consumer, None, rng()).run())),
        Behaviour::Stream => drop(tasks.spawn(Stream::new(context, pass, *default_consumer, false, rng()).run())),
        Behaviour::ResumingStream => {
            drop(tasks.spawn(Stream::new(context, pass, *default_consumer, true, rng()).run()));
        }
    }
    if let Some(second_consumer) = second_consumer {
        tasks.spawn(Manual::new(context, pass, *second_consumer, Some(super::setup::SECOND_CONSUMER), rng()).run());
    }
}
