//! Accounts in memory, beside a log: for tests, and for a hub whose data may be lost when it stops.

use std::cmp::Reverse;
use std::collections::{BTreeMap, HashMap};
use std::future::ready;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use futures_util::future::BoxFuture;
use rogerrat_domain::account_session::SessionLabel;
use rogerrat_domain::{AccountId, Callsign, ChannelId, Identity, IdentityRow, Record, Settings, TokenHash};

use super::emails::EmailRows;
use crate::ports::accounts::{AccountChange, AccountChangeResult, AccountFacts, Accounts, Opened, StoredSession};
use crate::ports::error::LogError;
use crate::ports::facts::Fact;
use crate::ports::log::{AppendResult, Log};

/// Accounts in memory.
pub struct MemoryAccounts {
    log: Arc<dyn Log>,
    kept: Arc<Mutex<Inner>>,
}

#[derive(Default)]
pub(super) struct Inner {
    pub(super) accounts: BTreeMap<AccountId, Account>,
    sessions: HashMap<TokenHash, (AccountId, StoredSession)>,
    identities: BTreeMap<Callsign, (Identity, TokenHash, u64)>,
    pub(super) emails: EmailRows,
}

pub(super) struct Account {
    pub(super) recovery: TokenHash,
    created_at_ms: u64,
    channels: Vec<ChannelId>,
}

impl MemoryAccounts {
    /// Accounts whose channels are stored in `log`.
    #[must_use]
    pub fn beside(log: Arc<dyn Log>) -> Self {
        Self { log, kept: Arc::default() }
    }

    pub(super) fn kept(&self) -> MutexGuard<'_, Inner> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Inner {
    fn change(&mut self, change: AccountChange) -> AccountChangeResult {
        match change {
            AccountChange::Open { account, recovery, session, label, at_ms } => {
                self.add_session(account.clone(), session, label, at_ms);
                self.accounts.insert(account, Account { recovery, created_at_ms: at_ms, channels: Vec::new() });
            }
            AccountChange::Enter { account, recovery, session, label, sessions, at_ms } => {
                if self.accounts.get(&account).is_none_or(|known| known.recovery != recovery) {
                    return AccountChangeResult::Missing;
                }
                self.trim_sessions(&account, sessions);
                self.add_session(account, session, label, at_ms);
            }
            AccountChange::Used { session, at_ms } => {
                self.sessions.entry(session).and_modify(|(_, stored)| stored.used_ms = stored.used_ms.max(at_ms));
            }
            AccountChange::EndSession { account, session } => {
                if self.sessions.get(&session).is_none_or(|(whose, _)| *whose != account) {
                    return AccountChangeResult::Missing;
                }
                self.sessions.remove(&session);
            }
            AccountChange::RotateRecovery { account, recovery } => {
                let Some(known) = self.accounts.get_mut(&account) else { return AccountChangeResult::Missing };
                known.recovery = recovery;
            }
            AccountChange::Close { account } => {
                self.sessions.retain(|_, (whose, _)| *whose != account);
                self.emails.retain(|whose| *whose != account);
                return match self.accounts.remove(&account) {
                    Some(_) => AccountChangeResult::Done(self.end(|_, identity| identity.account == account)),
                    None => AccountChangeResult::Missing,
                };
            }
            AccountChange::AddIdentity { callsign, identity, key, limit, at_ms } => {
                return self.add(callsign, identity, key, limit, at_ms);
            }
            AccountChange::Rekey { callsign, identity, key } => {
                let ours = self.identities.get_mut(&callsign).filter(|(i, ..)| i.account == identity.account);
                let Some((known, known_key, _)) = ours else { return AccountChangeResult::Missing };
                *known_key = key;
                return AccountChangeResult::Done(vec![(callsign, std::mem::replace(known, identity))]);
            }
            AccountChange::RemoveIdentity { callsign, account } => {
                let ended = self.end(|name, identity| *name == callsign && identity.account == account);
                return if ended.is_empty() { AccountChangeResult::Missing } else { AccountChangeResult::Done(ended) };
            }
            AccountChange::Sweep { before_ms } => {
                self.sessions.retain(|_, (_, stored)| stored.used_ms >= before_ms);
                let (sessions, identities) = (&self.sessions, &self.identities);
                self.accounts.retain(|id, account| {
                    account.created_at_ms >= before_ms
                        || !account.channels.is_empty()
                        || sessions.values().any(|(whose, _)| whose == id)
                        || identities.values().any(|(identity, ..)| identity.account == *id)
                });
                let accounts = &self.accounts;
                self.emails.retain(|whose| accounts.contains_key(whose));
            }
        }
        AccountChangeResult::Done(Vec::new())
    }

