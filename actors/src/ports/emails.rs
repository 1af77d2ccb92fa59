//! The port that stores the e-mail addresses of accounts, their codes, and links that recover accounts.
//!
//! Addresses arrive here encrypted. Codes and links are stored as hashes only.

use futures_util::future::BoxFuture;
use rogerrat_domain::account_session::SessionLabel;
use rogerrat_domain::email::EmailLookup;
use rogerrat_domain::limits::EMAIL_CODE_MS;
use rogerrat_domain::{AccountId, Language, TokenHash};

use crate::ports::error::LogError;

/// The address of an account, encrypted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SealedEmail {
    /// The account.
    pub account: AccountId,
    /// The address, encrypted with the hub's key for this account.
    pub sealed: Vec<u8>,
    /// The language of its e-mails.
    pub language: Language,
}

/// An address that waits for its code.
#[derive(Clone, Debug)]
pub struct PendingEmail {
    /// Its account and the address.
    pub email: SealedEmail,
    /// The hash by which the accounts of the address are found.
    pub lookup: EmailLookup,
    /// The hash of the code.
    pub code: TokenHash,
    /// The hash of the secret of the link.
    pub link: TokenHash,
    /// When both expire, in milliseconds since the epoch.
    pub expires_ms: u64,
}

/// How the owner of an address proves that the e-mail arrived.
#[derive(Clone, Debug)]
pub enum EmailProof {
    /// The code, entered by the account. A wrong one counts.
    Code(AccountId, TokenHash),
    /// The secret of the link.
    Link(TokenHash),
}

/// A change of the addresses of accounts, made as a whole or not at all.
#[derive(Clone, Debug)]
pub enum EmailChange {
    /// Let an address wait for its code. It replaces one that waits already.
    Attach(PendingEmail),
    /// Let an address that waits recover its account from now on, instead of the one before.
    Verify {
        /// The proof.
        proof: EmailProof,
        /// Accounts that one address may recover.
        accounts: usize,
        /// Wrong codes that void a code.
        tries: u32,
        /// When, in milliseconds since the epoch.
        at_ms: u64,
    },
    /// Remove the addresses of an account, with its code and links.
    Remove(AccountId),
    /// Store the links of an e-mail, of accounts that still have the address.
    AddLinks {
        /// The hash of the address.
        lookup: EmailLookup,
        /// The accounts, and the hash of the secret of each link.
        links: Vec<(AccountId, TokenHash)>,
        /// When the links expire, in milliseconds since the epoch.
        expires_ms: u64,
    },
    /// Recover the account of a link: replace its recovery token, add a session, and end its links and a code that waits.
    /// Beyond `sessions` of them, the session unused for longest ends.
    Recover {
        /// The hash of the secret of the link.
        link: TokenHash,
        /// The hash of the new recovery token.
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
    /// Delete codes and links that expired, with the addresses that waited.
    Sweep {
        /// The time, in milliseconds since the epoch.
        at_ms: u64,
    },
}

/// The result of a change of the addresses of accounts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum EmailChangeResult {
    /// The change is stored.
    Done,
    /// The address is verified, and replaced another one.
    Verified {
        /// The address.
        email: SealedEmail,
        /// The one it replaced; none if it is the same.
        replaced: Option<SealedEmail>,
    },
    /// The addresses were removed; the verified one of them.
    Removed(Option<SealedEmail>),
    /// The account of this address was recovered.
    Recovered(SealedEmail),
    /// The code is wrong.
    Wrong,
    /// The address recovers as many accounts as it may.
    Full,
    /// There is no such account, or no address, code or link of it that is valid.
    Missing,
}

/// The addresses of one account.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct StoredEmails {
    /// The address that recovers the account.
    pub verified: Option<SealedEmail>,
    /// The address that waits for its code, and when that expires, in milliseconds since the epoch.
    pub pending: Option<(SealedEmail, u64)>,
}

/// Whether a code or link that expires at a time is valid. One that expires later than a new one would is from before the
/// clock was set back.
#[must_use]
pub fn is_code_valid(expires_ms: u64, at_ms: u64) -> bool {
    at_ms < expires_ms && expires_ms <= at_ms.saturating_add(EMAIL_CODE_MS)
}

/// Stores the addresses of accounts. They are deleted with their account.
pub trait EmailStore: Send + Sync + 'static {
    /// Makes a change.
    fn change_email(&self, change: EmailChange) -> BoxFuture<'static, Result<EmailChangeResult, LogError>>;

    /// The addresses of an account.
    fn emails(&self, account: AccountId) -> BoxFuture<'static, Result<StoredEmails, LogError>>;

    /// The accounts that an address recovers, by id.
    fn recoverable(&self, lookup: EmailLookup) -> BoxFuture<'static, Result<Vec<SealedEmail>, LogError>>;
}
