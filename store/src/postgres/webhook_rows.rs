//! Webhooks and their deliveries in the database: writes within a transaction of the writer, and queries.
//!
//! The row of a hook is locked before deliveries are inserted for it. So the numbers of a hook's deliveries rise in the order in
//! which they become visible, and none is inserted for a hook that another hub deletes.

use std::collections::{HashMap, HashSet};

use rogerrat_actors::{HookQueues, PutHook, StoredHook};
use rogerrat_domain::webhook::{DeliveryRow, Hook, HookChange, HookId, HookOwner};
use rogerrat_domain::{ChannelId, limits};
use serde::de::DeserializeOwned;
use tokio_postgres::Row;

use super::int::{get_u64, to_sql};
use super::queue::Done;
use super::session::{Parameters, Session};
use crate::shared::rows::{DueDeliveryRows, WebhookDeliveryRow};

/// Stores a hook, unless its owner has `most` of its type, or does not exist.
pub(super) async fn put_hook(
    db: &Session,
    hook: &str,
    owner: &HookOwner,
    most: Option<usize>,
    json: &[u8],
) -> Done<PutHook> {
    // The owner is not deleted before the transaction ends.
    let (find, id) = match owner {
        HookOwner::Channel(id) => {
            ("SELECT 1 FROM channels WHERE id = $1 AND settings IS NOT NULL FOR KEY SHARE", id.as_str())
        }
        HookOwner::Account(id) => ("SELECT 1 FROM accounts WHERE id = $1 FOR NO KEY UPDATE", id.as_str()),
    };
    if db.query_opt(find, &[&id]).await?.is_none() {
        return Ok(PutHook::NoOwner);
    }
    if let Some(most) = most {
        // The first letters of an id tell its type.
        let sql = "SELECT count(*) >= $3 AND NOT EXISTS (SELECT 1 FROM webhooks WHERE id = $1) FROM webhooks
                   WHERE owner = $2 AND left(id, 3) = left($1, 3)";
        let row = db.query_one(sql, &[&hook, &owner.to_string(), &to_sql(most as u64)]).await?;
        if row.try_get(0)? {
            return Ok(PutHook::Full);
        }
    }
    let sql = "INSERT INTO webhooks (id, owner, json) VALUES ($1, $2, $3)
               ON CONFLICT (id) DO UPDATE SET json = excluded.json";
    db.execute(sql, &[&hook, &owner.to_string(), &json]).await?;
    Ok(PutHook::Done)
}

/// Changes a hook. Returns it before and after, if it exists.
pub(super) async fn change_hook(db: &Session, id: &str, change: &HookChange) -> Done<Option<(Hook, Hook)>> {
    let Some(row) = db.query_opt("SELECT json, no FROM webhooks WHERE id = $1 FOR UPDATE", &[&id]).await? else {
        return Ok(None);
    };
    let Some(before) = decode::<Hook>(row.try_get(0)?, "webhook", get_u64(&row, 1)?) else { return Ok(None) };
    let mut after = before.clone();
    change.apply(&mut after);
    if let Ok(json) = serde_json::to_vec(&after) {
        db.execute("UPDATE webhooks SET json = $2 WHERE id = $1", &[&id, &json]).await?;
    }
    Ok(Some((before, after)))
}

/// One webhook.
pub(super) async fn hook(db: &Session, id: &str) -> Done<Option<StoredHook>> {
    let sql = "SELECT json, no, due, bytes FROM webhooks,
                   LATERAL (SELECT count(*) AS due, coalesce(sum(octet_length(body)), 0)::bigint AS bytes
                            FROM deliveries WHERE hook = webhooks.id AND body IS NOT NULL) AS queue
               WHERE id = $1";
    let Some(row) = db.query_opt(sql, &[&id]).await? else { return Ok(None) };
    let Some(hook) = decode::<Hook>(row.try_get(0)?, "webhook", get_u64(&row, 1)?) else { return Ok(None) };
    Ok(Some(StoredHook { hook, due: get_u64(&row, 2)?, bytes: get_u64(&row, 3)? }))
}

/// The hooks with due deliveries, and the sizes of their queues.
pub(super) async fn queues(db: &Session) -> Done<HookQueues> {
    let sql =
        "SELECT hook, count(*), sum(octet_length(body))::bigint FROM deliveries WHERE body IS NOT NULL GROUP BY hook";
    let mut queues = Vec::new();
    for row in db.query(sql, &[]).await? {
        let Ok(hook) = HookId::parse(row.try_get(0)?) else { continue };
        queues.push((hook, get_u64(&row, 1)?, get_u64(&row, 2)?));
    }
    Ok(queues)
}

