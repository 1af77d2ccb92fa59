//! Verifies a database: decrypts and decodes everything in it, and counts it. It changes nothing, and hubs may be running on it.

use std::collections::HashMap;
use std::path::PathBuf;

use rogerrat_actors::{HookEncryptors, LogError};
use rogerrat_domain::email::EmailKeys;
use rogerrat_domain::{ChannelId, HubKey, Message, Settings, Snapshot};
use tokio_postgres::Row;

use super::body_key::{BodyCipher, BodyKeys, RowKind};
use super::email_rows::sealed_email;
use super::error::{Failure, PostgresError};
use super::int::get_u64;
use super::session::{Connector, Session};
use super::{PostgresOptions, gate, schema};
use crate::VerifyReport;
use crate::shared::checks::{self, KnownOwners};
use crate::shared::encoding::{decode_json, decode_record};

type Scan<T> = Result<T, PostgresError>;

impl From<LogError> for PostgresError {
    fn from(error: LogError) -> Self {
        Self::Damaged(error.to_string())
    }
}

/// Verifies the database of a hub: every record, snapshot, message, transcript line, account, identity, e-mail address, webhook and
/// delivery, from one point in time. Texts, secrets, addresses and payloads must decrypt with the hub's key. Blocks until that is
/// done.
///
/// # Errors
/// If the database cannot be read, is not one of a hub with this key, or at the first damaged part of it.
pub fn verify_database(options: &PostgresOptions, key: &HubKey) -> Result<VerifyReport, PostgresError> {
    let connector = Connector::new(&options.url, options.ca_file.as_deref())?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let session = connector.connect().await.map_err(Failure::into_connect_error)?;
        session.batch("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; SET LOCAL statement_timeout = 0").await?;
        let report = async {
            schema::check(&session).await?;
            gate::check_stored_key(&session, Some(key)).await?;
            scan(&session, key).await
        };
        let report = report.await;
        session.batch("ROLLBACK").await?;
        report
    })
}

/// A channel, as its row has it.
struct KnownChannel {
    id: ChannelId,
    cipher: BodyCipher,
    seq: u64,
    lines: u64,
    /// The number of the snapshot, and of the last record that was found.
    snapshot: u64,
    end: u64,
}

type Channels = HashMap<i64, KnownChannel>;

/// Checks and counts everything, in a transaction.
pub(super) async fn scan(session: &Session, key: &HubKey) -> Scan<VerifyReport> {
    let mut report = VerifyReport { path: PathBuf::from("the database"), ..VerifyReport::default() };
    let sql = "SELECT pg_database_size(current_database()), (SELECT max(version) FROM schema_version)::bigint,
               EXISTS (SELECT 1 FROM pg_locks WHERE locktype = 'advisory' AND objsubid = 1 AND granted AND classid = 1382511186::oid
                   AND database = (SELECT oid FROM pg_database WHERE datname = current_database()))";
    let row = session.query_one(sql, &[]).await?;
    (report.bytes, report.schema, report.is_in_use) = (get_u64(&row, 0)?, row.try_get(1)?, row.try_get(2)?);
    let mut owners = KnownOwners::default();
    let mut channels = read_channels(session, key, &mut owners).await?;
    report.channels = owners.channels.len() as u64;
    log_rows(session, &mut channels, &mut report).await?;
    account_rows(session, &mut owners, &mut report).await?;
    let encryptors = HookEncryptors::of(key);
    let sql = "SELECT id, owner, json FROM webhooks";
    let hook = |row: &Row| damaged(owners.hook(row.try_get(0)?, row.try_get(1)?, row.try_get(2)?, &encryptors));
    report.webhooks = session.for_each_row(sql, hook).await?;
    let sql = "SELECT id, hook, json, body IS NOT NULL, body FROM deliveries";
    let delivery = |row: &Row| {
        let ids = (row.try_get(0)?, row.try_get(1)?);
        damaged(owners.delivery(ids, row.try_get(2)?, row.try_get(3)?, row.try_get(4)?, &encryptors))
    };
    report.deliveries = session.for_each_row(sql, delivery).await?;
    let keys = EmailKeys::of(key);
    let sql = "SELECT account, sealed, language, lookup FROM account_emails
               UNION ALL SELECT account, sealed, language, lookup FROM pending_emails";
    let email = |row: &Row| damaged(checks::email(&sealed_email(row)?, row.try_get(3)?, &keys));
    report.email_addresses = session.for_each_row(sql, email).await?;
    Ok(report)
}

fn damaged(check: checks::Check) -> Scan<()> {
    check.map_err(PostgresError::Damaged)
}

async fn read_channels(session: &Session, key: &HubKey, owners: &mut KnownOwners) -> Scan<Channels> {
    let keys = BodyKeys::new(key);
    let mut channels = Channels::new();
    let sql = "SELECT no, id, settings, seq, lines, body_key FROM channels";
    let channel = |row: &Row| {
        let id = ChannelId::parse(row.try_get(1)?);
        let id = id.map_err(|_| PostgresError::Damaged("a channel has an invalid id".into()))?;
        if let Some(settings) = row.try_get::<_, Option<&[u8]>>(2)? {
            decode_json::<Settings>(&id, "the settings", settings)?;
            owners.channels.insert(id.clone());
        }
        let cipher = keys.open(&id, row.try_get(5)?)?;
        let (seq, lines) = (get_u64(row, 3)?, get_u64(row, 4)?);
        channels.insert(row.try_get(0)?, KnownChannel { id, cipher, seq, lines, snapshot: 0, end: 0 });
        Ok(())
    };
    session.for_each_row(sql, channel).await?;
    Ok(channels)
}

