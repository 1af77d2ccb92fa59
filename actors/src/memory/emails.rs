//! The e-mail addresses of accounts in memory.

use std::collections::{BTreeMap, HashMap};
use std::future::ready;

use futures_util::future::BoxFuture;
use rogerrat_domain::email::EmailLookup;
use rogerrat_domain::{AccountId, TokenHash};

use super::accounts::{Inner, MemoryAccounts};
use crate::ports::emails::{
    EmailChange, EmailChangeResult, EmailProof, EmailStore, PendingEmail, SealedEmail, StoredEmails, is_code_valid,
};
use crate::ports::error::LogError;

/// The addresses, codes and links of all accounts.
#[derive(Default)]
pub(super) struct EmailRows {
    verified: BTreeMap<AccountId, (SealedEmail, EmailLookup)>,
    pending: BTreeMap<AccountId, (PendingEmail, u32)>,
    links: HashMap<TokenHash, (AccountId, u64)>,
}

impl EmailRows {
    /// Deletes what belongs to an account that no longer exists.
    pub(super) fn retain(&mut self, exists: impl Fn(&AccountId) -> bool) {
        self.verified.retain(|account, _| exists(account));
        self.pending.retain(|account, _| exists(account));
        self.links.retain(|_, (account, _)| exists(account));
    }

    fn remove(&mut self, account: &AccountId) -> EmailChangeResult {
        self.links.retain(|_, (whose, _)| whose != account);
        match (self.verified.remove(account), self.pending.remove(account)) {
            (None, None) => EmailChangeResult::Missing,
            (verified, _) => EmailChangeResult::Removed(verified.map(|(email, _)| email)),
        }
    }

    fn verify(&mut self, proof: &EmailProof, accounts: usize, tries: u32, at_ms: u64) -> EmailChangeResult {
        let found = match proof {
            EmailProof::Code(account, _) => self.pending.get_mut(account),
            EmailProof::Link(link) => self.pending.values_mut().find(|(pending, _)| pending.link == *link),
        };
        let Some((pending, wrong)) = found else { return EmailChangeResult::Missing };
        if *wrong >= tries || !is_code_valid(pending.expires_ms, at_ms) {
            return EmailChangeResult::Missing;
        }
        if matches!(proof, EmailProof::Code(_, code) if *code != pending.code) {
            *wrong += 1;
            return EmailChangeResult::Wrong;
        }
        let (email, lookup) = (pending.email.clone(), pending.lookup.clone());
        let others = self.verified.iter().filter(|(account, (_, l))| **account != email.account && *l == lookup);
        if others.count() >= accounts {
            return EmailChangeResult::Full;
        }
        self.pending.remove(&email.account);
        self.links.retain(|_, (whose, _)| *whose != email.account);
        let before = self.verified.insert(email.account.clone(), (email.clone(), lookup.clone()));
        let replaced = before.filter(|(_, l)| *l != lookup).map(|(email, _)| email);
        EmailChangeResult::Verified { email, replaced }
    }

    fn add_links(&mut self, lookup: &EmailLookup, links: Vec<(AccountId, TokenHash)>, expires_ms: u64) {
        for (account, link) in links {
            if self.verified.get(&account).is_some_and(|(_, l)| l == lookup) {
                self.links.insert(link, (account, expires_ms));
            }
        }
    }
}

impl Inner {
    fn change_email(&mut self, change: EmailChange) -> EmailChangeResult {
        match change {
            EmailChange::Attach(pending) => {
                if !self.accounts.contains_key(&pending.email.account) {
                    return EmailChangeResult::Missing;
                }
                self.emails.pending.insert(pending.email.account.clone(), (pending, 0));
            }
            EmailChange::Verify { proof, accounts, tries, at_ms } => {
                return self.emails.verify(&proof, accounts, tries, at_ms);
            }
            EmailChange::Remove(account) => return self.emails.remove(&account),
            EmailChange::AddLinks { lookup, links, expires_ms } => self.emails.add_links(&lookup, links, expires_ms),
            EmailChange::Recover { link, recovery, session, label, sessions, at_ms } => {
                let valid = self.emails.links.get(&link).filter(|(_, expires_ms)| is_code_valid(*expires_ms, at_ms));
                let verified = valid.and_then(|(account, _)| self.emails.verified.get(account));
                let Some(email) = verified.map(|(email, _)| email.clone()) else { return EmailChangeResult::Missing };
                let Some(known) = self.accounts.get_mut(&email.account) else { return EmailChangeResult::Missing };
                known.recovery = recovery;
                self.emails.links.retain(|_, (whose, _)| *whose != email.account);
                self.emails.pending.remove(&email.account);
                self.trim_sessions(&email.account, sessions);
                self.add_session(email.account.clone(), session, label, at_ms);
                return EmailChangeResult::Recovered(email);
            }
            EmailChange::Sweep { at_ms } => {
                self.emails.pending.retain(|_, (pending, _)| is_code_valid(pending.expires_ms, at_ms));
                self.emails.links.retain(|_, (_, expires_ms)| is_code_valid(*expires_ms, at_ms));
            }
        }
        EmailChangeResult::Done
    }
}

impl EmailStore for MemoryAccounts {
    fn change_email(&self, change: EmailChange) -> BoxFuture<'static, Result<EmailChangeResult, LogError>> {
        Box::pin(ready(Ok(self.kept().change_email(change))))
    }

    fn emails(&self, account: AccountId) -> BoxFuture<'static, Result<StoredEmails, LogError>> {
        let rows = &self.kept().emails;
        let verified = rows.verified.get(&account).map(|(email, _)| email.clone());
        let pending = rows.pending.get(&account).map(|(pending, _)| (pending.email.clone(), pending.expires_ms));
        Box::pin(ready(Ok(StoredEmails { verified, pending })))
    }

    fn recoverable(&self, lookup: EmailLookup) -> BoxFuture<'static, Result<Vec<SealedEmail>, LogError>> {
        let kept = self.kept();
        let found = kept.emails.verified.values().filter(|(_, l)| *l == lookup).map(|(email, _)| email.clone());
        Box::pin(ready(Ok(found.collect())))
    }
}
