//! The port that sends e-mails.

use std::fmt;

use futures_util::future::BoxFuture;
use rogerrat_domain::email::EmailAddress;
use rogerrat_domain::{AccountId, Language};

/// An e-mail.
#[derive(Clone)]
pub struct Mail {
    /// The recipient.
    pub to: EmailAddress,
    /// The language.
    pub language: Language,
    /// When it was requested, in milliseconds since the epoch.
    pub at_ms: u64,
    /// What it is about.
    pub content: MailContent,
}

/// What an e-mail is about.
#[derive(Clone)]
pub enum MailContent {
    /// The code and the secret of the link that verify an address of an account.
    Verification {
        /// The account.
        account: AccountId,
        /// The code.
        code: String,
        /// The secret of the link.
        link: String,
    },
    /// Links that recover accounts, each with its secret.
    Recovery(Vec<(AccountId, String)>),
    /// The address no longer recovers the account.
    Removed(AccountId),
    /// The account was recovered by e-mail.
    Recovered(AccountId),
    /// A test by the operator.
    Test,
}

/// Shows the kind only: no address, code or link.
impl fmt::Debug for Mail {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Mail").field(&self.content.kind()).finish_non_exhaustive()
    }
}

impl MailContent {
    /// The kind, for logs and metrics.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Verification { .. } => "verification",
            Self::Recovery(_) => "recovery",
            Self::Removed(_) => "removed",
            Self::Recovered(_) => "recovered",
            Self::Test => "test",
        }
    }
}

/// Why an e-mail was not sent. It contains no text of the server, which might repeat the address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MailFailure {
    /// The reason, for the log.
    pub reason: &'static str,
    /// The status of the server, such as 451, if it refused.
    pub status: Option<u16>,
    /// Whether another try may succeed.
    pub is_temporary: bool,
}

/// Sends e-mails through a mail server.
pub trait MailSender: Send + Sync + 'static {
    /// Tries once to hand an e-mail to the server.
    fn send(&self, mail: Mail) -> BoxFuture<'static, Result<(), MailFailure>>;
}
