//! The instances of a [`SharedMemoryLog`](crate::SharedMemoryLog): their lives, lanes and facts.

use std::sync::atomic::Ordering::Relaxed;

use futures_util::future::BoxFuture;
use rogerrat_domain::ChannelId;

use super::shared_log::{MemoryInstance, Ownership, UnitResult, done, now};
use crate::ports::error::LogError;
use crate::ports::facts::{FACTS_PAGE, Fact, Facts};
use crate::ports::instances::{Instance, InstanceId, Instances};
use crate::ports::lanes::{Lane, Lanes};
use crate::ports::log::Log;

impl Ownership {
    fn instance(&self, id: InstanceId) -> Option<Instance> {
        Some(Instance { id, url: self.instances.get(&id)?.url.clone() })
    }

    /// The instance that holds a lane and has not ended.
    fn living_holder(&self, lane: Lane) -> Option<InstanceId> {
        self.lanes.get(&lane).copied().filter(|holder| !self.has_ended(*holder))
    }

    fn held_by(&self, instance: InstanceId) -> Lanes {
        Lanes::ALL.iter().filter(|lane| self.living_holder(*lane) == Some(instance)).collect()
    }
}

impl MemoryInstance {
    /// Declares an instance ended if it is dead.
    fn declare_if_dead(&self, ownership: &mut Ownership, instance: InstanceId, now_ms: u64) {
        if ownership.instances.get_mut(&instance).is_some_and(|row| row.end_if_dead(now_ms)) {
            self.declared_ended.fetch_add(1, Relaxed);
            self.shared.write_fact(ownership, Fact::InstanceEnded { instance: instance.0 });
        }
    }
}

impl Instances for MemoryInstance {
    fn this(&self) -> InstanceId {
        self.id
    }

    fn beat(&self) -> BoxFuture<'static, UnitResult> {
        let beat_ms = self.shared.clock.uptime_ms();
        match self.shared.ownership().instances.get_mut(&self.id).filter(|row| !row.has_ended) {
            Some(row) => row.beat_ms = beat_ms,
            None => return done(Err(LogError::Ended)),
        }
        done(Ok(()))
    }

    fn owner(&self, channel: &ChannelId) -> BoxFuture<'static, Result<Option<Instance>, LogError>> {
        let ownership = self.shared.ownership();
        done(Ok(ownership.living_owner(channel).and_then(|id| ownership.instance(id))))
    }

    fn end_if_dead(&self, instance: InstanceId) -> BoxFuture<'static, Result<bool, LogError>> {
        let now_ms = self.shared.clock.uptime_ms();
        let mut ownership = self.shared.ownership();
        if ownership.has_ended(self.id) {
            return done(Err(LogError::Ended));
        }
        self.declare_if_dead(&mut ownership, instance, now_ms);
        done(Ok(ownership.has_ended(instance)))
    }

    fn declared_ended(&self) -> u64 {
        self.declared_ended.load(Relaxed)
    }

    fn end(&self) -> BoxFuture<'static, UnitResult> {
        if let Some(row) = self.shared.ownership().instances.get_mut(&self.id) {
            row.has_ended = true;
        }
        done(Ok(()))
    }

    fn living(&self) -> BoxFuture<'static, Result<Vec<Instance>, LogError>> {
        let now_ms = self.shared.clock.uptime_ms();
        let ownership = self.shared.ownership();
        let living = ownership.instances.iter().filter(|(_, row)| !row.has_ended && !row.is_dead(now_ms));
        done(Ok(living.map(|(id, row)| Instance { id: *id, url: row.url.clone() }).collect()))
    }

    fn take_lanes(&self, most: usize) -> BoxFuture<'static, Result<Lanes, LogError>> {
        let now_ms = self.shared.clock.uptime_ms();
        let mut ownership = self.shared.ownership();
        if ownership.has_ended(self.id) {
            return done(Err(LogError::Ended));
        }
        for lane in Lanes::ALL.iter() {
            if ownership.held_by(self.id).len() >= most {
                break;
            }
            if let Some(holder) = ownership.living_holder(lane).filter(|holder| *holder != self.id) {
                self.declare_if_dead(&mut ownership, holder, now_ms);
            }
            if ownership.living_holder(lane).is_none() {
                ownership.lanes.insert(lane, self.id);
            }
        }
        done(Ok(ownership.held_by(self.id)))
    }

    fn give_up_lanes(&self, lanes: Lanes) -> BoxFuture<'static, UnitResult> {
        self.shared.ownership().lanes.retain(|lane, holder| *holder != self.id || !lanes.contains(*lane));
        done(Ok(()))
    }

    fn lane_holder(&self, lane: Lane) -> BoxFuture<'static, Result<Option<Instance>, LogError>> {
        let ownership = self.shared.ownership();
        done(Ok(ownership.living_holder(lane).and_then(|holder| ownership.instance(holder))))
    }

    fn last_fact(&self) -> BoxFuture<'static, Result<u64, LogError>> {
        let last = *self.shared.last_fact.borrow();
        self.fact_read.fetch_max(last, Relaxed);
        done(Ok(last))
    }

    fn facts_after(&self, after: u64) -> BoxFuture<'static, Result<Facts, LogError>> {
        let ownership = self.shared.ownership();
        // The first fact has number 1.
        let first = ownership.first_fact + 1;
        let skipped = usize::try_from((after + 1).saturating_sub(first)).unwrap_or(usize::MAX);
        let numbered = (first..).zip(&ownership.facts).skip(skipped).take(FACTS_PAGE);
        let facts: Vec<_> = numbered.map(|(no, fact)| (no, fact.clone())).collect();
        self.fact_read.fetch_max(facts.last().map_or(after, |(no, _)| *no), Relaxed);
        done(Ok(Facts { facts, is_incomplete: after + 1 < first }))
    }

    fn facts_written(&self) -> BoxFuture<'static, ()> {
        let (mut last, read) = (self.shared.last_fact.subscribe(), self.fact_read.load(Relaxed));
        Box::pin(async move {
            // The sender may be gone with the log.
            let _ = last.wait_for(|last| *last > read).await;
        })
    }

    fn write_fact(&self, fact: Fact) -> BoxFuture<'static, UnitResult> {
        self.shared.write_fact(&mut self.shared.ownership(), fact);
        done(Ok(()))
    }

    fn put_meta_once(&self, name: &'static str, text: String) -> BoxFuture<'static, Result<String, LogError>> {
        let _one_at_a_time = self.shared.ownership();
        let stored = now(self.shared.log.get_meta(name)).and_then(Result::ok).flatten();
        if let Some(stored) = stored {
            return done(Ok(stored));
        }
        let put = now(self.shared.log.put_meta(name, text.clone())).unwrap_or(Err(LogError::Busy));
        done(put.map(|()| text))
    }

    fn swap_row(
        &self,
        kind: &'static str,
        name: String,
        before: Option<String>,
        after: Option<String>,
    ) -> BoxFuture<'static, Result<bool, LogError>> {
        let mut ownership = self.shared.ownership();
        let stored = now(self.shared.log.row(kind, &name)).and_then(Result::ok).flatten();
        if stored != before {
            return done(Ok(false));
        }
        let put = now(self.shared.log.put_row(kind, name, after)).unwrap_or(Err(LogError::Busy));
        if let Some(fact) = Fact::of_row(kind) {
            self.shared.write_fact(&mut ownership, fact);
        }
        done(put.map(|()| true))
    }
}
