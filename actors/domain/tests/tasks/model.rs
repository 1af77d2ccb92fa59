//! The model: the table of states, in plain lists, written apart from the machine.

use std::collections::BTreeMap;

use rogerrat_domain::Code;

pub(crate) const MAX_ATTEMPTS: u32 = 5;

/// A task as the model expects it.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Task {
    pub(crate) from: u32,
    pub(crate) to: Option<u32>,
    pub(crate) public: bool,
    pub(crate) is_work: bool,
    pub(crate) wanted: usize,
    pub(crate) state: &'static str,
    pub(crate) holder: Option<u32>,
    pub(crate) fence: u32,
    pub(crate) lease_ms: u64,
    pub(crate) lease_until: u64,
    pub(crate) deadline: u64,
    pub(crate) lost: u32,
    pub(crate) answers: Vec<(u32, &'static str)>,
}

#[derive(Clone, Debug, Default)]
pub(crate) struct Model {
    pub(crate) tasks: BTreeMap<u64, Task>,
}

impl Task {
    pub(crate) fn is_closed(&self) -> bool {
        !["open", "held", "input"].contains(&self.state)
    }

    pub(crate) fn is_for(&self, who: u32) -> bool {
        self.from != who && self.to.is_none_or(|to| to == who)
    }

    pub(crate) fn sees(&self, who: u32) -> bool {
        self.public || self.from == who || self.to == Some(who) || self.holder == Some(who)
    }

    fn result(&mut self, who: u32, state: &'static str) {
        self.answers.push((who, state));
        if self.is_work || self.answers.len() == self.wanted {
            let is_any_done = self.answers.iter().any(|(_, state)| *state == "done");
            self.state = if is_any_done { "done" } else { state };
        }
    }

    fn lose(&mut self, counts: bool) {
        self.holder = None;
        self.state = "open";
        self.lost += u32::from(counts);
        if self.lost == MAX_ATTEMPTS {
            self.state = "failed";
        }
    }
}

impl Model {
    /// A reply. The answer is the expected refusal.
    pub(crate) fn reply(
        &mut self,
        id: u64,
        who: u32,
        state: Option<&'static str>,
        fence: Option<u32>,
        to: Option<u32>,
        now_ms: u64,
    ) -> Result<(), Code> {
        let Some(task) = self.tasks.get_mut(&id).filter(|task| task.sees(who)) else {
            return if state.is_some() { Err(Code::NotFound) } else { Ok(()) };
        };
        let Some(state) = state else {
            let has_answered = task.answers.iter().any(|(by, _)| *by == who);
            if task.is_closed() {
            } else if who == task.from && task.state == "input" {
                task.state = if task.holder.is_some() { "held" } else { "open" };
                task.lease_until = now_ms + task.lease_ms;
            } else if !task.is_work && task.is_for(who) && !has_answered {
                task.result(who, "done");
            }
            return Ok(());
        };
        if task.is_closed() {
            return Err(Code::TaskClosed);
        }
        if state == "cancelled" {
            if who != task.from {
                return Err(Code::Forbidden);
            }
            task.state = "cancelled";
            return Ok(());
        }
        if who == task.from {
            return Err(Code::Forbidden);
        }
        if task.is_work {
            let is_holder = task.holder == Some(who);
            if is_holder && fence.is_none() {
                return Err(Code::Invalid);
            }
            // The current fence of another member is no older one of this member.
            if !is_holder && task.holder.is_some() && fence.is_none_or(|fence| fence == task.fence) {
                return Err(Code::TaskTaken);
            }
            if fence.is_some() && !(is_holder && fence == Some(task.fence)) {
                return Err(Code::FenceStale);
            }
            let finishes_untaken = task.to == Some(who) && task.fence == 0 && state != "working" && state != "open";
            if !is_holder && !finishes_untaken {
                return Err(Code::Forbidden);
            }
            if task.state == "input" && (state == "input" || state == "working") {
                return Err(Code::Invalid);
            }
        } else {
            if !task.is_for(who) || task.answers.iter().any(|(by, _)| *by == who) {
                return Err(Code::Forbidden);
            }
            if state == "working" || state == "open" || state == "input" && task.state == "input" {
                return Err(Code::Invalid);
            }
        }
        match state {
            "working" => task.lease_until = now_ms + task.lease_ms,
            "input" => task.state = "input",
            "open" => {
                task.lose(false);
                if let Some(to) = to.filter(|to| *to != task.from) {
                    task.to = Some(to);
                }
            }
            state => task.result(who, state),
        }
        Ok(())
    }

    /// A taking of one task.
    pub(crate) fn take(
        &mut self,
        id: u64,
        who: u32,
        fence: Option<u32>,
        lease_ms: u64,
        now_ms: u64,
    ) -> Result<u32, Code> {
        let task = self.tasks.get_mut(&id).filter(|task| task.sees(who)).ok_or(Code::NotFound)?;
        if !task.is_work {
            return Err(Code::Invalid);
        }
        if task.is_closed() {
            return Err(Code::TaskClosed);
        }
        let is_holder = task.holder == Some(who);
        match fence {
            Some(fence) if is_holder && fence == task.fence => {}
            Some(fence) if task.holder.is_some() && fence == task.fence => return Err(Code::TaskTaken),
            Some(_) => return Err(Code::FenceStale),
            None if !is_holder && task.holder.is_some() => return Err(Code::TaskTaken),
            None if !is_holder && !task.is_for(who) => return Err(Code::Forbidden),
            None => task.fence += 1,
        }
        task.holder = Some(who);
        (task.lease_ms, task.lease_until) = (lease_ms, now_ms + lease_ms);
        if task.state == "open" {
            task.state = "held";
        }
        Ok(task.fence)
    }

    /// The task that a member takes next.
    pub(crate) fn next(&self, who: u32) -> Option<u64> {
        let free = || self.tasks.iter().filter(|(_, task)| task.is_work && task.state == "open" && task.is_for(who));
        free().find(|(_, task)| task.to.is_some()).or_else(|| free().next()).map(|(id, _)| *id)
    }

    pub(crate) fn given_back(&mut self, id: u64) {
        self.tasks.get_mut(&id).expect("the task exists").lose(false);
    }

    /// A member is gone for good, or only left.
    pub(crate) fn left(&mut self, who: u32) {
        let held = self.tasks.values_mut().filter(|task| !task.is_closed() && task.holder == Some(who));
        held.for_each(|task| task.lose(true));
    }

    /// Time passes to this moment.
    pub(crate) fn pass(&mut self, now_ms: u64) {
        for task in self.tasks.values_mut().filter(|task| !task.is_closed()) {
            if task.deadline <= now_ms {
                task.state = "expired";
            } else if task.state == "held" && task.lease_until <= now_ms {
                task.lose(true);
            }
        }
    }
}
