//! Tests of the outbox: exact times, and random events against a log in a vector.

use std::collections::HashMap;

use proptest::prelude::*;

use super::*;
use crate::webhook::{Delivery, DeliveryState, Failure, MESSAGE_RECEIVED};

const HEALTHY: HookHealth = HookHealth { failures: 0, off_ms: None };

fn hook(n: u128) -> HookId {
    HookId::from_random(n)
}

fn row(no: u64) -> DeliveryRow {
    DeliveryRow { no, bytes: 1, delivery: Delivery::due(no.into(), MESSAGE_RECEIVED, None, Some(no), 1000) }
}

fn at(ms: u64) -> Now {
    Now { at_ms: 1_000_000 + ms, uptime_ms: ms }
}

/// An outbox with one webhook that has `rows` due rows.
fn outbox(retry: Retry, health: HookHealth, rows: u64) -> (Outbox, Vec<OutboxEffect>) {
    let (mut outbox, mut effects) = (Outbox::default(), Vec::new());
    outbox.run(OutboxEvent::HookAdded(hook(1), retry.into(), health), at(0), &mut effects);
    assert!(effects.is_empty());
    outbox.run(OutboxEvent::DeliveriesAdded(hook(1)), at(0), &mut effects);
    assert_eq!(effects, [OutboxEffect::Fetch(hook(1), 0)]);
    effects.clear();
    outbox.run(OutboxEvent::Fetched(hook(1), (1..=rows).map(row).collect(), true), at(0), &mut effects);
    (outbox, effects)
}

fn end(outbox: &mut Outbox, posted: AttemptOutcome, ms: u64) -> Vec<OutboxEffect> {
    let mut effects = Vec::new();
    outbox.run(OutboxEvent::AttemptEnded(hook(1), posted, 7), at(ms), &mut effects);
    effects
}

fn tick(outbox: &mut Outbox, ms: u64) -> Vec<OutboxEffect> {
    let mut effects = Vec::new();
    outbox.tick(at(ms), &mut effects);
    effects
}

fn posted_no(effects: &[OutboxEffect]) -> Option<u64> {
    effects.iter().find_map(|order| if let OutboxEffect::Send(_, row, _) = order { Some(row.no) } else { None })
}

fn kept(effects: &[OutboxEffect]) -> &Delivery {
    let kept = effects
        .iter()
        .find_map(|order| if let OutboxEffect::SaveDelivery(_, row) = order { Some(&row.delivery) } else { None });
    kept.expect("a row is kept")
}

#[test]
fn deliveries_are_sent_in_order_one_at_a_time() {
    let (mut outbox, effects) = outbox(Retry::Immediate, HEALTHY, 2);
    assert!(
        matches!(&effects[..], [OutboxEffect::Send(_, row, true)] if row.no == 1 && row.delivery.began_ms.is_some())
    );
    let effects = end(&mut outbox, AttemptOutcome::Answered(204), 5);
    assert_eq!((kept(&effects).state, kept(&effects).attempts), (DeliveryState::Delivered, 1));
    assert_eq!(posted_no(&effects), Some(2));
    assert_eq!(posted_no(&end(&mut outbox, AttemptOutcome::Answered(200), 6)), None);
}

#[test]
fn a_server_error_is_retried_after_1_and_3_seconds() {
    for passing in [
        AttemptOutcome::Answered(500),
        AttemptOutcome::Answered(429),
        AttemptOutcome::TimedOut,
        AttemptOutcome::Unreachable,
    ] {
        let (mut outbox, _) = outbox(Retry::Immediate, HEALTHY, 2);
        let effects = end(&mut outbox, passing, 100);
        assert_eq!((kept(&effects).state, posted_no(&effects)), (DeliveryState::Due, None));
        assert_eq!(outbox.next_deadline_ms(), Some(1100));
        assert_eq!(posted_no(&tick(&mut outbox, 1099)), None);
        let effects = tick(&mut outbox, 1100);
        assert!(matches!(&effects[..], [OutboxEffect::Send(_, row, false)] if row.no == 1), "order is kept");
        end(&mut outbox, passing, 2000);
        assert_eq!(outbox.next_deadline_ms(), Some(5000));
        tick(&mut outbox, 5000);
        let effects = end(&mut outbox, passing, 5001);
        assert_eq!((kept(&effects).state, kept(&effects).attempts), (DeliveryState::Failed, 3));
        assert_eq!(posted_no(&effects), Some(2));
    }
}

