//! Kills: an acknowledged message is delivered with one id and one body, whenever the hub is killed.

use std::collections::BTreeMap;
use std::env;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use rogerrat_testkit::{Agent, Hub, wait_until};
use serde_json::{Value, json};

use super::hooks::Hook;
use super::receiver::Receiver;
use super::subscribing::holds;

/// Kills in one run, unless `ROGERRAT_TEST_WEBHOOK_KILLS` sets another number.
const KILLS: usize = 5;

#[test]
fn a_due_delivery_survives_a_kill_between_acknowledgement_and_delivery() {
    let kills = env::var("ROGERRAT_TEST_WEBHOOK_KILLS").map_or(KILLS, |n| n.parse().unwrap());
    let (mut hub, receiver) = (Hub::unlimited(), Receiver::start());
    let channels: Vec<_> = ["disk", "disk", "memory", "memory"]
        .iter()
        .enumerate()
        .map(|(n, durability)| {
            let channel = hub.channel_with(&json!({"durability": durability}));
            let hook = Hook::on(&channel, &receiver.url(&format!("a{n}")));
            // Often in the middle of its retries when the hub is killed.
            Hook::with(&channel, &json!({"url": receiver.url(&format!("fails/2/{n}")), "retry": "persistent"}));
            (channel, hook)
        })
        .collect();
    let mut agents: Vec<Agent> = channels.iter().map(|(channel, _)| channel.join("ann")).collect();
    let mut acked: Vec<Vec<u64>> = vec![Vec::new(); channels.len()];
    for round in 0..kills {
        // The hub is killed after this number of acknowledgements, whatever it is doing then.
        let enough = 1 + round * 13 % 41;
        let count = AtomicUsize::new(0);
        std::thread::scope(|scope| {
            let talking: Vec<_> = agents
                .iter_mut()
                .map(|agent| {
                    let (count, request) = (&count, agent.request("POST", "send"));
                    scope.spawn(move || talk(request, count))
                })
                .collect();
            wait_until("enough was acknowledged", || count.load(Relaxed) >= enough);
            hub.kill();
            for (acked, talking) in acked.iter_mut().zip(talking) {
                acked.extend(talking.join().unwrap());
            }
        });
        hub.start_again(&["--rate-limit", "off"], &[]);
        agents = channels.iter().map(|(channel, _)| channel.join("ann")).collect();
    }
    let total: usize = acked.iter().map(Vec::len).sum();
    assert!(total >= kills, "{total}");
    for (n, acked) in acked.iter().enumerate() {
        for path in [format!("/a{n}"), format!("/fails/2/{n}")] {
            wait_until(&format!("every acknowledged message arrived at {path}"), || {
                let got = receiver.got();
                let delivered: std::collections::BTreeSet<_> =
                    got.iter().filter(|got| got.path == path).map(message).collect();
                acked.iter().all(|id| delivered.contains(id))
            });
            one_delivery_each(&receiver, &path);
        }
    }
    let secrets: Vec<_> = channels.iter().map(|(_, hook)| hook.secret.as_str()).collect();
    assert_eq!(secrets.len(), 4);
}

fn message(got: &super::receiver::Got) -> u64 {
    got.body["message"]["id"].as_u64().unwrap()
}

/// All deliveries of a message have one id and one body, and the first ones are in order.
fn one_delivery_each(receiver: &Receiver, path: &str) {
    let mut seen = BTreeMap::<u64, (String, String)>::new();
    let mut last = 0;
    for got in receiver.got().iter().filter(|got| got.path == path) {
        let request = (got.id().to_owned(), got.raw.clone());
        let id = message(got);
        let first = seen.entry(id).or_insert_with(|| {
            assert!(id > last, "{path}: {id} arrived after {last}");
            last = id;
            request.clone()
        });
        assert_eq!(*first, request, "{path}: message {id}");
    }
}

/// Sends until the hub has been killed, and returns the ids of acknowledged messages.
fn talk(request: rogerrat_testkit::Request, count: &AtomicUsize) -> Vec<u64> {
    let request = request.json(&json!({"message": "a message"})).bytes();
    let mut acked = Vec::new();
    let Some(address) = std::str::from_utf8(&request)
        .unwrap()
        .lines()
        .find_map(|l| l.to_lowercase().strip_prefix("host: ").map(str::to_owned))
    else {
        panic!("a request names its host")
    };
    while let Some(id) = send(&address, &request) {
        acked.push(id);
        count.fetch_add(1, Relaxed);
    }
    acked
}

/// Sends once on a new connection; none when the hub has been killed.
fn send(address: &str, request: &[u8]) -> Option<u64> {
    use std::io::{BufRead as _, BufReader, Read as _, Write as _};
    let mut socket = std::net::TcpStream::connect(address).ok()?;
    socket.write_all(request).ok()?;
    let mut reader = BufReader::new(socket);
    let (mut length, mut line) = (0, String::new());
    while reader.read_line(&mut line).ok()? > 2 {
        if let Some(bytes) = line.to_lowercase().strip_prefix("content-length: ") {
            length = bytes.trim().parse().ok()?;
        }
        line.clear();
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    let reply: Value = serde_json::from_slice(&body).ok()?;
    reply["id"].as_u64()
}

#[test]
fn a03_a_text_of_a_memory_channel_is_encrypted_on_disk_and_then_erased() {
    let (mut hub, receiver) = (Hub::unlimited(), Receiver::start());
    let channel = hub.channel();
    let hook = Hook::with(&channel, &json!({"url": receiver.url("fails/1"), "retry": "immediate"}));
    let ann = channel.join("ann");
    ann.say("peacock feathers at midnight");
    receiver.wait_for("fails/1", 1);
    assert!(!holds(&hub, b"peacock"), "the due delivery is encrypted");
    hub.kill();
    assert!(!holds(&hub, b"peacock"));
    hub.start_again(&["--rate-limit", "off"], &[]);
    assert_eq!(receiver.wait_for("fails/1", 2)[1].text(), "peacock feathers at midnight");
    hook.wait_for(&["delivered"]);
    hub.stop();
    assert!(!holds(&hub, b"peacock"), "the delivery is done");
    let database = rusqlite::Connection::open(hub.data().join("hub.db")).unwrap();
    let due: i64 = database.query_row("SELECT count(*) FROM payloads", [], |row| row.get(0)).unwrap();
    assert_eq!(due, 0, "the body of a delivery that is done is erased");
}
