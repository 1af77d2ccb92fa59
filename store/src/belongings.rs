//! Reads what a database holds of accounts and webhooks: whose it is, and whether it opens with the hub's key.
//!
//! It looks for what nobody would find before it fails: an owner who is gone, a secret or a message that nobody can read.

use std::collections::HashSet;

use rogerrat_actors::HookEncryptors;
use rogerrat_domain::webhook::{Delivery, DeliveryState, Hook, Owner};
use rogerrat_domain::{AccountId, Callsign, ChannelId};
use rusqlite::{Connection, Row};

use super::census::{Fault, VerifyReport, each};

/// The schema with which accounts came, and the one with which webhooks did.
const ACCOUNTS_SINCE: i64 = 3;
const WEBHOOKS_SINCE: i64 = 4;
/// Bytes of a digest.
const DIGEST_BYTES: i64 = 32;

/// Who there is to own something.
struct Owners<'c> {
    accounts: HashSet<String>,
    /// Channels that are not bands.
    channels: HashSet<&'c ChannelId>,
}

/// Adds what there is of accounts and webhooks to a census that knows the schema.
pub(super) fn count<'c>(
    connection: &Connection,
    channels: impl Iterator<Item = &'c ChannelId>,
    vaults: &HookEncryptors,
    census: &mut VerifyReport,
) -> Result<(), Fault> {
    if census.schema < ACCOUNTS_SINCE {
        return Ok(());
    }
    let accounts = accounts(connection)?;
    let owners = Owners { accounts, channels: channels.collect() };
    census.accounts = owners.accounts.len() as u64;
    census.identities = identities(connection, &owners)?;
    belongs(connection, &owners, "SELECT account FROM account_sessions", "the session of an account")?;
    belongs(connection, &owners, "SELECT owner FROM channels WHERE owner IS NOT NULL", "a channel")?;
    if census.schema < WEBHOOKS_SINCE {
        return Ok(());
    }
    let hooks = hooks(connection, &owners, vaults)?;
    census.webhooks = hooks.len() as u64;
    census.deliveries = deliveries(connection, &hooks, vaults)?;
    let forgotten = "SELECT no FROM payloads
                     WHERE no NOT IN (SELECT payload FROM deliveries WHERE payload IS NOT NULL)";
    each(connection, forgotten, |row| wrong(format!("message {} waits for no delivery", row.get::<_, i64>(0)?)))?;
    Ok(())
}

fn accounts(connection: &Connection) -> Result<HashSet<String>, Fault> {
    let mut accounts = HashSet::new();
    each(connection, "SELECT id, length(recovery) FROM accounts", |row| {
        let id = text(row, 0)?;
        if AccountId::parse(id).is_err() || row.get::<_, i64>(1)? != DIGEST_BYTES {
            return wrong("an account is not as it was written");
        }
        accounts.insert(id.to_owned());
        Ok(())
    })?;
    Ok(accounts)
}

fn identities(connection: &Connection, owners: &Owners<'_>) -> Result<u64, Fault> {
    each(connection, "SELECT callsign, account, length(key) FROM identities", |row| {
        let callsign = text(row, 0)?;
        if Callsign::parse(callsign).is_err() || row.get::<_, i64>(2)? != DIGEST_BYTES {
            return wrong("an identity is not as it was written");
        }
        owners.hold_account(text(row, 1)?, || format!("the identity {callsign}"))
    })
}

/// Whether the accounts that something belongs to are there.
fn belongs(connection: &Connection, owners: &Owners<'_>, sql: &str, what: &str) -> Result<(), Fault> {
    each(connection, sql, |row| owners.hold_account(text(row, 0)?, || what.to_owned())).map(|_| ())
}

/// The ids of the hooks.
fn hooks(connection: &Connection, owners: &Owners<'_>, vaults: &HookEncryptors) -> Result<HashSet<String>, Fault> {
    let mut hooks = HashSet::new();
    each(connection, "SELECT id, owner, json FROM webhooks", |row| {
        let id = text(row, 0)?;
        let hook: Hook = json(row, 2, || format!("webhook {id}"))?;
        if hook.id.as_str() != id || hook.owner.to_string() != text(row, 1)? {
            return wrong(format!("webhook {id} is not as it was written"));
        }
        if !vaults.opens_secrets(&hook) {
            return wrong(format!("the secret of webhook {id} does not open with the hub's key"));
        }
        match &hook.owner {
            Owner::Account(account) => owners.hold_account(account.as_str(), || format!("webhook {id}"))?,
            Owner::Channel(channel) if !owners.channels.contains(channel) => {
                return wrong(format!("webhook {id} is of the channel {channel}, and there is none"));
            }
            Owner::Channel(_) => {}
        }
        hooks.insert(id.to_owned());
        Ok(())
    })?;
    Ok(hooks)
}

fn deliveries(connection: &Connection, hooks: &HashSet<String>, vaults: &HookEncryptors) -> Result<u64, Fault> {
    let sql = "SELECT id, hook, deliveries.json, payload IS NOT NULL, body
               FROM deliveries LEFT JOIN payloads ON payload = payloads.no";
    each(connection, sql, |row| {
        let (id, hook) = (text(row, 0)?, text(row, 1)?);
        if !hooks.contains(hook) {
            return wrong(format!("delivery {id} is of webhook {hook}, and there is none"));
        }
        let delivery: Delivery = json(row, 2, || format!("delivery {id}"))?;
        if delivery.id.as_str() != id || (delivery.state == DeliveryState::Due) != row.get::<_, bool>(3)? {
            return wrong(format!("delivery {id} is not as it was written"));
        }
        let body = row.get_ref(4)?.as_blob_or_null().map_err(rusqlite::Error::from)?;
        if delivery.state == DeliveryState::Due && !body.is_some_and(|body| vaults.opens_message(&delivery, body)) {
            return wrong(format!("the message of delivery {id} does not open with the hub's key"));
        }
        Ok(())
    })
}

impl Owners<'_> {
    fn hold_account(&self, account: &str, what: impl FnOnce() -> String) -> Result<(), Fault> {
        if self.accounts.contains(account) {
            return Ok(());
        }
        wrong(format!("{} belongs to an account that is not there", what()))
    }
}

fn wrong<T>(why: impl Into<String>) -> Result<T, Fault> {
    Err(Fault::Damaged(why.into()))
}

fn text<'r>(row: &'r Row<'_>, column: usize) -> Result<&'r str, Fault> {
    Ok(row.get_ref(column)?.as_str().map_err(rusqlite::Error::from)?)
}

fn json<T: serde::de::DeserializeOwned>(
    row: &Row<'_>,
    column: usize,
    what: impl FnOnce() -> String,
) -> Result<T, Fault> {
    let json = row.get_ref(column)?.as_blob().map_err(rusqlite::Error::from)?;
    serde_json::from_slice(json).map_err(|error| Fault::Damaged(format!("{}: {error}", what())))
}
