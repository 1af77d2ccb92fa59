//! What every log that instances share must do, beside [what every log must](super::log_contract).

use std::sync::Arc;

use futures_util::future::try_join_all;
use rogerrat_actors::{AppendResult, FACTS_KEPT, FACTS_PAGE, Fact, Lane, Lanes, Log, LogError, PreviousOwner, PutHook};
use rogerrat_domain::webhook::{Delivery, DueDelivery, Hook, HookChange, HookId, HookOwner, Retry, TEST};
use rogerrat_domain::{AccountId, HookHealth};

use super::log_contract::{channel, fill, record, sent, snapshot};

/// Runs every contract of a log that instances share. `new` starts two instances of a new log, and `kill` ends the
/// connection of one to the log.
pub(crate) async fn a_shared_log<L: Log>(new: impl AsyncFn() -> (L, L), kill: impl AsyncFn(&L)) {
    let (a, b) = new().await;
    only_the_owner_writes(&a, &b).await;
    let (a, b) = new().await;
    a_channel_moves_when_it_is_given_up(&a, &b).await;
    let (a, b) = new().await;
    taking_it_again_ends_the_earlier_fence(&a).await;
    drop(b);
    let (a, b) = new().await;
    fill(&a, "c", 2).await;
    a.reserve_ids(5000).await.unwrap();
    kill(&a).await;
    a_channel_of_the_dead_is_taken_above_its_ceiling(&a, &b).await;
    let (a, b) = new().await;
    a_lane_has_one_holder(&a, &b).await;
    kill(&a).await;
    lanes_of_the_dead_are_taken(&a, &b).await;
    let (a, b) = new().await;
    facts_are_read_in_order(&a, &b).await;
    let (a, b) = new().await;
    facts_are_bounded(&a, &b).await;
    let (a, b) = new().await;
    texts_are_stored_once_and_rows_swapped(&a, &b).await;
    let (a, b) = new().await;
    a_hook_is_changed_by_both(&a, &b).await;
    kill(&a).await;
    the_dead_change_no_deliveries(&a, &b).await;
}

async fn only_the_owner_writes(a: &dyn Log, b: &dyn Log) {
    let fence = fill(a, "c", 2).await;
    assert!(matches!(b.take(&channel("c")).await, Err(LogError::NotOwner)));
    for stranger in [0, fence, fence + 1] {
        assert_eq!(b.append(record("c", stranger, 4, sent(3, 1))).await, AppendResult::Conflict);
        assert!(b.compact(&channel("c"), stranger, 3, snapshot("c", 2)).await.is_err());
        assert!(b.give_up(&channel("c"), stranger, 3, snapshot("c", 2)).await.is_err());
    }
    assert!(matches!(b.delete_channel(&channel("c")).await, Err(LogError::NotOwner)));
    let (of_a, of_b) = (a.instances().unwrap(), b.instances().unwrap());
    assert_eq!(of_b.owner(&channel("c")).await.unwrap().map(|owner| owner.id), Some(of_a.this()));
    assert!(!of_b.end_if_dead(of_a.this()).await.unwrap(), "it is alive");
    assert_eq!(a.append(record("c", fence, 4, sent(3, 1))).await, AppendResult::Done);
}

async fn a_channel_moves_when_it_is_given_up(a: &dyn Log, b: &dyn Log) {
    let fence = fill(a, "c", 2).await;
    a.give_up(&channel("c"), fence, 3, snapshot("c", 2)).await.unwrap();
    assert_eq!(a.append(record("c", fence, 4, sent(3, 1))).await, AppendResult::Conflict, "it gave the channel up");
    assert_eq!(b.instances().unwrap().owner(&channel("c")).await.unwrap(), None);
    let stored = b.take(&channel("c")).await.unwrap();
    assert!(stored.fence > fence && stored.previous_owner == PreviousOwner::GaveUp && stored.settings.is_some());
    assert_eq!(a.append(record("c", fence, 4, sent(3, 1))).await, AppendResult::Conflict);
    assert!(a.compact(&channel("c"), fence, 3, snapshot("c", 2)).await.is_err());
    assert_eq!(b.append(record("c", stored.fence, 4, sent(3, 1))).await, AppendResult::Done);
}

async fn taking_it_again_ends_the_earlier_fence(a: &dyn Log) {
    let before = fill(a, "c", 1).await;
    let stored = a.take(&channel("c")).await.unwrap();
    assert!(stored.fence > before && matches!(stored.previous_owner, PreviousOwner::Lost { .. }));
    assert_eq!(a.append(record("c", before, 3, sent(2, 1))).await, AppendResult::Conflict);
}

