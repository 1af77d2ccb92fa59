//! The port to the accounts: who may speak for them, and what is theirs.
//!
//! What is unique and what is counted is decided where it is kept, together with what is written, so that two who ask at
//! once cannot both have the last one. Tokens and keys are known by their hash alone.

use futures_util::future::BoxFuture;
use rogerrat_domain::{AccountId, Callsign, ChannelId, Identity, IdentityRow, Record, Settings, TokenHash};

use crate::ports::log::{AppendResult, LogError};

/// Something that is to happen to an account: all of it or nothing.
#[derive(Clone, Debug)]
pub enum AccountChange {
    /// It begins, with its first session.
    Open {
        /// Its id.
        account: AccountId,
        /// Its recovery token.
        recovery: TokenHash,
        /// The token of its first session.
        session: TokenHash,
        /// When, in milliseconds since the epoch.
        at_ms: u64,
    },
    /// A session more. Beyond `sessions` of them the one not used for the longest time ends.
    Enter {
        /// The account.
        account: AccountId,
        /// The session's token.
        session: TokenHash,
        /// Sessions it may have.
        sessions: usize,
        /// When, in milliseconds since the epoch.
        at_ms: u64,
    },
    /// A session was used.
    Used {
        /// Its token.
        session: TokenHash,
        /// When, in milliseconds since the epoch.
        at_ms: u64,
    },
    /// It ends, with its sessions, identities and webhooks. Its channels are nobody's then.
    Close {
        /// The account.
        account: AccountId,
    },
    /// An identity more.
    AddIdentity {
        /// Its callsign.
        callsign: Callsign,
        /// Whose it is, and which key is its first.
        identity: Identity,
        /// The key.
        key: TokenHash,
        /// Identities the account may have; none is no bound.
        limit: Option<u32>,
        /// When, in milliseconds since the epoch.
        at_ms: u64,
    },
    /// An identity gets another key.
    Rekey {
        /// Its callsign.
        callsign: Callsign,
        /// Whose it is, and which key it has from now on.
        identity: Identity,
        /// The key.
        key: TokenHash,
    },
    /// An identity ends.
    RemoveIdentity {
        /// Its callsign.
        callsign: Callsign,
        /// Whose it is.
        account: AccountId,
    },
    /// Sessions that were not used since then end, and accounts that have nothing at all with the last of them.
    Sweep {
        /// The time, in milliseconds since the epoch.
        before_ms: u64,
    },
}

/// What became of a change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AccountChangeResult {
    /// It is kept. These identities' keys are good no more.
    Done(Vec<(Callsign, Identity)>),
    /// The callsign is an identity's already.
    Taken,
    /// The account has as many as it may have.
    Full,
    /// There is no such account, or it has no such identity.
    Missing,
}

/// What became of a channel that was to be an account's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Opened {
    /// What became of its first record.
    Tried(AppendResult),
    /// The account owns as many as it may own.
    Full,
    /// There is no such account any more.
    Missing,
}

/// What an account is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AccountFacts {
    /// When it was created, in milliseconds since the epoch.
    pub created_at_ms: u64,
    /// Channels it owns.
    pub channels: usize,
}

/// Keeps accounts. What was kept by a change is seen by whoever looks after it.
pub trait Accounts: Send + Sync + 'static {
    /// Makes a change.
    fn change(&self, change: AccountChange) -> BoxFuture<'static, Result<AccountChangeResult, LogError>>;

    /// Keeps the first record of a channel that its settings say is an account's, unless that account owns `limit` of
    /// them already.
    fn open_channel(&self, record: Record, owner: AccountId, limit: Option<u32>) -> BoxFuture<'static, Opened>;

    /// Whose session a token is, and when it was used last, in milliseconds since the epoch.
    fn session(&self, token: TokenHash) -> BoxFuture<'static, Result<Option<(AccountId, u64)>, LogError>>;

    /// Which account a recovery token is for.
    fn recovery(&self, token: TokenHash) -> BoxFuture<'static, Result<Option<AccountId>, LogError>>;

    /// What an account is; none if there is no such account.
    fn facts(&self, account: AccountId) -> BoxFuture<'static, Result<Option<AccountFacts>, LogError>>;

    /// The identities of an account, by callsign.
    fn identities(&self, account: AccountId) -> BoxFuture<'static, Result<Vec<IdentityRow>, LogError>>;

    /// The channels of an account, oldest first.
    fn channels(&self, account: AccountId) -> BoxFuture<'static, Result<Vec<(ChannelId, Settings)>, LogError>>;

    /// The identity a key proves.
    fn proof(&self, key: TokenHash) -> BoxFuture<'static, Result<Option<(Callsign, Identity)>, LogError>>;

    /// Which of these callsigns are identities', and whose.
    fn named(&self, callsigns: Vec<Callsign>) -> BoxFuture<'static, Result<Vec<(Callsign, Identity)>, LogError>>;
}