    pub(super) fn add_session(
        &mut self,
        account: AccountId,
        token: TokenHash,
        label: Option<SessionLabel>,
        at_ms: u64,
    ) {
        let stored = StoredSession { token: token.clone(), label, created_at_ms: Some(at_ms), used_ms: at_ms };
        self.sessions.insert(token, (account, stored));
    }

    fn add(
        &mut self,
        callsign: Callsign,
        identity: Identity,
        key: TokenHash,
        limit: Option<u32>,
        at_ms: u64,
    ) -> AccountChangeResult {
        let has = self.identities.values().filter(|(i, ..)| i.account == identity.account).count();
        if !self.accounts.contains_key(&identity.account) {
            return AccountChangeResult::Missing;
        }
        if self.identities.contains_key(&callsign) {
            return AccountChangeResult::Taken;
        }
        if limit.is_some_and(|limit| has >= limit as usize) {
            return AccountChangeResult::Full;
        }
        self.identities.insert(callsign, (identity, key, at_ms));
        AccountChangeResult::Done(Vec::new())
    }

    /// Makes the changes that belong to a new channel of an account, and adds the channel to it; or nothing of it. Returns
    /// their facts.
    fn reserve(
        &mut self,
        channel: &ChannelId,
        owner: &AccountId,
        limit: Option<u32>,
        with: &[AccountChange],
    ) -> Result<Vec<Fact>, Opened> {
        let mut facts = Vec::new();
        for (n, change) in with.iter().enumerate() {
            let result = self.change(change.clone());
            if !matches!(result, AccountChangeResult::Done(_)) {
                with.iter().take(n).for_each(|change| self.undo(change));
                return Err(Opened::NotMade(result));
            }
            facts.append(&mut Fact::of_account_change(change, &result));
        }
        let refused = match self.accounts.get_mut(owner) {
            None => Opened::Missing,
            Some(account) if limit.is_some_and(|limit| account.channels.len() >= limit as usize) => Opened::Full,
            Some(account) => {
                account.channels.push(channel.clone());
                return Ok(facts);
            }
        };
        with.iter().for_each(|change| self.undo(change));
        Err(refused)
    }

    /// Takes back a creation.
    fn undo(&mut self, change: &AccountChange) {
        match change {
            AccountChange::Open { account, session, .. } => {
                self.accounts.remove(account);
                self.sessions.remove(session);
            }
            AccountChange::AddIdentity { callsign, .. } => drop(self.identities.remove(callsign)),
            _ => {}
        }
    }

    pub(super) fn trim_sessions(&mut self, account: &AccountId, sessions: usize) {
        let mut ours: Vec<_> = self.sessions.iter().filter(|(_, (whose, _))| whose == account).collect();
        ours.sort_unstable_by_key(|(_, (_, stored))| stored.used_ms);
        let over = (ours.len() + 1).saturating_sub(sessions);
        for session in ours.into_iter().take(over).map(|(session, _)| session.clone()).collect::<Vec<_>>() {
            self.sessions.remove(&session);
        }
    }

    fn end(&mut self, which: impl Fn(&Callsign, &Identity) -> bool) -> Vec<(Callsign, Identity)> {
        let ended = self.identities.extract_if(.., |callsign, (identity, ..)| which(callsign, identity));
        ended.map(|(callsign, (identity, ..))| (callsign, identity)).collect()
    }
}

fn done<T: Send + 'static>(value: T) -> BoxFuture<'static, T> {
    Box::pin(ready(value))
}

