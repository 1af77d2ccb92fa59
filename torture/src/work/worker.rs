//! A worker: takes work, renews its lease, finishes it or gives it back, crashes, and comes too late.

use std::time::Duration;

use rogerrat_domain::limits::TASKS_CLOSED;
use serde_json::{Value, json};

use super::agent::{Agent, Reply, Shared, WorkPhase};
use super::oracle::{Finish, WorkerNo};
use crate::context::{now_ms, pause};
use crate::rng::Rng;

/// The length of all leases: the shortest that there is.
const LEASE_S: u64 = 10;
/// A result that is sent this long after its taking must be refused.
const LATE_MS: u64 = (LEASE_S + 2) * 1000;
/// How long a request waits for work.
const WAIT_S: u64 = 1;
const MAX_WORK_MS: u64 = 30;

/// One result of this many is a failure.
const FAIL_ONE_OF: u64 = 20;
/// The chances, in percent.
const CUT: u64 = 8;
const FORGET: u64 = 4;
const RENEW: u64 = 15;
const GIVE_BACK: u64 = 8;
const BY_ID: u64 = 15;

/// Work that a worker has taken.
#[derive(Clone, Copy)]
struct Taken {
    id: u64,
    fence: u32,
    at_ms: u64,
}

pub(super) struct Worker<'s> {
    shared: &'s Shared,
    no: WorkerNo,
    agent: Agent<'s>,
    rng: Rng,
    /// Work that it forgot, and remembers too late.
    forgotten: Vec<Taken>,
    /// What it has now. A crash makes it forgotten.
    current: Option<Taken>,
}

impl<'s> Worker<'s> {
    pub(super) fn new(shared: &'s Shared, no: WorkerNo, agent: Agent<'s>, rng: Rng) -> Self {
        Self { shared, no, agent, rng, forgotten: Vec::new(), current: None }
    }

    /// Works until all tasks are closed.
    pub(super) async fn run(mut self) {
        let shared = self.shared;
        let mut phase = shared.phase.subscribe();
        loop {
            tokio::select! {
                _ = phase.wait_for(|phase| *phase == WorkPhase::Over) => return,
                () = shared.kills[self.no].notified() => self.crash().await,
                () = self.step() => {}
            }
        }
    }

    /// The process ends and another one begins, which knows the session only.
    async fn crash(&mut self) {
        self.agent.crash();
        self.shared.oracle().counts.worker_kills += 1;
        self.forgotten.extend(self.current.take());
    }

    async fn step(&mut self) {
        let late = self.forgotten.iter().position(|taken| now_ms() > taken.at_ms + LATE_MS);
        if let Some(at) = late {
            let taken = self.forgotten.swap_remove(at);
            self.come_late(taken).await;
        }
        if !self.rng.percent(BY_ID) || !self.take_again().await {
            self.take_next().await;
        }
        let Some(taken) = self.current else { return };
        pause(self.rng.ms(0, MAX_WORK_MS)).await;
        if self.rng.percent(RENEW) {
            self.renew(taken).await;
        }
        if self.shared.phase() == WorkPhase::Busy && self.rng.percent(FORGET) {
            self.forgotten.extend(self.current.take());
            return;
        }
        if self.rng.percent(GIVE_BACK) {
            self.give_back(taken).await;
        } else {
            self.finish(taken).await;
        }
        self.current = None;
    }

    /// Takes the next work.
    async fn take_next(&mut self) {
        let body = json!({"wait": WAIT_S, "lease_seconds": LEASE_S});
        if self.shared.phase() == WorkPhase::Busy && self.rng.percent(CUT) {
            let after = self.rng.ms(0, 5);
            return self.agent.cut("POST", "/tasks/take", &body, after).await;
        }
        // The task is not known yet, so neither are its fences at this time: those given so far are compared.
        if let Reply::Done(reply) = self.agent.request("POST", "/tasks/take", &body).await {
            self.was_given(&reply, 0);
        }
    }

