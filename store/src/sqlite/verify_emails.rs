//! Verifies the e-mail addresses of accounts: that their accounts exist, and that they decrypt with the hub's key and are
//! found by their hash.

use rogerrat_domain::email::EmailKeys;
use rusqlite::Connection;

use super::email_rows::{EMAIL_COLUMNS, sealed_email};
use super::scan::{ScanError, blob, for_each_row};
use super::verify::VerifyReport;
use crate::shared::checks;

/// The first schema version with e-mail addresses.
const EMAILS_SINCE: i64 = 7;

/// Verifies the addresses and adds their number to the report, in which the schema is set.
pub(super) fn scan(connection: &Connection, keys: &EmailKeys, report: &mut VerifyReport) -> Result<(), ScanError> {
    if report.schema < EMAILS_SINCE {
        return Ok(());
    }
    for table in ["account_emails", "pending_emails"] {
        report.email_addresses +=
            for_each_row(connection, &format!("SELECT {EMAIL_COLUMNS}, lookup FROM {table}"), |row| {
                Ok(checks::email(&sealed_email(row)?, blob(row, 3)?, keys)?)
            })?;
        let orphans = format!("SELECT account FROM {table} WHERE account NOT IN (SELECT id FROM accounts)");
        for_each_row(connection, &orphans, |_| corrupt("an e-mail address belongs to an account that does not exist"))?;
    }
    Ok(())
}

fn corrupt<T>(why: impl Into<String>) -> Result<T, ScanError> {
    Err(ScanError::Corrupt(why.into()))
}
