//! Members, sessions and settings survive a restart on every channel, durable or not.

use rogerrat_testkit::{Agent, Channel, Hub};
use serde_json::{Value, json};

use super::kit::{ENDS, End, on_disk};

const PASSWORD: &str = "open sesame";

/// The visible state of a channel, without its messages.
fn visible(channel: &Channel) -> Value {
    let mut stats = channel.get("stats").ok();
    for changing in ["message_count_in_buffer", "last_activity_at"] {
        stats.as_object_mut().unwrap().remove(changing);
    }
    let about = channel.target.get(&format!("/api/channels/{}", channel.id)).send().ok();
    json!([about, channel.get("roster").ok(), stats])
}

struct People {
    channel: Channel,
    ann: Agent,
    bob: Agent,
    carol: Agent,
}

impl People {
    fn join(channel: Channel) -> Self {
        let (ann, bob, carol) =
            (channel.join("ann"), channel.join_as("bob", "a-session-of-bobs-own"), channel.join("carol"));
        channel.join("dave");
        carol.leave();
        Self { channel, ann, bob, carol }
    }

    fn continue_talking(&self) {
        let Self { channel, ann, bob, carol } = self;
        for agent in [ann, bob] {
            agent.post("keepalive", &json!({})).ok();
        }
        carol.post("keepalive", &json!({})).refused(410, "session_expired");
        bob.say("to the second that joined, and the others");
        ann.send("#2", "to the second that joined");
        let back = channel.request("POST", "join").session(&carol.session).json(&json!({"callsign": "carol"})).send();
        assert_eq!(back.ok()["idx"], 3);
        assert_eq!(channel.try_join(&json!({"callsign": "eve"})).ok()["idx"], 5);
        channel.try_join_as("bob", "a-session-of-another").refused(409, "callsign_taken");
        let secret = |password: &str| json!({"callsign": "frank", "owner_password": password});
        channel.try_join(&secret("open barley")).refused(401, "unauthorized");
        assert_eq!(channel.try_join(&secret(PASSWORD)).ok()["human_authorized"], true);
        let stranger = Channel { token: "not the token".into(), ..channel.clone() };
        stranger.get("roster").refused(401, "unauthorized");
    }
}

fn members_are_known_after(end: End) {
    let mut hub = Hub::unlimited();
    let memory = json!({"owner_password": PASSWORD, "trust_mode": "trusted", "session_ttl_seconds": 7200});
    let disk = json!({"owner_password": PASSWORD, "durability": "disk", "dm_visibility": "private"});
    let channels = [memory, disk].map(|settings| People::join(hub.channel_with(&settings)));
    let before = channels.each_ref().map(|people| visible(&people.channel));
    end.of(&mut hub);
    assert_eq!(channels.each_ref().map(|people| visible(&people.channel)), before);
    channels.iter().for_each(People::continue_talking);
}

#[test]
fn a03_sessions_numbers_settings_and_secrets_survive_a_kill() {
    members_are_known_after(End::Kill);
}

#[test]
fn a03_sessions_numbers_settings_and_secrets_survive_a_stop() {
    members_are_known_after(End::Stop);
}

#[test]
fn d17_an_expired_session_is_restored_after_a_restart() {
    for end in ENDS {
        let mut hub = Hub::unlimited();
        let channel = hub.channel_with(&json!({"durability": "disk", "session_ttl_seconds": 0.05}));
        let ann = channel.join("ann");
        rogerrat_testkit::wait_until("the session expires", || channel.roster().is_empty());
        let other = hub.channel_with(&json!({"durability": "disk"}));
        let bob = other.join("bob");
        bob.leave();
        end.of(&mut hub);
        assert_ne!(other.join("bob").session, bob.session, "a member that left gets a new session");
        let again = channel.join("ann");
        assert_eq!((again.session, again.joined["idx"].clone()), (ann.session, json!(1)), "{end:?}");
    }
}

#[test]
fn a_session_on_a_band_survives_a_restart() {
    for end in ENDS {
        let mut hub = Hub::unlimited();
        let ann = hub.band("general").join("ann");
        end.of(&mut hub);
        ann.say("still here");
        hub.band("general").try_join(&json!({"callsign": "ann"})).refused(409, "callsign_taken");
        assert_eq!(hub.band("general").roster(), ["ann"], "{end:?}");
    }
}

#[test]
fn d10_ids_never_decrease_after_a_restart() {
    for end in ENDS {
        let mut hub = Hub::unlimited();
        let channels = [hub.channel(), on_disk(&hub)];
        let anns = channels.each_ref().map(|channel| channel.join("ann"));
        let before = anns.each_ref().map(|ann| *ann.say_numbers(0..150).last().unwrap());
        end.of(&mut hub);
        for (ann, before) in anns.iter().zip(before) {
            assert!(ann.say("after") > before, "{end:?}");
        }
    }
}

#[test]
fn the_counters_of_the_hub_continue() {
    let mut hub = Hub::unlimited();
    let ann = on_disk(&hub).join("ann");
    ann.say("one");
    let counted = |hub: &Hub| {
        let stats = hub.get("/api/stats").send().ok();
        ["channels_created", "joins_total", "messages_total"].map(|key| stats[key].as_u64().unwrap())
    };
    let before = counted(&hub);
    End::Stop.of(&mut hub);
    assert_eq!(counted(&hub), before);
}