/// Deletes a hook, with its deliveries.
pub(super) async fn drop_hook(db: &Session, hook: &str) -> Done<()> {
    db.execute("DELETE FROM webhooks WHERE id = $1", &[&hook]).await?;
    Ok(())
}

/// Deletes the hooks of an owner, with their deliveries.
pub(super) async fn drop_hooks_of(db: &Session, owner: &HookOwner) -> Done<()> {
    db.execute("DELETE FROM webhooks WHERE owner = $1", &[&owner.to_string()]).await?;
    Ok(())
}

/// Deletes the hooks of a channel, and all deliveries of its messages. The row of the channel is deleted or locked before.
pub(super) async fn delete_channel(db: &Session, channel: &ChannelId) -> Done<()> {
    drop_hooks_of(db, &HookOwner::Channel(channel.clone())).await?;
    db.execute("DELETE FROM deliveries WHERE channel = $1", &[&channel.as_str()]).await?;
    Ok(())
}

/// Inserts deliveries for the hooks that still exist, in this order. A delivery replaces a finished one of the same id.
pub(super) async fn enqueue(db: &Session, due: &[&DueDeliveryRows]) -> Done<()> {
    let mut hooks: Vec<&str> = Vec::new();
    for due in due {
        hooks.extend(due.deliveries.iter().map(|row| &*row.hook));
    }
    hooks.sort_unstable();
    hooks.dedup();
    if hooks.is_empty() {
        return Ok(());
    }
    let sql = "SELECT id FROM webhooks WHERE id = ANY($1) ORDER BY id FOR NO KEY UPDATE";
    let known = db.query(sql, &[&hooks]).await?;
    let known = known.iter().map(|row| row.try_get(0)).collect::<Result<Vec<String>, _>>()?;
    let known: HashSet<_> = known.into_iter().collect();
    let mut columns = DeliveryColumns::default();
    for due in due {
        columns.add(due, &known);
    }
    columns.insert(db).await
}

/// Deliveries to insert, as the columns of the table.
#[derive(Default)]
struct DeliveryColumns<'d> {
    /// The deliveries; none where a later one of the same id replaces it.
    rows: Vec<Option<&'d WebhookDeliveryRow>>,
    /// Which of the payloads each has, from 1.
    payload_numbers: Vec<i64>,
    payloads: Vec<&'d [u8]>,
    /// Where the last delivery of a hook and an id is.
    last: HashMap<(&'d str, &'d str), usize>,
}

impl<'d> DeliveryColumns<'d> {
    fn add(&mut self, due: &'d DueDeliveryRows, known: &HashSet<String>) {
        self.payloads.push(&due.payload);
        for row in due.deliveries.iter().filter(|row| known.contains(&row.hook)) {
            let before = self.last.insert((&row.hook, &row.id), self.rows.len());
            if let Some(before) = before.and_then(|before| self.rows.get_mut(before)) {
                before.take_if(|before| !before.is_due);
            }
            self.rows.push(Some(row));
            self.payload_numbers.push(to_sql(self.payloads.len() as u64));
        }
    }

    /// Inserts them with numbers in this order.
    async fn insert(&self, db: &Session) -> Done<()> {
        let (mut hooks, mut ids, mut channels, mut jsons) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        let (mut payloads, mut finished) = (Vec::new(), Vec::new());
        for (row, payload) in self.rows.iter().zip(&self.payload_numbers) {
            let Some(row) = row else { continue };
            hooks.push(&*row.hook);
            ids.push(&*row.id);
            channels.push(row.channel.as_deref());
            jsons.push(&*row.json);
            payloads.push(row.is_due.then_some(*payload));
            if !row.is_due {
                finished.push(&*row.hook);
            }
        }
        if hooks.is_empty() {
            return Ok(());
        }
        let sql = "DELETE FROM deliveries d USING unnest($1::text[], $2::text[]) AS i(hook, id)
                   WHERE d.hook = i.hook AND d.id = i.id AND d.body IS NULL";
        db.execute(sql, &[&hooks, &ids]).await?;
        let sql = "INSERT INTO deliveries (hook, id, channel, body, json)
                   SELECT i.hook, i.id, i.channel, p.body, i.json
                   FROM unnest($1::text[], $2::text[], $3::text[], $4::bigint[], $5::bytea[])
                       WITH ORDINALITY AS i(hook, id, channel, payload, json, n)
                   LEFT JOIN unnest($6::bytea[]) WITH ORDINALITY AS p(body, n) ON p.n = i.payload
                   ORDER BY i.n";
        db.execute(sql, &[&hooks, &ids, &channels, &payloads, &jsons, &self.payloads]).await?;
        trim(db, &finished).await
    }
}

