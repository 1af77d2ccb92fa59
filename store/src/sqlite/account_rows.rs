//! Accounts in the database. Uniqueness and limits are checked here, within the writer's transaction.

use rogerrat_actors::{AccountChange, AccountChangeResult};
use rogerrat_domain::account_session::SessionLabel;
use rogerrat_domain::webhook::HookOwner;
use rogerrat_domain::{AccountId, Callsign, Identity, TokenHash};
use rusqlite::{OptionalExtension as _, Result, Row, params};

use super::sqlite_int::{get_u64, to_sqlite};
use super::transaction::WriteTx;
use super::webhook_rows;
use super::write_request::WriteOutcome;
use crate::shared::rows::RecordRow;

/// The columns of an identity.
pub(super) const IDENTITY_COLUMNS: &str = "callsign, account, key_no";

/// Reads an identity from [`IDENTITY_COLUMNS`].
pub(super) fn identity(row: &Row<'_>) -> Result<(Callsign, Identity)> {
    let parsed = |column: usize| {
        move |refusal: rogerrat_domain::Refusal| {
            rusqlite::Error::FromSqlConversionFailure(column, rusqlite::types::Type::Text, Box::new(refusal))
        }
    };
    let callsign = Callsign::parse(row.get_ref(0)?.as_str()?).map_err(parsed(0))?;
    let account = AccountId::parse(row.get_ref(1)?.as_str()?).map_err(parsed(1))?;
    Ok((callsign, Identity { account, key_no: get_u64(row, 2)? }))
}

