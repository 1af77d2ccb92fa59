//! The tables of a data directory and of a database, for an import.

use ColumnType::{Blob, Int, Text};

/// The type of a column.
#[derive(Clone, Copy)]
pub(super) enum ColumnType {
    Int,
    Text,
    Blob,
}

/// A table to import.
pub(super) struct ImportTable {
    pub(super) name: &'static str,
    /// Reads what is imported from a data directory.
    pub(super) select: &'static str,
    /// Inserts what is imported, from arrays.
    pub(super) insert: &'static str,
    /// The columns that are inserted.
    pub(super) columns: &'static [ColumnType],
}

impl ImportTable {
    /// All tables, in the order in which they refer to each other.
    pub(super) const ALL: [Self; 15] = [
        Self {
            name: "hub",
            // The runs of a hub on a database are counted otherwise.
            select: "SELECT name, CAST(value AS TEXT) FROM hub WHERE name LIKE 'note %' AND name <> 'note run'",
            insert: "INSERT INTO hub (name, value) SELECT * FROM unnest($1::text[], $2::text[])",
            columns: &[Text, Text],
        },
        Self {
            name: "rows",
            select: "SELECT kind, name, text FROM rows",
            insert: "INSERT INTO rows (kind, name, text) SELECT * FROM unnest($1::text[], $2::text[], $3::text[])",
            columns: &[Text, Text, Text],
        },
        Self {
            name: "accounts",
            select: "SELECT id, recovery, created_ms FROM accounts",
            insert: "INSERT INTO accounts (id, recovery, created_ms)
                     SELECT * FROM unnest($1::text[], $2::bytea[], $3::bigint[])",
            columns: &[Text, Blob, Int],
        },
        Self {
            name: "account_sessions",
            select: "SELECT token, account, used_ms, coalesce(created_ms, used_ms), label FROM account_sessions",
            insert: "INSERT INTO account_sessions (token, account, used_ms, created_ms, label)
                     SELECT * FROM unnest($1::bytea[], $2::text[], $3::bigint[], $4::bigint[], $5::text[])",
            columns: &[Blob, Text, Int, Int, Text],
        },
        Self {
            name: "identities",
            select: "SELECT callsign, account, key, key_no, created_ms FROM identities",
            insert: "INSERT INTO identities (callsign, account, key, key_no, created_ms)
                     SELECT * FROM unnest($1::text[], $2::text[], $3::bytea[], $4::bigint[], $5::bigint[])",
            columns: &[Text, Text, Blob, Int, Int],
        },
        Self {
            name: "account_emails",
            select: "SELECT account, lookup, sealed, language FROM account_emails",
            insert: "INSERT INTO account_emails (account, lookup, sealed, language)
                     SELECT * FROM unnest($1::text[], $2::bytea[], $3::bytea[], $4::text[])",
            columns: &[Text, Blob, Blob, Text],
        },
        Self {
            name: "pending_emails",
            select: "SELECT account, lookup, sealed, language, code, link, wrong, expires_ms FROM pending_emails",
            insert: "INSERT INTO pending_emails (account, lookup, sealed, language, code, link, wrong, expires_ms)
                     SELECT * FROM unnest($1::text[], $2::bytea[], $3::bytea[], $4::text[], $5::bytea[], $6::bytea[],
                         $7::bigint[], $8::bigint[])",
            columns: &[Text, Blob, Blob, Text, Blob, Blob, Int, Int],
        },
        Self {
            name: "recovery_links",
            select: "SELECT link, account, expires_ms FROM recovery_links",
            insert: "INSERT INTO recovery_links (link, account, expires_ms)
                     SELECT * FROM unnest($1::bytea[], $2::text[], $3::bigint[])",
            columns: &[Blob, Text, Int],
        },
        Self {
            name: "webhooks",
            select: "SELECT rowid, id, owner, json FROM webhooks ORDER BY rowid",
            insert: "INSERT INTO webhooks (no, id, owner, json) OVERRIDING SYSTEM VALUE
                     SELECT * FROM unnest($1::bigint[], $2::text[], $3::text[], $4::bytea[])",
            columns: &[Int, Text, Text, Blob],
        },
        Self {
            name: "deliveries",
            select: "SELECT d.no, d.hook, d.id, d.channel, p.body, d.json
                     FROM deliveries d LEFT JOIN payloads p ON p.no = d.payload ORDER BY d.no",
            insert: "INSERT INTO deliveries (no, hook, id, channel, body, json) OVERRIDING SYSTEM VALUE
                     SELECT * FROM unnest($1::bigint[], $2::text[], $3::text[], $4::text[], $5::bytea[], $6::bytea[])",
            columns: &[Int, Text, Text, Text, Blob, Blob],
        },
        Self {
            name: "channels",
            select: "SELECT c.no, c.id, c.settings, c.owner, c.created_ms, c.used_ms,
                         coalesce((SELECT max(seq) FROM (SELECT seq FROM records WHERE channel = c.no
                             UNION ALL SELECT seq FROM messages WHERE channel = c.no
                             UNION ALL SELECT seq FROM snapshots WHERE channel = c.no)), 0),
                         (SELECT rid FROM (SELECT seq, rid FROM records WHERE channel = c.no
                             UNION ALL SELECT seq, rid FROM messages WHERE channel = c.no AND seq IS NOT NULL
                             UNION ALL SELECT seq, rid FROM snapshots WHERE channel = c.no) ORDER BY seq DESC LIMIT 1),
                         coalesce((SELECT max(n) FROM transcript WHERE channel = c.no), 0), s.seq, s.body
                     FROM channels c LEFT JOIN snapshots s ON s.channel = c.no ORDER BY c.no",
            insert: "INSERT INTO channels (no, id, settings, owner, created_ms, used_ms, seq, rid, lines, instance, id_floor,
                         body_key) OVERRIDING SYSTEM VALUE
                     SELECT * FROM unnest($1::bigint[], $2::text[], $3::bytea[], $4::text[], $5::bigint[], $6::bigint[],
                         $7::bigint[], $8::bytea[], $9::bigint[], $10::bigint[], $11::bigint[], $12::bytea[])",
            columns: &[Int, Text, Blob, Text, Int, Int, Int, Blob, Int, Int, Int, Blob],
        },
        Self {
            name: "snapshots",
            select: "SELECT channel, seq, body FROM snapshots WHERE channel IN (SELECT no FROM channels)",
            insert: "INSERT INTO snapshots (channel, seq, body)
                     SELECT * FROM unnest($1::bigint[], $2::bigint[], $3::bytea[])",
            columns: &[Int, Int, Blob],
        },
        Self {
            name: "records",
            select: "SELECT r.channel, r.seq, r.rid, r.body FROM (SELECT channel, seq, rid, body FROM records
                         UNION ALL SELECT channel, seq, rid, record FROM messages WHERE seq IS NOT NULL) AS r
                     LEFT JOIN snapshots s ON s.channel = r.channel
                     WHERE r.seq > coalesce(s.seq, 0) AND r.channel IN (SELECT no FROM channels)",
            insert: "INSERT INTO records (channel, seq, rid, body)
                     SELECT * FROM unnest($1::bigint[], $2::bigint[], $3::bytea[], $4::bytea[])",
            columns: &[Int, Int, Blob, Blob],
        },
        Self {
            name: "messages",
            select: "SELECT channel, id, from_no, to_no, length(body), body FROM messages
                     WHERE channel IN (SELECT no FROM channels)",
            insert: "INSERT INTO messages (channel, id, from_no, to_no, bytes, body) SELECT * FROM
                     unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::bigint[], $5::bigint[], $6::bytea[])",
            columns: &[Int, Int, Int, Int, Int, Blob],
        },
        Self {
            name: "transcript",
            select: "SELECT channel, n, from_no, to_no, json FROM transcript WHERE channel IN (SELECT no FROM channels)",
            insert: "INSERT INTO transcript (channel, n, from_no, to_no, json)
                     SELECT * FROM unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::bigint[], $5::bytea[])",
            columns: &[Int, Int, Int, Int, Blob],
        },
    ];
}
