//! Webhooks and their deliveries in the database: writes within the writer's transaction, and queries.
//!
//! A payload that several hooks need is stored once, encrypted. It is deleted with the last delivery that needs it.

use rogerrat_actors::{AccountChangeResult, HookQueues, LogError, StoredHook};
use rogerrat_domain::webhook::{DeliveryRow, Hook, HookChange, HookId, HookOwner};
use rogerrat_domain::{ChannelId, limits};
use rusqlite::{Connection, OptionalExtension as _, Result, Row, params};
use serde::de::DeserializeOwned;

use super::error::log_error;
use super::sqlite_int::{get_u64, to_sqlite};
use super::write_request::WriteOutcome;
use crate::shared::rows::{DueDeliveryRows, WebhookWrite};

/// Applies a write. It is a conflict if the owner of a new hook is gone.
pub(super) fn apply(write: &WebhookWrite, connection: &Connection) -> Result<WriteOutcome> {
    match write {
        WebhookWrite::PutHook { hook, owner, most, json } => {
            if !has_owner(connection, owner)? {
                return Ok(WriteOutcome::Conflict);
            }
            if let Some(most) = most
                && is_full(connection, hook, owner, *most)?
            {
                return Ok(WriteOutcome::Account(AccountChangeResult::Full));
            }
            connection
                .prepare_cached(
                    "INSERT INTO webhooks (id, owner, json) VALUES (?1, ?2, ?3) ON CONFLICT (id) DO UPDATE SET json = ?3",
                )?
                .execute(params![hook.as_str(), owner.to_string(), json])?;
        }
        WebhookWrite::ChangeHook(id, change) => return change_hook(connection, id, change),
        WebhookWrite::DropHook(id) => drop_hook(connection, id)?,
        WebhookWrite::DropHooksOf(owner) => drop_hooks_of(connection, owner)?,
        WebhookWrite::Enqueue(due) => enqueue(due, connection)?,
        WebhookWrite::UpdateDelivery { no, hook, json, is_done } => {
            update_delivery(connection, *no, hook, json, *is_done)?;
        }
    }
    Ok(WriteOutcome::Done)
}

/// Inserts deliveries for the hooks that still exist, with their payload. A delivery replaces a finished one of the same
/// id.
pub(super) fn enqueue(due: &DueDeliveryRows, connection: &Connection) -> Result<()> {
    let payload = if due.deliveries.iter().any(|row| row.is_due) {
        connection.prepare_cached("INSERT INTO payloads (body) VALUES (?1)")?.execute([&due.payload])?;
        Some(connection.last_insert_rowid())
    } else {
        None
    };
    let mut is_needed = false;
    for row in &due.deliveries {
        connection
            .prepare_cached("DELETE FROM deliveries WHERE hook = ?1 AND id = ?2 AND payload IS NULL")?
            .execute(params![row.hook, row.id])?;
        let inserted = connection
            .prepare_cached(
                "INSERT INTO deliveries (hook, id, channel, payload, json)
                 SELECT ?1, ?2, ?3, ?4, ?5 WHERE EXISTS (SELECT 1 FROM webhooks WHERE id = ?1)",
            )?
            .execute(params![row.hook, row.id, row.channel, payload.filter(|_| row.is_due), row.json])?;
        is_needed |= inserted > 0 && row.is_due;
        if !row.is_due {
            trim(connection, &row.hook)?;
        }
    }
    match payload {
        Some(no) if !is_needed => delete_unneeded_payload(connection, no),
        _ => Ok(()),
    }
}

fn has_owner(connection: &Connection, owner: &HookOwner) -> Result<bool> {
    let (find, id) = match owner {
        HookOwner::Channel(id) => ("SELECT 1 FROM channels WHERE id = ?1 AND settings IS NOT NULL", id.as_str()),
        HookOwner::Account(id) => ("SELECT 1 FROM accounts WHERE id = ?1", id.as_str()),
    };
    connection.prepare_cached(find)?.exists([id])
}

/// Whether a new hook would be one too many of its type, which the first letters of its id tell.
fn is_full(connection: &Connection, hook: &HookId, owner: &HookOwner, most: usize) -> Result<bool> {
    let count = "SELECT count(*) >= ?3 AND NOT EXISTS (SELECT 1 FROM webhooks WHERE id = ?1) FROM webhooks
                 WHERE owner = ?2 AND substr(id, 1, 3) = substr(?1, 1, 3)";
    let most = to_sqlite(most as u64);
    connection.prepare_cached(count)?.query_row(params![hook.as_str(), owner.to_string(), most], |row| row.get(0))
}

