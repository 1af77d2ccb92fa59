//! One channel at run time: the actor that drives its machine, its writes to the log, and what it publishes.
//!
//! | module | job |
//! |---|---|
//! | [`handle`] | what the rest of the hub holds of a channel |
//! | [`messages`], [`handlers`] | the mailbox |
//! | [`actor`] | drives the machine and runs its effects |
//! | [`pending_writes`], [`log_writer`] | applied entries on their way to the log |
//! | [`pending_webhooks`] | webhook deliveries of a send |
//! | [`responder`], [`delivery`] | replies to clients that wait, and whether they took them |
//! | [`recovery`] | the state of a channel, read from the log |
//! | [`status`], [`metrics`] | what is read without the mailbox |

pub(crate) mod actor;
pub(crate) mod delivery;
pub(crate) mod handle;
mod handlers;
mod log_writer;
pub(crate) mod messages;
pub(crate) mod metrics;
mod pending_webhooks;
pub(crate) mod pending_writes;
pub(crate) mod recovery;
pub(crate) mod responder;
pub(crate) mod status;
