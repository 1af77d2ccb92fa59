//! Hooks and deliveries in the database: what the writer does to them, and what is read.
//!
//! A message that is due for several hooks stands there once, hidden; it is erased with the last delivery that needs it.

use rogerrat_actors::{LogError, StoredHook};
use rogerrat_domain::webhook::{Delivery, DeliveryRow, DeliveryState, Hook, HookId, Owner};
use rogerrat_domain::{ChannelId, limits};
use rusqlite::{Connection, OptionalExtension as _, Result, params};

use super::job::Outcome;
use super::number::{signed, unsigned};
use super::reader::fault;

/// Something to write for webhooks.
#[derive(Debug)]
pub(super) enum Letters {
    Hook { hook: HookId, owner: Owner, json: Vec<u8> },
    DropHook(String),
    DropHooks(String),
    Enqueue(Bundle),
    Keep { no: u64, hook: String, json: Vec<u8>, is_done: bool },
}

/// A message that is due, written down.
#[derive(Debug)]
pub(super) struct Bundle {
    deliveries: Vec<Slip>,
    hidden: Vec<u8>,
}

/// A delivery, written down.
#[derive(Debug)]
struct Slip {
    hook: String,
    id: String,
    channel: Option<String>,
    is_due: bool,
    json: Vec<u8>,
}

impl Bundle {
    pub(super) fn of(due: rogerrat_domain::webhook::DueDelivery) -> serde_json::Result<Self> {
        let slip = |(hook, delivery): (HookId, Delivery)| {
            Ok(Slip {
                hook: hook.to_string(),
                id: delivery.id.to_string(),
                channel: delivery.channel.as_ref().map(ToString::to_string),
                is_due: delivery.state == DeliveryState::Due,
                json: serde_json::to_vec(&delivery)?,
            })
        };
        Ok(Self {
            deliveries: due.deliveries.into_iter().map(slip).collect::<serde_json::Result<_>>()?,
            hidden: due.hidden,
        })
    }

    pub(super) fn bytes(&self) -> usize {
        self.hidden.len() + self.deliveries.iter().map(|slip| slip.json.len() + 160).sum::<usize>()
    }
}

impl Letters {
    pub(super) fn bytes(&self) -> usize {
        match self {
            Self::Hook { json, .. } | Self::Keep { json, .. } => json.len() + 160,
            Self::Enqueue(bundle) => bundle.bytes(),
            Self::DropHook(_) | Self::DropHooks(_) => 160,
        }
    }

    pub(super) fn write(&self, connection: &Connection) -> Result<Outcome> {
        match self {
            Self::Hook { hook, owner, json } => {
                if !has_owner(connection, owner)? {
                    return Ok(Outcome::Conflict);
                }
                connection
                    .prepare_cached("INSERT INTO webhooks (id, owner, json) VALUES (?1, ?2, ?3) ON CONFLICT (id) DO UPDATE SET json = ?3")?
                    .execute(params![hook.as_str(), owner.to_string(), json])?;
            }
            Self::DropHook(id) => drop_hook(connection, id)?,
            Self::DropHooks(owner) => drop_hooks(connection, owner)?,
            Self::Enqueue(bundle) => bundle.write(connection)?,
            Self::Keep { no, hook, json, is_done } => keep(connection, *no, hook, json, *is_done)?,
        }
        Ok(Outcome::Done)
    }
}