impl WriteTx<'_> {
    pub(super) fn change_account(&self, change: &AccountChange) -> Result<WriteOutcome> {
        let result = match change {
            AccountChange::Open { account, recovery, session, label, at_ms } => {
                self.execute(
                    "INSERT INTO accounts (id, recovery, created_ms) VALUES (?1, ?2, ?3)",
                    params![account.as_str(), recovery.bytes(), to_sqlite(*at_ms)],
                )?;
                self.add_session(account, session, label.as_ref(), *at_ms)?
            }
            AccountChange::Enter { account, recovery, session, label, sessions, at_ms } => {
                let is_current = self
                    .connection
                    .prepare_cached("SELECT 1 FROM accounts WHERE id = ?1 AND recovery = ?2")?
                    .exists(params![account.as_str(), recovery.bytes()])?;
                if is_current {
                    self.evict_sessions(account, *sessions)?;
                    self.add_session(account, session, label.as_ref(), *at_ms)?
                } else {
                    AccountChangeResult::Missing
                }
            }
            AccountChange::Used { session, at_ms } => {
                self.execute(
                    "UPDATE account_sessions SET used_ms = max(used_ms, ?2) WHERE token = ?1",
                    params![session.bytes(), to_sqlite(*at_ms)],
                )?;
                done()
            }
            AccountChange::EndSession { account, session } => found(self.execute(
                "DELETE FROM account_sessions WHERE token = ?1 AND account = ?2",
                params![session.bytes(), account.as_str()],
            )?),
            AccountChange::RotateRecovery { account, recovery } => found(self.execute(
                "UPDATE accounts SET recovery = ?2 WHERE id = ?1",
                params![account.as_str(), recovery.bytes()],
            )?),
            AccountChange::Close { account } => self.close(account)?,
            AccountChange::AddIdentity { callsign, identity, key, limit, at_ms } => {
                self.add_identity(callsign, identity, key, *limit, *at_ms)?
            }
            AccountChange::Rekey { callsign, identity, key } => self.rekey(callsign, identity, key)?,
            AccountChange::RemoveIdentity { callsign, account } => {
                let sql =
                    format!("DELETE FROM identities WHERE callsign = ?1 AND account = ?2 RETURNING {IDENTITY_COLUMNS}");
                revoked(self.identities(&sql, params![callsign.as_str(), account.as_str()])?)
            }
            AccountChange::Sweep { before_ms } => self.sweep(*before_ms)?,
        };
        Ok(WriteOutcome::Account(result))
    }

    /// Appends the first record of a channel that an account owns, unless it owns too many, with the changes of accounts
    /// that belong to it: the whole or nothing.
    pub(super) fn append_owned(
        &mut self,
        record: &RecordRow,
        owner: &AccountId,
        limit: Option<u32>,
        with: &[AccountChange],
    ) -> Result<WriteOutcome> {
        if with.is_empty() {
            return self.append_of(record, owner, limit);
        }
        // The other writes of the transaction stay when this one is taken back.
        self.execute("SAVEPOINT with_channel", [])?;
        let outcome = self.change_and_append(record, owner, limit, with)?;
        if outcome != WriteOutcome::Done {
            self.execute("ROLLBACK TO with_channel", [])?;
            self.tails.remove(&record.channel);
        }
        self.execute("RELEASE with_channel", [])?;
        Ok(outcome)
    }

    fn change_and_append(
        &mut self,
        record: &RecordRow,
        owner: &AccountId,
        limit: Option<u32>,
        with: &[AccountChange],
    ) -> Result<WriteOutcome> {
        for change in with {
            match self.change_account(change)? {
                WriteOutcome::Account(AccountChangeResult::Done(_)) => {}
                WriteOutcome::Account(result) => return Ok(WriteOutcome::NotMade(result)),
                outcome => return Ok(outcome),
            }
        }
        self.append_of(record, owner, limit)
    }

    fn append_of(&mut self, record: &RecordRow, owner: &AccountId, limit: Option<u32>) -> Result<WriteOutcome> {
        if !self.has_account(owner)? {
            return Ok(WriteOutcome::Account(AccountChangeResult::Missing));
        }
        if self.is_at_limit("SELECT count(*) FROM channels WHERE owner = ?1", owner, limit)? {
            return Ok(WriteOutcome::Account(AccountChangeResult::Full));
        }
        self.append(record)
    }

    pub(super) fn add_session(
        &self,
        account: &AccountId,
        session: &TokenHash,
        label: Option<&SessionLabel>,
        at_ms: u64,
    ) -> Result<AccountChangeResult> {
        self.execute(
            "INSERT INTO account_sessions (token, account, used_ms, created_ms, label) VALUES (?1, ?2, ?3, ?3, ?4)",
            params![session.bytes(), account.as_str(), to_sqlite(at_ms), label.map(ToString::to_string)],
        )?;
        Ok(done())
    }

    /// Ends the least recently used sessions, so that the account may open one more.
    pub(super) fn evict_sessions(&self, account: &AccountId, sessions: usize) -> Result<()> {
        self.execute(
            "DELETE FROM account_sessions WHERE token IN
             (SELECT token FROM account_sessions WHERE account = ?1 ORDER BY used_ms DESC LIMIT -1 OFFSET ?2)",
            params![account.as_str(), to_sqlite(sessions.saturating_sub(1) as u64)],
        )?;
        Ok(())
    }

    fn close(&self, account: &AccountId) -> Result<AccountChangeResult> {
        if self.execute("DELETE FROM accounts WHERE id = ?1", [account.as_str()])? == 0 {
            return Ok(AccountChangeResult::Missing);
        }
        self.execute("DELETE FROM account_sessions WHERE account = ?1", [account.as_str()])?;
        self.execute("UPDATE channels SET owner = NULL WHERE owner = ?1", [account.as_str()])?;
        webhook_rows::drop_hooks_of(self.connection, &HookOwner::Account(account.clone()).to_string())?;
        let sql = format!("DELETE FROM identities WHERE account = ?1 RETURNING {IDENTITY_COLUMNS}");
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
        if !self.has_account(account)? {
            return Ok(AccountChangeResult::Missing);
        }
        let is_taken = self
            .connection
            .prepare_cached("SELECT 1 FROM identities WHERE callsign = ?1")?
            .exists([callsign.as_str()])?;
        if is_taken {
            return Ok(AccountChangeResult::Taken);
        }
        if self.is_at_limit("SELECT count(*) FROM identities WHERE account = ?1", account, limit)? {
            return Ok(AccountChangeResult::Full);
        }
        self.execute(
            "INSERT INTO identities (callsign, account, key, key_no, created_ms) VALUES (?1, ?2, ?3, ?4, ?5)",
            params![callsign.as_str(), account.as_str(), key.bytes(), to_sqlite(*key_no), to_sqlite(at_ms)],
        )?;
        Ok(done())
    }

    fn rekey(&self, callsign: &Callsign, next: &Identity, key: &TokenHash) -> Result<AccountChangeResult> {
        let row = params![callsign.as_str(), next.account.as_str()];
        let before = self
            .connection
            .prepare_cached(&format!("SELECT {IDENTITY_COLUMNS} FROM identities WHERE callsign = ?1 AND account = ?2"))?
            .query_row(row, identity)
            .optional()?;
        self.execute(
            "UPDATE identities SET key = ?3, key_no = ?4 WHERE callsign = ?1 AND account = ?2",
            params![callsign.as_str(), next.account.as_str(), key.bytes(), to_sqlite(next.key_no)],
        )?;
        Ok(revoked(before.into_iter().collect()))
    }

    fn sweep(&self, before_ms: u64) -> Result<AccountChangeResult> {
        self.execute("DELETE FROM account_sessions WHERE used_ms < ?1", [to_sqlite(before_ms)])?;
        self.execute(
            "DELETE FROM accounts WHERE created_ms < ?1
             AND NOT EXISTS (SELECT 1 FROM account_sessions s WHERE s.account = accounts.id)
             AND NOT EXISTS (SELECT 1 FROM identities i WHERE i.account = accounts.id)
             AND NOT EXISTS (SELECT 1 FROM channels c WHERE c.owner = accounts.id)
             AND NOT EXISTS (SELECT 1 FROM webhooks w WHERE w.owner = 'account ' || accounts.id)",
            [to_sqlite(before_ms)],
        )?;
        Ok(done())
    }

    pub(super) fn has_account(&self, account: &AccountId) -> Result<bool> {
        self.connection.prepare_cached("SELECT 1 FROM accounts WHERE id = ?1")?.exists([account.as_str()])
    }

    /// Whether `count` reached the account's limit.
    fn is_at_limit(&self, count: &str, account: &AccountId, limit: Option<u32>) -> Result<bool> {
        let Some(limit) = limit else { return Ok(false) };
        let found: i64 = self.connection.prepare_cached(count)?.query_row([account.as_str()], |row| row.get(0))?;
        Ok(found >= i64::from(limit))
    }

    fn identities(&self, sql: &str, values: impl rusqlite::Params) -> Result<Vec<(Callsign, Identity)>> {
        self.connection.prepare_cached(sql)?.query_map(values, identity)?.collect()
    }

    pub(super) fn execute(&self, sql: &str, values: impl rusqlite::Params) -> Result<usize> {
        self.connection.prepare_cached(sql)?.execute(values)
    }
}

/// The result of a change of `rows` rows, of which there must be one.
fn found(rows: usize) -> AccountChangeResult {
    if rows == 0 { AccountChangeResult::Missing } else { done() }
}

fn done() -> AccountChangeResult {
    AccountChangeResult::Done(Vec::new())
}

fn revoked(identities: Vec<(Callsign, Identity)>) -> AccountChangeResult {
    if identities.is_empty() { AccountChangeResult::Missing } else { AccountChangeResult::Done(identities) }
}
