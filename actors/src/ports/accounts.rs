//! The port that stores accounts: their sessions, identities and channels.
//!
//! Uniqueness and quotas are checked in the transaction of the write, so two concurrent requests cannot both take the
//! last one. Tokens and keys are stored as hashes only.

use futures_util::future::BoxFuture;
use rogerrat_domain::account_session::SessionLabel;
use rogerrat_domain::{AccountId, Callsign, ChannelId, Identity, IdentityRow, Record, Settings, TokenHash};

use crate::ports::emails::EmailStore;
use crate::ports::error::LogError;
use crate::ports::log::AppendResult;

/// A change of an account, made as a whole or not at all.
#[derive(Clone, Debug)]
pub enum AccountChange {
    /// Create an account with its first session.
    Open {
        /// The account's id.
        account: AccountId,
        /// The hash of its recovery token.
        recovery: TokenHash,
        /// The hash of the token of its first session.
        session: TokenHash,
        /// The label of that session.
        label: Option<SessionLabel>,
        /// When, in milliseconds since the epoch.
        at_ms: u64,
    },
    /// Add a session, if the recovery token is still the account's. Beyond `sessions` of them, the one unused for longest
    /// ends.
    Enter {
        /// The account.
        account: AccountId,
        /// The hash of the recovery token that the caller presented.
        recovery: TokenHash,
        /// The hash of the session's token.
        session: TokenHash,
        /// The session's label.
        label: Option<SessionLabel>,
        /// Sessions the account may have.
        sessions: usize,
        /// When, in milliseconds since the epoch.
        at_ms: u64,
    },
    /// Record the use of a session.
    Used {
        /// Its token.
        session: TokenHash,
        /// When, in milliseconds since the epoch.
        at_ms: u64,
    },
    /// End a session of an account.
    EndSession {
        /// The account.
        account: AccountId,
        /// The hash of the session's token.
        session: TokenHash,
    },
    /// Replace an account's recovery token.
    RotateRecovery {
        /// The account.
        account: AccountId,
        /// The hash of the new token.
        recovery: TokenHash,
    },
    /// Delete an account with its sessions, identities, webhooks and e-mail addresses. Its channels remain, without an owner.
    Close {
        /// The account.
        account: AccountId,
    },
    /// Add an identity.
    AddIdentity {
        /// Its callsign.
        callsign: Callsign,
        /// Its account, and the number of its first key.
        identity: Identity,
        /// The hash of the key.
        key: TokenHash,
        /// Identities the account may have; none means no limit.
        limit: Option<u32>,
        /// When, in milliseconds since the epoch.
        at_ms: u64,
    },
    /// Rotate an identity's key.
    Rekey {
        /// Its callsign.
        callsign: Callsign,
        /// Its account, and the number of its new key.
        identity: Identity,
        /// The hash of the key.
        key: TokenHash,
    },
    /// Remove an identity.
    RemoveIdentity {
        /// Its callsign.
        callsign: Callsign,
        /// Its account.
        account: AccountId,
    },
    /// End sessions that were last used before a time, and delete accounts that own nothing when their last session
    /// ends.
    Sweep {
        /// The time, in milliseconds since the epoch.
        before_ms: u64,
    },
}

/// The result of an account change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AccountChangeResult {
    /// The change is stored. The keys of these identities are revoked.
    Done(Vec<(Callsign, Identity)>),
    /// The callsign belongs to an identity already.
    Taken,
    /// The account's quota is used up.
    Full,
    /// There is no such account, or it has no such identity or session, or no longer this recovery token.
    Missing,
}

/// The result of creating a channel that an account owns.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Opened {
    /// The result of appending its first record.
    Tried(AppendResult),
    /// The account's quota of channels is used up.
    Full,
    /// The account no longer exists.
    Missing,
    /// A change that belongs to the creation was not made, so nothing was.
    NotMade(AccountChangeResult),
}

/// Facts about an account.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AccountFacts {
    /// When it was created, in milliseconds since the epoch.
    pub created_at_ms: u64,
    /// Channels it owns.
    pub channels: usize,
}

/// A session of an account, as it is stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredSession {
    /// The hash of its token.
    pub token: TokenHash,
    /// Its label.
    pub label: Option<SessionLabel>,
    /// When it was created, in milliseconds since the epoch; none if an earlier version of the hub created it.
    pub created_at_ms: Option<u64>,
    /// When it was last used, in milliseconds since the epoch.
    pub used_ms: u64,
}

/// Stores accounts. A read after a completed change sees the change.
pub trait Accounts: EmailStore {
    /// Makes a change.
    fn change(&self, change: AccountChange) -> BoxFuture<'static, Result<AccountChangeResult, LogError>>;

    /// Appends the first record of a channel that its settings give to an account, unless that account owns `limit`
    /// channels already. The changes `with` are made before, and the whole is stored or nothing of it: they are `Open` and
    /// `AddIdentity`.
    fn open_channel(
        &self,
        record: Record,
        owner: AccountId,
        limit: Option<u32>,
        with: Vec<AccountChange>,
    ) -> BoxFuture<'static, Opened>;

    /// The account of a session token, and when the session was last used, in milliseconds since the epoch.
    fn session(&self, token: TokenHash) -> BoxFuture<'static, Result<Option<(AccountId, u64)>, LogError>>;

    /// The sessions of an account, most recently used first.
    fn sessions(&self, account: AccountId) -> BoxFuture<'static, Result<Vec<StoredSession>, LogError>>;

    /// The account of a recovery token.
    fn recovery(&self, token: TokenHash) -> BoxFuture<'static, Result<Option<AccountId>, LogError>>;

    /// Facts about an account; none if it does not exist.
    fn facts(&self, account: AccountId) -> BoxFuture<'static, Result<Option<AccountFacts>, LogError>>;

    /// The identities of an account, by callsign.
    fn identities(&self, account: AccountId) -> BoxFuture<'static, Result<Vec<IdentityRow>, LogError>>;

    /// The channels of an account, oldest first.
    fn channels(&self, account: AccountId) -> BoxFuture<'static, Result<Vec<(ChannelId, Settings)>, LogError>>;

    /// The identity a key proves.
    fn proof(&self, key: TokenHash) -> BoxFuture<'static, Result<Option<(Callsign, Identity)>, LogError>>;

    /// The identities that own these callsigns; callsigns without an identity are left out.
    fn named(&self, callsigns: Vec<Callsign>) -> BoxFuture<'static, Result<Vec<(Callsign, Identity)>, LogError>>;
}
