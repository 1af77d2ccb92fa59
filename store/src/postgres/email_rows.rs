//! The e-mail addresses of accounts in the database, with their codes and links, written within a transaction of the writer.
//!
//! The row of the account is locked before anything of it is read, so that a code or a link counts once.

use rogerrat_actors::{
    EmailChange, EmailChangeResult, EmailProof, PendingEmail, SealedEmail, StoredEmails, is_code_valid,
};
use rogerrat_domain::email::EmailLookup;
use rogerrat_domain::limits::EMAIL_CODE_MS;
use rogerrat_domain::{AccountId, Language, TokenHash};
use tokio_postgres::Row;

use super::account_rows::{account, add_session, evict_sessions, lock};
use super::int::{get_u64, to_sql};
use super::queue::Done;
use super::session::{Parameters, Session};

/// The first part of the key of the lock on an address. The second part is a hash.
const ADDRESS_LOCK: i32 = 0x5267_4d61;

/// Reads an address from the columns `account, sealed, language`.
pub(super) fn sealed_email(row: &Row) -> Done<SealedEmail> {
    let language = Language::of_stored(row.try_get(2)?);
    Ok(SealedEmail { account: account(row, 0)?, sealed: row.try_get(1)?, language })
}

pub(super) async fn emails(db: &Session, account: &AccountId) -> Done<StoredEmails> {
    let sql = "SELECT account, sealed, language, expires_ms FROM pending_emails WHERE account = $1
               UNION ALL SELECT account, sealed, language, NULL FROM account_emails WHERE account = $1";
    let mut found = StoredEmails::default();
    for row in db.query(sql, &[&account.as_str()]).await? {
        match row.try_get::<_, Option<i64>>(3)? {
            Some(expires_ms) => found.pending = Some((sealed_email(&row)?, u64::try_from(expires_ms).unwrap_or(0))),
            None => found.verified = Some(sealed_email(&row)?),
        }
    }
    Ok(found)
}

/// Makes a change.
pub(super) async fn change(db: &Session, change: &EmailChange) -> Done<EmailChangeResult> {
    match change {
        EmailChange::Attach(pending) => attach(db, pending).await,
        EmailChange::Verify { proof, accounts, tries, at_ms } => verify(db, proof, *accounts, *tries, *at_ms).await,
        EmailChange::Remove(account) => remove(db, account).await,
        EmailChange::AddLinks { lookup, links, expires_ms } => add_links(db, lookup, links, *expires_ms).await,
        EmailChange::Recover { link, recovery, session, label, sessions, at_ms } => {
            let Some(email) = linked(db, link, *at_ms).await? else { return Ok(EmailChangeResult::Missing) };
            let account = &email.account;
            let sql = "UPDATE accounts SET recovery = $2 WHERE id = $1";
            db.execute(sql, &[&account.as_str(), &&recovery.bytes()[..]]).await?;
            drop_codes(db, account).await?;
            evict_sessions(db, account, *sessions).await?;
            add_session(db, account, session, label.as_ref(), *at_ms).await?;
            Ok(EmailChangeResult::Recovered(email))
        }
        EmailChange::Sweep { at_ms } => {
            let valid: &Parameters<'_> = &[&to_sql(*at_ms), &to_sql(at_ms.saturating_add(EMAIL_CODE_MS))];
            db.execute("DELETE FROM pending_emails WHERE expires_ms <= $1 OR expires_ms > $2", valid).await?;
            db.execute("DELETE FROM recovery_links WHERE expires_ms <= $1 OR expires_ms > $2", valid).await?;
            Ok(EmailChangeResult::Done)
        }
    }
}

async fn attach(db: &Session, pending: &PendingEmail) -> Done<EmailChangeResult> {
    let PendingEmail { email: SealedEmail { account, sealed, language }, lookup, code, link, expires_ms } = pending;
    if !lock(db, account).await? {
        return Ok(EmailChangeResult::Missing);
    }
    let sql = "INSERT INTO pending_emails (account, lookup, sealed, language, code, link, wrong, expires_ms)
               VALUES ($1, $2, $3, $4, $5, $6, 0, $7)
               ON CONFLICT (account) DO UPDATE SET lookup = excluded.lookup, sealed = excluded.sealed,
                   language = excluded.language, code = excluded.code, link = excluded.link, wrong = 0,
                   expires_ms = excluded.expires_ms";
    let (lookup, code, link) = (&lookup.bytes()[..], &code.bytes()[..], &link.bytes()[..]);
    let row: &Parameters<'_> =
        &[&account.as_str(), &lookup, sealed, &language.as_str(), &code, &link, &to_sql(*expires_ms)];
    db.execute(sql, row).await?;
    Ok(EmailChangeResult::Done)
}

