//! The history of a durable channel, read backwards page by page into its backlog.

use rogerrat_testkit::{Channel, Hub, texts};
use serde_json::{Value, json};

use super::kit::{ENDS, on_disk};

/// More messages than a ring holds.
const MANY: usize = 330;

/// Reads pages backwards until the last one. Returns their messages, oldest first, and the sizes of the pages.
fn read_back(channel: &Channel, session: Option<&str>, query: &str) -> (Vec<Value>, Vec<usize>) {
    let (mut all, mut sizes, mut before) = (Vec::new(), Vec::new(), String::new());
    loop {
        let mut request = channel.request("GET", &format!("history?{query}{before}"));
        if let Some(session) = session {
            request = request.session(session);
        }
        let page = request.send().ok();
        let messages = page["history"].as_array().unwrap().clone();
        sizes.push(messages.len());
        all.splice(..0, messages);
        match page["before"].as_u64() {
            Some(id) => before = format!("&before={id}"),
            None => return (all, sizes),
        }
        assert!(sizes.len() < 500, "it ends");
    }
}

fn ids(messages: &[Value]) -> Vec<u64> {
    messages.iter().map(|message| message["id"].as_u64().unwrap()).collect()
}

#[test]
fn a24_the_history_is_read_backwards_beyond_the_ring_and_after_a_restart() {
    for end in ENDS {
        let mut hub = Hub::unlimited();
        let channel = on_disk(&hub);
        let (ann, bob) = (channel.join("ann"), channel.join("bob"));
        let sent = ann.say_numbers(0..MANY);
        for round in 0..2 {
            let (all, sizes) = read_back(&channel, None, "n=100");
            assert_eq!((ids(&all), sizes), (sent.clone(), vec![100, 100, 100, 30]), "round {round}");
            let (all, sizes) = read_back(&channel, Some(&bob.session), "n=70");
            assert_eq!((ids(&all), sizes), (sent.clone(), vec![70, 70, 70, 70, 50]), "pages cross the end of the ring");
            let page = channel.get(&format!("history?n=3&before={}", sent[10])).ok();
            assert_eq!(texts(&page["history"]), ["7", "8", "9"]);
            assert_eq!(page["before"], json!(sent[7]));
            let page = channel.get(&format!("history?n=3&before={}", sent[0])).ok();
            assert_eq!(page, json!({"history": []}));
            if round == 0 {
                end.of(&mut hub);
            }
        }
        assert_eq!(bob.unread(), 100, "it marks nothing as read");
    }
}

#[test]
fn a24_pages_have_bounds_forms_and_threads_as_the_first_one_has() {
    let hub = Hub::unlimited();
    let channel = on_disk(&hub);
    let ann = channel.join("ann");
    let file = json!([{"mime": "text/plain", "filename": "a.txt", "data_base64": "aGVsbG8="}]);
    let first = ann.try_send(&json!({"message": "with a file", "attachments": file, "thread": "rare"})).ok();
    ann.say_numbers(0..MANY);
    let rare = ann.try_send(&json!({"message": "again", "thread": "rare"})).ok();
    // A thread: the few messages of it are found, however far apart.
    let (all, sizes) = read_back(&channel, None, "n=5&thread=rare");
    assert_eq!(ids(&all), [first["id"].as_u64().unwrap(), rare["id"].as_u64().unwrap()], "{sizes:?}");
    let (all, _) = read_back(&channel, None, "n=1&thread=rare");
    assert_eq!(all.len(), 2);
    // A bound in bytes: whole messages, each once.
    let (all, sizes) = read_back(&channel, None, "n=100&max_bytes=2000&attachments=meta");
    assert_eq!(all.len(), MANY + 2);
    assert!(sizes.iter().all(|size| *size >= 1 && *size < 40), "{sizes:?}");
    assert!(ids(&all).is_sorted_by(|a, b| a < b));
    assert_eq!(all[0]["attachments"][0], json!({"mime": "text/plain", "filename": "a.txt", "bytes": 5, "n": 0}));
    let (all, _) = read_back(&channel, None, "n=100");
    assert_eq!(all[0]["attachments"], file);
    let page = channel.get(&format!("history?n=100&max_bytes=1000&before={}", rare["id"])).ok();
    let shown = page["history"].as_array().unwrap();
    assert_eq!(page["more"].as_u64().unwrap() as usize, 100 - shown.len());
    assert_eq!(page["before"], shown[0]["id"]);
    for bad in ["0", "-1", "x", "1.5", "NaN", "1e999"] {
        channel.get(&format!("history?before={bad}")).refused(400, "invalid");
    }
}

