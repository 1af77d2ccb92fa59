//! A channel's webhooks.

use rogerrat_testkit::{Channel, Reply, wait_until};
use serde_json::{Value, json};

/// A webhook of a channel.
#[derive(Clone, Debug)]
pub(crate) struct Hook {
    channel: Channel,
    pub(crate) id: String,
    pub(crate) secret: String,
}

impl Hook {
    #[track_caller]
    pub(crate) fn on(channel: &Channel, url: &str) -> Self {
        Self::with(channel, &json!({"url": url, "events": ["message.received"]}))
    }

    #[track_caller]
    pub(crate) fn with(channel: &Channel, body: &Value) -> Self {
        let created = try_subscribe(channel, body).ok();
        let text = |field: &str| created[field].as_str().unwrap().to_owned();
        Self { channel: channel.clone(), id: text("id"), secret: text("secret") }
    }

    fn path(&self, what: &str) -> String {
        format!("webhooks/{}/{what}", self.id)
    }

    pub(crate) fn post(&self, what: &str, body: &Value) -> Reply {
        self.channel.request("POST", &self.path(what)).json(body).send()
    }

    pub(crate) fn remove(&self) -> Reply {
        self.channel.request("DELETE", &format!("webhooks/{}", self.id)).send()
    }

    /// Its delivery log, oldest first.
    pub(crate) fn deliveries(&self) -> Vec<Value> {
        let log = self.channel.get(&self.path("deliveries")).ok();
        log["deliveries"].as_array().unwrap().iter().rev().cloned().collect()
    }

    /// Its row in the list.
    pub(crate) fn row(&self) -> Value {
        let listed = self.channel.get("webhooks").ok();
        listed["webhooks"].as_array().unwrap().iter().find(|row| row["id"] == *self.id).unwrap().clone()
    }

    /// Waits until the deliveries have these statuses.
    pub(crate) fn wait_for(&self, statuses: &[&str]) {
        wait_until(&format!("the deliveries are {statuses:?}"), || {
            let current: Vec<_> = self.deliveries().iter().map(|row| row["status"].clone()).collect();
            current == statuses
        });
    }
}

pub(crate) fn try_subscribe(channel: &Channel, body: &Value) -> Reply {
    channel.request("POST", "webhooks").json(body).send()
}
