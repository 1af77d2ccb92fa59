//! A stream whose reader does not read: it is ended, costs the hub no memory, and loses nothing in silence.

use rogerrat_testkit::Hub;

use super::{metric, resident_bytes};

const MIB: u64 = 1024 * 1024;

#[test]
fn d30_a_stream_nobody_reads_is_ended_and_grows_nothing() {
    let hub = Hub::unlimited();
    let channel = hub.channel();
    let (ann, bob) = (channel.join("ann"), channel.join("bob"));
    // The ring is full before anything is measured.
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
    assert_eq!(metric(&hub, "rogerrat_streams_open"), 0, "a reader that is behind is ended");
    let events = stream.all();
    let (last, given) = events.split_last().expect("it was given something before");
    assert_eq!(last.name(), "lagged", "{:?}", last.fields());
    let ids: Vec<_> = given.iter().map(|event| event.field("id").unwrap().parse::<u64>().unwrap()).collect();
    assert!(ids.len() < sent.len() && ids == sent[..ids.len()], "in order and without a hole: {ids:?}");
    assert!(most < before + 24 * MIB, "memory grew from {before} to {most} bytes");
    eprintln!("{} of {} events taken; memory {} to {} MiB", ids.len(), sent.len(), before / MIB, most / MIB);
}
