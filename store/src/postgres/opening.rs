//! Creates a channel that an account owns: the account's quota, the first record, and the changes that belong to it, as a whole
//! or not at all.

use std::future::ready;
use std::sync::Arc;

use futures_util::future::BoxFuture;
use rogerrat_actors::{AccountChange, AccountChangeResult, AppendResult, Fact, LogError, Opened};
use rogerrat_domain::{AccountId, Record};

use super::append::ChannelWriter;
use super::queue::Done;
use super::session::Session;
use super::{PostgresStore, account_rows, cluster_rows};
use crate::shared::rows::RecordRow;

/// The size of a change of an account in the write queue.
const CHANGE_BYTES: usize = 256;

/// What is written together.
struct Opening {
    channel_writer: ChannelWriter,
    record: RecordRow,
    owner: AccountId,
    /// How many channels the account may own.
    limit: Option<u32>,
    with: Vec<AccountChange>,
}

pub(super) fn open_channel(
    store: &PostgresStore,
    record: Record,
    owner: AccountId,
    limit: Option<u32>,
    with: Vec<AccountChange>,
) -> BoxFuture<'static, Opened> {
    let Some(record) = RecordRow::encode(record) else {
        return Box::pin(ready(Opened::Tried(AppendResult::Refused)));
    };
    let bytes = record.bytes() + with.len() * CHANGE_BYTES;
    let channel_writer = store.channel_writer.clone();
    let opening = Arc::new(Opening { channel_writer, record, owner, limit, with });
    let written = store.write(bytes, move |db| {
        let opening = opening.clone();
        Box::pin(async move { opening.run(db).await })
    });
    Box::pin(async move {
        written.await.unwrap_or_else(|error| {
            Opened::Tried(match error {
                LogError::Busy => AppendResult::Busy,
                LogError::Unknown(_) => AppendResult::Unknown,
                _ => AppendResult::Refused,
            })
        })
    })
}

impl Opening {
    async fn run(&self, db: &Session) -> Done<Opened> {
        // The other writes of the transaction stay when this one is taken back.
        db.batch("SAVEPOINT opening").await?;
        let opened = self.open(db).await?;
        if opened != Opened::Tried(AppendResult::Done) {
            db.batch("ROLLBACK TO opening").await?;
        }
        db.batch("RELEASE opening").await?;
        Ok(opened)
    }

    async fn open(&self, db: &Session) -> Done<Opened> {
        let mut facts = Vec::new();
        for change in &self.with {
            match account_rows::change(db, change).await? {
                result @ AccountChangeResult::Done(_) => facts.append(&mut Fact::of_account_change(change, &result)),
                result => return Ok(Opened::NotMade(result)),
            }
        }
        if !account_rows::lock(db, &self.owner).await? {
            return Ok(Opened::Missing);
        }
        let count = "SELECT count(*) FROM channels WHERE owner = $1";
        if account_rows::is_at_limit(db, count, &self.owner, self.limit).await? {
            return Ok(Opened::Full);
        }
        let appended = self.channel_writer.append_one(db, &self.record).await?;
        if appended == AppendResult::Done {
            cluster_rows::write_facts(db, &facts).await?;
        }
        Ok(Opened::Tried(appended))
    }
}