#[test]
fn other_responses_are_final() {
    for (status, why) in
        [(400, Failure::Status), (404, Failure::Status), (301, Failure::Redirect), (199, Failure::Status)]
    {
        let (mut outbox, _) = outbox(Retry::Persistent, HEALTHY, 1);
        let effects = end(&mut outbox, AttemptOutcome::Answered(status), 1);
        assert_eq!((kept(&effects).state, kept(&effects).failure), (DeliveryState::Failed, Some(why)), "{status}");
        assert_eq!(kept(&effects).status, Some(status));
    }
    let (mut outbox, _) = outbox(Retry::Persistent, HEALTHY, 1);
    assert_eq!(kept(&end(&mut outbox, AttemptOutcome::Forbidden, 1)).failure, Some(Failure::Address));
}

#[test]
fn persistent_retries_back_off_and_give_up_within_a_day() {
    let (mut outbox, _) = outbox(Retry::Persistent, HEALTHY, 1);
    let (mut now_ms, mut attempts, mut pauses) = (0, 1, Vec::new());
    loop {
        let effects = end(&mut outbox, AttemptOutcome::TimedOut, now_ms);
        if kept(&effects).state == DeliveryState::Failed {
            break;
        }
        let next_ms = outbox.next_deadline_ms().unwrap();
        pauses.push(next_ms - now_ms);
        now_ms = next_ms;
        assert_eq!(posted_no(&tick(&mut outbox, now_ms)), Some(1));
        attempts += 1;
    }
    assert_eq!(pauses[..5], [1000, 3000, 10_000, 30_000, 120_000]);
    assert!(pauses.is_sorted() && attempts > 20, "{attempts}");
    assert!(now_ms <= limits::HOOK_PERSIST_MS && now_ms > limits::HOOK_PERSIST_MS - 2 * 3_600_000);
}

#[test]
fn a_receiver_that_is_gone_switches_the_hook_off_at_once() {
    let (mut outbox, _) = outbox(Retry::Persistent, HEALTHY, 3);
    let effects = end(&mut outbox, AttemptOutcome::Answered(410), 1);
    assert_eq!((kept(&effects).state, kept(&effects).failure), (DeliveryState::Failed, Some(Failure::Status)));
    assert_eq!(outbox.health(&hook(1)), Some(HookHealth { failures: 1, off_ms: Some(at(1).at_ms) }));
    let given_up = effects.iter().filter(
        |o| matches!(o, OutboxEffect::SaveDelivery(_, row) if row.delivery.failure == Some(Failure::SwitchedOff)),
    );
    assert_eq!((given_up.count(), posted_no(&effects)), (2, None));
}

#[test]
fn a_retry_waits_as_long_as_the_receiver_asks_up_to_an_hour() {
    for (asked_s, pause_ms) in [(0, 1000), (1, 1000), (90, 90_000), (u64::MAX, 3_600_000)] {
        for (retry, status) in [(Retry::Immediate, 429), (Retry::Persistent, 503)] {
            let (mut outbox, _) = outbox(retry, HEALTHY, 1);
            let effects = end(&mut outbox, AttemptOutcome::Postponed(status, asked_s), 0);
            assert_eq!((kept(&effects).state, kept(&effects).status), (DeliveryState::Due, Some(status)));
            assert_eq!(outbox.next_deadline_ms(), Some(pause_ms), "{asked_s}");
        }
    }
    let (mut outbox, _) = outbox(Retry::Persistent, HEALTHY, 1);
    let effects = end(&mut outbox, AttemptOutcome::Postponed(404, 5), 0);
    assert_eq!(kept(&effects).state, DeliveryState::Failed, "a final status stays final");
}

#[test]
fn fifty_consecutive_failures_switch_a_hook_off_and_fail_its_queue() {
    let (mut outbox, _) = outbox(Retry::Immediate, HEALTHY, 60);
    let mut health = Vec::new();
    for n in 1..=50 {
        let effects = end(&mut outbox, AttemptOutcome::Answered(404), n);
        health.extend(
            effects.iter().filter_map(|o| if let OutboxEffect::SaveHealth(_, s) = o { Some(*s) } else { None }),
        );
        if n == 50 {
            let off = effects.iter().filter(
                |o| matches!(o, OutboxEffect::SaveDelivery(_, row) if row.delivery.failure == Some(Failure::SwitchedOff)),
            );
            assert_eq!(off.count(), 10);
            assert_eq!(posted_no(&effects), None);
        }
    }
    assert_eq!((health.len(), health[49].failures, health[48].off_ms), (50, 50, None));
    assert!(health[49].off_ms.is_some() && outbox.health(&hook(1)) == Some(health[49]));
}

