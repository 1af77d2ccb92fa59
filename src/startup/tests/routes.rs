//! Which routes name a channel.

use serde_json::Value;

use super::client::Call;
use super::cluster::{CHATROOM_PASSWORD, Shared};
use crate::startup::interfaces::channel_of_path;

/// The page of a channel holds nothing of it.
const SAME_EVERYWHERE: [&str; 1] = ["/remote/{id}"];

#[actix_web::test]
async fn c10_each_described_route_with_a_channel_names_it_and_no_other_does() {
    let hub = Shared::new().hub().await;
    let description: Value = Call::get("/openapi.json").at(hub.address).await.ok();
    let (of_channel, paths) = (channel_of_path(None), description["paths"].as_object().unwrap());
    assert!(paths.len() > 60, "{}", paths.len());
    let mut with_channel = 0;
    for path in paths.keys() {
        let expected = path.contains("{id}") && !SAME_EVERYWHERE.contains(&&**path);
        let filled = path.replace("{id}", "quiet-otter").replace(['{', '}'], "");
        let found = of_channel(&filled).map(|id| id.to_string());
        assert_eq!(found.as_deref(), expected.then_some("quiet-otter"), "{path}");
        with_channel += usize::from(expected);
    }
    assert!(with_channel >= 30, "{with_channel}");
}

#[actix_web::test]
async fn c10_routes_of_other_protocols_name_their_channel() {
    let hub = Shared::new().hub_with(&[("ROGERRAT_SERVER__CHATROOM", CHATROOM_PASSWORD)]).await;
    let chatroom = hub.interfaces.chatroom.clone();
    let (at_root, _) = chatroom.as_ref().map(|chatroom| chatroom.credentials()).unwrap();
    let (of_channel, without_chatroom) = (channel_of_path(chatroom.clone()), channel_of_path(None));
    for path in ["/messages", "/messages/poll", "/messages/stream"] {
        assert_eq!(of_channel(path).map(|id| id.to_string()), Some(at_root.clone()), "{path}");
        assert_eq!(without_chatroom(path), None);
    }
    for path in ["", "/", "/messages", "/messages/poll", "/messages/stream", "/health"] {
        let path = format!("/compat/agent-chatroom/park{path}");
        assert_eq!(of_channel(&path).map(|id| id.to_string()).as_deref(), Some("park"), "{path}");
    }
    assert_eq!(of_channel("/mcp/park").map(|id| id.to_string()).as_deref(), Some("park"));
    for path in ["/mcp", "/mcp/", "/", "/livez", "/api/channels", "/api/bands", "/static/park/x.js", "/health"] {
        assert_eq!(of_channel(path), None, "{path}");
    }
}