impl Bundle {
    /// Writes deliveries to hooks that are still there.
    pub(super) fn write(&self, connection: &Connection) -> Result<()> {
        let hidden = if self.deliveries.iter().any(|slip| slip.is_due) {
            connection.prepare_cached("INSERT INTO payloads (body) VALUES (?1)")?.execute([&self.hidden])?;
            Some(connection.last_insert_rowid())
        } else {
            None
        };
        let mut is_needed = false;
        for slip in &self.deliveries {
            connection
                .prepare_cached("DELETE FROM deliveries WHERE hook = ?1 AND id = ?2 AND payload IS NULL")?
                .execute(params![slip.hook, slip.id])?;
            let written = connection
                .prepare_cached(
                    "INSERT INTO deliveries (hook, id, channel, payload, json)
                     SELECT ?1, ?2, ?3, ?4, ?5 WHERE EXISTS (SELECT 1 FROM webhooks WHERE id = ?1)",
                )?
                .execute(params![slip.hook, slip.id, slip.channel, hidden.filter(|_| slip.is_due), slip.json])?;
            is_needed |= written > 0 && slip.is_due;
            if !slip.is_due {
                trim(connection, &slip.hook)?;
            }
        }
        match hidden {
            Some(no) if !is_needed => erase(connection, no),
            _ => Ok(()),
        }
    }
}

fn has_owner(connection: &Connection, owner: &Owner) -> Result<bool> {
    let (find, id) = match owner {
        Owner::Channel(id) => ("SELECT 1 FROM channels WHERE id = ?1 AND settings IS NOT NULL", id.as_str()),
        Owner::Account(id) => ("SELECT 1 FROM accounts WHERE id = ?1", id.as_str()),
    };
    connection.prepare_cached(find)?.exists([id])
}

fn keep(connection: &Connection, no: u64, hook: &str, json: &[u8], is_done: bool) -> Result<()> {
    if !is_done {
        connection
            .prepare_cached("UPDATE deliveries SET json = ?2 WHERE no = ?1")?
            .execute(params![signed(no), json])?;
        return Ok(());
    }
    let hidden = connection
        .prepare_cached("SELECT payload FROM deliveries WHERE no = ?1")?
        .query_row([signed(no)], |row| row.get::<_, Option<i64>>(0))
        .optional()?;
    connection
        .prepare_cached("UPDATE deliveries SET json = ?2, payload = NULL WHERE no = ?1")?
        .execute(params![signed(no), json])?;
    if let Some(hidden) = hidden.flatten() {
        erase(connection, hidden)?;
    }
    trim(connection, hook)
}

/// Erases a message that no delivery needs.
fn erase(connection: &Connection, no: i64) -> Result<()> {
    connection
        .prepare_cached(
            "DELETE FROM payloads WHERE no = ?1 AND NOT EXISTS (SELECT 1 FROM deliveries WHERE payload = ?1)",
        )?
        .execute([no])?;
    Ok(())
}

/// Lets go of the oldest deliveries of a hook that are done.
fn trim(connection: &Connection, hook: &str) -> Result<()> {
    connection
        .prepare_cached(
            "DELETE FROM deliveries WHERE hook = ?1 AND payload IS NULL AND no <= (
                 SELECT no FROM deliveries WHERE hook = ?1 AND payload IS NULL ORDER BY no DESC LIMIT 1 OFFSET ?2)",
        )?
        .execute(params![hook, signed(limits::HOOK_LOG as u64)])?;
    Ok(())
}

fn drop_hook(connection: &Connection, id: &str) -> Result<()> {
    connection.prepare_cached("DELETE FROM webhooks WHERE id = ?1")?.execute([id])?;
    drop_deliveries(connection, "DELETE FROM deliveries WHERE hook = ?1 RETURNING payload", id)
}

/// Deletes the hooks of an owner, and what is due for them.
pub(super) fn drop_hooks(connection: &Connection, owner: &str) -> Result<()> {
    let hooks = connection
        .prepare_cached("SELECT id FROM webhooks WHERE owner = ?1")?
        .query_map([owner], |row| row.get::<_, String>(0))?
        .collect::<Result<Vec<_>>>()?;
    hooks.iter().try_for_each(|hook| drop_hook(connection, hook))
}