async fn a_channel_of_the_dead_is_taken_above_its_ceiling(a: &dyn Log, b: &dyn Log) {
    let dead = a.instances().unwrap().this();
    assert!(b.instances().unwrap().end_if_dead(dead).await.unwrap());
    let stored = b.take(&channel("c")).await.unwrap();
    assert_eq!(stored.previous_owner, PreviousOwner::Lost { id_ceiling: 5000 });
    assert!(a.reserve_ids(9000).await.is_err(), "the dead get no ids");
    assert_eq!(a.id_high_water_mark(), 5000);
    assert!(matches!(a.take(&channel("d")).await, Err(LogError::Ended)));
    assert!(matches!(a.instances().unwrap().beat().await, Err(LogError::Ended)));
    assert_eq!(a.append(record("e", 0, 1, None)).await, AppendResult::Conflict, "it creates nothing");
}

async fn a_lane_has_one_holder(a: &dyn Log, b: &dyn Log) {
    let (of_a, of_b) = (a.instances().unwrap(), b.instances().unwrap());
    let first = of_a.take_lanes(12).await.unwrap();
    assert_eq!((first.len(), of_a.take_lanes(12).await.unwrap()), (12, first));
    assert_eq!(of_b.take_lanes(8).await.unwrap(), Lanes::ALL.without(first), "the others only");
    let one = first.iter().next().unwrap();
    assert_eq!(of_b.lane_holder(one).await.unwrap().map(|holder| holder.id), Some(of_a.this()));
    of_b.give_up_lanes(first).await.unwrap();
    assert_eq!(of_a.take_lanes(16).await.unwrap(), first, "only its holder gives a lane up");
    of_a.give_up_lanes(Lanes::NONE.with(one)).await.unwrap();
    assert_eq!(of_a.lane_holder(one).await.unwrap(), None);
    assert!(of_b.take_lanes(5).await.unwrap().contains(one));
    let both: Vec<_> = of_a.living().await.unwrap().iter().map(|instance| instance.id).collect();
    assert_eq!(both, [of_a.this(), of_b.this()]);
}

/// `a` is dead, and nobody has declared it.
async fn lanes_of_the_dead_are_taken(a: &dyn Log, b: &dyn Log) {
    let of_b = b.instances().unwrap();
    assert_eq!(of_b.take_lanes(16).await.unwrap(), Lanes::ALL);
    assert_eq!(of_b.living().await.unwrap().len(), 1, "it was declared ended");
    assert!(matches!(a.instances().unwrap().take_lanes(16).await, Err(LogError::Ended)));
    of_b.end().await.unwrap();
    assert_eq!(of_b.lane_holder(Lane::new(0).unwrap()).await.unwrap(), None);
}

async fn facts_are_read_in_order(a: &dyn Log, b: &dyn Log) {
    let (of_a, of_b) = (a.instances().unwrap(), b.instances().unwrap());
    let before = of_b.last_fact().await.unwrap();
    assert!(of_b.facts_after(before).await.unwrap().facts.is_empty());
    fill(a, "c", 2).await;
    assert!(of_b.facts_after(before).await.unwrap().facts.is_empty(), "no fact for messages");
    let written = of_b.facts_written();
    a.put_row("ban", "ban_1".into(), Some("{}".into())).await.unwrap();
    written.await;
    a.put_row("other", "x".into(), Some("{}".into())).await.unwrap();
    assert!(a.delete_channel(&channel("c")).await.unwrap());
    of_b.write_fact(Fact::Identities { account: AccountId::from_random(1) }).await.unwrap();
    let expected = [
        Fact::Bans,
        Fact::ChannelDeleted { channel: channel("c") },
        Fact::Identities { account: AccountId::from_random(1) },
    ];
    for reader in [of_a, of_b] {
        let read = reader.facts_after(before).await.unwrap();
        let (numbers, facts): (Vec<_>, Vec<_>) = read.facts.into_iter().unzip();
        assert!(
            facts == expected && numbers.is_sorted_by(|a, b| a < b) && !read.is_incomplete,
            "{numbers:?} {facts:?}"
        );
        let last = numbers[2];
        assert_eq!(
            (last, reader.facts_after(numbers[1]).await.unwrap().facts[0].0),
            (reader.last_fact().await.unwrap(), last)
        );
    }
}

async fn facts_are_bounded(a: &dyn Log, b: &dyn Log) {
    let (of_a, of_b) = (a.instances().unwrap(), b.instances().unwrap());
    let before = of_b.last_fact().await.unwrap();
    // A log may remove the old ones in groups.
    for _ in 0..=2 * FACTS_KEPT / 500 {
        try_join_all((0..500).map(|_| of_a.write_fact(Fact::Bans))).await.unwrap();
    }
    assert!(of_b.facts_after(before).await.unwrap().is_incomplete);
    let last = of_b.last_fact().await.unwrap();
    let read = of_b.facts_after(last - FACTS_KEPT).await.unwrap();
    assert_eq!((read.facts.len(), read.is_incomplete), (FACTS_PAGE, false));
}

