//! A stream whose client does not read: the hub ends it, needs no memory for it, and reports what was not delivered.

use rogerrat_testkit::Hub;

use super::{metric, resident_bytes};

const MIB: u64 = 1024 * 1024;

#[test]
fn d30_a_stream_whose_client_does_not_read_is_ended_without_memory_growth() {
    let hub = Hub::unlimited();
    let channel = hub.channel();
    let (ann, bob) = (channel.join("ann"), channel.join("bob"));
    // Fill the ring before measuring.
    (0..40).for_each(|n| assert!(ann.send_large("all", &format!("before {n}")) > 0));
    let before = resident_bytes(&hub);
    let mut stream = bob.stream(&format!("?since={}", ann.send_large("all", "the last before")));
    let mut sent = Vec::new();
    let mut most = before;
    for n in 0..64 {
        sent.push(ann.send_large("all", &n.to_string()));
        if n % 8 == 0 {
            most = most.max(resident_bytes(&hub));
        }
    }
    most = most.max(resident_bytes(&hub));
    assert_eq!(metric(&hub, "rogerrat_streams_open"), 0, "a stream that is behind is ended");
    let events = stream.all();
    let (last, received) = events.split_last().expect("it received messages before");
    assert_eq!(last.name(), "lagged", "{:?}", last.fields());
    let ids: Vec<_> = received.iter().map(|event| event.field("id").unwrap().parse::<u64>().unwrap()).collect();
    assert!(ids.len() < sent.len() && ids == sent[..ids.len()], "in order and without a missing message: {ids:?}");
    assert!(most < before + 24 * MIB, "memory grew from {before} to {most} bytes");
    eprintln!("{} of {} events taken; memory {} to {} MiB", ids.len(), sent.len(), before / MIB, most / MIB);
}
