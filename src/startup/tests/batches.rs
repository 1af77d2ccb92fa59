//! Batches whose messages concern channels of several hubs: the owner of each channel answers its part.

use serde_json::{Value, json};

use super::client::{Connection, wait_until};
use super::cluster::{Shared, TestChannel, TestHub, texts};
use super::mcp::Client;

/// The last version of the protocol with batches.
const VERSION: &str = "2025-03-26";

async fn client(at: &TestHub) -> Client {
    Client::legacy("/mcp", None, VERSION, at.address).await
}

fn call(id: u64, tool: &str, arguments: &Value) -> Value {
    json!({"jsonrpc": "2.0", "id": id, "method": "tools/call", "params": {"name": tool, "arguments": arguments}})
}

fn joining(id: u64, channel: &TestChannel) -> Value {
    call(id, "join", &json!({"callsign": "ann", "channel_id": channel.id, "token": channel.token}))
}

/// The responses to a batch.
async fn batch(client: &Client, at: &TestHub, messages: Value) -> Vec<Value> {
    let reply = client.post(&messages).at(at.address).await;
    assert_eq!(reply.status, 200, "{reply:?}");
    reply.json().as_array().unwrap_or_else(|| panic!("{reply:?}")).clone()
}

fn result(response: &Value) -> &Value {
    let result = &response["result"];
    assert!(result["isError"].is_null() && result["structuredContent"].is_object(), "{response}");
    &result["structuredContent"]
}

/// The text of a refused call.
fn refused(response: &Value) -> &str {
    assert_eq!(response["result"]["isError"], true, "{response}");
    response["result"]["content"][0]["text"].as_str().unwrap()
}

/// A client that has joined the channels, and its session on each.
async fn joined(at: &TestHub, channels: &[&TestChannel]) -> (Client, Vec<Value>) {
    let ann = client(at).await;
    let joins: Vec<_> = channels.iter().zip(1..).map(|(channel, id)| joining(id, channel)).collect();
    let joined = batch(&ann, at, joins.into()).await;
    let sessions = joined.iter().map(|response| json!({"session_id": result(response)["session_id"]}));
    (ann, sessions.collect())
}

#[actix_web::test]
async fn c10_a_batch_for_channels_of_several_hubs_is_answered_in_order_by_each_owner() {
    let shared = Shared::new();
    let (a, b, c) = (shared.hub().await, shared.hub().await, shared.hub().await);
    let (of_a, of_b, of_c) = (a.channel().await, b.channel().await, c.channel().await);
    let ann = client(&b).await;
    let uri = format!("rogerrat://channel/{}/roster", of_a.id);
    let served = [a.served(), c.served()];
    let responses = batch(
        &ann,
        &b,
        json!([
            {"jsonrpc": "2.0", "method": "notifications/initialized"},
            joining(1, &of_a),
            // Only the join before says for which channel this is, and at which hub.
            call(2, "send", &json!({"message": "hello"})),
            {"jsonrpc": "2.0", "id": "3", "method": "ping"},
            joining(4, &of_c),
            7,
            {"jsonrpc": "2.0", "id": 1, "result": {}},
            joining(5, &of_b),
            {"jsonrpc": "2.0", "id": 6, "method": "resources/read", "params": {"uri": uri}},
            call(8, "create_channel", &json!({})),
            call(9, "join", &json!({"channel_id": of_a.id, "token": "wrong"})),
        ]),
    )
    .await;
    let ids: Vec<_> = responses.iter().map(|response| response["id"].clone()).collect();
    let expected = json!([1, 2, "3", 4, null, 5, 6, 8, 9]);
    assert_eq!(ids, *expected.as_array().unwrap());
    assert!(a.served() > served[0] && c.served() > served[1]);
    assert!(result(&responses[1])["id"].is_u64());
    let roster = &responses[6]["result"]["contents"][0]["text"];
    assert!(roster.as_str().is_some_and(|roster| roster.contains("ann")), "{roster}");
    assert!(refused(&responses[8]).contains("(unauthorized)"));
    // Each call acts for the member that it names, at any hub.
    for at in [&a, &b, &c] {
        let sends = [0, 3, 5].map(|join: usize| {
            let session = &result(&responses[join])["session_id"];
            call(join as u64, "send", &json!({"session_id": session, "message": "again"}))
        });
        batch(&ann, at, json!(sends)).await.iter().for_each(|response| assert!(result(response)["id"].is_u64()));
    }
    for (channel, sent) in [(&of_a, 4), (&of_b, 3), (&of_c, 3)] {
        let history = channel.call("GET", "/history").at(b.address).await.ok();
        assert_eq!(history["history"].as_array().map(Vec::len), Some(sent), "{history}");
    }
    let silent = json!([
        {"jsonrpc": "2.0", "method": "tools/call", "params": {"name": "roster", "arguments": {"channel_id": of_a.id}}},
        {"jsonrpc": "2.0", "method": "tools/call", "params": {"name": "roster", "arguments": {"channel_id": of_c.id}}},
    ]);
    assert_eq!(ann.post(&silent).at(b.address).await.status, 202, "notifications have no response");
}