impl Accounts for MemoryAccounts {
    fn change(&self, change: AccountChange) -> BoxFuture<'static, Result<AccountChangeResult, LogError>> {
        let result = self.kept().change(change.clone());
        if let Some(instances) = self.log.instances() {
            // The log in memory writes it at once.
            Fact::of_account_change(&change, &result).into_iter().for_each(|fact| drop(instances.write_fact(fact)));
        }
        done(Ok(result))
    }

    fn open_channel(
        &self,
        record: Record,
        owner: AccountId,
        limit: Option<u32>,
        with: Vec<AccountChange>,
    ) -> BoxFuture<'static, Opened> {
        let (channel, kept) = (record.channel.clone(), self.kept.clone());
        let facts = match self.kept().reserve(&channel, &owner, limit, &with) {
            Ok(facts) => facts,
            Err(refused) => return done(refused),
        };
        let (append, log) = (self.log.append(record), self.log.clone());
        Box::pin(async move {
            let appended = append.await;
            if appended == AppendResult::Done {
                if let Some(instances) = log.instances() {
                    // The log in memory writes it at once.
                    facts.into_iter().for_each(|fact| drop(instances.write_fact(fact)));
                }
            } else {
                let mut kept = kept.lock().unwrap_or_else(PoisonError::into_inner);
                if let Some(account) = kept.accounts.get_mut(&owner) {
                    account.channels.retain(|c| *c != channel);
                }
                with.iter().for_each(|change| kept.undo(change));
            }
            Opened::Tried(appended)
        })
    }

    fn session(&self, token: TokenHash) -> BoxFuture<'static, Result<Option<(AccountId, u64)>, LogError>> {
        done(Ok(self.kept().sessions.get(&token).map(|(account, stored)| (account.clone(), stored.used_ms))))
    }

    fn sessions(&self, account: AccountId) -> BoxFuture<'static, Result<Vec<StoredSession>, LogError>> {
        let kept = self.kept();
        let ours = kept.sessions.values().filter(|(whose, _)| *whose == account);
        let mut found: Vec<_> = ours.map(|(_, stored)| stored.clone()).collect();
        found.sort_unstable_by_key(|stored| Reverse(stored.used_ms));
        done(Ok(found))
    }

    fn recovery(&self, token: TokenHash) -> BoxFuture<'static, Result<Option<AccountId>, LogError>> {
        done(Ok(self.kept().accounts.iter().find(|(_, a)| a.recovery == token).map(|(id, _)| id.clone())))
    }

    fn facts(&self, account: AccountId) -> BoxFuture<'static, Result<Option<AccountFacts>, LogError>> {
        let facts = |a: &Account| AccountFacts { created_at_ms: a.created_at_ms, channels: a.channels.len() };
        done(Ok(self.kept().accounts.get(&account).map(facts)))
    }

    fn identities(&self, account: AccountId) -> BoxFuture<'static, Result<Vec<IdentityRow>, LogError>> {
        let kept = self.kept();
        let ours = kept.identities.iter().filter(|(_, (identity, ..))| identity.account == account);
        let row = |(callsign, (_, _, created_at)): (&Callsign, &(Identity, TokenHash, u64))| IdentityRow {
            callsign: callsign.clone(),
            created_at: *created_at,
        };
        done(Ok(ours.map(row).collect()))
    }

    fn channels(&self, account: AccountId) -> BoxFuture<'static, Result<Vec<(ChannelId, Settings)>, LogError>> {
        let ours = self.kept().accounts.get(&account).map(|a| a.channels.clone()).unwrap_or_default();
        let log = self.log.clone();
        Box::pin(async move {
            let mut found = Vec::new();
            for channel in ours {
                found.extend(log.find(&channel).await?.map(|settings| (channel, settings)));
            }
            Ok(found)
        })
    }

    fn proof(&self, key: TokenHash) -> BoxFuture<'static, Result<Option<(Callsign, Identity)>, LogError>> {
        let kept = self.kept();
        let found = kept.identities.iter().find(|(_, (_, known, _))| *known == key);
        done(Ok(found.map(|(callsign, (identity, ..))| (callsign.clone(), identity.clone()))))
    }

    fn named(&self, callsigns: Vec<Callsign>) -> BoxFuture<'static, Result<Vec<(Callsign, Identity)>, LogError>> {
        let kept = self.kept();
        let found = callsigns.into_iter().filter_map(|callsign| {
            let (identity, ..) = kept.identities.get(&callsign)?;
            Some((callsign, identity.clone()))
        });
        done(Ok(found.collect()))
    }
}