async fn verify(db: &Session, proof: &EmailProof, accounts: usize, tries: u32, at_ms: u64) -> Done<EmailChangeResult> {
    let (account, link) = match proof {
        EmailProof::Code(account, _) => (account.clone(), None),
        EmailProof::Link(link) => {
            let sql = "SELECT account FROM pending_emails WHERE link = $1";
            let Some(row) = db.query_opt(sql, &[&&link.bytes()[..]]).await? else {
                return Ok(EmailChangeResult::Missing);
            };
            (super::account_rows::account(&row, 0)?, Some(&link.bytes()[..]))
        }
    };
    if !lock(db, &account).await? {
        return Ok(EmailChangeResult::Missing);
    }
    let sql = "SELECT account, sealed, language, lookup, code, wrong, expires_ms FROM pending_emails
               WHERE account = $1 AND link = coalesce($2, link)";
    let Some(row) = db.query_opt(sql, &[&account.as_str(), &link]).await? else {
        return Ok(EmailChangeResult::Missing);
    };
    if get_u64(&row, 5)? >= u64::from(tries) || !is_code_valid(get_u64(&row, 6)?, at_ms) {
        return Ok(EmailChangeResult::Missing);
    }
    let (email, lookup) = (sealed_email(&row)?, row.try_get::<_, &[u8]>(3)?);
    if matches!(proof, EmailProof::Code(_, given) if given.bytes()[..] != *row.try_get::<_, &[u8]>(4)?) {
        let sql = "UPDATE pending_emails SET wrong = wrong + 1 WHERE account = $1";
        db.execute(sql, &[&account.as_str()]).await?;
        return Ok(EmailChangeResult::Wrong);
    }
    if has_accounts(db, lookup, &account, accounts).await? {
        return Ok(EmailChangeResult::Full);
    }
    let sql = "SELECT account, sealed, language FROM account_emails WHERE account = $1 AND lookup <> $2";
    let replaced = db.query_opt(sql, &[&account.as_str(), &lookup]).await?;
    let replaced = replaced.map(|row| sealed_email(&row)).transpose()?;
    let sql = "INSERT INTO account_emails (account, lookup, sealed, language) VALUES ($1, $2, $3, $4)
               ON CONFLICT (account) DO UPDATE SET lookup = excluded.lookup, sealed = excluded.sealed,
                   language = excluded.language";
    db.execute(sql, &[&account.as_str(), &lookup, &email.sealed, &email.language.as_str()]).await?;
    // The links were sent to the address before.
    drop_codes(db, &account).await?;
    Ok(EmailChangeResult::Verified { email, replaced })
}

/// Whether an address recovers as many accounts as it may, without this one. No other hub adds one before the transaction ends.
async fn has_accounts(db: &Session, lookup: &[u8], account: &AccountId, accounts: usize) -> Done<bool> {
    let hash = i32::from_be_bytes(lookup.first_chunk().copied().unwrap_or_default());
    db.query("SELECT pg_advisory_xact_lock($1, $2)", &[&ADDRESS_LOCK, &hash]).await?;
    let sql = "SELECT count(*) FROM account_emails WHERE lookup = $1 AND account <> $2";
    let others = get_u64(&db.query_one(sql, &[&lookup, &account.as_str()]).await?, 0)?;
    Ok(others >= accounts as u64)
}

async fn remove(db: &Session, account: &AccountId) -> Done<EmailChangeResult> {
    if !lock(db, account).await? {
        return Ok(EmailChangeResult::Missing);
    }
    let sql = "DELETE FROM account_emails WHERE account = $1 RETURNING account, sealed, language";
    let removed = db.query_opt(sql, &[&account.as_str()]).await?.map(|row| sealed_email(&row)).transpose()?;
    let waiting = drop_codes(db, account).await?;
    let has_none = removed.is_none() && waiting == 0;
    Ok(if has_none { EmailChangeResult::Missing } else { EmailChangeResult::Removed(removed) })
}

/// Deletes the links of an account, and the address that waits for its code. Returns the number of those.
async fn drop_codes(db: &Session, account: &AccountId) -> Done<u64> {
    db.execute("DELETE FROM recovery_links WHERE account = $1", &[&account.as_str()]).await?;
    db.execute("DELETE FROM pending_emails WHERE account = $1", &[&account.as_str()]).await
}

async fn add_links(
    db: &Session,
    lookup: &EmailLookup,
    links: &[(AccountId, TokenHash)],
    expires_ms: u64,
) -> Done<EmailChangeResult> {
    let mut links: Vec<_> = links.iter().collect();
    links.sort_by(|(one, _), (other, _)| one.cmp(other));
    for (account, link) in links {
        lock(db, account).await?;
        let sql = "INSERT INTO recovery_links (link, account, expires_ms)
                   SELECT $1, account, $2 FROM account_emails WHERE account = $3 AND lookup = $4";
        let (link, lookup) = (&link.bytes()[..], &lookup.bytes()[..]);
        db.execute(sql, &[&link, &to_sql(expires_ms), &account.as_str(), &lookup]).await?;
    }
    Ok(EmailChangeResult::Done)
}

/// The address of the account that a valid link recovers. The account is locked.
async fn linked(db: &Session, link: &TokenHash, at_ms: u64) -> Done<Option<SealedEmail>> {
    let link = &link.bytes()[..];
    let Some(row) = db.query_opt("SELECT account FROM recovery_links WHERE link = $1", &[&link]).await? else {
        return Ok(None);
    };
    if !lock(db, &account(&row, 0)?).await? {
        return Ok(None);
    }
    let sql = "SELECT account, sealed, language, expires_ms FROM recovery_links JOIN account_emails USING (account)
               WHERE link = $1";
    match db.query_opt(sql, &[&link]).await? {
        Some(row) if is_code_valid(get_u64(&row, 3)?, at_ms) => Ok(Some(sealed_email(&row)?)),
        _ => Ok(None),
    }
}
