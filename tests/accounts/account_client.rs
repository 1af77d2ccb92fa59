//! An account as tests use it.

use rogerrat_testkit::{Agent, Channel, HttpTarget, Hub, Reply, Request};
use serde_json::{Value, json};

/// An account and its tokens.
#[derive(Clone)]
pub(crate) struct Account {
    pub(crate) target: HttpTarget,
    pub(crate) id: String,
    pub(crate) recovery: String,
    pub(crate) session: String,
}

impl Account {
    #[track_caller]
    pub(crate) fn open(hub: &Hub) -> Self {
        let reply = hub.post("/api/account").send().ok();
        let text = |field: &str| reply[field].as_str().unwrap().to_owned();
        let (id, recovery, session) = (text("account_id"), text("recovery_token"), text("session_token"));
        Self { target: **hub, id, recovery, session }
    }

    /// A request to `/api/account<what>` with the account's session token.
    pub(crate) fn request(&self, method: &str, what: &str) -> Request {
        self.target.request(method, &format!("/api/account{what}")).bearer(&self.session)
    }

    pub(crate) fn get(&self, what: &str) -> Reply {
        self.request("GET", what).send()
    }

    pub(crate) fn post(&self, what: &str, body: &Value) -> Reply {
        self.request("POST", what).json(body).send()
    }

    pub(crate) fn delete(&self, what: &str) -> Reply {
        self.request("DELETE", what).send()
    }

    pub(crate) fn try_identity(&self, callsign: &str) -> Reply {
        self.post("/identities", &json!({"callsign": callsign}))
    }

    /// Creates an identity. Returns its key.
    #[track_caller]
    pub(crate) fn identity(&self, callsign: &str) -> String {
        key(&self.try_identity(callsign).ok())
    }

    /// Rotates an identity's key. Returns the new one.
    #[track_caller]
    pub(crate) fn rotate(&self, callsign: &str) -> String {
        key(&self.post(&format!("/identities/{callsign}/rotate-key"), &json!({})).ok())
    }

    pub(crate) fn try_channel(&self, settings: &Value) -> Reply {
        self.target.post("/api/channels").bearer(&self.session).json(settings).send()
    }

    #[track_caller]
    pub(crate) fn channel(&self, settings: &Value) -> Channel {
        let made = self.try_channel(settings).ok();
        assert_eq!(made["creator_account_id"], json!(self.id));
        Channel::new(self.target, made["channel_id"].as_str().unwrap(), made["join_token"].as_str().unwrap())
    }
}

pub(crate) fn key(reply: &Value) -> String {
    reply["identity_key"].as_str().unwrap().to_owned()
}

pub(crate) fn try_prove(channel: &Channel, key: &str) -> Reply {
    channel.try_join(&json!({"identity_key": key}))
}

/// Joins with the key of an identity.
#[track_caller]
pub(crate) fn prove(channel: &Channel, key: &str) -> Agent {
    Agent::from_join(channel, &try_prove(channel, key).ok())
}

/// Whether the session of an agent has ended.
pub(crate) fn is_out(agent: &Agent) -> bool {
    agent.post("keepalive", &json!({})).status == 410
}