/// Updates a delivery. When it is done, its message is erased, and the oldest finished deliveries of the hook are deleted.
pub(super) async fn update_delivery(db: &Session, no: u64, hook: &str, json: &[u8], is_done: bool) -> Done<()> {
    if !is_done {
        db.execute("UPDATE deliveries SET json = $2 WHERE no = $1", &[&to_sql(no), &json]).await?;
        return Ok(());
    }
    db.execute("UPDATE deliveries SET json = $2, body = NULL WHERE no = $1", &[&to_sql(no), &json]).await?;
    trim(db, &[hook]).await
}

/// Deletes the oldest finished deliveries of hooks beyond the bound.
async fn trim(db: &Session, hooks: &[&str]) -> Done<()> {
    if hooks.is_empty() {
        return Ok(());
    }
    let sql = "DELETE FROM deliveries d USING (SELECT DISTINCT hook FROM unnest($1::text[]) AS i(hook)) AS h
               WHERE d.hook = h.hook AND d.body IS NULL AND d.no <= (
                   SELECT no FROM deliveries WHERE hook = h.hook AND body IS NULL ORDER BY no DESC LIMIT 1 OFFSET $2)";
    db.execute(sql, &[&hooks, &to_sql(limits::HOOK_LOG as u64)]).await?;
    Ok(())
}

/// Decodes a row. A damaged one is logged and left out, so that it does not hide the others.
fn decode<T: DeserializeOwned>(json: &[u8], what: &'static str, no: u64) -> Option<T> {
    let decoded = serde_json::from_slice(json);
    if let Err(error) = &decoded {
        log::error!(what, no, error:display; "left out a damaged row");
    }
    decoded.ok()
}

/// All webhooks, in the order of their creation, without damaged ones.
pub(super) async fn hooks(db: &Session) -> Done<Vec<StoredHook>> {
    let sql = "SELECT json, no, due, bytes FROM webhooks,
                   LATERAL (SELECT count(*) AS due, coalesce(sum(octet_length(body)), 0)::bigint AS bytes
                            FROM deliveries WHERE hook = webhooks.id AND body IS NOT NULL) AS queue
               ORDER BY no";
    let mut hooks = Vec::new();
    for row in db.query(sql, &[]).await? {
        let Some(hook) = decode::<Hook>(row.try_get(0)?, "webhook", get_u64(&row, 1)?) else { continue };
        hooks.push(StoredHook { hook, due: get_u64(&row, 2)?, bytes: get_u64(&row, 3)? });
    }
    Ok(hooks)
}

pub(super) async fn due(db: &Session, hook: &str, after: u64, limit: usize) -> Done<Vec<DeliveryRow>> {
    let sql = "SELECT no, json, octet_length(body)::bigint FROM deliveries
               WHERE hook = $1 AND no > $2 AND body IS NOT NULL ORDER BY no LIMIT $3";
    rows(db, sql, &[&hook, &to_sql(after), &to_sql(limit as u64)]).await
}

pub(super) async fn deliveries(db: &Session, hook: &str, limit: usize) -> Done<Vec<DeliveryRow>> {
    let sql = "SELECT no, json, 0::bigint FROM deliveries WHERE hook = $1 ORDER BY no DESC LIMIT $2";
    rows(db, sql, &[&hook, &to_sql(limit as u64)]).await
}

async fn rows(db: &Session, sql: &'static str, parameters: &Parameters<'_>) -> Done<Vec<DeliveryRow>> {
    let mut rows = Vec::new();
    for row in db.query(sql, parameters).await? {
        let (no, bytes) = (get_u64(&row, 0)?, get_u64(&row, 2)?);
        let Some(delivery) = decode(row.try_get(1)?, "webhook delivery", no) else { continue };
        rows.push(DeliveryRow { no, bytes, delivery });
    }
    Ok(rows)
}

/// The encrypted message of a delivery that is due.
pub(super) async fn payload(db: &Session, no: u64) -> Done<Option<Vec<u8>>> {
    let row: Option<Row> = db.query_opt("SELECT body FROM deliveries WHERE no = $1", &[&to_sql(no)]).await?;
    Ok(row.map(|row| row.try_get(0)).transpose()?.flatten())
}