fn drop_deliveries(connection: &Connection, sql: &str, of: &str) -> Result<()> {
    let hidden = connection
        .prepare_cached(sql)?
        .query_map([of], |row| row.get::<_, Option<i64>>(0))?
        .collect::<Result<Vec<_>>>()?;
    hidden.into_iter().flatten().try_for_each(|no| erase(connection, no))
}

/// Deletes the hooks of a channel, and every delivery of what was said there.
pub(super) fn forget(connection: &Connection, channel: &ChannelId) -> Result<()> {
    drop_hooks(connection, &format!("channel {channel}"))?;
    drop_deliveries(connection, "DELETE FROM deliveries WHERE channel = ?1 RETURNING payload", channel.as_str())
}

fn damaged<E: std::fmt::Display>(error: E) -> LogError {
    LogError::Damaged(format!("a webhook: {error}"))
}

pub(super) fn hooks(connection: &Connection) -> std::result::Result<Vec<StoredHook>, LogError> {
    let mut select = connection
        .prepare_cached(
            "SELECT json, (SELECT count(*) FROM deliveries WHERE hook = webhooks.id AND payload IS NOT NULL),
                 (SELECT coalesce(sum(length(body)), 0) FROM deliveries JOIN payloads ON payload = payloads.no
                  WHERE hook = webhooks.id)
             FROM webhooks ORDER BY rowid",
        )
        .map_err(fault)?;
    let mut rows = select.query([]).map_err(fault)?;
    let mut hooks = Vec::new();
    while let Some(row) = rows.next().map_err(fault)? {
        let json = row.get_ref(0).map_err(fault)?.as_blob().map_err(damaged)?;
        let hook: Hook = serde_json::from_slice(json).map_err(damaged)?;
        let (due, bytes) = (unsigned(row, 1).map_err(fault)?, unsigned(row, 2).map_err(fault)?);
        hooks.push(StoredHook { hook, due, bytes });
    }
    Ok(hooks)
}

pub(super) fn due(
    connection: &Connection,
    hook: &str,
    after: u64,
    limit: usize,
) -> std::result::Result<Vec<DeliveryRow>, LogError> {
    let sql = "SELECT deliveries.no, json, length(body) FROM deliveries JOIN payloads ON payload = payloads.no
               WHERE hook = ?1 AND deliveries.no > ?2 ORDER BY deliveries.no LIMIT ?3";
    rows(connection, sql, params![hook, signed(after), signed(limit as u64)])
}

pub(super) fn deliveries(
    connection: &Connection,
    hook: &str,
    limit: usize,
) -> std::result::Result<Vec<DeliveryRow>, LogError> {
    let sql = "SELECT no, json, 0 FROM deliveries WHERE hook = ?1 ORDER BY no DESC LIMIT ?2";
    rows(connection, sql, params![hook, signed(limit as u64)])
}

fn rows(
    connection: &Connection,
    sql: &str,
    parameters: &[&dyn rusqlite::ToSql],
) -> std::result::Result<Vec<DeliveryRow>, LogError> {
    let mut select = connection.prepare_cached(sql).map_err(fault)?;
    let mut found = select.query(parameters).map_err(fault)?;
    let mut rows = Vec::new();
    while let Some(row) = found.next().map_err(fault)? {
        let json = row.get_ref(1).map_err(fault)?.as_blob().map_err(damaged)?;
        let delivery = serde_json::from_slice(json).map_err(damaged)?;
        rows.push(DeliveryRow {
            no: unsigned(row, 0).map_err(fault)?,
            bytes: unsigned(row, 2).map_err(fault)?,
            delivery,
        });
    }
    Ok(rows)
}

pub(super) fn hidden(connection: &Connection, no: u64) -> std::result::Result<Option<Vec<u8>>, LogError> {
    connection
        .prepare_cached("SELECT body FROM deliveries JOIN payloads ON payload = payloads.no WHERE deliveries.no = ?1")
        .and_then(|mut select| select.query_row([signed(no)], |row| row.get(0)).optional())
        .map_err(fault)
}
