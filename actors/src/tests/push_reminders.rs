//! Web push on paused time, to those who sent or own something: unread messages, members that left, and account events.

use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;

use rogerrat_domain::Durability;
use rogerrat_domain::limits::{PUSH_DELAY_MS, PUSH_UNREAD_MS};
use rogerrat_domain::op::{CreateInput, JoinInput};
use rogerrat_domain::push::PushWants;
use rogerrat_domain::webhook::{HookOwner, SubscribeInput};

use super::harness::HOUR_MS;
use super::push::{PushTestHub, input};
use super::push_service::{PushService, notification};
use crate::{MemoryLog, Ports};

const UNREAD: &str = "Has not read your message yet.";
const GONE: &str = "Has left without an answer to you.";

#[actix_rt::test]
async fn a28_an_own_message_that_was_not_read_for_10_minutes_is_pushed_once() {
    let test = PushTestHub::subscribed(PushWants::High).await;
    test.bob.send("ann", "are you there?").await.unwrap();
    assert!(test.pushed_within(PUSH_UNREAD_MS - 10).await.is_empty());
    test.bob.send("ann", "hello?").await.unwrap();
    test.hub.pass(50).await;
    test.hub.settle().await;
    let request = test.service.pushed.lock().unwrap()[0].clone();
    assert_eq!((&notification(&request)["title"], &notification(&request)["body"]), (&"ann".into(), &UNREAD.into()));
    assert_eq!((request.ttl_s, test.service.bodies().len()), (HOUR_MS / 1000, 1));
    assert!(test.pushed_within(2 * PUSH_UNREAD_MS - 1000).await.is_empty(), "it was announced");
}

#[actix_rt::test]
async fn a28_an_own_message_that_is_read_or_waited_for_is_not_pushed() {
    let test = PushTestHub::subscribed(PushWants::All).await;
    test.bob.send("ann", "read").await.unwrap();
    test.hub.pass(PUSH_UNREAD_MS - 1000).await;
    assert_eq!(test.ann.texts(1000).await, ["read"]);
    assert!(test.pushed_within(2000).await.is_empty());
    // It is looked at again although the earlier one was read in time.
    test.bob.send("ann", "unread").await.unwrap();
    assert_eq!(test.pushed_within(PUSH_UNREAD_MS + 10).await, [UNREAD]);
    test.ann.send("all", "yes").await.unwrap();
    test.pushed_within(6000).await;
    test.bob.send("all", "and all of you?").await.unwrap();
    assert_eq!(test.pushed_within(PUSH_UNREAD_MS + 10).await, ["No one has read your message yet."]);
}

#[actix_rt::test]
async fn a28_a_restart_does_not_forget_an_own_message() {
    let log = Arc::new(MemoryLog::default());
    let create = CreateInput { durability: Some(Durability::Disk), ..CreateInput::default() };
    let test = PushTestHub::on(log.clone(), create).await;
    test.subscribe(input("https://push/1")).await.unwrap();
    test.bob.send("ann", "are you there?").await.unwrap();
    test.hub.settle().await;
    // Its page subscribes again, and keeps what is looked at.
    test.subscribe(input("https://push/1")).await.unwrap();
    let service = Arc::new(PushService::default());
    let PushTestHub { hub, ann, bob, .. } = test;
    drop((ann, bob));
    let hub = hub.restarted_on(Ports::with_log(log).pushing(service.clone())).await;
    // The wall clock went back by an hour.
    for _ in 0..16 {
        hub.pass(HOUR_MS / 12).await;
        hub.settle().await;
    }
    assert!(service.bodies().contains(&UNREAD.to_owned()));
}

