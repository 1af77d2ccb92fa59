//! [`Accounts`] and [`EmailStore`] for [`PostgresStore`].

use futures_util::future::BoxFuture;
use rogerrat_actors::{
    AccountChange, AccountChangeResult, AccountFacts, Accounts, EmailChange, EmailChangeResult, EmailStore, Fact,
    LogError, Opened, SealedEmail, StoredEmails, StoredSession,
};
use rogerrat_domain::account_session::SessionLabel;
use rogerrat_domain::email::EmailLookup;
use rogerrat_domain::{AccountId, Callsign, ChannelId, Identity, IdentityRow, Record, Settings, TokenHash};

use super::int::get_u64;
use super::{PostgresStore, account_rows, cluster_rows, email_rows, opening};
use crate::shared::encoding::decode_json;

/// The size of a change of an account in the write queue.
const CHANGE_BYTES: usize = 256;
/// The size of a change of the addresses of an account.
const EMAIL_BYTES: usize = 1024;

type Read<T> = BoxFuture<'static, Result<T, LogError>>;

impl Accounts for PostgresStore {
    fn change(&self, change: AccountChange) -> Read<AccountChangeResult> {
        self.write(CHANGE_BYTES, move |db| {
            let change = change.clone();
            Box::pin(async move {
                let result = account_rows::change(db, &change).await?;
                cluster_rows::write_facts(db, &Fact::of_account_change(&change, &result)).await?;
                Ok(result)
            })
        })
    }

    fn open_channel(
        &self,
        record: Record,
        owner: AccountId,
        limit: Option<u32>,
        with: Vec<AccountChange>,
    ) -> BoxFuture<'static, Opened> {
        opening::open_channel(self, record, owner, limit, with)
    }

    fn session(&self, token: TokenHash) -> Read<Option<(AccountId, u64)>> {
        self.read(move |db| {
            let token = token.clone();
            Box::pin(async move {
                let sql = "SELECT account, used_ms FROM account_sessions WHERE token = $1";
                let row = db.query_opt(sql, &[&&token.bytes()[..]]).await?;
                row.map(|row| Ok((account_rows::account(&row, 0)?, get_u64(&row, 1)?))).transpose()
            })
        })
    }

    fn sessions(&self, account: AccountId) -> Read<Vec<StoredSession>> {
        self.read(move |db| {
            let account = account.clone();
            Box::pin(async move {
                let sql = "SELECT token, used_ms, created_ms, label FROM account_sessions WHERE account = $1
                           ORDER BY used_ms DESC, token";
                let rows = db.query(sql, &[&account.as_str()]).await?;
                let session = |row: &_| {
                    Ok(StoredSession {
                        token: account_rows::token(row, 0)?,
                        used_ms: get_u64(row, 1)?,
                        created_at_ms: Some(get_u64(row, 2)?),
                        label: row.try_get::<_, Option<String>>(3)?.map(SessionLabel::of_stored),
                    })
                };
                rows.iter().map(session).collect()
            })
        })
    }

    fn recovery(&self, token: TokenHash) -> Read<Option<AccountId>> {
        self.read(move |db| {
            let token = token.clone();
            Box::pin(async move {
                let row = db.query_opt("SELECT id FROM accounts WHERE recovery = $1", &[&&token.bytes()[..]]).await?;
                row.map(|row| account_rows::account(&row, 0)).transpose()
            })
        })
    }

    fn facts(&self, account: AccountId) -> Read<Option<AccountFacts>> {
        self.read(move |db| {
            let account = account.clone();
            Box::pin(async move {
                let sql = "SELECT created_ms, (SELECT count(*) FROM channels WHERE owner = $1) FROM accounts
                           WHERE id = $1";
                let row = db.query_opt(sql, &[&account.as_str()]).await?;
                row.map(|row| {
                    let channels = usize::try_from(get_u64(&row, 1)?).unwrap_or(usize::MAX);
                    Ok(AccountFacts { created_at_ms: get_u64(&row, 0)?, channels })
                })
                .transpose()
            })
        })
    }

    fn identities(&self, account: AccountId) -> Read<Vec<IdentityRow>> {
        self.read(move |db| {
            let account = account.clone();
            Box::pin(async move {
                let sql = "SELECT callsign, account, key_no, created_ms FROM identities WHERE account = $1
                           ORDER BY callsign";
                let rows = db.query(sql, &[&account.as_str()]).await?;
                let identity = |row: &_| {
                    let (callsign, _) = account_rows::identity(row)?;
                    Ok(IdentityRow { callsign, created_at: get_u64(row, 3)? })
                };
                rows.iter().map(identity).collect()
            })
        })
    }

    fn channels(&self, account: AccountId) -> Read<Vec<(ChannelId, Settings)>> {
        self.read(move |db| {
            let account = account.clone();
            Box::pin(async move {
                let sql = "SELECT id, settings FROM channels WHERE owner = $1 AND settings IS NOT NULL ORDER BY no";
                let rows = db.query(sql, &[&account.as_str()]).await?;
                let channel = |row: &tokio_postgres::Row| {
                    let id = ChannelId::parse(row.try_get(0)?);
                    let id = id.map_err(|_| LogError::Damaged("the id of a channel".into()))?;
                    let settings = decode_json(&id, "the settings", row.try_get(1)?)?;
                    Ok((id, settings))
                };
                rows.iter().map(channel).collect()
            })
        })
    }

    fn proof(&self, key: TokenHash) -> Read<Option<(Callsign, Identity)>> {
        self.read(move |db| {
            let key = key.clone();
            Box::pin(async move {
                let sql = "SELECT callsign, account, key_no FROM identities WHERE key = $1";
                let row = db.query_opt(sql, &[&&key.bytes()[..]]).await?;
                row.map(|row| account_rows::identity(&row)).transpose()
            })
        })
    }

    fn named(&self, callsigns: Vec<Callsign>) -> Read<Vec<(Callsign, Identity)>> {
        self.read(move |db| {
            let callsigns = callsigns.clone();
            Box::pin(async move {
                let sql = "SELECT callsign, account, key_no FROM unnest($1::text[]) WITH ORDINALITY AS wanted (name, n)
                           JOIN identities ON callsign = name ORDER BY n";
                let names: Vec<_> = callsigns.iter().map(Callsign::as_str).collect();
                let rows = db.query(sql, &[&names]).await?;
                rows.iter().map(account_rows::identity).collect()
            })
        })
    }
}

impl EmailStore for PostgresStore {
    fn change_email(&self, change: EmailChange) -> Read<EmailChangeResult> {
        self.write(EMAIL_BYTES, move |db| {
            let change = change.clone();
            Box::pin(async move { email_rows::change(db, &change).await })
        })
    }

    fn emails(&self, account: AccountId) -> Read<StoredEmails> {
        self.read(move |db| {
            let account = account.clone();
            Box::pin(async move { email_rows::emails(db, &account).await })
        })
    }

    fn recoverable(&self, lookup: EmailLookup) -> Read<Vec<SealedEmail>> {
        self.read(move |db| {
            let lookup = lookup.clone();
            Box::pin(async move {
                let sql = "SELECT account, sealed, language FROM account_emails WHERE lookup = $1 ORDER BY account";
                let rows = db.query(sql, &[&&lookup.bytes()[..]]).await?;
                rows.iter().map(email_rows::sealed_email).collect()
            })
        })
    }
}
