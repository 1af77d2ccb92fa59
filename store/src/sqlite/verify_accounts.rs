//! Verifies accounts and webhooks: that owners exist, and that secrets and payloads decrypt with the hub's key. Such
//! damage would otherwise show only when it is needed.

use std::collections::HashSet;

use rogerrat_actors::HookEncryptors;
use rogerrat_domain::webhook::{Delivery, DeliveryState, Hook, HookOwner};
use rogerrat_domain::{AccountId, Callsign, ChannelId};
use rusqlite::{Connection, Row};

use super::scan::{ScanError, blob, for_each_row, text};
use super::verify::VerifyReport;

/// The first schema versions with accounts and with webhooks.
const ACCOUNTS_SINCE: i64 = 3;
const WEBHOOKS_SINCE: i64 = 4;
/// Length of a SHA-256 digest.
const DIGEST_BYTES: i64 = 32;

/// The accounts and channels that can own something.
struct KnownOwners<'c> {
    accounts: HashSet<String>,
    /// Channels, without bands.
    channels: HashSet<&'c ChannelId>,
}

/// Verifies accounts and webhooks and adds their numbers to the report, in which the schema is set.
pub(super) fn scan<'c>(
    connection: &Connection,
    channels: impl Iterator<Item = &'c ChannelId>,
    encryptors: &HookEncryptors,
    report: &mut VerifyReport,
) -> Result<(), ScanError> {
    if report.schema < ACCOUNTS_SINCE {
        return Ok(());
    }
    let accounts = accounts(connection)?;
    let owners = KnownOwners { accounts, channels: channels.collect() };
    report.accounts = owners.accounts.len() as u64;
    report.identities = identities(connection, &owners)?;
    check_owners(connection, &owners, "SELECT account FROM account_sessions", "an account session")?;
    check_owners(connection, &owners, "SELECT owner FROM channels WHERE owner IS NOT NULL", "a channel")?;
    if report.schema < WEBHOOKS_SINCE {
        return Ok(());
    }
    let hooks = hooks(connection, &owners, encryptors)?;
    report.webhooks = hooks.len() as u64;
    report.deliveries = deliveries(connection, &hooks, encryptors)?;
    let orphans = "SELECT no FROM payloads
                     WHERE no NOT IN (SELECT payload FROM deliveries WHERE payload IS NOT NULL)";
    for_each_row(connection, orphans, |row| {
        corrupt(format!("payload {} belongs to no delivery", row.get::<_, i64>(0)?))
    })?;
    Ok(())
}

fn accounts(connection: &Connection) -> Result<HashSet<String>, ScanError> {
    let mut accounts = HashSet::new();
    for_each_row(connection, "SELECT id, length(recovery) FROM accounts", |row| {
        let id = text(row, 0)?;
        if AccountId::parse(id).is_err() || row.get::<_, i64>(1)? != DIGEST_BYTES {
            return corrupt("an account is corrupt");
        }
        accounts.insert(id.to_owned());
        Ok(())
    })?;
    Ok(accounts)
}

fn identities(connection: &Connection, owners: &KnownOwners<'_>) -> Result<u64, ScanError> {
    for_each_row(connection, "SELECT callsign, account, length(key) FROM identities", |row| {
        let callsign = text(row, 0)?;
        if Callsign::parse(callsign).is_err() || row.get::<_, i64>(2)? != DIGEST_BYTES {
            return corrupt("an identity is corrupt");
        }
        owners.require_account(text(row, 1)?, || format!("the identity {callsign}"))
    })
}

/// Checks that the accounts that own something exist.
fn check_owners(connection: &Connection, owners: &KnownOwners<'_>, sql: &str, what: &str) -> Result<(), ScanError> {
    for_each_row(connection, sql, |row| owners.require_account(text(row, 0)?, || what.to_owned())).map(|_| ())
}

/// Verifies the hooks and returns their ids.
fn hooks(
    connection: &Connection,
    owners: &KnownOwners<'_>,
    encryptors: &HookEncryptors,
) -> Result<HashSet<String>, ScanError> {
    let mut hooks = HashSet::new();
    for_each_row(connection, "SELECT id, owner, json FROM webhooks", |row| {
        let id = text(row, 0)?;
        let hook: Hook = json(row, 2, || format!("webhook {id}"))?;
        if hook.id.as_str() != id || hook.owner.to_string() != text(row, 1)? {
            return corrupt(format!("webhook {id} is corrupt"));
        }
        if !encryptors.opens_secrets(&hook) {
            return corrupt(format!("the secret of webhook {id} does not decrypt with the hub's key"));
        }
        match &hook.owner {
            HookOwner::Account(account) => owners.require_account(account.as_str(), || format!("webhook {id}"))?,
            HookOwner::Channel(channel) if !owners.channels.contains(channel) => {
                return corrupt(format!("webhook {id} belongs to channel {channel}, which does not exist"));
            }
            HookOwner::Channel(_) => {}
        }
        hooks.insert(id.to_owned());
        Ok(())
    })?;
    Ok(hooks)
}

fn deliveries(connection: &Connection, hooks: &HashSet<String>, encryptors: &HookEncryptors) -> Result<u64, ScanError> {
    let sql = "SELECT id, hook, deliveries.json, payload IS NOT NULL, body
               FROM deliveries LEFT JOIN payloads ON payload = payloads.no";
    for_each_row(connection, sql, |row| {
        let (id, hook) = (text(row, 0)?, text(row, 1)?);
        if !hooks.contains(hook) {
            return corrupt(format!("delivery {id} belongs to webhook {hook}, which does not exist"));
        }
        let delivery: Delivery = json(row, 2, || format!("delivery {id}"))?;
        if delivery.id.as_str() != id || (delivery.state == DeliveryState::Due) != row.get::<_, bool>(3)? {
            return corrupt(format!("delivery {id} is corrupt"));
        }
        let body = row.get_ref(4)?.as_blob_or_null().map_err(rusqlite::Error::from)?;
        if delivery.state == DeliveryState::Due && !body.is_some_and(|body| encryptors.opens_message(&delivery, body)) {
            return corrupt(format!("the payload of delivery {id} does not decrypt with the hub's key"));
        }
        Ok(())
    })
}

impl KnownOwners<'_> {
    fn require_account(&self, account: &str, what: impl FnOnce() -> String) -> Result<(), ScanError> {
        if self.accounts.contains(account) {
            return Ok(());
        }
        corrupt(format!("{} belongs to an account that does not exist", what()))
    }
}

fn corrupt<T>(why: impl Into<String>) -> Result<T, ScanError> {
    Err(ScanError::Corrupt(why.into()))
}

fn json<T: serde::de::DeserializeOwned>(
    row: &Row<'_>,
    column: usize,
    what: impl FnOnce() -> String,
) -> Result<T, ScanError> {
    serde_json::from_slice(blob(row, column)?).map_err(|error| ScanError::Corrupt(format!("{}: {error}", what())))
}