#[actix_rt::test]
async fn a28_a_member_that_leaves_without_an_answer_is_pushed_once() {
    let test = PushTestHub::subscribed(PushWants::High).await;
    test.ann.leave().await;
    assert!(test.pushed_within(PUSH_DELAY_MS + 10).await.is_empty(), "it was not asked");
    let ann = test.hub.join("ann").await;
    test.bob.send("ann", "please build").await.unwrap();
    ann.texts(1000).await;
    ann.leave().await;
    assert!(test.pushed_within(PUSH_DELAY_MS - 10).await.is_empty());
    let ann = test.hub.join("ann").await;
    assert!(test.pushed_within(20).await.is_empty(), "it is back");
    ann.leave().await;
    assert_eq!(test.pushed_within(PUSH_DELAY_MS + 10).await, [GONE]);
    for _ in 0..3 {
        test.hub.join("ann").await.leave().await;
        assert!(test.pushed_within(PUSH_DELAY_MS + 10).await.is_empty(), "it was announced");
    }
    let ann = test.hub.join("ann").await;
    test.bob.send("ann", "please build again").await.unwrap();
    ann.send("bob", "done").await.unwrap();
    ann.leave().await;
    assert_eq!(test.pushed_within(PUSH_DELAY_MS + 10).await, ["done"]);
}

#[actix_rt::test]
async fn a28_a_session_that_expires_without_an_answer_is_pushed() {
    let test = PushTestHub::subscribed(PushWants::High).await;
    test.bob.send("ann", "please build").await.unwrap();
    test.ann.texts(1000).await;
    let mut pushed = Vec::new();
    for _ in 0..12 {
        test.bob.keepalive().await.unwrap();
        pushed.extend(test.pushed_within(HOUR_MS / 12).await);
    }
    assert_eq!(pushed, [GONE]);
}

#[actix_rt::test]
async fn a28_what_is_sent_without_a_subscription_is_not_looked_at() {
    let test = PushTestHub::new().await;
    test.bob.send("ann", "unread").await.unwrap();
    test.ann.leave().await;
    test.hub.settle().await;
    test.subscribe(input("https://push/1")).await.unwrap();
    assert!(test.pushed_within(HOUR_MS).await.is_empty());
}

#[actix_rt::test]
async fn a28_an_event_of_an_account_reaches_all_its_devices() {
    let test = PushTestHub::new().await;
    let hub = &test.hub.hub;
    let opened = hub.open_account(None).await.unwrap();
    let account = HookOwner::Account(opened.account_id);
    for n in 0..3 {
        hub.subscribe_push(account.clone(), None, input(&format!("https://push/{n}")), "https://hub.example")
            .await
            .unwrap();
    }
    hub.recover_account(&opened.recovery_token, None).await.unwrap();
    test.hub.settle().await;
    let pushed = test.service.pushed.lock().unwrap();
    let mut endpoints: Vec<_> = pushed.iter().map(|request| &*request.endpoint).collect();
    endpoints.sort_unstable();
    assert_eq!(endpoints, ["https://push/0", "https://push/1", "https://push/2"]);
}

#[actix_rt::test]
async fn a28_who_gets_its_messages_by_a_webhook_does_not_count_as_unread() {
    let test = PushTestHub::subscribed(PushWants::All).await;
    let hub = &test.hub.hub;
    let opened = hub.open_account(None).await.unwrap();
    let owner = hub.admit_owner(Some(&opened.session_token)).await.unwrap();
    let identity = hub.add_identity(&owner, Some("carol")).await.unwrap();
    let webhook = SubscribeInput { url: "https://hook.example/".into(), ..SubscribeInput::default() };
    hub.subscribe(HookOwner::Account(opened.account_id), webhook).await.unwrap();
    let carol = JoinInput { identity_key: Some(identity.identity_key), ..JoinInput::default() };
    hub.join(&test.hub.at, carol, None, IpAddr::V4(Ipv4Addr::LOCALHOST)).await.unwrap();
    test.bob.send("carol", "please build").await.unwrap();
    assert!(test.pushed_within(PUSH_UNREAD_MS + 5000).await.is_empty());
    test.bob.send("ann", "and you?").await.unwrap();
    assert_eq!(test.pushed_within(PUSH_UNREAD_MS + 5000).await, [UNREAD]);
}
