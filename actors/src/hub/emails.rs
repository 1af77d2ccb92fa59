//! The e-mail address of an account: attaching, verifying and removing it, and recovering the account with it.

use rogerrat_domain::account::{RECOVERY_PREFIX, SESSION_PREFIX};
use rogerrat_domain::account_session::SessionLabel;
use rogerrat_domain::email::{
    AccountEmail, AttachEmailReply, ConfirmRecoveryReply, EmailAddress, NextEmail, VERIFY_PREFIX, VerifyEmailReply,
};
use rogerrat_domain::limits::{ACCOUNT_SESSIONS, EMAIL_ACCOUNTS, EMAIL_CODE_MS, EMAIL_CODE_TRIES};
use rogerrat_domain::webhook::PUSH_RECOVERY;
use rogerrat_domain::{Code, Language, Refusal, TokenHash};

use super::accounts::{secret, unkept, unread};
use super::{AccountOwner, Hub};
use crate::error::HubError;
use crate::mail::Emails;
use crate::ports::emails::{EmailChange, EmailChangeResult, EmailProof, PendingEmail, SealedEmail, is_code_valid};
use crate::ports::mail_sender::{Mail, MailContent};
use crate::random::{nonce, random_link, random_pin};

impl Hub {
    /// Whether the hub sends e-mails.
    #[must_use]
    pub fn sends_mail(&self) -> bool {
        self.shared.emails.is_some()
    }

    /// Checks that the hub sends e-mails.
    ///
    /// # Errors
    /// `not_found` if it does not.
    pub fn require_mail(&self) -> Result<(), Refusal> {
        self.mail().map(|_| ())
    }

    /// Lets an address wait for the code that is sent to it. A verified address stays until the code is entered.
    ///
    /// # Errors
    /// `not_found` if the hub sends no e-mails; `invalid`; `rate_limited`; `overloaded` when too many are queued;
    /// `unauthorized` when the account has just been deleted; an error when it cannot be stored.
    pub async fn attach_email(
        &self,
        owner: &AccountOwner,
        address: &str,
        language: Language,
    ) -> Result<AttachEmailReply, HubError> {
        let emails = self.mail()?;
        let address = EmailAddress::parse(address)?;
        let (account, keys, now) = (owner.account.clone(), &self.shared.email_keys, self.shared.clock.now());
        let lookup = keys.lookup(&address);
        let place = emails.mailer.place_for_a_code().ok_or_else(|| {
            Refusal::new(Code::Overloaded, "too many e-mails are waiting to be sent")
                .hint("ask again in some minutes")
                .retry_after_ms(60_000)
        })?;
        let may_be_sent = emails.limits.code(&account, &lookup, now)?;
        let (code, link) = (random_pin(), random_link(VERIFY_PREFIX));
        let expires_at = now.at_ms + EMAIL_CODE_MS;
        let sealed = keys.seal(&address, &account, nonce());
        let pending = PendingEmail {
            email: SealedEmail { account: account.clone(), sealed, language },
            lookup,
            code: keys.code(&account, &code),
            link: TokenHash::of(&link),
            expires_ms: expires_at,
        };
        match self.change_email(EmailChange::Attach(pending)).await? {
            EmailChangeResult::Done => {}
            _ => return Err(Refusal::account_deleted().into()),
        }
        let email = address.masked();
        if may_be_sent {
            let content = MailContent::Verification { account, code, link };
            emails.mailer.queue_at(place, Mail { to: address, language, at_ms: now.at_ms, content });
        } else {
            emails.mailer.dropped("a limit is reached");
        }
        Ok(AttachEmailReply { email, verified: false, expires_at })
    }

    /// Verifies the address that waits for its code.
    ///
    /// # Errors
    /// `not_found` if the hub sends no e-mails, or no address waits; `invalid` for a wrong code; `limit_reached` if the
    /// address recovers as many accounts as it may; an error when it cannot be stored.
    pub async fn verify_email(&self, owner: &AccountOwner, code: &str) -> Result<VerifyEmailReply, HubError> {
        self.mail()?;
        // As it is shown in two groups, and copied with white space.
        let code: String = code.chars().filter(|c| !c.is_whitespace() && *c != '-').collect();
        let hash = self.shared.email_keys.code(&owner.account, &code);
        self.verify(EmailProof::Code(owner.account.clone(), hash)).await
    }

    /// Verifies an address with the secret of the link that was sent to it, without a session of its account.
    ///
    /// # Errors
    /// As [`verify_email`](Self::verify_email).
    pub async fn verify_email_by_link(&self, link: &str) -> Result<VerifyEmailReply, HubError> {
        self.mail()?;
        self.verify(EmailProof::Link(TokenHash::of(link))).await
    }

    async fn verify(&self, proof: EmailProof) -> Result<VerifyEmailReply, HubError> {
        let at_ms = self.shared.clock.now().at_ms;
        let verify = EmailChange::Verify { proof, accounts: EMAIL_ACCOUNTS, tries: EMAIL_CODE_TRIES, at_ms };
        match self.change_email(verify).await? {
            EmailChangeResult::Verified { email, replaced } => {
                if let Some(replaced) = replaced {
                    let content = MailContent::Removed(replaced.account.clone());
                    self.notify(&replaced, content);
                }
                let address = self.shared.email_keys.open(&email.sealed, &email.account).ok_or_else(unsealed)?;
                Ok(VerifyEmailReply { email: address.masked(), verified: true })
            }
            EmailChangeResult::Wrong => Err(Refusal::invalid("wrong code")
                .hint("enter the six digits of the newest e-mail; five wrong codes void it")
                .into()),
            EmailChangeResult::Full => Err(Refusal::limit_reached("accounts of an e-mail address", EMAIL_ACCOUNTS)
                .hint("remove the address from another of its accounts, or attach another address")
                .into()),
            _ => Err(Refusal::new(
                Code::NotFound,
                "no address waits for this code: it was used, replaced, or has expired",
            )
            .hint("attach the address again for a new code")
            .into()),
        }
    }

