//! The size of a channel's actor: its task is the largest allocation of an idle channel, and a hub may have a million.

use actix::Context;
use actix::dev::ContextFut;

use crate::channel::actor::ChannelActor;

/// The task is this and about a hundred bytes, rounded up to 128.
const TASK_BYTES: usize = 792;

#[test]
fn a_channel_actor_fits_its_memory_budget() {
    let actor = size_of::<ContextFut<ChannelActor, Context<ChannelActor>>>();
    assert!(actor <= TASK_BYTES, "{actor} bytes: what few channels have belongs into a box");
}
