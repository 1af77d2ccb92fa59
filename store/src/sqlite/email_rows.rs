//! The e-mail addresses of accounts in the database, with their codes and links.

use rogerrat_actors::{EmailChange, EmailChangeResult, EmailProof, PendingEmail, SealedEmail, is_code_valid};
use rogerrat_domain::email::EmailLookup;
use rogerrat_domain::limits::EMAIL_CODE_MS;
use rogerrat_domain::{AccountId, Language, TokenHash};
use rusqlite::{OptionalExtension as _, Result, Row, params};

use super::sqlite_int::{get_u64, to_sqlite};
use super::transaction::WriteTx;
use super::write_request::WriteOutcome;

/// The columns of an address.
pub(super) const EMAIL_COLUMNS: &str = "account, sealed, language";

/// Reads an address from [`EMAIL_COLUMNS`].
pub(super) fn sealed_email(row: &Row<'_>) -> Result<SealedEmail> {
    let account = AccountId::parse(row.get_ref(0)?.as_str()?).map_err(|refusal| {
        rusqlite::Error::FromSqlConversionFailure(0, rusqlite::types::Type::Text, Box::new(refusal))
    })?;
    Ok(SealedEmail { account, sealed: row.get(1)?, language: Language::of_stored(row.get_ref(2)?.as_str()?) })
}

/// An address that waits for its code, as it is stored.
struct Waiting {
    email: SealedEmail,
    lookup: Vec<u8>,
    code: Vec<u8>,
    wrong: u64,
    expires_ms: u64,
}

impl Waiting {
    fn read(row: &Row<'_>) -> Result<Self> {
        let (email, wrong, expires_ms) = (sealed_email(row)?, get_u64(row, 5)?, get_u64(row, 6)?);
        Ok(Self { email, lookup: row.get(3)?, code: row.get(4)?, wrong, expires_ms })
    }
}

