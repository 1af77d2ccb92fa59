//! Accounts in the database, written within a transaction of the writer.
//!
//! Hubs write at the same time. What an account has is counted while its row is locked, and constraints enforce what is unique.

use rogerrat_actors::{AccountChange, AccountChangeResult, LogError};
use rogerrat_domain::account_session::SessionLabel;
use rogerrat_domain::webhook::HookOwner;
use rogerrat_domain::{AccountId, Callsign, Identity, TokenHash};
use tokio_postgres::Row;

use super::int::{get_u64, to_sql};
use super::queue::Done;
use super::session::{Parameters, Session};
use super::webhook_rows;

/// Reads an account from a column.
pub(super) fn account(row: &Row, column: usize) -> Done<AccountId> {
    let id = AccountId::parse(row.try_get(column)?);
    Ok(id.map_err(|_| LogError::Damaged("the id of an account".into()))?)
}

/// Reads the hash of a token from a column.
pub(super) fn token(row: &Row, column: usize) -> Done<TokenHash> {
    let hash = <[u8; 32]>::try_from(row.try_get::<_, &[u8]>(column)?);
    Ok(TokenHash::of_stored(hash.map_err(|_| LogError::Damaged("the hash of a token".into()))?))
}

/// Reads an identity from the columns `callsign, account, key_no`.
pub(super) fn identity(row: &Row) -> Done<(Callsign, Identity)> {
    let callsign = Callsign::parse(row.try_get(0)?);
    let callsign = callsign.map_err(|_| LogError::Damaged("the callsign of an identity".into()))?;
    Ok((callsign, Identity { account: account(row, 1)?, key_no: get_u64(row, 2)? }))
}

/// Makes a change.
pub(super) async fn change(db: &Session, change: &AccountChange) -> Done<AccountChangeResult> {
    match change {
        AccountChange::Open { account, recovery, session, label, at_ms } => {
            let sql = "INSERT INTO accounts (id, recovery, created_ms) VALUES ($1, $2, $3)";
            db.execute(sql, &[&account.as_str(), &&recovery.bytes()[..], &to_sql(*at_ms)]).await?;
            add_session(db, account, session, label.as_ref(), *at_ms).await
        }
        AccountChange::Enter { account, recovery, session, label, sessions, at_ms } => {
            let sql = "SELECT 1 FROM accounts WHERE id = $1 AND recovery = $2 FOR NO KEY UPDATE";
            if db.query_opt(sql, &[&account.as_str(), &&recovery.bytes()[..]]).await?.is_none() {
                return Ok(AccountChangeResult::Missing);
            }
            evict_sessions(db, account, *sessions).await?;
            add_session(db, account, session, label.as_ref(), *at_ms).await
        }
        AccountChange::Used { session, at_ms } => {
            let sql = "UPDATE account_sessions SET used_ms = $2 WHERE token = $1 AND used_ms < $2";
            db.execute(sql, &[&&session.bytes()[..], &to_sql(*at_ms)]).await?;
            Ok(done())
        }
        AccountChange::EndSession { account, session } => {
            let sql = "DELETE FROM account_sessions WHERE token = $1 AND account = $2";
            found(db, sql, &[&&session.bytes()[..], &account.as_str()]).await
        }
        AccountChange::RotateRecovery { account, recovery } => {
            let sql = "UPDATE accounts SET recovery = $2 WHERE id = $1";
            found(db, sql, &[&account.as_str(), &&recovery.bytes()[..]]).await
        }
        AccountChange::Close { account } => close(db, account).await,
        AccountChange::AddIdentity { callsign, identity, key, limit, at_ms } => {
            add_identity(db, callsign, identity, key, *limit, *at_ms).await
        }
        AccountChange::Rekey { callsign, identity, key } => rekey(db, callsign, identity, key).await,
        AccountChange::RemoveIdentity { callsign, account } => {
            let sql = "DELETE FROM identities WHERE callsign = $1 AND account = $2
                       RETURNING callsign, account, key_no";
            revoked(&db.query(sql, &[&callsign.as_str(), &account.as_str()]).await?)
        }
        AccountChange::Sweep { before_ms } => sweep(db, *before_ms).await,
    }
}

/// Locks an account, so that no other hub changes what it has before the transaction ends. False if it does not exist.
pub(super) async fn lock(db: &Session, account: &AccountId) -> Done<bool> {
    let sql = "SELECT 1 FROM accounts WHERE id = $1 FOR NO KEY UPDATE";
    Ok(db.query_opt(sql, &[&account.as_str()]).await?.is_some())
}

/// Whether `count` of an account that is locked has reached a limit.
pub(super) async fn is_at_limit(
    db: &Session,
    count: &'static str,
    account: &AccountId,
    limit: Option<u32>,
) -> Done<bool> {
    let Some(limit) = limit else { return Ok(false) };
    let found: i64 = db.query_one(count, &[&account.as_str()]).await?.try_get(0)?;
    Ok(found >= i64::from(limit))
}

pub(super) async fn add_session(
    db: &Session,
    account: &AccountId,
    session: &TokenHash,
    label: Option<&SessionLabel>,
    at_ms: u64,
) -> Done<AccountChangeResult> {
    let sql = "INSERT INTO account_sessions (token, account, used_ms, created_ms, label) VALUES ($1, $2, $3, $3, $4)";
    let label = label.map(ToString::to_string);
    db.execute(sql, &[&&session.bytes()[..], &account.as_str(), &to_sql(at_ms), &label]).await?;
    Ok(done())
}

