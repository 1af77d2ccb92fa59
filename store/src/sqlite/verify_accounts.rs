//! Verifies accounts and webhooks.

use rogerrat_actors::HookEncryptors;
use rusqlite::Connection;

use super::scan::{ScanError, blob, for_each_row, text};
use super::verify::VerifyReport;
use crate::shared::checks::KnownOwners;

/// The first schema versions with accounts and with webhooks.
const ACCOUNTS_SINCE: i64 = 3;
const WEBHOOKS_SINCE: i64 = 4;

/// Verifies accounts and webhooks and adds their numbers to the report, in which the schema is set. `owners` has the channels.
pub(super) fn scan(
    connection: &Connection,
    mut owners: KnownOwners,
    encryptors: &HookEncryptors,
    report: &mut VerifyReport,
) -> Result<(), ScanError> {
    if report.schema < ACCOUNTS_SINCE {
        return Ok(());
    }
    report.accounts = for_each_row(connection, "SELECT id, recovery FROM accounts", |row| {
        Ok(owners.account(text(row, 0)?, blob(row, 1)?.len())?)
    })?;
    report.identities = for_each_row(connection, "SELECT callsign, account, key FROM identities", |row| {
        Ok(owners.identity(text(row, 0)?, text(row, 1)?, blob(row, 2)?.len())?)
    })?;
    for (sql, what) in [
        ("SELECT account FROM account_sessions", "an account session"),
        ("SELECT owner FROM channels WHERE owner IS NOT NULL", "a channel"),
    ] {
        for_each_row(connection, sql, |row| Ok(owners.require_account(text(row, 0)?, || what.to_owned())?))?;
    }
    if report.schema < WEBHOOKS_SINCE {
        return Ok(());
    }
    report.webhooks = for_each_row(connection, "SELECT id, owner, json FROM webhooks", |row| {
        Ok(owners.hook(text(row, 0)?, text(row, 1)?, blob(row, 2)?, encryptors)?)
    })?;
    let sql = "SELECT id, hook, deliveries.json, payload IS NOT NULL, body
               FROM deliveries LEFT JOIN payloads ON payload = payloads.no";
    report.deliveries = for_each_row(connection, sql, |row| {
        let body = row.get_ref(4)?.as_blob_or_null().map_err(rusqlite::Error::from)?;
        Ok(owners.delivery((text(row, 0)?, text(row, 1)?), blob(row, 2)?, row.get(3)?, body, encryptors)?)
    })?;
    let orphans = "SELECT no FROM payloads
                     WHERE no NOT IN (SELECT payload FROM deliveries WHERE payload IS NOT NULL)";
    for_each_row(connection, orphans, |row| {
        Err(ScanError::Corrupt(format!("payload {} belongs to no delivery", row.get::<_, i64>(0)?)))
    })?;
    Ok(())
}
