//! E-mail at run time: recovering accounts by an address that their owners verified.
//!
//! Nothing that a caller without an account sees depends on which addresses recover accounts: a request to recover is only
//! queued, and a task of its own looks the address up after the reply.

mod limits;
mod mailer;

use std::sync::Arc;

use rogerrat_domain::email::{EMAIL_RECOVERY_PREFIX, EmailAddress, EmailKeys};
use rogerrat_domain::limits::{EMAIL_ACCOUNTS, EMAIL_CODE_MS};
use rogerrat_domain::{AccountId, TokenHash};
use tokio::sync::mpsc;

use crate::clock::Clock;
use crate::counters::Counters;
use crate::ports::accounts::Accounts;
use crate::ports::emails::{EmailChange, EmailChangeResult, SealedEmail};
use crate::ports::error::LogError;
use crate::ports::mail_sender::{Mail, MailContent, MailSender};
use crate::random::random_link;

pub(crate) use limits::MailLimits;
pub(crate) use mailer::Mailer;

/// Requests to recover that may be queued. A further one is dropped, and its reply is the same.
const REQUESTS_QUEUED: usize = 100;

/// What the hub needs to send e-mails. Absent if it sends none.
pub(crate) struct Emails {
    pub(crate) mailer: Mailer,
    pub(crate) limits: MailLimits,
    requests: mpsc::Sender<EmailAddress>,
}

impl Emails {
    /// Starts the task that looks addresses up. It ends when this is dropped.
    pub(crate) fn start(
        sender: Arc<dyn MailSender>,
        accounts: Arc<dyn Accounts>,
        keys: EmailKeys,
        per_hour: u32,
        clock: Clock,
        counters: Arc<Counters>,
    ) -> Arc<Self> {
        let (requests, mut queue) = mpsc::channel(REQUESTS_QUEUED);
        let mailer = Mailer::new(sender, clock, counters);
        let emails = Arc::new(Self { mailer, limits: MailLimits::new(per_hour), requests });
        let weak = Arc::downgrade(&emails);
        actix::spawn(async move {
            while let Some(address) = queue.recv().await {
                let Some(emails) = weak.upgrade() else { return };
                if let Err(error) = emails.send_links(&*accounts, &keys, clock, address).await {
                    log::warn!(error:display; "could not look up the accounts of an address");
                }
            }
        });
        emails
    }

    /// Queues a request to recover the accounts of an address.
    pub(crate) fn request_links(&self, address: EmailAddress) {
        if self.requests.try_send(address).is_err() {
            self.mailer.dropped("too many requests to recover are queued");
        }
    }

    /// Sends links to an address, if it recovers accounts.
    async fn send_links(
        &self,
        accounts: &dyn Accounts,
        keys: &EmailKeys,
        clock: Clock,
        address: EmailAddress,
    ) -> Result<(), LogError> {
        let (lookup, now) = (keys.lookup(&address), clock.now());
        let found = accounts.recoverable(lookup.clone()).await?;
        let Some(SealedEmail { language, .. }) = found.first() else { return Ok(()) };
        let to = found.iter().find_map(|email| keys.open(&email.sealed, &email.account));
        let (language, ids) = (*language, found.into_iter().take(EMAIL_ACCOUNTS).map(|email| email.account));
        let ids = self.limits.links(&lookup, ids.collect(), now);
        if ids.is_empty() {
            self.mailer.dropped("a limit is reached");
            return Ok(());
        }
        let secrets: Vec<(AccountId, String)> =
            ids.into_iter().map(|account| (account, random_link(EMAIL_RECOVERY_PREFIX))).collect();
        let links = secrets.iter().map(|(account, secret)| (account.clone(), TokenHash::of(secret))).collect();
        let add = EmailChange::AddLinks { lookup, links, expires_ms: now.at_ms + EMAIL_CODE_MS };
        if accounts.change_email(add).await? == EmailChangeResult::Done {
            // To the address as its owner wrote it, which may differ in case from the request.
            let content = MailContent::Recovery(secrets);
            self.mailer.queue(Mail { to: to.unwrap_or(address), language, at_ms: now.at_ms, content });
        }
        Ok(())
    }
}
