//! D32: a stop under load leaves an intact store with every acknowledged message.

use std::collections::BTreeSet;
use std::sync::mpsc::sync_channel;
use std::thread;

use rogerrat_testkit::{Hub, run};
use serde_json::json;

use super::kit::on_disk;

#[test]
fn d32_a_stop_under_load_leaves_an_intact_store_with_every_acknowledged_message() {
    let mut hub = Hub::unlimited();
    let channel = on_disk(&hub);
    let reader = channel.join("reader");
    let agents: Vec<_> = (0..4).map(|n| channel.join(&format!("a{n}"))).collect();
    let (begun, has_begun) = sync_channel(1);
    let senders: Vec<_> = agents
        .into_iter()
        .map(|agent| {
            let begun = begun.clone();
            thread::spawn(move || {
                let (mut conn, mut acknowledged) = (agent.channel.target.connect(), Vec::new());
                let send = agent.request("POST", "send").json(&json!({"message": "under load"})).bytes();
                // The backlog holds this many and more.
                while acknowledged.len() < 2000 {
                    conn.write(&send);
                    match conn.reply() {
                        Some(reply) if reply.status == 200 => acknowledged.push(reply.ok()["id"].as_u64().unwrap()),
                        _ => break,
                    }
                    if acknowledged.len() == 30 {
                        let _ = begun.try_send(());
                    }
                }
                acknowledged
            })
        })
        .collect();
    has_begun.recv().unwrap();
    hub.stop();
    let acknowledged: BTreeSet<_> = senders.into_iter().flat_map(|sender| sender.join().unwrap()).collect();
    assert!(acknowledged.len() > 30);
    let data = hub.data();
    assert!(!data.join("hub.db-wal").exists() && !data.join("hub.db-shm").exists(), "everything is in the database");
    let verified = run(&["verify", "--data-dir", data.to_str().unwrap()], &[]);
    assert_eq!(verified.status.code(), Some(0), "{}", String::from_utf8_lossy(&verified.stderr));
    hub.start_again(&["--rate-limit", "off"], &[]);
    let read: Vec<_> = super::kit::all(&reader).iter().map(|message| message["id"].as_u64().unwrap()).collect();
    assert!(read.is_sorted());
    let read: BTreeSet<_> = read.into_iter().collect();
    assert!(acknowledged.is_subset(&read), "{:?} are missing", acknowledged.difference(&read).collect::<Vec<_>>());
}
