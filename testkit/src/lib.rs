//! Helpers for tests that run the real `rogerrat` executable: a [`Hub`] in a process of its own, [`Agent`]s that talk
//! to it, client commands, a raw HTTP client that may misbehave, and
//! temporary PostgreSQL servers.
//!
//! ```no_run
//! use rogerrat_testkit::Hub;
//!
//! let hub = Hub::start();
//! let channel = hub.channel();
//! let (ann, bob) = (channel.join("ann"), channel.join("bob"));
//! ann.send("bob", "hello");
//! assert_eq!(bob.listen(), ["hello"]);
//! ```
//!
//! Every HTTP response that a [`Request`] or a [`Stream`] reads is checked against the hub's own `/openapi.json`.
//! Nothing here sleeps: it waits for bytes, for a process, or for a condition that it polls. All waits are bounded by
//! [`TIMEOUT`]. A failed expectation panics, as in any test.

#![expect(clippy::unwrap_used, reason = "a helper of tests panics where the test cannot continue")]

mod agent;
mod caddy;
mod client;
mod executable;
mod forward_proxy;
mod http;
mod hub;
mod openapi;
mod postgres;
mod reverse_proxy;
mod script;
mod stream;
mod tcp_proxy;

use std::time::{Duration, Instant};

use serde::Deserialize;
use serde::de::{IgnoredAny, MapAccess, Visitor};

pub use agent::{Agent, Channel, PendingPoll, texts};
pub use caddy::Caddy;
pub use client::{ClientCommand, Exit, client_env, wait_for_exit};
pub use executable::executable;
pub use forward_proxy::ForwardProxy;
pub use http::{Conn, HttpTarget, Reply, Request};
pub use hub::{Hub, run};
pub use openapi::openapi_document;
pub use postgres::Postgres;
pub use reverse_proxy::{ReverseProxy, StreamHandling};
pub use script::{Script, argument_lists_with};
pub use stream::{Event, Stream};
pub use tcp_proxy::{Link, TcpProxy};

/// How long a single step may take before the test fails. Only a failing test ever waits this long.
pub const TIMEOUT: Duration = Duration::from_secs(60);

/// Polls a condition until it holds; panics with `what` after [`TIMEOUT`].
pub fn wait_until(what: &str, condition: impl FnMut() -> bool) {
    wait_until_within(TIMEOUT, what, condition);
}

/// Like [`wait_until`], with another timeout.
pub fn wait_until_within(timeout: Duration, what: &str, mut condition: impl FnMut() -> bool) {
    let start = now();
    while !condition() {
        assert!(start.elapsed() < timeout, "timed out after {timeout:?}: {what}");
        std::thread::yield_now();
    }
}

/// Runs a closure and measures it, for requirements that name a time.
pub fn timed<T>(closure: impl FnOnce() -> T) -> (Duration, T) {
    let start = now();
    let result = closure();
    (start.elapsed(), result)
}

/// The end of a client's patience.
#[derive(Clone, Copy, Debug)]
pub struct Deadline(Instant);

impl Deadline {
    /// A deadline after a time.
    #[must_use]
    pub fn after(time: Duration) -> Self {
        Self(now() + time)
    }

    /// The time that is left.
    #[must_use]
    pub fn left(self) -> Duration {
        self.0.saturating_duration_since(now())
    }
}

#[expect(clippy::disallowed_methods, reason = "the tests are outside the hub and have no clock to inject")]
fn now() -> Instant {
    Instant::now()
}

/// The keys of a JSON object in the order in which they were sent.
pub fn keys(json: &str) -> Vec<String> {
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
