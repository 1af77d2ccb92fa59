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
pub(super) fn start(place: &ReaderPlace, world: &Arc<Context>, tasks: &mut JoinSet<()>, mut rng: impl FnMut() -> Rng) {
    let ReaderPlace { pass, habit, ear, tape } = place;
    match habit {
        Behaviour::Listen => drop(tasks.spawn(Automatic::new(world, pass, *ear, "listen", rng()).run())),
        Behaviour::WaitWithTape => drop(tasks.spawn(Automatic::new(world, pass, *ear, "wait", rng()).run())),
        Behaviour::Manual => drop(tasks.spawn(Manual::new(world, pass, *ear, None, rng()).run())),
        Behaviour::Stream => drop(tasks.spawn(Stream::new(world, pass, *ear, false, rng()).run())),
        Behaviour::ResumingStream => drop(tasks.spawn(Stream::new(world, pass, *ear, true, rng()).run())),
    }
    if let Some(tape) = tape {
        tasks.spawn(Manual::new(world, pass, *tape, Some(super::setup::TAPE), rng()).run());
    }
}