#[test]
fn a_success_resets_the_failure_count() {
    let (mut outbox, _) = outbox(Retry::Immediate, HookHealth { failures: 49, off_ms: None }, 2);
    end(&mut outbox, AttemptOutcome::Answered(200), 1);
    end(&mut outbox, AttemptOutcome::Answered(404), 2);
    assert_eq!(outbox.health(&hook(1)), Some(HookHealth { failures: 1, off_ms: None }));
}

#[test]
fn a_forced_delivery_goes_to_a_hook_that_is_off_and_can_switch_it_on() {
    let off = HookHealth { failures: 50, off_ms: Some(5) };
    let (mut outbox, mut effects) = (Outbox::default(), Vec::new());
    outbox.run(OutboxEvent::HookAdded(hook(1), Retry::Immediate.into(), off), at(0), &mut effects);
    let mut asked_for = row(2);
    asked_for.delivery.is_forced = true;
    effects.clear();
    outbox.run(OutboxEvent::Fetched(hook(1), vec![row(1), asked_for, row(3)], true), at(0), &mut effects);
    assert_eq!(kept(&effects).failure, Some(Failure::SwitchedOff));
    assert_eq!(posted_no(&effects), Some(2));
    assert_eq!(posted_no(&end(&mut outbox, AttemptOutcome::Answered(200), 1)), Some(3), "it is on again");
}

#[test]
fn an_attempt_that_could_not_start_does_not_count() {
    let (mut outbox, _) = outbox(Retry::Immediate, HEALTHY, 1);
    assert!(end(&mut outbox, AttemptOutcome::NotBegun, 10).is_empty());
    let effects = tick(&mut outbox, 1010);
    assert!(matches!(&effects[..], [OutboxEffect::Send(_, row, true)] if row.delivery.attempts == 0), "{effects:?}");
}

#[test]
fn failing_hooks_cannot_use_all_attempts() {
    let mut outbox = Outbox::new(Concurrency { all: 4, failing: 2 });
    let mut effects = Vec::new();
    for n in 1..=10 {
        let health = HookHealth { failures: 1, off_ms: None };
        outbox.run(OutboxEvent::HookAdded(hook(n), Retry::Immediate.into(), health), at(0), &mut effects);
        outbox.run(OutboxEvent::Fetched(hook(n), vec![row(1)], true), at(0), &mut effects);
    }
    assert_eq!((outbox.running_attempts(), outbox.next_deadline_ms()), (2, None));
    for n in 11..=20 {
        outbox.run(OutboxEvent::HookAdded(hook(n), Retry::Immediate.into(), HEALTHY), at(0), &mut effects);
        outbox.run(OutboxEvent::Fetched(hook(n), vec![row(1)], true), at(0), &mut effects);
    }
    assert_eq!(outbox.running_attempts(), 4);
    effects.clear();
    outbox.run(OutboxEvent::AttemptEnded(hook(11), AttemptOutcome::Answered(200), 1), at(1), &mut effects);
    assert!(
        matches!(effects.last(), Some(OutboxEffect::Send(id, ..)) if *id == hook(13)),
        "a healthy one is next: {effects:?}"
    );
}

#[test]
fn a_removed_hook_gets_no_more_deliveries() {
    let (mut outbox, _) = outbox(Retry::Immediate, HEALTHY, 3);
    let mut effects = Vec::new();
    outbox.run(OutboxEvent::HookRemoved(hook(1)), at(1), &mut effects);
    assert_eq!((outbox.health(&hook(1)), outbox.running_attempts()), (None, 1));
    assert!(end(&mut outbox, AttemptOutcome::Answered(200), 2).is_empty());
    assert_eq!(outbox.running_attempts(), 0);
    outbox.run(OutboxEvent::DeliveriesAdded(hook(1)), at(3), &mut effects);
    assert!(effects.is_empty());
}

/// A log in a vector, and the effects to run.
#[derive(Default)]
struct World {
    outbox: Outbox,
    rows: HashMap<HookId, Vec<DeliveryRow>>,
    fetching: Vec<(HookId, u64)>,
    posting: Vec<(HookId, DeliveryRow)>,
    posted: HashMap<HookId, Vec<u64>>,
    now_ms: u64,
}

impl World {
    fn run(&mut self, event: OutboxEvent) {
        let mut effects = Vec::new();
        self.outbox.run(event, at(self.now_ms), &mut effects);
        self.obey(effects);
    }

