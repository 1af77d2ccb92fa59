//! The domain of a rogerrat hub: ids, limits, operations, and the state machines of channels and webhook deliveries.
//!
//! The crate is pure: it has no clock, no randomness, no network and no disk. The driver passes in the time and random
//! numbers, and runs the effects that the machines emit. Start with [`Channel`], [`Operation`] and [`Query`]; the second
//! machine is [`Outbox`].
#![warn(missing_docs)]

pub mod account;
pub mod account_session;
mod ban;
mod byte_bound;
mod callsign;
mod channel;
mod collections;
mod delivery_token;
mod deserialize;
mod digest;
pub mod email;
mod encryptor;
mod entry;
mod hint;
mod hub_key;
mod identity;
mod ids;
mod language;
pub mod limits;
mod message;
mod message_line;
pub mod names;
mod now;
pub mod op;
mod outbox;
pub mod push;
mod refusal;
pub mod remote;
mod schema;
mod serialize;
mod settings;
mod signer;
#[cfg(test)]
mod stored_format_tests;
mod str_enum;
pub mod text;
mod token;
pub mod transcript;
pub mod webhook;

pub use account::{AccountLimits, IdentityRow};
pub use ban::{Ban, BanInput, BanTarget};
pub use byte_bound::ByteBound;
pub use callsign::{ALL, Callsign};
pub use channel::{
    AnswerReason, AnswersFormat, BacklogEntry, BacklogLimits, Channel, ChannelStats, DeliveredMessage,
    DeliveryCounters, Effect, Effects, Gap, GapReason, OpenRead, RateWindow, Reach, ReadResponse, RestoreError, Rules,
    SideEventSet, Snapshot, TaskReason, TaskResponse, TaskRow,
};
pub use delivery_token::{CompletedDelivery, DeliveryToken, Progress, UnprovenDelivery};
pub use deserialize::{saturating_u64, whole_number};
pub use encryptor::{Encryptor, NONCE_BYTES};
pub use entry::{AckMode, Entry, Record, SendKey, TaskMark, WhyClosed};
pub use hint::Hint;
pub use hub_key::HubKey;
pub use identity::{Identity, Verified};
pub use ids::{AccountId, ChannelId, ConsumerName, MemberNo, MessageId, SessionId, WaiterId};
pub use language::Language;
pub use message::attachment_file::AttachmentFile;
pub use message::by_reference::{AttachmentForm, AttachmentReference, frame_by_reference};
pub use message::delivered_schema::MessageSchema;
pub use message::list::MessageList;
pub use message::state::{MemberState, MessageState};
pub use message::task::{TaskReference, TaskState, TaskStep, Wants};
pub use message::view::{AttachmentView, MessageView};
pub use message::{Attachment, BadMessage, Kind, Message, Priority, delivery_fields};
pub use message_line::message_line;
pub use now::Now;
pub use op::{Operation, Query};
pub use outbox::{Concurrency, HookHealth, Outbox, OutboxEffect, OutboxEntry, OutboxEvent, RetryPlan};
pub use refusal::{Code, Quota, Refusal, RefusalDetail, TaskConflict};
pub use settings::{DmVisibility, Durability, Retention, Settings, TrustMode};
pub use signer::Signer;
pub use token::TokenHash;
