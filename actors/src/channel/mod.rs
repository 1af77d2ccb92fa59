//! One channel at run time: the actor that drives its machine, its way to the log, and what it publishes.

pub(crate) mod actor;
pub(crate) mod delivery;
pub(crate) mod log_writer;
pub(crate) mod messages;
pub(crate) mod metrics;
pub(crate) mod pending_webhooks;
pub(crate) mod recovery;
pub(crate) mod status;
