//! What every log that instances share must do, beside [what every log must](super::log_contract).

use rogerrat_actors::{AppendResult, Log, LogError, PreviousOwner};

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
