//! The actors of a rogerrat hub. They run what `rogerrat-domain` decides.
//!
//! Its users see [`Hub`], a cheap handle with one short async method for each operation, and the ports. No actor
//! address and no message type leaves this crate; it knows no HTTP.
#![warn(missing_docs)]

mod alarm;
mod boot;
mod channel;
mod clock;
mod context;
mod counters;
mod deliberate_fault;
mod error;
mod failures;
mod hub;
mod instances;
mod mail;
mod memory;
mod ports;
mod random;
mod registry;
mod security;
#[cfg(test)]
mod tests;
mod totals;
mod webhooks;

#[cfg(test)]
extern crate self as rogerrat_actors;

pub use channel::delivery::{CompletedAnswer, DeliveryGuard, ReadResponse, StreamReader, UnprovenAnswer};
pub use clock::Clock;
pub use error::HubError;
pub use hub::{
    AccountOwner, Admission, Admitted, AskAnswer, Band, ChannelLocation, Created, HookStatus, Hub, HubRules, Located,
    LookAnswer, PhoneLink, PushStatus, PushTest, RemoteControl, Replayed, Subscribed, TakenWork, TaskLook,
    TranscriptReader,
};
pub use memory::{MemoryAccounts, MemoryInstance, MemoryLog, SharedMemoryLog};
pub use ports::Ports;
pub use ports::accounts::{AccountChange, AccountChangeResult, AccountFacts, Accounts, Opened, StoredSession};
pub use ports::emails::{
    EmailChange, EmailChangeResult, EmailProof, EmailStore, PendingEmail, SealedEmail, StoredEmails, is_code_valid,
};
pub use ports::error::LogError;
pub use ports::facts::{FACTS_KEPT, FACTS_PAGE, Fact, Facts};
pub use ports::instances::{BEAT_EVERY_MS, DEAD_AFTER_MS, Instance, InstanceId, Instances};
pub use ports::lanes::{LANES, Lane, Lanes};
pub use ports::log::{
    AppendResult, Log, PreviousOwner, StoredChannel, StoredSummary, TRANSCRIPT_PAGE_BYTES, TRANSCRIPT_PAGE_LINES,
    TranscriptPage, TranscriptPart,
};
pub use ports::mail_sender::{Mail, MailContent, MailFailure, MailSender};
pub use ports::peers::PeerCalls;
pub use ports::push_sender::{DisabledPush, PushRequest, PushSender};
pub use ports::webhook_sender::{WebhookRequest, WebhookSender};
pub use ports::webhook_store::{HookQueues, PutHook, StoredHook, WebhookStore};
pub use random::{random_key, random_password, random_token, random_u64};
pub use security::attempts::{Attempts, rate_limit_key};
pub use totals::{ClusterTotals, Gaps, Gauges, MailTotals, PushTotals, Totals, WebhookTotals};
pub use webhooks::{HookEncryptors, stored_push_key};
