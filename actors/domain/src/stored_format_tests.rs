//! The storage format does not change: entries and snapshots written by earlier versions are read, and written the same.

use serde_json::{Value, json};

use crate::push::PushTarget;
use crate::webhook::{Delivery, Hook, RequestFormat};
use crate::{Entry, Snapshot};

fn reads_and_writes_the_same<T: serde::Serialize + serde::de::DeserializeOwned>(stored: &Value) {
    let read: T = serde_json::from_value(stored.clone()).unwrap_or_else(|error| panic!("{stored}: {error}"));
    assert_eq!(&serde_json::to_value(read).unwrap(), stored);
}

fn settings() -> Value {
    json!({
        "token": "47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU", "owner_password": "$argon2id$", "retention": "full",
        "durability": "disk", "trust_mode": "trusted", "dm_visibility": "private", "claim_callsigns": true,
        "require_identity": true, "creator_account_id": "acct_0000000000000001", "session_ttl_ms": 1_800_000,
        "member_ttl_ms": 604_800_000, "is_band": false, "created_at_ms": 7,
    })
}

/// Settings of a channel whose owner password is a PIN. Other settings do not have the field.
fn pin_settings() -> Value {
    let mut settings = settings();
    settings["has_pin"] = true.into();
    settings
}

#[test]
fn entries_keep_their_stored_names() {
    let hash = "47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU";
    let identity = json!({"account": "acct_0000000000000001", "key_no": 3});
    for entry in [
        json!({"op": "created", "settings": settings()}),
        json!({"op": "settings", "settings": settings()}),
        json!({"op": "settings", "settings": pin_settings()}),
        json!({
            "op": "joined", "no": 1, "callsign": "ann", "generation": 5, "own_session": hash, "identity": identity,
            "cursor": 4, "at_ms": 9,
        }),
        json!({"op": "joined", "no": 1, "callsign": "ann", "generation": 5, "cursor": 4, "shown_upto": 7, "at_ms": 9}),
        json!({"op": "renamed", "no": 1}),
        json!({"op": "left", "no": 1}),
        json!({"op": "left", "no": 1, "evicted": true}),
        json!({"op": "revoked", "no": 1}),
        json!({"op": "expired", "no": 1}),
        json!({"op": "forgotten", "no": 1}),
        json!({
            "op": "message", "message": {"id": 8, "at_ms": 8, "from": 1, "to": 2, "bytes": 90}, "to": "bob",
            "key": {"key": "k", "body_hash": hash},
        }),
        json!({
            "op": "handed", "no": 2, "consumer": "x", "ids": [8], "told": [3], "upto": 8,
            "terms": {"leased": {"lease_ms": 60_000}}, "at_ms": 9,
        }),
        json!({"op": "handed", "no": 2, "ids": [8], "upto": 8, "terms": "read", "at_ms": 9}),
        json!({"op": "handed", "no": 2, "ids": [8], "upto": 8, "overtaken": [7], "terms": "read", "at_ms": 9}),
        json!({"op": "handed", "no": 2, "ids": [8], "upto": 8, "terms": "streamed", "at_ms": 9}),
        json!({"op": "acked", "no": 2, "consumer": "x", "upto": 8, "ids": [8], "at_ms": 9}),
        json!({"op": "acked", "no": 2, "upto": 8, "ids": [8], "overtaken": [7], "at_ms": 9}),
        json!({"op": "acked", "no": 2, "upto": 8, "ids": [8], "implied": true, "at_ms": 9}),
        json!({"op": "consumer_added", "no": 2, "consumer": "x", "cursor": 4}),
        json!({"op": "consumer_removed", "no": 2, "consumer": "x"}),
        json!({
            "op": "message", "message": {"id": 8, "at_ms": 8, "from": 1, "bytes": 90}, "to": "all",
            "task": {"opens": "work", "deadline_ms": 9, "answers": 1, "quiet": true, "words": hash},
        }),
        json!({
            "op": "message", "message": {"id": 9, "at_ms": 9, "from": 2, "to": 1, "bytes": 90}, "to": "ann",
            "task": {"moves": 8, "state": "done"},
        }),
        json!({
            "op": "message", "message": {"id": 9, "at_ms": 9, "from": 1, "to": 2, "bytes": 90}, "to": "bob",
            "task": {"moves": 8},
        }),
        json!({"op": "taken", "no": 2, "id": 8, "fence": 1, "lease_ms": 900_000, "at_ms": 9}),
        json!({"op": "reopened", "id": 8, "at_ms": 9}),
        json!({"op": "reopened", "id": 8, "untaken": true, "at_ms": 9}),
        json!({"op": "closed", "id": 8, "why": "deadline", "at_ms": 9}),
        json!({
            "op": "joined", "no": 1, "callsign": "ann", "generation": 5, "cursor": 4, "about": "reviews", "at_ms": 9,
        }),
        json!({"op": "stated", "no": 1, "state": "idle"}),
        json!({"op": "stated", "no": 1, "state": "quota", "until_ms": 70}),
        json!({"op": "described", "no": 1, "about": ""}),
    ] {
        reads_and_writes_the_same::<Entry>(&entry);
    }
}