    fn obey(&mut self, effects: Vec<OutboxEffect>) {
        for order in effects {
            match order {
                OutboxEffect::Fetch(hook, after) => {
                    assert!(!self.fetching.iter().any(|(other, _)| *other == hook), "one fetch at a time");
                    self.fetching.push((hook, after));
                }
                OutboxEffect::Send(hook, row, _) => {
                    assert!(!self.posting.iter().any(|(other, _)| *other == hook), "one attempt at a time");
                    let before = self.posted.entry(hook.clone()).or_default();
                    assert!(before.last().is_none_or(|last| *last <= row.no), "in order");
                    before.push(row.no);
                    self.posting.push((hook, row));
                }
                OutboxEffect::SaveDelivery(hook, row) => {
                    let rows = self.rows.get_mut(&hook).unwrap();
                    let kept = rows.iter_mut().find(|kept| kept.no == row.no).unwrap();
                    assert_eq!(kept.delivery.state, DeliveryState::Due, "a finished delivery stays finished");
                    *kept = row;
                }
                OutboxEffect::SaveHealth(..) => {}
            }
        }
        let failing = self.posting.len();
        assert!(failing <= 3, "the limit of failing hooks holds");
        assert_eq!(self.outbox.running_attempts(), self.posting.len());
    }

    fn entry(&mut self, (what, which, how): (u8, usize, u8)) {
        self.now_ms += 400;
        match what {
            0 | 1 => {
                let hook = hook((which % 4) as u128);
                let rows = self.rows.entry(hook.clone()).or_default();
                rows.push(row(rows.len() as u64 + 1));
                self.run(OutboxEvent::DeliveriesAdded(hook));
            }
            2 if !self.fetching.is_empty() => {
                let (hook, after) = self.fetching.remove(which % self.fetching.len());
                if how == 0 {
                    return self.run(OutboxEvent::FetchFailed(hook));
                }
                let due = self.rows.get(&hook).into_iter().flatten();
                let due: Vec<_> =
                    due.filter(|r| r.no > after && r.delivery.state == DeliveryState::Due).cloned().collect();
                let is_all = due.len() <= 2;
                self.run(OutboxEvent::Fetched(hook, due.into_iter().take(2).collect(), is_all));
            }
            3 if !self.posting.is_empty() => {
                let (hook, _) = self.posting.remove(which % self.posting.len());
                let posted = [
                    AttemptOutcome::Answered(200),
                    AttemptOutcome::Answered(500),
                    AttemptOutcome::Answered(404),
                    AttemptOutcome::NotBegun,
                ];
                self.run(OutboxEvent::AttemptEnded(hook, posted[how as usize % 4], 1));
            }
            _ => {
                let mut effects = Vec::new();
                self.outbox.tick(at(self.now_ms), &mut effects);
                self.obey(effects);
            }
        }
    }
}

proptest! {
    #[test]
    fn whatever_happens_everything_due_is_done_in_order_and_within_bounds(
        steps in prop::collection::vec((0_u8..5, 0_usize..8, 0_u8..8), 1..300)
    ) {
        let mut world = World { outbox: Outbox::new(Concurrency { all: 3, failing: 2 }), ..World::default() };
        for n in 0..4 {
            world.rows.insert(hook(n), Vec::new());
            world.run(OutboxEvent::HookAdded(hook(n), Retry::Immediate.into(), HEALTHY));
        }
        steps.into_iter().for_each(|entry| world.entry(entry));
        // From now on every attempt succeeds: no row may be left over.
        for _ in 0..2000 {
            world.entry((2, 0, 1));
            world.entry((3, 0, 0));
            world.entry((4, 0, 0));
        }
        let left = world.rows.values().flatten().filter(|row| row.delivery.state == DeliveryState::Due).count();
        prop_assert_eq!((left, world.outbox.running_attempts(), world.outbox.next_deadline_ms()), (0, 0, None));
    }
}

#[test]
fn d37_a_jump_of_the_clock_does_not_end_retries() {
    let (mut outbox, _) = outbox(Retry::Persistent, HEALTHY, 1);
    for year in 1..20 {
        let effects = end(&mut outbox, AttemptOutcome::TimedOut, year * 365 * 24 * 3_600_000);
        assert_eq!(kept(&effects).state, DeliveryState::Due, "in year {year}");
        let next_ms = outbox.next_deadline_ms().unwrap();
        assert_eq!(posted_no(&tick(&mut outbox, next_ms)), Some(1));
    }
}
