//! [`Accounts`] for [`Store`].

use std::future::ready;

use futures_util::future::BoxFuture;
use rogerrat_actors::{
    AccountChange, AccountChangeResult, AccountFacts, Accounts, AppendResult, LogError, Opened, StoredSession,
};
use rogerrat_domain::account_session::SessionLabel;
use rogerrat_domain::{AccountId, Callsign, ChannelId, Identity, IdentityRow, Record, Settings, TokenHash};
use rusqlite::{Connection, OptionalExtension as _, params};
use tokio::sync::oneshot;

use super::Store;
use super::account_rows::{IDENTITY_COLUMNS, identity};
use super::error::log_error;
use super::sqlite_int::get_u64;
use super::write_request::{ReplySender, WriteOp};
use crate::shared::encoding::decode_json;
use crate::shared::rows::RecordRow;

type Read<T> = Result<T, LogError>;

impl Store {
    pub(super) fn query<T: Send + 'static>(
        &self,
        query: impl FnOnce(&Connection) -> rusqlite::Result<T> + Send + 'static,
    ) -> BoxFuture<'static, Read<T>> {
        self.readers.query(move |connection| query(connection).map_err(log_error))
    }
}

impl Accounts for Store {
    fn change(&self, change: AccountChange) -> BoxFuture<'static, Read<AccountChangeResult>> {
        let (reply, answer) = oneshot::channel();
        if !self.enqueue_write(WriteOp::ChangeAccount(change), ReplySender::Account(reply)) {
            return Box::pin(ready(Err(LogError::Busy)));
        }
        Box::pin(async move { answer.await.unwrap_or_else(|_| Err(LogError::Unknown("the writer failed".into()))) })
    }

    fn open_channel(
        &self,
        record: Record,
        owner: AccountId,
        limit: Option<u32>,
        with: Vec<AccountChange>,
    ) -> BoxFuture<'static, Opened> {
        let (reply, answer) = oneshot::channel();
        let Some(record) = RecordRow::encode(record) else {
            return Box::pin(ready(Opened::Tried(AppendResult::Refused)));
        };
        if !self.enqueue_write(WriteOp::AppendOwned(record, owner, limit, with), ReplySender::AppendOwned(reply)) {
            return Box::pin(ready(Opened::Tried(AppendResult::Busy)));
        }
        Box::pin(async move { answer.await.unwrap_or(Opened::Tried(AppendResult::Unknown)) })
    }

    fn session(&self, token: TokenHash) -> BoxFuture<'static, Read<Option<(AccountId, u64)>>> {
        self.query(move |connection| {
            connection
                .prepare_cached("SELECT account, used_ms FROM account_sessions WHERE token = ?1")?
                .query_row([token.bytes()], |row| Ok((account(row)?, get_u64(row, 1)?)))
                .optional()
        })
    }

    fn sessions(&self, account: AccountId) -> BoxFuture<'static, Read<Vec<StoredSession>>> {
        self.query(move |connection| {
            connection
                .prepare_cached(
                    "SELECT token, used_ms, created_ms, label FROM account_sessions WHERE account = ?1
                     ORDER BY used_ms DESC, token",
                )?
                .query_map([account.as_str()], |row| {
                    Ok(StoredSession {
                        token: TokenHash::of_stored(row.get(0)?),
                        used_ms: get_u64(row, 1)?,
                        created_at_ms: row.get::<_, Option<i64>>(2)?.map(|ms| u64::try_from(ms).unwrap_or_default()),
                        label: row.get::<_, Option<String>>(3)?.map(SessionLabel::of_stored),
                    })
                })?
                .collect()
        })
    }

    fn recovery(&self, token: TokenHash) -> BoxFuture<'static, Read<Option<AccountId>>> {
        self.query(move |connection| {
            connection
                .prepare_cached("SELECT id FROM accounts WHERE recovery = ?1")?
                .query_row([token.bytes()], account)
                .optional()
        })
    }

    fn facts(&self, account: AccountId) -> BoxFuture<'static, Read<Option<AccountFacts>>> {
        self.query(move |connection| {
            connection
                .prepare_cached(
                    "SELECT created_ms, (SELECT count(*) FROM channels WHERE owner = ?1) FROM accounts WHERE id = ?1",
                )?
                .query_row([account.as_str()], |row| {
                    let channels = usize::try_from(get_u64(row, 1)?).unwrap_or(usize::MAX);
                    Ok(AccountFacts { created_at_ms: get_u64(row, 0)?, channels })
                })
                .optional()
        })
    }

    fn identities(&self, account: AccountId) -> BoxFuture<'static, Read<Vec<IdentityRow>>> {
        self.query(move |connection| {
            let sql =
                format!("SELECT {IDENTITY_COLUMNS}, created_ms FROM identities WHERE account = ?1 ORDER BY callsign");
            let mut find = connection.prepare_cached(&sql)?;
            let rows = find.query_map([account.as_str()], |row| {
                Ok(IdentityRow { callsign: identity(row)?.0, created_at: get_u64(row, 3)? })
            })?;
            rows.collect()
        })
    }

    fn channels(&self, account: AccountId) -> BoxFuture<'static, Read<Vec<(ChannelId, Settings)>>> {
        self.readers.query(move |connection| {
            let rows = owned_channels(connection, &account).map_err(log_error)?;
            let settings = rows.into_iter().map(|(id, settings)| {
                let id = ChannelId::parse(&id).map_err(|_| LogError::Damaged("the id of a channel".into()))?;
                let settings = decode_json(&id, "the settings", &settings)?;
                Ok((id, settings))
            });
            settings.collect()
        })
    }

    fn proof(&self, key: TokenHash) -> BoxFuture<'static, Read<Option<(Callsign, Identity)>>> {
        self.query(move |connection| {
            connection
                .prepare_cached(&format!("SELECT {IDENTITY_COLUMNS} FROM identities WHERE key = ?1"))?
                .query_row([key.bytes()], identity)
                .optional()
        })
    }

    fn named(&self, callsigns: Vec<Callsign>) -> BoxFuture<'static, Read<Vec<(Callsign, Identity)>>> {
        self.query(move |connection| {
            let mut find =
                connection.prepare_cached(&format!("SELECT {IDENTITY_COLUMNS} FROM identities WHERE callsign = ?1"))?;
            let found = callsigns.iter().map(|callsign| find.query_row([callsign.as_str()], identity).optional());
            found.filter_map(Result::transpose).collect()
        })
    }
}

fn account(row: &rusqlite::Row<'_>) -> rusqlite::Result<AccountId> {
    AccountId::parse(row.get_ref(0)?.as_str()?)
        .map_err(|refusal| rusqlite::Error::FromSqlConversionFailure(0, rusqlite::types::Type::Text, Box::new(refusal)))
}

fn owned_channels(connection: &Connection, account: &AccountId) -> rusqlite::Result<Vec<(String, Vec<u8>)>> {
    let sql = "SELECT id, settings FROM channels WHERE owner = ?1 AND settings IS NOT NULL ORDER BY no";
    let mut find = connection.prepare_cached(sql)?;
    find.query_map(params![account.as_str()], |row| Ok((row.get(0)?, row.get(1)?)))?.collect()
}