/// Changes a hook. It is a conflict if the hook does not exist.
fn change_hook(connection: &Connection, id: &HookId, change: &HookChange) -> Result<WriteOutcome> {
    let json = connection
        .prepare_cached("SELECT json FROM webhooks WHERE id = ?1")?
        .query_row([id.as_str()], |row| row.get::<_, Vec<u8>>(0))
        .optional()?;
    let Some(json) = json else { return Ok(WriteOutcome::Conflict) };
    let changed = serde_json::from_slice::<Hook>(&json).and_then(|mut hook| {
        change.apply(&mut hook);
        serde_json::to_vec(&hook)
    });
    match changed {
        Ok(json) => {
            connection
                .prepare_cached("UPDATE webhooks SET json = ?2 WHERE id = ?1")?
                .execute(params![id.as_str(), json])?;
            Ok(WriteOutcome::Done)
        }
        Err(error) => Ok(WriteOutcome::Refused(error.to_string())),
    }
}

fn update_delivery(connection: &Connection, no: u64, hook: &str, json: &[u8], is_done: bool) -> Result<()> {
    if !is_done {
        connection
            .prepare_cached("UPDATE deliveries SET json = ?2 WHERE no = ?1")?
            .execute(params![to_sqlite(no), json])?;
        return Ok(());
    }
    let payload = connection
        .prepare_cached("SELECT payload FROM deliveries WHERE no = ?1")?
        .query_row([to_sqlite(no)], |row| row.get::<_, Option<i64>>(0))
        .optional()?;
    connection
        .prepare_cached("UPDATE deliveries SET json = ?2, payload = NULL WHERE no = ?1")?
        .execute(params![to_sqlite(no), json])?;
    if let Some(payload) = payload.flatten() {
        delete_unneeded_payload(connection, payload)?;
    }
    trim(connection, hook)
}

/// Deletes a payload if no delivery needs it.
fn delete_unneeded_payload(connection: &Connection, no: i64) -> Result<()> {
    connection
        .prepare_cached(
            "DELETE FROM payloads WHERE no = ?1 AND NOT EXISTS (SELECT 1 FROM deliveries WHERE payload = ?1)",
        )?
        .execute([no])?;
    Ok(())
}

/// Deletes the oldest finished deliveries of a hook beyond the bound.
fn trim(connection: &Connection, hook: &str) -> Result<()> {
    connection
        .prepare_cached(
            "DELETE FROM deliveries WHERE hook = ?1 AND payload IS NULL AND no <= (
                 SELECT no FROM deliveries WHERE hook = ?1 AND payload IS NULL ORDER BY no DESC LIMIT 1 OFFSET ?2)",
        )?
        .execute(params![hook, to_sqlite(limits::HOOK_LOG as u64)])?;
    Ok(())
}

fn drop_hook(connection: &Connection, id: &str) -> Result<()> {
    connection.prepare_cached("DELETE FROM webhooks WHERE id = ?1")?.execute([id])?;
    drop_deliveries(connection, "DELETE FROM deliveries WHERE hook = ?1 RETURNING payload", id)
}

/// Deletes the hooks of an owner, with their deliveries.
pub(super) fn drop_hooks_of(connection: &Connection, owner: &str) -> Result<()> {
    let hooks = connection
        .prepare_cached("SELECT id FROM webhooks WHERE owner = ?1")?
        .query_map([owner], |row| row.get::<_, String>(0))?
        .collect::<Result<Vec<_>>>()?;
    hooks.iter().try_for_each(|hook| drop_hook(connection, hook))
}

fn drop_deliveries(connection: &Connection, sql: &str, key: &str) -> Result<()> {
    let payloads = connection
        .prepare_cached(sql)?
        .query_map([key], |row| row.get::<_, Option<i64>>(0))?
        .collect::<Result<Vec<_>>>()?;
    payloads.into_iter().flatten().try_for_each(|no| delete_unneeded_payload(connection, no))
}

/// Deletes the hooks of a channel, and all deliveries of its messages.
pub(super) fn delete_channel(connection: &Connection, channel: &ChannelId) -> Result<()> {
    drop_hooks_of(connection, &format!("channel {channel}"))?;
    drop_deliveries(connection, "DELETE FROM deliveries WHERE channel = ?1 RETURNING payload", channel.as_str())
}

/// Decodes a row. A damaged one is logged and left out, so that it does not hide the others.
fn decode<T: DeserializeOwned>(row: &Row<'_>, column: usize, what: &'static str, no: u64) -> Option<T> {
    let json = row.get_ref(column).ok().and_then(|json| json.as_bytes().ok()).unwrap_or_default();
    let decoded = serde_json::from_slice(json);
    if let Err(error) = &decoded {
        log::error!(what, no, error:display; "left out a damaged row; `rogerrat verify` checks the store");
    }
    decoded.ok()
}