async fn texts_are_stored_once_and_rows_swapped(a: &dyn Log, b: &dyn Log) {
    let (of_a, of_b) = (a.instances().unwrap(), b.instances().unwrap());
    assert_eq!(of_a.put_meta_once("m", "1".into()).await.unwrap(), "1");
    assert_eq!(of_b.put_meta_once("m", "2".into()).await.unwrap(), "1");
    let text = |text: &str| Some(text.to_owned());
    assert!(of_a.swap_row("k", "n".into(), None, text("1")).await.unwrap());
    assert!(!of_b.swap_row("k", "n".into(), None, text("2")).await.unwrap());
    assert!(!of_b.swap_row("k", "n".into(), text("2"), text("3")).await.unwrap());
    assert!(of_b.swap_row("k", "n".into(), text("1"), text("2")).await.unwrap());
    assert_eq!(a.row("k", "n").await.unwrap(), text("2"));
    assert!(of_a.swap_row("k", "n".into(), text("2"), None).await.unwrap());
    assert_eq!(b.row("k", "n").await.unwrap(), None);
}

fn hook(n: u128) -> Hook {
    Hook {
        id: HookId::from_random(n),
        owner: HookOwner::Channel(channel("c")),
        url: "https://a.example/".into(),
        retry: Retry::Immediate,
        created_ms: 5,
        secret: "first".into(),
        previous: None,
        format: None,
        failures: 0,
        off_ms: None,
        push: None,
    }
}

async fn a_hook_is_changed_by_both(a: &dyn Log, b: &dyn Log) {
    fill(a, "c", 1).await;
    let (store, other) = (a.webhooks(), b.webhooks());
    assert_eq!(store.put_hook(&hook(1), Some(1)).await.unwrap(), PutHook::Done);
    assert_eq!(other.put_hook(&hook(2), Some(1)).await.unwrap(), PutHook::Full);
    let before = b.instances().unwrap().last_fact().await.unwrap();
    let health = |failures| HookChange::Health(HookHealth { failures, off_ms: None });
    store.change_hook(&hook(1).id, health(1)).await.unwrap().unwrap();
    let secret: Arc<str> = "second".into();
    let rotate = HookChange::Secret { secret: secret.clone(), rotated_ms: 6, until_ms: 7 };
    assert_eq!(other.change_hook(&hook(1).id, rotate).await.unwrap().unwrap().failures, 1);
    let changed = store.change_hook(&hook(1).id, health(2)).await.unwrap().unwrap();
    assert_eq!((changed.failures, changed.secret), (2, secret), "neither undoes the other's");
    assert_eq!(&*changed.previous.unwrap().secret, "first");
    let facts = b.instances().unwrap().facts_after(before).await.unwrap().facts;
    let of_hook = Fact::Hook { hook: hook(1).id };
    let facts: Vec<_> = facts.into_iter().map(|(_, fact)| fact).collect();
    assert_eq!(facts, [of_hook.clone(), of_hook], "none for a second failure");
    assert!(other.change_hook(&hook(3).id, health(1)).await.unwrap().is_none());
    let due = Delivery::due(1, TEST, Some(channel("c")), None, 5);
    store.enqueue(DueDelivery { deliveries: vec![(hook(1).id, due)], hidden: vec![7; 9] }).await.unwrap();
    assert_eq!(other.queues().await.unwrap(), [(hook(1).id, 1, 9)]);
    let stored = other.hook(&hook(1).id).await.unwrap().unwrap();
    assert_eq!((stored.due, stored.bytes), (1, 9));
}

/// `a` is dead, and has a due delivery.
async fn the_dead_change_no_deliveries(a: &dyn Log, b: &dyn Log) {
    let row = b.webhooks().due(&hook(1).id, 0, 10).await.unwrap().remove(0);
    assert!(b.instances().unwrap().end_if_dead(a.instances().unwrap().this()).await.unwrap());
    assert!(a.webhooks().keep(&hook(1).id, &row).await.is_err());
    assert!(a.webhooks().drop_hook(&hook(1).id).await.is_err());
    b.webhooks().keep(&hook(1).id, &row).await.unwrap();
    assert_eq!(b.webhooks().due(&hook(1).id, 0, 10).await.unwrap().len(), 1);
    b.webhooks().drop_hook(&hook(1).id).await.unwrap();
    assert!(b.webhooks().hook(&hook(1).id).await.unwrap().is_none());
}
