//! The actors of a rogerrat hub. They run what `rogerrat-domain` decides.
//!
//! Outside sees [`Hub`], a cheap handle with one short async method for each operation, and the ports. No address and
//! no message type leaves this crate; it knows no HTTP.
#![warn(missing_docs)]

mod accounts;
mod alarm;
mod attempts;
mod bans;
mod call;
mod channel_actor;
mod clock;
mod counters;
mod courier;
mod delivery;
mod entropy;
mod error;
mod house;
mod hub;
mod keeping;
mod log;
mod memory_accounts;
mod memory_log;
mod memory_postbox;
mod password;
mod ports;
mod postbox;
mod poster;
mod registry;
mod revival;
mod room;
mod run;
mod share;
mod standing;
#[cfg(test)]
mod tests;
mod totals;
mod vitals;
mod webhooks;

pub use accounts::{AccountChange, AccountFacts, Accounts, Changed, Opened};
pub use attempts::{Attempts, household};
pub use clock::Clock;
pub use delivery::{Parcel, Receipt, StreamReader};
pub use entropy::{random_key, random_password, random_token, roll};
pub use error::HubError;
pub use hub::{Admission, Admitted, Band, Created, HookStanding, Hub, HubRules, Owner, Replayed, Subscribed};
pub use log::{Appended, Doing, Kept, Log, LogError};
pub use memory_accounts::MemoryAccounts;
pub use memory_log::MemoryLog;
pub use ports::Ports;
pub use postbox::{KeptHook, Postbox};
pub use poster::{Letter, Poster};
pub use totals::{Gaps, Gauges, Totals, WebhookTotals};
pub use webhooks::HookVaults;