#[test]
fn snapshots_keep_their_stored_names() {
    let hash = "47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU";
    let consumer = json!({
        "name": "x", "cursor": 4, "handed": 5, "shown": 6, "acks": true, "quiet_ms": 8, "doubt": 3,
        "claims": [{"id": 5, "attempt": 2, "is_dm": true, "lease": [70, 60]}],
    });
    let member = json!({
        "no": 1, "callsign": "ann", "generation": 5, "own_session": hash,
        "identity": {"account": "acct_0000000000000001", "key_no": 3}, "joined_at_ms": 9, "start": 4, "quiet_ms": 2,
        "away": "revoked", "prompted": true, "consumers": [consumer], "held": [8],
        "keys": [{"key": {"key": "k", "body_hash": hash}, "id": 8, "at_ms": 8, "queued": true, "to": "bob"}],
    });
    let record = json!({
        "id": 8, "from": 1, "to": 2, "to_callsign": "bob", "at_ms": 8, "attempts": 1, "delivered_at_ms": 9,
        "acked_at_ms": null,
    });
    reads_and_writes_the_same::<Snapshot>(&json!({
        "v": 1, "last_id": 8, "last_no": 2, "first_joined_at_ms": 1, "last_activity_at_ms": 8,
        "departed": {"any": 3, "newest": 3, "newest_from": 1, "newest_of_others": 2, "broadcasts": 2},
        "lost_before": [3, "restart"], "members": [member], "traces": [record], "at_ms": 10, "rested_in": 1,
        "uptime_ms": 6, "silent": false,
    }));
}

#[test]
fn tasks_keep_their_stored_names() {
    let hash = "47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU";
    let consumer = json!({
        "cursor": 4, "handed": 5, "shown": 6, "acks": true, "doubt": 3,
        "claims": [{"id": 5, "attempt": 1, "is_dm": true, "done": true}],
    });
    let member = json!({
        "no": 1, "callsign": "ann", "generation": 5, "joined_at_ms": 9, "start": 4, "quiet_ms": 2,
        "prompted": true, "consumers": [consumer], "about": "reviews", "state": "away", "until_ms": 70,
    });
    let question = json!({"id": 8, "bytes": 90});
    let open = json!({
        "question": question, "wants": "work", "from": {"no": 1, "callsign": "ann"}, "public": true, "quiet": true,
        "answers_wanted": 1, "state": "held", "deadline_ms": 70, "holder": {"no": 2, "callsign": "bob"}, "fence": 2,
        "lease_ms": 30, "lease_until_ms": 60, "lost": 1, "updated_at_ms": 9, "words": hash,
    });
    let closed = json!({
        "question": question, "wants": "answer", "from": {"no": 1, "callsign": "ann"},
        "to": {"no": 2, "callsign": "bob"}, "answers_wanted": 1, "state": "done", "deadline_ms": 70,
        "answered_by": [2], "is_any_done": true, "answers": [{"id": 9, "bytes": 80}], "why": "attempts",
        "updated_at_ms": 9, "words": hash,
    });
    reads_and_writes_the_same::<Snapshot>(&json!({
        "v": 1, "last_id": 8, "last_no": 2, "first_joined_at_ms": 1, "last_activity_at_ms": 8,
        "departed": {"any": 3, "newest": 3, "newest_from": 1, "newest_of_others": 2, "broadcasts": 2},
        "lost_before": [3, "restart"], "members": [member], "traces": [], "at_ms": 10, "rested_in": 1,
        "uptime_ms": 6, "silent": false, "tasks": [open, closed],
    }));
}

#[test]
fn webhooks_and_their_deliveries_keep_their_stored_names() {
    reads_and_writes_the_same::<Hook>(&json!({
        "id": "wh_00000000000000000000000000000007", "owner": {"channel": "quiet-otter-3a8f"}, "url": "https://a.example/",
        "retry": "persistent", "created_ms": 1, "secret": "s",
        "previous": {"secret": "p", "rotated_ms": 2, "until_ms": 3}, "failures": 4, "off_ms": 5,
    }));
    reads_and_writes_the_same::<Hook>(&json!({
        "id": "wh_00000000000000000000000000000007", "owner": {"account": "acct_0000000000000001"},
        "url": "https://a.example/", "retry": "immediate", "created_ms": 1, "secret": "s", "format": "f", "failures": 0,
    }));
    reads_and_writes_the_same::<PushTarget>(&json!({
        "member": {"no": 1, "generation": 5}, "wants": "mine", "show_text": true, "consumer": "web-1", "language": "es",
        "origin": "https://hub.example", "used_ms": 6, "is_warned": false,
    }));
    reads_and_writes_the_same::<PushTarget>(&json!({
        "wants": "all", "show_text": false, "language": "en", "origin": "https://hub.example", "used_ms": 6,
        "is_warned": true, "look_ms": 7, "announced": 8,
    }));
    reads_and_writes_the_same::<RequestFormat>(&json!({
        "headers": [["x-key", "v"]], "body": "{\"text\":\"{{text}}\"}",
    }));
    reads_and_writes_the_same::<Delivery>(&json!({
        "id": "whd_00000000000000000000000000000007", "event": "message.received", "channel": "quiet-otter-3a8f",
        "message": 8, "at_ms": 1, "began_ms": 2, "attempts": 3, "next_ms": 4, "state": "failed", "is_forced": true,
        "status": 500, "failure": "queue_full", "latency_ms": 5, "ended_ms": 6,
    }));
}
