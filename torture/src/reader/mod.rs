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

use super::dice::Dice;
use super::setup::{Habit, ReaderPlace};
use super::world::World;

/// After an answer that is an error, so that nobody asks without pause.
const AFTER_TROUBLE: Duration = Duration::from_millis(50);

/// Starts what this reader does; everything ends when nothing is due to it in the last phase.
pub(super) fn start(place: &ReaderPlace, world: &Arc<World>, tasks: &mut JoinSet<()>, mut dice: impl FnMut() -> Dice) {
    let ReaderPlace { pass, habit, ear, tape } = place;
    match habit {
        Habit::Listen => drop(tasks.spawn(Automatic::new(world, pass, *ear, "listen", dice()).run())),
        Habit::WaitWithTape => drop(tasks.spawn(Automatic::new(world, pass, *ear, "wait", dice()).run())),
        Habit::Manual => drop(tasks.spawn(Manual::new(world, pass, *ear, None, dice()).run())),
        Habit::Stream => drop(tasks.spawn(Stream::new(world, pass, *ear, false, dice()).run())),
        Habit::ResumingStream => drop(tasks.spawn(Stream::new(world, pass, *ear, true, dice()).run())),
    }
    if let Some(tape) = tape {
        tasks.spawn(Manual::new(world, pass, *tape, Some(super::setup::TAPE), dice()).run());
    }
}
