//! The rules of a rogerrat hub: ids, limits, operations, and the channel as a machine.
//!
//! Pure: no clock, no chance, no network, no disk. Time and dice are handed in, what is to be done is handed out.
//! `decide` says what will have happened or refuses, `apply` makes it so and tells the effects, `answer` replies.
#![warn(missing_docs)]

pub mod account;
mod ban;
mod callsign;
mod channel;
mod digest;
mod entry;
mod flat;
mod identity;
mod ids;
pub mod limits;
mod line;
mod message;
pub mod names;
mod now;
pub mod op;
mod outbox;
mod rare;
mod refusal;
mod schemas;
mod seal;
mod session;
mod settings;
mod slip;
pub mod text;
mod token;
mod told;
pub mod transcript;
mod vault;
pub mod webhook;

pub use account::{AccountLimits, IdentityRow};
pub use ban::{Ban, BanInput, Banned};
pub use callsign::{ALL, Callsign};
pub use channel::{
    Broken, Channel, Delivery, Effect, Ending, Figures, Gap, Given, Handed, Loss, Rules, Shelf, Shelved, Snapshot,
    Window,
};
pub use entry::{Entry, Record, SendKey, Terms};
pub use identity::{Identity, Verified};
pub use ids::{AccountId, ChannelId, ConsumerName, MemberNo, MessageId, PlaceId, SessionId};
pub use line::message_line;
pub use message::{Attachment, BadMessage, Kind, Message, Priority};
pub use now::Now;
pub use op::Operation;
pub use outbox::{Happening, Order, Outbox, Parallel, Standing, Step};
pub use refusal::{Code, Quota, Refusal};
pub use seal::Seal;
pub use session::HubKey;
pub use settings::{DmVisibility, Durability, Retention, Settings, TrustMode};
pub use slip::{Progress, Slip};
pub use token::TokenHash;
pub use told::{Told, ToldFile};
pub use vault::{NONCE_BYTES, Vault};
