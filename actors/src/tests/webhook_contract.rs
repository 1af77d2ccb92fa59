//! What every store of webhooks must do, as functions that take a new store.

use rogerrat_actors::{AccountChange, AppendResult, Log, Ports, PutHook, WebhookStore};
use rogerrat_domain::webhook::{
    Delivery, DeliveryId, DeliveryRow, DeliveryState, DueDelivery, Hook, HookId, HookOwner, MESSAGE_RECEIVED, Retry,
    Secret,
};
use rogerrat_domain::{ChannelId, Encryptor, HubKey, Record, limits};

use super::account_contract::{created_by, hash, id, open};
use super::log_contract::{record, sent};

fn channel(name: &str) -> ChannelId {
    ChannelId::parse(name).unwrap()
}

fn of_channel(name: &str) -> HookOwner {
    HookOwner::Channel(channel(name))
}

/// Hook `n` of an owner.
pub(crate) fn hook(n: u128, owner: HookOwner) -> Hook {
    let (id, secret) = (HookId::from_random(n), Secret::from_bytes([7; 24]));
    let encryptor = Encryptor::new(&HubKey::new([7; 32]), "webhook secret");
    let secret = encryptor.encrypt_text(secret.text().as_bytes(), id.as_str(), [1; 24]).into();
    let (url, retry) = ("https://hook.example.org/".into(), Retry::Immediate);
    let (previous, format, push) = (None, None, None);
    Hook { id, owner, url, retry, created_ms: 5, secret, previous, format, failures: 0, off_ms: None, push }
}

/// Delivery `n` of a message of channel `c`, for these hooks.
pub(crate) fn due(n: u128, hooks: &[&Hook]) -> DueDelivery {
    let delivery = Delivery::due(n, MESSAGE_RECEIVED, Some(channel("c")), Some(7), 5);
    let deliveries = hooks.iter().map(|hook| (hook.id.clone(), delivery.clone())).collect();
    DueDelivery { deliveries, hidden: format!("hidden {n}").into_bytes() }
}

async fn create(log: &dyn Log, name: &str) {
    assert_eq!(log.append(created_by(name, None)).await, AppendResult::Done);
}

/// Requires that these deliveries of a hook are due after a row, and returns their rows.
async fn queue(log: &dyn Log, hook: &Hook, after: u64, numbers: &[u128]) -> Vec<DeliveryRow> {
    let rows = log.webhooks().due(&hook.id, after, 100).await.unwrap();
    let ids: Vec<_> = rows.iter().map(|row| row.delivery.id.clone()).collect();
    assert_eq!(ids, numbers.iter().map(|&n| DeliveryId::from_random(n)).collect::<Vec<_>>());
    assert!(rows.is_sorted_by_key(|row| row.no));
    rows
}

/// Runs every contract, each on a new store.
pub(crate) async fn webhooks(new: impl AsyncFn() -> Ports) {
    deliveries_are_due_in_order_until_they_are_done(&*new().await.log).await;
    the_log_of_a_hook_is_bounded(&*new().await.log).await;
    deliveries_are_stored_with_their_record(&*new().await.log).await;
    hooks_end_with_their_channel(&*new().await.log).await;
}

/// Runs the contracts of a store that knows accounts and channels.
#[allow(dead_code, reason = "webhooks in memory do not know their owners")]
pub(crate) async fn hooks_with_owners(new: impl AsyncFn() -> Ports) {
    a_hook_needs_its_owner(&new().await).await;
}

async fn deliveries_are_due_in_order_until_they_are_done(log: &dyn Log) {
    let store = log.webhooks();
    create(log, "c").await;
    let [one, other, gone] = [1, 2, 3].map(|n| hook(n, of_channel("c")));
    for hook in [&one, &other] {
        assert_eq!(store.put_hook(hook, None).await.unwrap(), PutHook::Done);
    }
    let changed = Hook { failures: 4, ..one.clone() };
    assert_eq!(store.put_hook(&changed, None).await.unwrap(), PutHook::Done);
    for n in [5, 3, 4] {
        store.enqueue(due(n, &[&one, &gone, &other])).await.unwrap();
    }
    let hooks = store.hooks().await.unwrap();
    let known = |id: &HookId| hooks.iter().find(|stored| stored.hook.id == *id).unwrap();
    assert_eq!((hooks.len(), known(&one.id).hook.failures, known(&one.id).due), (2, 4, 3));
    assert_eq!(known(&other.id).bytes, 3 * "hidden 5".len() as u64);
    let rows = queue(log, &one, 0, &[5, 3, 4]).await;
    assert!(rows.iter().all(|row| row.bytes == 8));
    queue(log, &one, rows[0].no, &[3, 4]).await;
    assert_eq!(store.due(&one.id, 0, 1).await.unwrap().len(), 1);
    assert_eq!(store.hidden(rows[1].no).await.unwrap(), Some(b"hidden 3".to_vec()));
    let mut row = rows[1].clone();
    row.delivery.attempts = 1;
    store.keep(&one.id, &row).await.unwrap();
    assert_eq!(store.due(&one.id, 0, 9).await.unwrap()[1].delivery.attempts, 1);
    row.delivery.state = DeliveryState::Delivered;
    store.keep(&one.id, &row).await.unwrap();
    queue(log, &one, 0, &[5, 4]).await;
    assert_eq!(store.hidden(row.no).await.unwrap(), None, "its message is erased");
    let rows = queue(log, &other, 0, &[5, 3, 4]).await;
    assert_eq!(store.hidden(rows[1].no).await.unwrap(), Some(b"hidden 3".to_vec()), "another hook needs it");
    store.enqueue(due(3, &[&one])).await.unwrap();
    queue(log, &one, 0, &[5, 4, 3]).await;
    let listed = store.deliveries(&one.id, 2).await.unwrap();
    let listed: Vec<_> = listed.into_iter().map(|row| row.delivery.id).collect();
    assert_eq!(listed, [3, 4].map(DeliveryId::from_random), "it replaced the earlier one");
    store.drop_hook(&one.id).await.unwrap();
    assert!(store.deliveries(&one.id, 9).await.unwrap().is_empty());
    queue(log, &other, 0, &[5, 3, 4]).await;
}

