//! Writes accounts, within a transaction of the writer: what is unique and what is counted is decided here.

use rogerrat_actors::{AccountChange, AccountChangeResult};
use rogerrat_domain::webhook::Owner;
use rogerrat_domain::{AccountId, Callsign, Identity, TokenHash};
use rusqlite::{OptionalExtension as _, Result, Row, params};

use super::body::Draft;
use super::job::Outcome;
use super::letters;
use super::number::{signed, unsigned};
use super::pen::Pen;

/// What an identity is read from.
pub(super) const IDENTITY: &str = "callsign, account, key_no";

/// An identity, from those columns.
pub(super) fn identity(row: &Row<'_>) -> Result<(Callsign, Identity)> {
    let parsed = |column: usize| {
        move |refusal: rogerrat_domain::Refusal| {
            rusqlite::Error::FromSqlConversionFailure(column, rusqlite::types::Type::Text, Box::new(refusal))
        }
    };
    let callsign = Callsign::parse(row.get_ref(0)?.as_str()?).map_err(parsed(0))?;
    let account = AccountId::parse(row.get_ref(1)?.as_str()?).map_err(parsed(1))?;
    Ok((callsign, Identity { account, key_no: unsigned(row, 2)? }))
}

impl Pen<'_> {
    pub(super) fn account(&self, change: &AccountChange) -> Result<Outcome> {
        let changed = match change {
            AccountChange::Open { account, recovery, session, at_ms } => {
                self.run(
                    "INSERT INTO accounts (id, recovery, created_ms) VALUES (?1, ?2, ?3)",
                    params![account.as_str(), recovery.bytes(), signed(*at_ms)],
                )?;
                self.enter(account, session, *at_ms)?
            }
            AccountChange::Enter { account, session, sessions, at_ms } => {
                self.make_room(account, *sessions)?;
                if self.is_open(account)? {
                    self.enter(account, session, *at_ms)?
                } else {
                    AccountChangeResult::Missing
                }
            }
            AccountChange::Used { session, at_ms } => {
                self.run(
                    "UPDATE account_sessions SET used_ms = max(used_ms, ?2) WHERE token = ?1",
                    params![session.bytes(), signed(*at_ms)],
                )?;
                done()
            }
            AccountChange::Close { account } => self.close(account)?,
            AccountChange::AddIdentity { callsign, identity, key, limit, at_ms } => {
                self.add_identity(callsign, identity, key, *limit, *at_ms)?
            }
            AccountChange::Rekey { callsign, identity, key } => self.rekey(callsign, identity, key)?,
            AccountChange::RemoveIdentity { callsign, account } => {
                let sql = format!("DELETE FROM identities WHERE callsign = ?1 AND account = ?2 RETURNING {IDENTITY}");
                ended(self.identities(&sql, params![callsign.as_str(), account.as_str()])?)
            }
            AccountChange::Sweep { before_ms } => self.sweep(*before_ms)?,
        };
        Ok(Outcome::AccountChangeResult(changed))
    }

    /// Keeps the first record of a channel that is an account's.
    pub(super) fn open_channel(&mut self, draft: &Draft, owner: &AccountId, limit: Option<u32>) -> Result<Outcome> {
        if !self.is_open(owner)? {
            return Ok(Outcome::AccountChangeResult(AccountChangeResult::Missing));
        }
        if self.has("SELECT count(*) FROM channels WHERE owner = ?1", owner, limit)? {
            return Ok(Outcome::AccountChangeResult(AccountChangeResult::Full));
        }
        self.append(draft)
    }

    fn enter(&self, account: &AccountId, session: &TokenHash, at_ms: u64) -> Result<AccountChangeResult> {
        self.run(
            "INSERT INTO account_sessions (token, account, used_ms) VALUES (?1, ?2, ?3)",
            params![session.bytes(), account.as_str(), signed(at_ms)],
        )?;
        Ok(done())
    }

    /// Ends the sessions that were not used for the longest time, so that one more may begin.
    fn make_room(&self, account: &AccountId, sessions: usize) -> Result<()> {
        self.run(
            "DELETE FROM account_sessions WHERE token IN
             (SELECT token FROM account_sessions WHERE account = ?1 ORDER BY used_ms DESC LIMIT -1 OFFSET ?2)",
            params![account.as_str(), signed(sessions.saturating_sub(1) as u64)],
        )?;
        Ok(())
    }

    fn close(&self, account: &AccountId) -> Result<AccountChangeResult> {
        if self.run("DELETE FROM accounts WHERE id = ?1", [account.as_str()])? == 0 {
            return Ok(AccountChangeResult::Missing);
        }
        self.run("DELETE FROM account_sessions WHERE account = ?1", [account.as_str()])?;
        self.run("UPDATE channels SET owner = NULL WHERE owner = ?1", [account.as_str()])?;
        letters::drop_hooks(self.connection, &Owner::Account(account.clone()).to_string())?;
        let sql = format!("DELETE FROM identities WHERE account = ?1 RETURNING {IDENTITY}");
        Ok(AccountChangeResult::Done(self.identities(&sql, [account.as_str()])?))
    }

    fn add_identity(
        &self,
        callsign: &Callsign,
        identity: &Identity,
        key: &TokenHash,
        limit: Option<u32>,
        at_ms: u64,
    ) -> Result<AccountChangeResult> {
        let Identity { account, key_no } = identity;
        if !self.is_open(account)? {
            return Ok(AccountChangeResult::Missing);
        }
        let is_taken = self
            .connection
            .prepare_cached("SELECT 1 FROM identities WHERE callsign = ?1")?
            .exists([callsign.as_str()])?;
        if is_taken {
            return Ok(AccountChangeResult::Taken);
        }
        if self.has("SELECT count(*) FROM identities WHERE account = ?1", account, limit)? {
            return Ok(AccountChangeResult::Full);
        }
        self.run(
            "INSERT INTO identities (callsign, account, key, key_no, created_ms) VALUES (?1, ?2, ?3, ?4, ?5)",
            params![callsign.as_str(), account.as_str(), key.bytes(), signed(*key_no), signed(at_ms)],
        )?;
        Ok(done())
    }

    fn rekey(&self, callsign: &Callsign, next: &Identity, key: &TokenHash) -> Result<AccountChangeResult> {
        let ours = params![callsign.as_str(), next.account.as_str()];
        let before = self
            .connection
            .prepare_cached(&format!("SELECT {IDENTITY} FROM identities WHERE callsign = ?1 AND account = ?2"))?
            .query_row(ours, identity)
            .optional()?;
        self.run(
            "UPDATE identities SET key = ?3, key_no = ?4 WHERE callsign = ?1 AND account = ?2",
            params![callsign.as_str(), next.account.as_str(), key.bytes(), signed(next.key_no)],
        )?;
        Ok(ended(before.into_iter().collect()))
    }

    fn sweep(&self, before_ms: u64) -> Result<AccountChangeResult> {
        self.run("DELETE FROM account_sessions WHERE used_ms < ?1", [signed(before_ms)])?;
        self.run(
            "DELETE FROM accounts WHERE created_ms < ?1
             AND NOT EXISTS (SELECT 1 FROM account_sessions s WHERE s.account = accounts.id)
             AND NOT EXISTS (SELECT 1 FROM identities i WHERE i.account = accounts.id)
             AND NOT EXISTS (SELECT 1 FROM channels c WHERE c.owner = accounts.id)
             AND NOT EXISTS (SELECT 1 FROM webhooks w WHERE w.owner = 'account ' || accounts.id)",
            [signed(before_ms)],
        )?;
        Ok(done())
    }

    fn is_open(&self, account: &AccountId) -> Result<bool> {
        self.connection.prepare_cached("SELECT 1 FROM accounts WHERE id = ?1")?.exists([account.as_str()])
    }

    /// Whether an account has as many of something as it may have.
    fn has(&self, count: &str, account: &AccountId, limit: Option<u32>) -> Result<bool> {
        let Some(limit) = limit else { return Ok(false) };
        let has: i64 = self.connection.prepare_cached(count)?.query_row([account.as_str()], |row| row.get(0))?;
        Ok(has >= i64::from(limit))
    }

    fn identities(&self, sql: &str, ours: impl rusqlite::Params) -> Result<Vec<(Callsign, Identity)>> {
        self.connection.prepare_cached(sql)?.query_map(ours, identity)?.collect()
    }

    fn run(&self, sql: &str, values: impl rusqlite::Params) -> Result<usize> {
        self.connection.prepare_cached(sql)?.execute(values)
    }
}

fn done() -> AccountChangeResult {
    AccountChangeResult::Done(Vec::new())
}

fn ended(identities: Vec<(Callsign, Identity)>) -> AccountChangeResult {
    if identities.is_empty() { AccountChangeResult::Missing } else { AccountChangeResult::Done(identities) }
}