/// All webhooks, in the order of their creation, without damaged ones.
pub(super) fn hooks(connection: &Connection) -> std::result::Result<Vec<StoredHook>, LogError> {
    let sql = "SELECT json, rowid, (SELECT count(*) FROM deliveries WHERE hook = webhooks.id AND payload IS NOT NULL),
                   (SELECT coalesce(sum(length(body)), 0) FROM deliveries JOIN payloads ON payload = payloads.no
                    WHERE hook = webhooks.id)
               FROM webhooks ORDER BY rowid";
    select_hooks(connection, sql, params![])
}

/// One webhook.
pub(super) fn hook(connection: &Connection, id: &HookId) -> std::result::Result<Option<StoredHook>, LogError> {
    let sql = "SELECT json, rowid, (SELECT count(*) FROM deliveries WHERE hook = webhooks.id AND payload IS NOT NULL),
                   (SELECT coalesce(sum(length(body)), 0) FROM deliveries JOIN payloads ON payload = payloads.no
                    WHERE hook = webhooks.id)
               FROM webhooks WHERE id = ?1";
    Ok(select_hooks(connection, sql, params![id.as_str()])?.pop())
}

fn select_hooks(
    connection: &Connection,
    sql: &str,
    parameters: &[&dyn rusqlite::ToSql],
) -> std::result::Result<Vec<StoredHook>, LogError> {
    let mut select = connection.prepare_cached(sql).map_err(log_error)?;
    let mut rows = select.query(parameters).map_err(log_error)?;
    let mut hooks = Vec::new();
    while let Some(row) = rows.next().map_err(log_error)? {
        let no = get_u64(row, 1).map_err(log_error)?;
        let Some(hook) = decode::<Hook>(row, 0, "webhook", no) else { continue };
        let (due, bytes) = (get_u64(row, 2).map_err(log_error)?, get_u64(row, 3).map_err(log_error)?);
        hooks.push(StoredHook { hook, due, bytes });
    }
    Ok(hooks)
}

/// The webhooks with due deliveries, and the sizes of their queues.
pub(super) fn queues(connection: &Connection) -> std::result::Result<HookQueues, LogError> {
    let mut select = connection
        .prepare_cached(
            "SELECT hook, count(*), sum(length(body)) FROM deliveries JOIN payloads ON payload = payloads.no GROUP BY hook",
        )
        .map_err(log_error)?;
    let mut rows = select.query([]).map_err(log_error)?;
    let mut queues = Vec::new();
    while let Some(row) = rows.next().map_err(log_error)? {
        let Ok(hook) = HookId::parse(&row.get::<_, String>(0).map_err(log_error)?) else { continue };
        queues.push((hook, get_u64(row, 1).map_err(log_error)?, get_u64(row, 2).map_err(log_error)?));
    }
    Ok(queues)
}

pub(super) fn due(
    connection: &Connection,
    hook: &str,
    after: u64,
    limit: usize,
) -> std::result::Result<Vec<DeliveryRow>, LogError> {
    let sql = "SELECT deliveries.no, json, length(body) FROM deliveries JOIN payloads ON payload = payloads.no
               WHERE hook = ?1 AND deliveries.no > ?2 ORDER BY deliveries.no LIMIT ?3";
    rows(connection, sql, params![hook, to_sqlite(after), to_sqlite(limit as u64)])
}

pub(super) fn deliveries(
    connection: &Connection,
    hook: &str,
    limit: usize,
) -> std::result::Result<Vec<DeliveryRow>, LogError> {
    let sql = "SELECT no, json, 0 FROM deliveries WHERE hook = ?1 ORDER BY no DESC LIMIT ?2";
    rows(connection, sql, params![hook, to_sqlite(limit as u64)])
}

fn rows(
    connection: &Connection,
    sql: &str,
    parameters: &[&dyn rusqlite::ToSql],
) -> std::result::Result<Vec<DeliveryRow>, LogError> {
    let mut select = connection.prepare_cached(sql).map_err(log_error)?;
    let mut found = select.query(parameters).map_err(log_error)?;
    let mut rows = Vec::new();
    while let Some(row) = found.next().map_err(log_error)? {
        let (no, bytes) = (get_u64(row, 0).map_err(log_error)?, get_u64(row, 2).map_err(log_error)?);
        let Some(delivery) = decode(row, 1, "webhook delivery", no) else { continue };
        rows.push(DeliveryRow { no, bytes, delivery });
    }
    Ok(rows)
}

pub(super) fn payload(connection: &Connection, no: u64) -> std::result::Result<Option<Vec<u8>>, LogError> {
    connection
        .prepare_cached("SELECT body FROM deliveries JOIN payloads ON payload = payloads.no WHERE deliveries.no = ?1")
        .and_then(|mut select| select.query_row([to_sqlite(no)], |row| row.get(0)).optional())
        .map_err(log_error)
}
