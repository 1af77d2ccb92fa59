//! [`EmailStore`] for [`Store`].

use std::future::ready;

use futures_util::future::BoxFuture;
use rogerrat_actors::{EmailChange, EmailChangeResult, EmailStore, LogError, SealedEmail, StoredEmails};
use rogerrat_domain::AccountId;
use rogerrat_domain::email::EmailLookup;
use rusqlite::OptionalExtension as _;
use tokio::sync::oneshot;

use super::Store;
use super::email_rows::{EMAIL_COLUMNS, sealed_email};
use super::sqlite_int::get_u64;
use super::write_request::{ReplySender, WriteOp};

impl EmailStore for Store {
    fn change_email(&self, change: EmailChange) -> BoxFuture<'static, Result<EmailChangeResult, LogError>> {
        let (reply, answer) = oneshot::channel();
        if !self.enqueue_write(WriteOp::ChangeEmail(change), ReplySender::Email(reply)) {
            return Box::pin(ready(Err(LogError::Busy)));
        }
        Box::pin(async move { answer.await.unwrap_or_else(|_| Err(LogError::Unknown("the writer failed".into()))) })
    }

    fn emails(&self, account: AccountId) -> BoxFuture<'static, Result<StoredEmails, LogError>> {
        self.query(move |connection| {
            let verified = connection
                .prepare_cached(&format!("SELECT {EMAIL_COLUMNS} FROM account_emails WHERE account = ?1"))?
                .query_row([account.as_str()], sealed_email)
                .optional()?;
            let pending = connection
                .prepare_cached(&format!("SELECT {EMAIL_COLUMNS}, expires_ms FROM pending_emails WHERE account = ?1"))?
                .query_row([account.as_str()], |row| Ok((sealed_email(row)?, get_u64(row, 3)?)))
                .optional()?;
            Ok(StoredEmails { verified, pending })
        })
    }

    fn recoverable(&self, lookup: EmailLookup) -> BoxFuture<'static, Result<Vec<SealedEmail>, LogError>> {
        self.query(move |connection| {
            let sql = format!("SELECT {EMAIL_COLUMNS} FROM account_emails WHERE lookup = ?1 ORDER BY account");
            connection.prepare_cached(&sql)?.query_map([lookup.bytes()], sealed_email)?.collect()
        })
    }
}
