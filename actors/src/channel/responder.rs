//! How the machine's answers reach the clients that wait: one responder for each parked poll and open stream.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, DefaultHasher};

use rogerrat_domain::op::{LookAtTask, Read, Take, TakeOutcome};
use rogerrat_domain::{ReadResponse, TaskResponse, WaiterId};
use tokio::sync::{mpsc, oneshot};

use crate::channel::messages::{Frame, RequestResult};

/// The sending half of a client that waits.
pub(crate) enum Responder {
    /// A parked poll, answered once.
    Poll(oneshot::Sender<RequestResult<Read, ReadResponse>>),
    /// A look at a task that waits, answered once.
    Look(oneshot::Sender<RequestResult<LookAtTask, Option<Box<TaskResponse>>>>),
    /// A taking that waits for work, answered once.
    Take(oneshot::Sender<RequestResult<Take, Option<TakeOutcome>>>),
    /// An open stream.
    Stream(mpsc::Sender<Frame>),
}

/// The responders of a channel. The hub numbers the waiters itself, so a client cannot choose colliding keys and the
/// hasher needs no random key.
pub(crate) type Responders = HashMap<WaiterId, Responder, BuildHasherDefault<DefaultHasher>>;