fn channel_of<'c>(channels: &'c mut Channels, row: &Row) -> Scan<&'c mut KnownChannel> {
    let no: i64 = row.try_get(0)?;
    channels.get_mut(&no).ok_or_else(|| PostgresError::Damaged(format!("there is no channel {no}, but it has rows")))
}

fn of_channel(id: &ChannelId, why: impl std::fmt::Display) -> PostgresError {
    PostgresError::Damaged(format!("channel {id}: {why}"))
}

/// Snapshots, records, messages and lines of channels that are not being erased.
async fn log_rows(session: &Session, channels: &mut Channels, report: &mut VerifyReport) -> Scan<()> {
    let sql = "SELECT channel, seq, body FROM snapshots WHERE channel NOT IN (SELECT channel FROM erasing)";
    let snapshot = |row: &Row| {
        let (seq, channel) = (get_u64(row, 1)?, channel_of(channels, row)?);
        let body = channel.cipher.decrypt(RowKind::Snapshot, seq, row.try_get(2)?);
        let body = body.map_err(|error| of_channel(&channel.id, error))?;
        decode_json::<Snapshot>(&channel.id, "the snapshot", &body)?;
        (channel.snapshot, channel.end) = (seq, seq);
        Ok(())
    };
    report.snapshots = session.for_each_row(sql, snapshot).await?;
    let sql = "SELECT channel, seq, rid, body FROM records WHERE channel NOT IN (SELECT channel FROM erasing)
               ORDER BY channel, seq";
    let mut records = 0;
    let record = |row: &Row| {
        let (seq, channel) = (get_u64(row, 1)?, channel_of(channels, row)?);
        if seq <= channel.snapshot {
            return Ok(());
        }
        records += 1;
        let body = channel.cipher.decrypt(RowKind::Record, seq, row.try_get(3)?);
        let body = body.map_err(|error| of_channel(&channel.id, error))?;
        let rid = row.try_get::<_, &[u8]>(2)?.try_into();
        let rid = rid.map_err(|_| of_channel(&channel.id, format!("record {seq} has an invalid id")))?;
        decode_record(&channel.id, seq, rid, &body)?;
        if seq != channel.end + 1 {
            return Err(of_channel(&channel.id, format!("record {} is missing", channel.end + 1)));
        }
        channel.end = seq;
        Ok(())
    };
    session.for_each_row(sql, record).await?;
    report.records = records;
    if let Some(channel) = channels.values().find(|channel| channel.end != channel.seq) {
        return Err(of_channel(&channel.id, format!("its last record is {}, and not {}", channel.end, channel.seq)));
    }
    let sql = "SELECT channel, id, body FROM messages WHERE channel NOT IN (SELECT channel FROM erasing)";
    let message = |row: &Row| {
        let (id, channel) = (get_u64(row, 1)?, channel_of(channels, row)?);
        let json = channel.cipher.decrypt(RowKind::Message, id, row.try_get(2)?);
        let json = json.map_err(|error| of_channel(&channel.id, error))?;
        Message::from_json(id, 0, None, &json).map(drop).map_err(|error| of_channel(&channel.id, error))
    };
    report.messages = session.for_each_row(sql, message).await?;
    let sql = "SELECT channel, n, json FROM transcript WHERE channel NOT IN (SELECT channel FROM erasing)";
    let line = |row: &Row| {
        let (n, channel) = (get_u64(row, 1)?, channel_of(channels, row)?);
        let json = channel.cipher.decrypt(RowKind::Line, n, row.try_get(2)?);
        let json = json.map_err(|error| of_channel(&channel.id, error))?;
        decode_json::<serde::de::IgnoredAny>(&channel.id, "the transcript", &json)?;
        if n > channel.lines { Err(of_channel(&channel.id, format!("its transcript has a line {n}"))) } else { Ok(()) }
    };
    report.transcript_lines = session.for_each_row(sql, line).await?;
    Ok(())
}

async fn account_rows(session: &Session, owners: &mut KnownOwners, report: &mut VerifyReport) -> Scan<()> {
    let account = |row: &Row| damaged(owners.account(row.try_get(0)?, row.try_get::<_, &[u8]>(1)?.len()));
    report.accounts = session.for_each_row("SELECT id, recovery FROM accounts", account).await?;
    let identity =
        |row: &Row| damaged(owners.identity(row.try_get(0)?, row.try_get(1)?, row.try_get::<_, &[u8]>(2)?.len()));
    report.identities = session.for_each_row("SELECT callsign, account, key FROM identities", identity).await?;
    for (sql, what) in [
        ("SELECT account FROM account_sessions", "an account session"),
        ("SELECT owner FROM channels WHERE owner IS NOT NULL", "a channel"),
    ] {
        let owned = |row: &Row| damaged(owners.require_account(row.try_get(0)?, || what.to_owned()));
        session.for_each_row(sql, owned).await?;
    }
    Ok(())
}