#[test]
fn a24_d21_pages_keep_private_dms_private() {
    let hub = Hub::unlimited();
    let channel = hub.channel_with(&json!({"durability": "disk", "dm_visibility": "private"}));
    let (ann, bob, eve) = (channel.join("ann"), channel.join("bob"), channel.join("eve"));
    let mut dms = Vec::new();
    let mut open = Vec::new();
    for n in 0..120 {
        dms.push(ann.send("bob", &format!("secret {n}")));
        open.push(ann.say(&n.to_string()));
        if n % 30 == 29 {
            // A mailbox holds 100 unread messages.
            bob.listen();
        }
    }
    for (session, sees) in
        [(None, false), (Some(&eve.session), false), (Some(&ann.session), true), (Some(&bob.session), true)]
    {
        let (all, _) = read_back(&channel, session.map(String::as_str), "n=30");
        let expected = if sees { MANY_BOTH } else { open.len() };
        assert_eq!(all.len(), expected, "{session:?}");
        assert_eq!(json!(all).to_string().contains("secret"), sees);
    }
    // A page that would begin with a DM of others does not say so.
    let page = channel.get(&format!("history?n=1&before={}", open[1])).ok();
    assert_eq!((ids(page["history"].as_array().unwrap()), &page["before"]), (vec![open[0]], &Value::Null));
    // A session that has ended sees what everybody sees.
    bob.leave();
    let (all, _) = read_back(&channel, Some(&bob.session), "n=100");
    assert_eq!(all.len(), open.len());
}

/// Broadcasts and DMs of the test above.
const MANY_BOTH: usize = 240;

#[test]
fn a24_pages_end_where_the_channel_no_longer_holds_messages() {
    let hub = Hub::with(&["--rate-limit", "off"], &[("ROGERRAT_STORAGE__BACKLOG_MESSAGES", "150")]);
    for (channel, held) in [(on_disk(&hub), 150), (hub.channel(), 100)] {
        let sent = channel.join("ann").say_numbers(0..MANY);
        let (all, _) = read_back(&channel, None, "n=40");
        assert_eq!(ids(&all), sent[MANY - held..]);
        let page = channel.get(&format!("history?before={}", sent[3])).ok();
        assert_eq!(page, json!({"history": []}));
    }
    // What only the transcript has is not part of the history.
    let full = hub.channel_with(&json!({"retention": "full"}));
    full.join("ann").say_numbers(0..MANY);
    assert_eq!(read_back(&full, None, "n=100").0.len(), 150);
    let transcript = full.get("transcript?limit=10000").ok();
    assert!(transcript["events"].as_array().is_none_or(|events| events.len() >= MANY));
}

#[test]
fn a24_reading_back_while_others_write_misses_nothing() {
    let hub = Hub::unlimited();
    let channel = on_disk(&hub);
    let ann = channel.join("ann");
    let sent = ann.say_numbers(0..MANY);
    let (mut all, mut before) = (Vec::new(), String::new());
    loop {
        // The ring moves on by this much between the pages.
        ann.say_numbers(0..45);
        let page = channel.get(&format!("history?n=50{before}")).ok();
        all.splice(..0, ids(page["history"].as_array().unwrap()));
        match page["before"].as_u64() {
            Some(id) => before = format!("&before={id}"),
            None => break,
        }
    }
    assert!(all.is_sorted_by(|a, b| a < b));
    assert_eq!(all[..MANY], sent);
    assert_eq!(all.len(), MANY + 45);
}