impl WriteTx<'_> {
    pub(super) fn change_email(&self, change: &EmailChange) -> Result<WriteOutcome> {
        let result = match change {
            EmailChange::Attach(pending) => self.attach(pending)?,
            EmailChange::Verify { proof, accounts, tries, at_ms } => self.verify(proof, *accounts, *tries, *at_ms)?,
            EmailChange::Remove(account) => self.remove(account)?,
            EmailChange::AddLinks { lookup, links, expires_ms } => self.add_links(lookup, links, *expires_ms)?,
            EmailChange::Recover { link, recovery, session, label, sessions, at_ms } => {
                match self.linked(link, *at_ms)? {
                    None => EmailChangeResult::Missing,
                    Some(email) => {
                        let account = &email.account;
                        self.execute(
                            "UPDATE accounts SET recovery = ?2 WHERE id = ?1",
                            params![account.as_str(), recovery.bytes()],
                        )?;
                        self.execute("DELETE FROM recovery_links WHERE account = ?1", [account.as_str()])?;
                        self.execute("DELETE FROM pending_emails WHERE account = ?1", [account.as_str()])?;
                        self.evict_sessions(account, *sessions)?;
                        self.add_session(account, session, label.as_ref(), *at_ms)?;
                        EmailChangeResult::Recovered(email)
                    }
                }
            }
            EmailChange::Sweep { at_ms } => {
                let valid = params![to_sqlite(*at_ms), to_sqlite(at_ms.saturating_add(EMAIL_CODE_MS))];
                self.execute("DELETE FROM pending_emails WHERE expires_ms <= ?1 OR expires_ms > ?2", valid)?;
                self.execute("DELETE FROM recovery_links WHERE expires_ms <= ?1 OR expires_ms > ?2", valid)?;
                EmailChangeResult::Done
            }
        };
        Ok(WriteOutcome::Email(result))
    }

    fn attach(&self, pending: &PendingEmail) -> Result<EmailChangeResult> {
        let PendingEmail { email: SealedEmail { account, sealed, language }, lookup, code, link, expires_ms } = pending;
        if !self.has_account(account)? {
            return Ok(EmailChangeResult::Missing);
        }
        self.execute(
            "INSERT OR REPLACE INTO pending_emails (account, lookup, sealed, language, code, link, wrong, expires_ms)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, 0, ?7)",
            params![
                account.as_str(),
                lookup.bytes(),
                sealed,
                language.as_str(),
                code.bytes(),
                link.bytes(),
                to_sqlite(*expires_ms)
            ],
        )?;
        Ok(EmailChangeResult::Done)
    }

    fn verify(&self, proof: &EmailProof, accounts: usize, tries: u32, at_ms: u64) -> Result<EmailChangeResult> {
        let Some(waiting) = self.waiting(proof)? else { return Ok(EmailChangeResult::Missing) };
        if waiting.wrong >= u64::from(tries) || !is_code_valid(waiting.expires_ms, at_ms) {
            return Ok(EmailChangeResult::Missing);
        }
        let Waiting { email, lookup, code, .. } = waiting;
        let account = email.account.as_str();
        if matches!(proof, EmailProof::Code(_, given) if given.bytes()[..] != code[..]) {
            self.execute("UPDATE pending_emails SET wrong = wrong + 1 WHERE account = ?1", [account])?;
            return Ok(EmailChangeResult::Wrong);
        }
        let others: i64 = self
            .connection
            .prepare_cached("SELECT count(*) FROM account_emails WHERE lookup = ?1 AND account <> ?2")?
            .query_row(params![lookup, account], |row| row.get(0))?;
        if usize::try_from(others).is_ok_and(|others| others >= accounts) {
            return Ok(EmailChangeResult::Full);
        }
        let replaced = self
            .connection
            .prepare_cached(&format!("SELECT {EMAIL_COLUMNS} FROM account_emails WHERE account = ?1 AND lookup <> ?2"))?
            .query_row(params![account, lookup], sealed_email)
            .optional()?;
        self.execute(
            "INSERT OR REPLACE INTO account_emails (account, lookup, sealed, language) VALUES (?1, ?2, ?3, ?4)",
            params![account, lookup, email.sealed, email.language.as_str()],
        )?;
        self.execute("DELETE FROM pending_emails WHERE account = ?1", [account])?;
        // They were sent to the address before.
        self.execute("DELETE FROM recovery_links WHERE account = ?1", [account])?;
        Ok(EmailChangeResult::Verified { email, replaced })
    }

    fn waiting(&self, proof: &EmailProof) -> Result<Option<Waiting>> {
        let find = |by: &str| {
            format!("SELECT {EMAIL_COLUMNS}, lookup, code, wrong, expires_ms FROM pending_emails WHERE {by} = ?1")
        };
        match proof {
            EmailProof::Code(account, _) => {
                self.connection.prepare_cached(&find("account"))?.query_row([account.as_str()], Waiting::read)
            }
            EmailProof::Link(link) => {
                self.connection.prepare_cached(&find("link"))?.query_row([link.bytes()], Waiting::read)
            }
        }
        .optional()
    }

    fn remove(&self, account: &AccountId) -> Result<EmailChangeResult> {
        let sql = format!("DELETE FROM account_emails WHERE account = ?1 RETURNING {EMAIL_COLUMNS}");
        let removed = self.connection.prepare_cached(&sql)?.query_row([account.as_str()], sealed_email).optional()?;
        let waiting = self.execute("DELETE FROM pending_emails WHERE account = ?1", [account.as_str()])?;
        self.execute("DELETE FROM recovery_links WHERE account = ?1", [account.as_str()])?;
        let has_none = removed.is_none() && waiting == 0;
        Ok(if has_none { EmailChangeResult::Missing } else { EmailChangeResult::Removed(removed) })
    }

    fn add_links(
        &self,
        lookup: &EmailLookup,
        links: &[(AccountId, TokenHash)],
        expires_ms: u64,
    ) -> Result<EmailChangeResult> {
        for (account, link) in links {
            self.execute(
                "INSERT INTO recovery_links (link, account, expires_ms)
                 SELECT ?1, account, ?2 FROM account_emails WHERE account = ?3 AND lookup = ?4",
                params![link.bytes(), to_sqlite(expires_ms), account.as_str(), lookup.bytes()],
            )?;
        }
        Ok(EmailChangeResult::Done)
    }

    /// The address of the account that a valid link recovers.
    fn linked(&self, link: &TokenHash, at_ms: u64) -> Result<Option<SealedEmail>> {
        let sql = "SELECT e.account, e.sealed, e.language, expires_ms
                   FROM recovery_links JOIN account_emails e USING (account) WHERE link = ?1";
        let found = self
            .connection
            .prepare_cached(sql)?
            .query_row([link.bytes()], |row| Ok((sealed_email(row)?, get_u64(row, 3)?)))
            .optional()?;
        Ok(found.filter(|(_, expires_ms)| is_code_valid(*expires_ms, at_ms)).map(|(email, _)| email))
    }
}
