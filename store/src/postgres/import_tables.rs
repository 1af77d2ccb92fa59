//! The tables of a data directory and of a database, for an import.

use ColumnType::{Blob, Int, Text};

/// The type of a column.
#[derive(Clone, Copy)]
pub(super) enum ColumnType {
    Int,
    Text,
    Blob,
}

impl ColumnType {
    fn sql(self) -> &'static str {
        match self {
            Int => "bigint",
            Text => "text",
            Blob => "bytea",
        }
    }
}

/// A table to import.
pub(super) struct ImportTable {
    pub(super) name: &'static str,
    /// Reads what is imported from a data directory.
    pub(super) select: &'static str,
    /// The columns that are inserted, as they are selected.
    pub(super) columns: &'static [(&'static str, ColumnType)],
}

impl ImportTable {
    /// Inserts rows from an array for each column. Numbers that the database would assign stay as they are.
    pub(super) fn insert(&self) -> String {
        let (name, columns) = (self.name, self.columns);
        let names = columns.iter().map(|(name, _)| *name).collect::<Vec<_>>().join(", ");
        let array = |(n, (_, kind)): (usize, &(&str, ColumnType))| format!("${}::{}[]", n + 1, kind.sql());
        let arrays = columns.iter().enumerate().map(array).collect::<Vec<_>>().join(", ");
        format!("INSERT INTO {name} ({names}) OVERRIDING SYSTEM VALUE SELECT * FROM unnest({arrays})")
    }

    /// All tables, in the order in which they refer to each other.
    pub(super) const ALL: [Self; 15] = [
        Self {
            name: "hub",
            // The runs of a hub on a database are counted otherwise.
            select: "SELECT name, CAST(value AS TEXT) FROM hub WHERE name LIKE 'note %' AND name <> 'note run'",
            columns: &[("name", Text), ("value", Text)],
        },
        Self {
            name: "rows",
            select: "SELECT kind, name, text FROM rows",
            columns: &[("kind", Text), ("name", Text), ("text", Text)],
        },
        Self {
            name: "accounts",
            select: "SELECT id, recovery, created_ms FROM accounts",
            columns: &[("id", Text), ("recovery", Blob), ("created_ms", Int)],
        },
        Self {
            name: "account_sessions",
            select: "SELECT token, account, used_ms, coalesce(created_ms, used_ms), label FROM account_sessions",
            columns: &[("token", Blob), ("account", Text), ("used_ms", Int), ("created_ms", Int), ("label", Text)],
        },
        Self {
            name: "identities",
            select: "SELECT callsign, account, key, key_no, created_ms FROM identities",
            columns: &[("callsign", Text), ("account", Text), ("key", Blob), ("key_no", Int), ("created_ms", Int)],
        },
        Self {
            name: "account_emails",
            select: "SELECT account, lookup, sealed, language FROM account_emails",
            columns: &[("account", Text), ("lookup", Blob), ("sealed", Blob), ("language", Text)],
        },
        Self {
            name: "pending_emails",
            select: "SELECT account, lookup, sealed, language, code, link, wrong, expires_ms FROM pending_emails",
            columns: &[
                ("account", Text),
                ("lookup", Blob),
                ("sealed", Blob),
                ("language", Text),
                ("code", Blob),
                ("link", Blob),
                ("wrong", Int),
                ("expires_ms", Int),
            ],
        },
        Self {
            name: "recovery_links",
            select: "SELECT link, account, expires_ms FROM recovery_links",
            columns: &[("link", Blob), ("account", Text), ("expires_ms", Int)],
        },
        Self {
            name: "webhooks",
            select: "SELECT rowid, id, owner, json FROM webhooks ORDER BY rowid",
            columns: &[("no", Int), ("id", Text), ("owner", Text), ("json", Blob)],
        },
        Self {
            name: "deliveries",
            select: "SELECT d.no, d.hook, d.id, d.channel, p.body, d.json
                     FROM deliveries d LEFT JOIN payloads p ON p.no = d.payload ORDER BY d.no",
            columns: &[("no", Int), ("hook", Text), ("id", Text), ("channel", Text), ("body", Blob), ("json", Blob)],
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
            columns: &[
                ("no", Int),
                ("id", Text),
                ("settings", Blob),
                ("owner", Text),
                ("created_ms", Int),
                ("used_ms", Int),
                ("seq", Int),
                ("rid", Blob),
                ("lines", Int),
                ("instance", Int),
                ("id_floor", Int),
                ("body_key", Blob),
            ],
        },
        Self {
            name: "snapshots",
            select: "SELECT channel, seq, body FROM snapshots WHERE channel IN (SELECT no FROM channels)",
            columns: &[("channel", Int), ("seq", Int), ("body", Blob)],
        },
        Self {
            name: "records",
            select: "SELECT r.channel, r.seq, r.rid, r.body FROM (SELECT channel, seq, rid, body FROM records
                         UNION ALL SELECT channel, seq, rid, record FROM messages WHERE seq IS NOT NULL) AS r
                     LEFT JOIN snapshots s ON s.channel = r.channel
                     WHERE r.seq > coalesce(s.seq, 0) AND r.channel IN (SELECT no FROM channels)",
            columns: &[("channel", Int), ("seq", Int), ("rid", Blob), ("body", Blob)],
        },
        Self {
            name: "messages",
            select: "SELECT channel, id, from_no, to_no, length(body), body FROM messages
                     WHERE channel IN (SELECT no FROM channels)",
            columns: &[("channel", Int), ("id", Int), ("from_no", Int), ("to_no", Int), ("bytes", Int), ("body", Blob)],
        },
        Self {
            name: "transcript",
            select: "SELECT channel, n, from_no, to_no, json FROM transcript WHERE channel IN (SELECT no FROM channels)",
            columns: &[("channel", Int), ("n", Int), ("from_no", Int), ("to_no", Int), ("json", Blob)],
        },
    ];
}