    /// Takes again what it has, as a new process does that does not know its fence. Returns whether there was something.
    async fn take_again(&mut self) -> bool {
        let Reply::Done(board) = self.agent.request("GET", "/tasks?mine=1&state=held", &Value::Null).await else {
            return false;
        };
        let mine = format!("w{}", self.no);
        let held = board["tasks"].as_array().into_iter().flatten().find(|row| row["holder"] == mine.as_str());
        let Some(id) = held.and_then(|row| row["id"].as_u64()) else { return false };
        let known = self.shared.oracle().highest_fence(id);
        let path = format!("/tasks/{id}/take");
        let body = json!({"lease_seconds": LEASE_S});
        if let Reply::Done(reply) = self.agent.request("POST", &path, &body).await {
            self.was_given(&reply, known);
        }
        self.current.is_some()
    }

    fn was_given(&mut self, reply: &Value, known: u32) {
        let (Some(id), Some(fence)) = (reply["task"]["id"].as_u64(), reply["fence"].as_u64()) else { return };
        let fence = u32::try_from(fence).unwrap_or(u32::MAX);
        self.shared.oracle().taken(id, Finish { worker: self.no, fence }, known);
        self.current = Some(Taken { id, fence, at_ms: now_ms() });
    }

    async fn renew(&mut self, Taken { id, fence, .. }: Taken) {
        let body = json!({"fence": fence, "lease_seconds": LEASE_S});
        if let Reply::Done(_) = self.agent.request("POST", &format!("/tasks/{id}/take"), &body).await {
            self.shared.oracle().counts.renewals += 1;
            if let Some(current) = &mut self.current {
                current.at_ms = now_ms();
            }
        }
    }

    async fn give_back(&mut self, Taken { id, fence, .. }: Taken) {
        let key = format!("back-{id}-{fence}");
        let body = json!({"reply_to": id, "state": "open", "fence": fence, "client_msg_id": key});
        if let Reply::Done(_) = self.agent.insist("POST", "/send", &body).await {
            self.shared.oracle().counts.given_back += 1;
        }
    }

    /// Sends a result until it is known whether it counts. Returns whether it does.
    async fn finish(&mut self, Taken { id, fence, .. }: Taken) -> bool {
        let finish = Finish { worker: self.no, fence };
        // A repetition has the same key, so it must be the same.
        let state = if (id + u64::from(fence)).is_multiple_of(FAIL_ONE_OF) { "failed" } else { "done" };
        let key = format!("end-{id}-{fence}");
        let body =
            json!({"reply_to": id, "state": state, "fence": fence, "message": finish.text(), "client_msg_id": key});
        let known = self.shared.oracle().highest_fence(id);
        let is_dropped = self.shared.oracle().closed_after(id) >= TASKS_CLOSED;
        self.shared.oracle().sends(id, finish);
        if self.shared.phase() == WorkPhase::Busy && self.rng.percent(CUT) {
            let after = self.rng.ms(0, 5);
            self.agent.cut("POST", "/send", &body, after).await;
        }
        match self.agent.insist("POST", "/send", &body).await {
            Reply::Done(_) => {
                self.shared.oracle().accepted(id, finish, known);
                true
            }
            Reply::Refused { code, body } => {
                let mut oracle = self.shared.oracle();
                oracle.refused(id, finish);
                oracle.counts.not_kept += u64::from(code == "not_found");
                let is_expected = match code.as_str() {
                    "not_found" => oracle.may_be_dropped(id),
                    _ if is_dropped => false,
                    "fence_stale" => body["fence"].as_u64() >= Some(fence.into()),
                    "task_closed" => body["state"].is_string(),
                    _ => false,
                };
                if !is_expected {
                    oracle.violation("an unexpected refusal", &format!("#{id} {finish:?}: {body}"));
                }
                false
            }
            Reply::Unknown => false,
        }
    }

    /// Sends the result of work whose lease ended long ago.
    async fn come_late(&mut self, taken: Taken) {
        self.shared.oracle().counts.late += 1;
        // A crash while a result was on its way may have finished it; its repetition is that result.
        let was_sent = self.shared.oracle().is_pending(taken.id, Finish { worker: self.no, fence: taken.fence });
        if self.finish(taken).await && !was_sent {
            let Taken { id, fence, .. } = taken;
            self.shared.oracle().violation("a late result was accepted", &format!("#{id}: fence {fence}"));
        }
        pause(Duration::ZERO).await;
    }
}