    /// Removes the address of an account, and one that waits for its code. The verified address is notified.
    ///
    /// # Errors
    /// `not_found` if the account has none; an error when it cannot be stored.
    pub async fn remove_email(&self, owner: &AccountOwner) -> Result<(), HubError> {
        match self.change_email(EmailChange::Remove(owner.account.clone())).await? {
            EmailChangeResult::Removed(Some(removed)) => {
                self.notify(&removed, MailContent::Removed(removed.account.clone()));
                Ok(())
            }
            EmailChangeResult::Removed(None) => Ok(()),
            _ => Err(Refusal::new(Code::NotFound, "this account has no e-mail address").into()),
        }
    }

    /// Sends links to an address that recover its accounts, if it recovers any and the caller `may_send` e-mails. Returns
    /// before it looks the address up.
    ///
    /// # Errors
    /// `not_found` if the hub sends no e-mails; `invalid` for what is no address.
    pub fn request_recovery(&self, address: &str, may_send: bool) -> Result<(), Refusal> {
        let emails = self.mail()?;
        let address = EmailAddress::parse(address)?;
        if may_send {
            emails.request_links(address);
        } else {
            emails.mailer.dropped("its client asked too often");
        }
        Ok(())
    }

    /// Recovers the account of a link. Its recovery token is replaced, a session is added, and the address is notified.
    ///
    /// # Errors
    /// `not_found` if the hub sends no e-mails; `unauthorized` for a link that is not valid; an error when it cannot be
    /// stored.
    pub async fn confirm_recovery(
        &self,
        link: &str,
        label: Option<SessionLabel>,
    ) -> Result<ConfirmRecoveryReply, HubError> {
        self.mail()?;
        let (recovery_token, session_token) = (secret(RECOVERY_PREFIX), secret(SESSION_PREFIX));
        let recover = EmailChange::Recover {
            link: TokenHash::of(link),
            recovery: TokenHash::of(&recovery_token),
            session: TokenHash::of(&session_token),
            label,
            sessions: ACCOUNT_SESSIONS,
            at_ms: self.shared.clock.now().at_ms,
        };
        match self.change_email(recover).await? {
            EmailChangeResult::Recovered(email) => {
                self.notify(&email, MailContent::Recovered(email.account.clone()));
                self.push_to_account(&email.account, PUSH_RECOVERY, "").await;
                Ok(ConfirmRecoveryReply { account_id: email.account, session_token, recovery_token })
            }
            _ => Err(Refusal::new(Code::Unauthorized, "this link was used, or has expired")
                .hint("ask for another e-mail: a link is valid once, for 15 minutes")
                .into()),
        }
    }

    /// The address of an account, as its owner sees it.
    pub(super) async fn account_email(&self, owner: &AccountOwner) -> Result<Option<AccountEmail>, HubError> {
        let (keys, at_ms) = (&self.shared.email_keys, self.shared.clock.now().at_ms);
        let stored = self.shared.ports.accounts.emails(owner.account.clone()).await.map_err(unread)?;
        let shown = |email: SealedEmail| keys.open(&email.sealed, &email.account).map(|address| address.masked());
        let pending = stored.pending.filter(|(_, expires_ms)| is_code_valid(*expires_ms, at_ms));
        let next = pending.and_then(|(email, expires_at)| Some(NextEmail { address: shown(email)?, expires_at }));
        Ok(match (stored.verified.and_then(shown), next) {
            (Some(address), next) => Some(AccountEmail { address, verified: true, expires_at: None, next }),
            (None, Some(NextEmail { address, expires_at })) => {
                Some(AccountEmail { address, verified: false, expires_at: Some(expires_at), next: None })
            }
            (None, None) => None,
        })
    }

    fn mail(&self) -> Result<&Emails, Refusal> {
        self.shared.emails.as_deref().ok_or_else(|| {
            Refusal::new(Code::NotFound, "this hub sends no e-mails")
                .hint("an account of this hub is recovered with its recovery token only")
        })
    }

    /// Tells an address what happened to it, if the hub sends e-mails.
    fn notify(&self, email: &SealedEmail, content: MailContent) {
        let Some(emails) = &self.shared.emails else { return };
        let Some(to) = self.shared.email_keys.open(&email.sealed, &email.account) else { return };
        let now = self.shared.clock.now();
        emails.limits.notice(now);
        emails.mailer.queue(Mail { to, language: email.language, at_ms: now.at_ms, content });
    }

    async fn change_email(&self, change: EmailChange) -> Result<EmailChangeResult, HubError> {
        self.shared.ports.accounts.change_email(change).await.map_err(unkept)
    }
}

/// The error for an address that does not decrypt: the database and the hub's key do not belong together.
fn unsealed() -> HubError {
    log::error!("an e-mail address does not decrypt with the hub's key");
    HubError::StorageFailed
}
