//! 500 slow connections beside 20 pairs that exchange messages: the pairs are not slowed down.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::Relaxed};
use std::thread;
use std::time::Duration;

use rogerrat_testkit::{Channel, Deadline, Hub, timed, wait_until};
use serde_json::json;

use super::resident_bytes;
use super::slow_client::{SlowClient, status};

const PAIRS: usize = 20;
/// Rounds of conversation, and so the number of bytes a slow client transfers.
const ROUNDS: usize = 160;
/// A hop takes well under a millisecond; on a machine busy with other tests it must still be far from a timeout.
const HOP: Duration = Duration::from_secs(5);
const MIB: u64 = 1024 * 1024;

/// The hub accepts a body for 30 s.
const BODY_TIME: Duration = Duration::from_secs(25);

const HEADS: usize = 150;
const STALLED_HEADS: usize = 100;
const BODIES: usize = 100;
const READERS: usize = 50;
const STREAMS: usize = 100;

#[test]
fn d30_five_hundred_slow_clients_do_not_delay_others() {
    let hub = Hub::unlimited();
    let slow = hub.channel();
    let writer = slow.join("writer");
    let text = "x".repeat(8000);
    (0..100).for_each(|_| assert!(writer.say(&text) > 0));
    let before = resident_bytes(&hub);
    let (hops, stop) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicBool::new(false)));
    let pairs: Vec<_> = (0..PAIRS)
        .map(|_| {
            let (channel, hops, stop) = (hub.channel(), hops.clone(), stop.clone());
            thread::spawn(move || converse(&channel, &hops, &stop))
        })
        .collect();

    let mut crowd = Crowd::gather(&hub, &slow);
    assert_eq!(crowd.len(), 500);
    let mut most = before;
    for round in 0..ROUNDS {
        crowd.step();
        let until_hops = hops.load(Relaxed) + 1;
        wait_until("the pairs make progress", || {
            hops.load(Relaxed) >= until_hops || pairs.iter().any(|p| p.is_finished())
        });
        if round % 20 == 0 {
            most = most.max(resident_bytes(&hub));
        }
    }
    crowd.finish(&slow);
    most = most.max(resident_bytes(&hub));
    stop.store(true, Relaxed);
    let (total, slowest) = pairs
        .into_iter()
        .map(|pair| pair.join().unwrap())
        .fold((0, Duration::ZERO), |(total, slowest), (n, longest)| (total + n, slowest.max(longest)));
    eprintln!("{total} hops, the slowest {slowest:?}; memory {} to {} MiB", before / MIB, most / MIB);
    assert!(total >= ROUNDS, "{total}");
    // Each reader may hold one response of 0.8 MiB, each connection two buffers.
    assert!(most < before + 96 * MIB, "memory grew from {before} to {most} bytes");
}

/// Two agents send a number back and forth. Returns the number of hops and the duration of the longest.
fn converse(channel: &Channel, hops: &AtomicUsize, stop: &AtomicBool) -> (usize, Duration) {
    let (ann, bob) = (channel.join("ann"), channel.join("bob"));
    let (mut n, mut longest) = (0, Duration::ZERO);
    while !stop.load(Relaxed) {
        let (from, to) = if n % 2 == 0 { (&ann, &bob) } else { (&bob, &ann) };
        let (time, reply) = timed(|| {
            from.send(&to.callsign, &n.to_string());
            to.get("wait?timeout=60").ok()
        });
        assert_eq!(rogerrat_testkit::texts(&reply["messages"]), [n.to_string()], "delivered exactly once");
        assert!(reply.get("gap").is_none() && time < HOP, "{time:?}: {reply}");
        longest = longest.max(time);
        n += 1;
        hops.fetch_add(1, Relaxed);
    }
    (n, longest)
}

/// The slow clients.
struct Crowd {
    heads: Vec<SlowClient>,
    stalled: Vec<SlowClient>,
    bodies: Vec<SlowClient>,
    readers: Vec<SlowClient>,
    streams: Vec<SlowClient>,
    /// Until then the hub accepts the bodies. A machine that is busy may be too slow for that.
    bodies_until: Deadline,
}

impl Crowd {
    fn gather(hub: &Hub, slow: &Channel) -> Self {
        let target = **hub;
        let bodies_until = Deadline::after(BODY_TIME);
        let head = || SlowClient::new(target, hub.get("/livez").header("Connection", "close").bytes(), 0);
        let stalled = || SlowClient::new(target, hub.get("/livez").bytes(), 20);
        let body = |n: usize| {
            let agent = slow.join(&format!("slow{n}"));
            let body = json!({"to": "writer", "message": format!("body {n:03}")}).to_string();
            let bytes = agent.request("POST", "send").body(body.clone()).bytes();
            let head = bytes.len() - body.len();
            SlowClient::new(target, bytes, head)
        };
        let whole = |bytes: Vec<u8>| SlowClient::new(target, bytes.clone(), bytes.len());
        let reader = || whole(slow.request("GET", "history?n=100").bytes());
        let stream = |n: usize| whole(slow.join(&format!("stream{n}")).request("GET", "stream").bytes());
        Self {
            stalled: (0..STALLED_HEADS).map(|_| stalled()).collect(),
            heads: (0..HEADS).map(|_| head()).collect(),
            bodies: (0..BODIES).map(body).collect(),
            readers: (0..READERS).map(|_| reader()).collect(),
            streams: (0..STREAMS).map(stream).collect(),
            bodies_until,
        }
    }

    fn len(&self) -> usize {
        [&self.heads, &self.stalled, &self.bodies, &self.readers, &self.streams].map(Vec::len).iter().sum()
    }

    fn step(&mut self) {
        for clients in [&mut self.heads, &mut self.bodies, &mut self.readers, &mut self.streams] {
            for client in clients.iter_mut() {
                client.step();
            }
        }
    }

    /// Finishes each client and checks its response.
    fn finish(self, slow: &Channel) {
        for head in self.heads {
            let response = head.finish();
            assert!(matches!(status(&response), Some(200 | 408) | None), "{}", String::from_utf8_lossy(&response));
        }
        let mut acknowledged = Vec::new();
        for (n, body) in self.bodies.into_iter().enumerate() {
            match status(&body.finish()) {
                Some(200) => acknowledged.push(format!("body {n:03}")),
                other => assert!(
                    self.bodies_until.left().is_zero(),
                    "a slow body is accepted within its time limit: {other:?}"
                ),
            }
        }
        let history = slow.history();
        let missing = acknowledged.iter().filter(|text| !history.contains(text));
        assert_eq!(missing.count(), 0, "acknowledged messages are stored");
        for reader in self.readers {
            let response = reader.finish();
            assert_eq!(status(&response), Some(200));
            assert!(response.len() > 100 * 8000 && response.ends_with(b"}"), "{} bytes", response.len());
        }
        for stalled in self.stalled {
            let response = stalled.read_to_end();
            assert!(matches!(status(&response), Some(408) | None), "{}", String::from_utf8_lossy(&response));
        }
    }
}
