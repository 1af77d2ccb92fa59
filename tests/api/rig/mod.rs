//! What the tests stand on: a hub in a process of its own, agents that talk to it, and a client that may misbehave.
//!
//! Nothing here waits by sleeping: it waits for bytes, for a process, or for a state it asks for again and again.

mod agent;
mod described;
mod http;
mod hub;
mod script;
mod stream;

use std::time::{Duration, Instant};

use serde::Deserialize;
use serde::de::{IgnoredAny, MapAccess, Visitor};

pub(crate) use agent::{Agent, Channel, Parked, texts};
pub(crate) use described::api;
pub(crate) use http::{Conn, Door, Reply, Request};
pub(crate) use hub::{Hub, run};
pub(crate) use script::{Script, argument_lists_with};
pub(crate) use stream::Stream;

/// How long anything may take before a test gives up. Only a failure ever waits so long.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);

/// Asks again and again until it is so.
pub(crate) fn until(what: &str, is_so: impl FnMut() -> bool) {
    until_within(PATIENCE, what, is_so);
}

/// The same for what takes its time.
pub(crate) fn until_within(patience: Duration, what: &str, mut is_so: impl FnMut() -> bool) {
    let began = now();
    while !is_so() {
        assert!(began.elapsed() < patience, "it never came to this: {what}");
        std::thread::yield_now();
    }
}

/// How long something took, for promises that name a time.
pub(crate) fn took<T>(what: impl FnOnce() -> T) -> (Duration, T) {
    let began = now();
    let result = what();
    (began.elapsed(), result)
}

#[expect(clippy::disallowed_methods, reason = "the rig stands outside the hub and has its own watch")]
fn now() -> Instant {
    Instant::now()
}

/// The keys of a JSON object, in the order in which they stand on the wire.
pub(crate) fn keys(json: &str) -> Vec<String> {
    struct Keys(Vec<String>);
    struct InOrder;
    impl<'de> Visitor<'de> for InOrder {
        type Value = Keys;
        fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            f.write_str("an object")
        }
        fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Keys, A::Error> {
            let mut keys = Vec::new();
            while let Some((key, _)) = map.next_entry::<String, IgnoredAny>()? {
                keys.push(key);
            }
            Ok(Keys(keys))
        }
    }
    impl<'de> Deserialize<'de> for Keys {
        fn deserialize<D: serde::Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
            d.deserialize_map(InOrder)
        }
    }
    serde_json::from_str::<Keys>(json).unwrap_or_else(|error| panic!("{error}: {json}")).0
}
