//! Imports a data directory into an empty database, in one transaction: everything of it, or nothing.
//!
//! Numbers of channels, webhooks and deliveries stay the same, and so do ids, tokens, sessions and cursors, which are part of
//! what is copied. Bodies are encrypted with new keys of their channels.

use std::collections::HashMap;
use std::path::Path;

use rogerrat_domain::{ChannelId, HubKey, Snapshot};
use rusqlite::types::Value;
use tokio::runtime::Runtime;
use tokio_postgres::types::ToSql;

use super::body_key::{BodyCipher, BodyKeys, RowKind};
use super::error::{Failure, PostgresError};
use super::import_tables::{ColumnType, ImportTable};
use super::int::to_sql;
use super::session::{Connector, Session};
use super::{PostgresOptions, gate, schema, verify};
use crate::shared::encoding::decode_json;
use crate::sqlite::export::{LastRun, SourceDir};
use crate::{StoreError, VerifyReport};

/// Rows that are inserted at a time.
const GROUP_ROWS: usize = 1_000;
/// Size at which a group takes no more rows.
const GROUP_BYTES: usize = 4 * 1024 * 1024;

/// Why a data directory was not imported. Nothing is in the database then.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    /// The data directory cannot be read.
    #[error(transparent)]
    Source(#[from] StoreError),
    /// The database cannot be written.
    #[error(transparent)]
    Target(#[from] PostgresError),
    /// There is something in the database.
    #[error("the database is not empty: a hub was started on it; create a new database to import into")]
    NotEmpty,
    /// What was written is not what was read.
    #[error("the database would not have what the data directory has; nothing was imported")]
    Different,
}

impl From<Failure> for ImportError {
    fn from(failure: Failure) -> Self {
        Self::Target(failure.into())
    }
}

/// Imports everything of a data directory on which no hub runs into an empty database, and verifies it there. The data directory is
/// not changed, except that the tables of an older version are migrated. Blocks until that is done.
///
/// # Errors
/// If the data directory cannot be read or is in use, or the database cannot be written or is not empty. Then nothing was imported.
pub fn import(data_dir: &Path, options: &PostgresOptions) -> Result<VerifyReport, ImportError> {
    let source = SourceDir::open(data_dir)?;
    let connector = Connector::new(&options.url, options.ca_file.as_deref())?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(PostgresError::from)?;
    let session = runtime.block_on(async {
        let session = connector.connect().await.map_err(Failure::into_connect_error)?;
        gate::check_server(&session).await?;
        session.batch("BEGIN").await?;
        Ok::<_, PostgresError>(session)
    })?;
    let imported = import_into(&runtime, &session, &source);
    // Also the end of a transaction may take long.
    let ended = runtime.block_on(session.slow_batch(if imported.is_ok() { "COMMIT" } else { "ROLLBACK" }));
    // A transaction that was not rolled back ends with the session.
    imported.and_then(|report| Ok(ended.map(|()| report)?))
}

fn import_into(runtime: &Runtime, session: &Session, source: &SourceDir) -> Result<VerifyReport, ImportError> {
    let run = source.last_run()?;
    runtime.block_on(prepare(session, &source.key, run))?;
    let mut bodies = Bodies::new(&source.key, run);
    for table in &ImportTable::ALL {
        let mut group = Columns::new(table);
        source.for_each_row(table.select, |mut row| {
            bodies.complete(table, &mut row);
            group.push(row);
            if group.is_full() { group.insert(runtime, session, table) } else { Ok(()) }
        })?;
        group.insert(runtime, session, table)?;
    }
    runtime.block_on(async {
        session.batch(NEXT_NUMBERS).await?;
        let report = verify::scan(session, &source.key).await?;
        if counts(&report) == counts(&source.report) { Ok(report) } else { Err(ImportError::Different) }
    })
}

/// Creates the tables and the instance whose channels are imported, if the database is empty.
async fn prepare(session: &Session, key: &HubKey, run: LastRun) -> Result<(), ImportError> {
    // Hubs that start meanwhile wait for it.
    schema::apply(session).await?;
    gate::check_key(session, key).await?;
    let sql =
        "SELECT EXISTS (SELECT 1 FROM instances) OR EXISTS (SELECT 1 FROM channels) OR EXISTS (SELECT 1 FROM accounts)
               OR EXISTS (SELECT 1 FROM rows) OR EXISTS (SELECT 1 FROM hub WHERE name <> 'key')";
    let row = session.query_one(sql, &[]).await?;
    if row.try_get(0).map_err(Failure::from)? {
        return Err(ImportError::NotEmpty);
    }
    Ok(put_instance(session, run).await?)
}

/// What must be the same in the data directory and in the database.
fn counts(report: &VerifyReport) -> [u64; 10] {
    [
        report.channels,
        report.messages,
        report.records,
        report.snapshots,
        report.transcript_lines,
        report.accounts,
        report.identities,
        report.email_addresses,
        report.webhooks,
        report.deliveries,
    ]
}

/// Numbers go on after those that were imported.
const NEXT_NUMBERS: &str = "
    SELECT setval(pg_get_serial_sequence('channels', 'no'), coalesce(max(no), 0) + 1, false) FROM channels;
    SELECT setval(pg_get_serial_sequence('webhooks', 'no'), coalesce(max(no), 0) + 1, false) FROM webhooks;
    SELECT setval(pg_get_serial_sequence('deliveries', 'no'), coalesce(max(no), 0) + 1, false) FROM deliveries;
    SELECT setval(pg_get_serial_sequence('instances', 'id'), coalesce(max(id), 0) + 1, false) FROM instances";

/// The last run of the hub as an instance that has ended, whose channels are those that it has not unloaded cleanly.
async fn put_instance(session: &Session, run: LastRun) -> Result<(), Failure> {
    let (id, ceiling) = (to_sql(run.id), to_sql(run.id_ceiling));
    let sql = "INSERT INTO instances (id, url, ended_at) OVERRIDING SYSTEM VALUE VALUES ($1, '', clock_timestamp())";
    session.execute(sql, &[&id]).await?;
    session.execute("INSERT INTO id_ceilings (instance, id_ceiling) VALUES ($1, $2)", &[&id, &ceiling]).await?;
    session.execute("INSERT INTO batches (instance, batch) VALUES ($1, 0)", &[&id]).await?;
    Ok(())
}

/// Completes rows of channels and encrypts bodies.
struct Bodies {
    keys: BodyKeys,
    run: LastRun,
    ciphers: HashMap<i64, BodyCipher>,
}

impl Bodies {
    fn new(key: &HubKey, run: LastRun) -> Self {
        Self { keys: BodyKeys::new(key), run, ciphers: HashMap::new() }
    }

    /// Makes a row of the database of one of the data directory.
    fn complete(&mut self, table: &ImportTable, row: &mut Vec<Value>) {
        let kind = match table.name {
            "channels" => return self.complete_channel(row),
            "snapshots" => RowKind::Snapshot,
            "records" => RowKind::Record,
            "messages" => RowKind::Message,
            "transcript" => RowKind::Line,
            _ => return,
        };
        let (Some(Value::Integer(no)), Some(Value::Integer(number))) = (row.first(), row.get(1)) else { return };
        let (cipher, number) = (self.ciphers.get(no), u64::try_from(*number).unwrap_or(0));
        if let (Some(cipher), Some(Value::Blob(body))) = (cipher, row.last_mut()) {
            *body = cipher.encrypt(kind, number, body);
        }
    }

    /// Adds the owner, the id floor and the key to a row of a channel, in place of its snapshot and the number of that.
    fn complete_channel(&mut self, row: &mut Vec<Value>) {
        let (snapshot, snapshot_seq) = (row.pop(), row.pop());
        let (Some(Value::Integer(no)), Some(Value::Text(id))) = (row.first(), row.get(1)) else { return };
        // The data directory has been verified.
        let Ok(id) = ChannelId::parse(id) else { return };
        let unloaded_in = match &snapshot {
            Some(Value::Blob(json)) => {
                decode_json::<Snapshot>(&id, "the snapshot", json).ok().and_then(|snapshot| snapshot.unloaded_in())
            }
            _ => None,
        };
        let is_complete = row.get(6) == snapshot_seq.as_ref() && unloaded_in.is_some_and(|run| run > self.run.crashed);
        let key = self.keys.create(&id);
        if let Ok(cipher) = self.keys.open(&id, &key) {
            self.ciphers.insert(*no, cipher);
        }
        row.push(if is_complete { Value::Null } else { Value::Integer(to_sql(self.run.id)) });
        row.push(Value::Integer(to_sql(self.run.id_ceiling)));
        row.push(Value::Blob(key));
    }
}

/// Rows to insert, as the columns of a table.
struct Columns {
    columns: Vec<Column>,
    rows: usize,
    bytes: usize,
}

enum Column {
    Int(Vec<Option<i64>>),
    Text(Vec<Option<String>>),
    Blob(Vec<Option<Vec<u8>>>),
}

impl Columns {
    fn new(table: &ImportTable) -> Self {
        let column = |(_, kind): &(&str, ColumnType)| match kind {
            ColumnType::Int => Column::Int(Vec::new()),
            ColumnType::Text => Column::Text(Vec::new()),
            ColumnType::Blob => Column::Blob(Vec::new()),
        };
        Self { columns: table.columns.iter().map(column).collect(), rows: 0, bytes: 0 }
    }

    fn push(&mut self, row: Vec<Value>) {
        self.rows += 1;
        for (column, value) in self.columns.iter_mut().zip(row) {
            self.bytes += match &value {
                Value::Text(text) => text.len(),
                Value::Blob(bytes) => bytes.len(),
                _ => 8,
            };
            // A value of another type is refused as if it was missing.
            match (column, value) {
                (Column::Int(column), Value::Integer(n)) => column.push(Some(n)),
                (Column::Text(column), Value::Text(text)) => column.push(Some(text)),
                (Column::Blob(column), Value::Blob(bytes)) => column.push(Some(bytes)),
                (Column::Int(column), _) => column.push(None),
                (Column::Text(column), _) => column.push(None),
                (Column::Blob(column), _) => column.push(None),
            }
        }
    }

    fn is_full(&self) -> bool {
        self.rows >= GROUP_ROWS || self.bytes >= GROUP_BYTES
    }

    /// Inserts the rows, and is empty then.
    fn insert(&mut self, runtime: &Runtime, session: &Session, table: &ImportTable) -> Result<(), ImportError> {
        if self.rows == 0 {
            return Ok(());
        }
        let parameters: Vec<&(dyn ToSql + Sync)> = self.columns.iter().map(Column::parameter).collect();
        runtime.block_on(session.execute_once(&table.insert(), &parameters))?;
        *self = Self::new(table);
        Ok(())
    }
}

impl Column {
    fn parameter(&self) -> &(dyn ToSql + Sync) {
        match self {
            Self::Int(column) => column,
            Self::Text(column) => column,
            Self::Blob(column) => column,
        }
    }
}