#[actix_web::test]
async fn c13_a_part_whose_owner_cannot_be_reached_fails_alone() {
    let shared = Shared::new();
    let (a, b) = (shared.hub().await, shared.hub().await);
    let (of_a, of_b) = (a.channel().await, b.channel().await);
    let (ann, sessions) = joined(&b, &[&of_a, &of_b]).await;
    let send = |id, at: usize| {
        let mut arguments = sessions[at].clone();
        arguments["message"] = "hi".into();
        call(id, "send", &arguments)
    };
    // Its port is closed, and it is alive.
    a.handle.stop(false).await;
    let uri = format!("rogerrat://channel/{}/roster", of_a.id);
    let read = json!({"jsonrpc": "2.0", "id": 4, "method": "resources/read", "params": {"uri": uri}});
    let responses = batch(&ann, &b, json!([send(1, 0), send(2, 1), send(3, 0), read])).await;
    let ids: Vec<_> = responses.iter().map(|response| response["id"].as_u64().unwrap()).collect();
    assert_eq!(ids, [1, 2, 3, 4]);
    for failed in [0, 2] {
        let text = refused(&responses[failed]);
        assert!(text.contains("cannot be reached; nothing was done (overloaded)"), "{text}");
    }
    assert!(result(&responses[1])["id"].is_u64());
    assert_eq!(
        (&responses[3]["error"]["code"], &responses[3]["error"]["data"]["code"]),
        (&json!(-32603), &json!("overloaded"))
    );
    // When it has ended, another serves its channel.
    a.log.disconnect();
    let responses = batch(&ann, &b, json!([send(1, 0), send(2, 1)])).await;
    responses.iter().for_each(|response| assert!(result(response)["id"].is_u64()));
}

#[actix_web::test]
async fn c12_what_a_batch_delivers_is_delivered_when_its_client_has_taken_it() {
    let shared = Shared::new();
    let (a, b) = (shared.hub().await, shared.hub().await);
    let (of_a, of_b) = (a.channel().await, b.channel().await);
    let (ann, sessions) = joined(&b, &[&of_a, &of_b]).await;
    let bob = of_a.join(&a, "bob").await;
    // The second waits for a second.
    let reads = json!([call(1, "listen", &sessions[0]), call(2, "listen", &sessions[1])]);
    let delivered = || a.hub.totals().taken_total;
    bob.send(&b, "one").await;
    let before = delivered();
    let responses = batch(&ann, &b, reads.clone()).await;
    assert_eq!(texts(result(&responses[0])), [("one".to_owned(), 1)]);
    assert_eq!(
        delivered(),
        before,
        "it had to wait for the second read, so that another call must show that it was taken"
    );
    // The owner may be told a moment later.
    for round in 0.. {
        ann.call(&b, "keepalive", sessions[0].clone()).await;
        if delivered() > before {
            break;
        }
        assert!(round < 10_000, "the owner should be told");
    }
    assert_eq!(delivered(), before + 1);
    // A client that leaves in the middle.
    bob.send(&b, "two").await;
    let served = a.served();
    let mut connection = Connection::open(b.address).await;
    let mut leaving = Box::pin(connection.start(ann.post(&reads)));
    tokio::select! {
        _ = &mut leaving => panic!("the second read waits"),
        () = wait_until("the owner should have answered its part", || a.served() > served) => {}
    }
    assert_eq!(delivered(), before + 1);
    drop(leaving);
    drop(connection);
    let mut arguments = sessions[0].clone();
    arguments["timeout_seconds"] = 30.into();
    let read = ann.call(&b, "listen", arguments.clone()).await;
    assert_eq!(texts(&read), [("two".to_owned(), 2)], "it was written by the owner");
    arguments["timeout_seconds"] = 1.into();
    assert!(texts(&ann.call(&b, "listen", arguments).await).is_empty());
}