/// Ends the least recently used sessions of an account that is locked, so that it may open one more.
pub(super) async fn evict_sessions(db: &Session, account: &AccountId, sessions: usize) -> Done<()> {
    let sql = "DELETE FROM account_sessions WHERE token IN
               (SELECT token FROM account_sessions WHERE account = $1 ORDER BY used_ms DESC, token OFFSET $2)";
    db.execute(sql, &[&account.as_str(), &to_sql(sessions.saturating_sub(1) as u64)]).await?;
    Ok(())
}

async fn close(db: &Session, account: &AccountId) -> Done<AccountChangeResult> {
    // Not even a row that refers to it may be added from now on.
    let sql = "SELECT 1 FROM accounts WHERE id = $1 FOR UPDATE";
    if db.query_opt(sql, &[&account.as_str()]).await?.is_none() {
        return Ok(AccountChangeResult::Missing);
    }
    db.execute("UPDATE channels SET owner = NULL WHERE owner = $1", &[&account.as_str()]).await?;
    webhook_rows::drop_hooks_of(db, &HookOwner::Account(account.clone())).await?;
    let sql = "DELETE FROM identities WHERE account = $1 RETURNING callsign, account, key_no";
    let ended = db.query(sql, &[&account.as_str()]).await?;
    db.execute("DELETE FROM accounts WHERE id = $1", &[&account.as_str()]).await?;
    Ok(AccountChangeResult::Done(ended.iter().map(identity).collect::<Done<_>>()?))
}

async fn add_identity(
    db: &Session,
    callsign: &Callsign,
    identity: &Identity,
    key: &TokenHash,
    limit: Option<u32>,
    at_ms: u64,
) -> Done<AccountChangeResult> {
    let Identity { account, key_no } = identity;
    if !lock(db, account).await? {
        return Ok(AccountChangeResult::Missing);
    }
    if db.query_opt("SELECT 1 FROM identities WHERE callsign = $1", &[&callsign.as_str()]).await?.is_some() {
        return Ok(AccountChangeResult::Taken);
    }
    if is_at_limit(db, "SELECT count(*) FROM identities WHERE account = $1", account, limit).await? {
        return Ok(AccountChangeResult::Full);
    }
    // It waits for another hub that inserts the same callsign.
    let sql = "INSERT INTO identities (callsign, account, key, key_no, created_ms) VALUES ($1, $2, $3, $4, $5)
               ON CONFLICT DO NOTHING";
    let key = &key.bytes()[..];
    let row: &Parameters<'_> = &[&callsign.as_str(), &account.as_str(), &key, &to_sql(*key_no), &to_sql(at_ms)];
    Ok(if db.execute(sql, row).await? == 0 { AccountChangeResult::Taken } else { done() })
}

async fn rekey(db: &Session, callsign: &Callsign, next: &Identity, key: &TokenHash) -> Done<AccountChangeResult> {
    // The key that is replaced is the current one, also if another hub is replacing it.
    let sql = "SELECT callsign, account, key_no FROM identities WHERE callsign = $1 AND account = $2 FOR UPDATE";
    let before = db.query(sql, &[&callsign.as_str(), &next.account.as_str()]).await?;
    if !before.is_empty() {
        let sql = "UPDATE identities SET key = $2, key_no = $3 WHERE callsign = $1";
        db.execute(sql, &[&callsign.as_str(), &&key.bytes()[..], &to_sql(next.key_no)]).await?;
    }
    revoked(&before)
}

async fn sweep(db: &Session, before_ms: u64) -> Done<AccountChangeResult> {
    db.execute("DELETE FROM account_sessions WHERE used_ms < $1", &[&to_sql(before_ms)]).await?;
    // Accounts that are in use are locked by whoever uses them, and left for the next time.
    let sql = "SELECT id FROM accounts WHERE created_ms < $1
               AND NOT EXISTS (SELECT 1 FROM account_sessions WHERE account = accounts.id)
               ORDER BY id FOR UPDATE SKIP LOCKED";
    let locked = db.query(sql, &[&to_sql(before_ms)]).await?;
    let locked = locked.iter().map(|row| row.try_get(0)).collect::<Result<Vec<&str>, _>>()?;
    if !locked.is_empty() {
        // A statement of its own, so that it sees what was added before they were locked.
        let sql = "DELETE FROM accounts WHERE id = ANY($1)
                   AND NOT EXISTS (SELECT 1 FROM account_sessions WHERE account = accounts.id)
                   AND NOT EXISTS (SELECT 1 FROM identities WHERE account = accounts.id)
                   AND NOT EXISTS (SELECT 1 FROM channels WHERE owner = accounts.id)
                   AND NOT EXISTS (SELECT 1 FROM webhooks WHERE owner = 'account ' || accounts.id)";
        db.execute(sql, &[&locked]).await?;
    }
    Ok(done())
}

/// The result of a statement that changes one row if it finds it.
async fn found(db: &Session, sql: &'static str, parameters: &Parameters<'_>) -> Done<AccountChangeResult> {
    Ok(if db.execute(sql, parameters).await? == 0 { AccountChangeResult::Missing } else { done() })
}

fn done() -> AccountChangeResult {
    AccountChangeResult::Done(Vec::new())
}

fn revoked(rows: &[Row]) -> Done<AccountChangeResult> {
    let identities = rows.iter().map(identity).collect::<Done<Vec<_>>>()?;
    Ok(if identities.is_empty() { AccountChangeResult::Missing } else { AccountChangeResult::Done(identities) })
}