async fn the_log_of_a_hook_is_bounded(log: &dyn Log) {
    let store = log.webhooks();
    create(log, "c").await;
    let hook = hook(1, of_channel("c"));
    assert_eq!(store.put_hook(&hook, None).await.unwrap(), PutHook::Done);
    let last = limits::HOOK_LOG as u128 + 3;
    for n in 1..=last {
        let mut due = due(n, &[&hook]);
        if n > 1 {
            due.deliveries[0].1.state = DeliveryState::Dropped;
        }
        store.enqueue(due).await.unwrap();
    }
    let rows = store.deliveries(&hook.id, 1000).await.unwrap();
    assert_eq!(rows.len(), limits::HOOK_LOG + 1, "the one that is due remains");
    assert_eq!(rows[0].delivery.id, DeliveryId::from_random(last));
    let mut first = queue(log, &hook, 0, &[1]).await.remove(0);
    first.delivery.state = DeliveryState::Delivered;
    store.keep(&hook.id, &first).await.unwrap();
    assert_eq!(store.deliveries(&hook.id, 1000).await.unwrap().len(), limits::HOOK_LOG);
}

async fn deliveries_are_stored_with_their_record(log: &dyn Log) {
    create(log, "c").await;
    let hook = hook(1, of_channel("c"));
    assert_eq!(log.webhooks().put_hook(&hook, None).await.unwrap(), PutHook::Done);
    let fence = log.take(&channel("c")).await.unwrap().fence;
    let with = |seq, id, n| Record { due: vec![due(n, &[&hook])], ..record("c", fence, seq, sent(id, 10)) };
    assert_eq!(log.append(with(2, 1, 8)).await, AppendResult::Done);
    assert_eq!(log.append(with(2, 1, 8)).await, AppendResult::Done, "it is repeated");
    let other = Record { rid: 5, ..with(2, 1, 9) };
    assert_eq!(log.append(other).await, AppendResult::Conflict);
    assert_eq!(log.append(with(3, 2, 6)).await, AppendResult::Done);
    queue(log, &hook, 0, &[8, 6]).await;
}

async fn hooks_end_with_their_channel(log: &dyn Log) {
    let store = log.webhooks();
    for name in ["c", "d"] {
        create(log, name).await;
    }
    let [deleted, kept] = [hook(1, of_channel("c")), hook(2, of_channel("d"))];
    for hook in [&deleted, &kept] {
        assert_eq!(store.put_hook(hook, None).await.unwrap(), PutHook::Done);
        // Deliveries of messages of the channel that is deleted.
        store.enqueue(due(1, &[hook])).await.unwrap();
    }
    assert!(log.delete_channel(&channel("c")).await.unwrap());
    let hooks = store.hooks().await.unwrap();
    assert!(hooks.len() == 1 && hooks[0].hook.id == kept.id && hooks[0].due == 0, "{hooks:?}");
    assert!(store.due(&deleted.id, 0, 9).await.unwrap().is_empty());
    store.drop_hooks(&of_channel("d")).await.unwrap();
    assert!(store.hooks().await.unwrap().is_empty());
}

#[allow(dead_code, reason = "webhooks in memory do not know their owners")]
async fn a_hook_needs_its_owner(ports: &Ports) {
    let store: &dyn WebhookStore = ports.log.webhooks();
    let account = HookOwner::Account(id(1));
    for owner in [account.clone(), of_channel("c")] {
        assert_eq!(store.put_hook(&hook(1, owner), None).await.unwrap(), PutHook::NoOwner);
    }
    for n in [1, 2] {
        open(ports, n, 10).await;
        assert_eq!(store.put_hook(&hook(u128::from(n), HookOwner::Account(id(n))), None).await.unwrap(), PutHook::Done);
        store.enqueue(due(1, &[&hook(u128::from(n), HookOwner::Account(id(n)))])).await.unwrap();
    }
    ports.accounts.change(AccountChange::EndSession { account: id(2), session: hash("session 2") }).await.unwrap();
    ports.accounts.change(AccountChange::Sweep { before_ms: 50 }).await.unwrap();
    assert!(ports.accounts.facts(id(2)).await.unwrap().is_some(), "an account with a hook remains");
    ports.accounts.change(AccountChange::Close { account: id(1) }).await.unwrap();
    let hooks = store.hooks().await.unwrap();
    assert!(hooks.len() == 1 && hooks[0].hook.owner == HookOwner::Account(id(2)) && hooks[0].due == 1, "{hooks:?}");
    assert!(store.due(&HookId::from_random(1), 0, 9).await.unwrap().is_empty());
}
