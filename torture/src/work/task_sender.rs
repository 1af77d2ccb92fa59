//! The member that sends the tasks: keeps work open, and looks at every task that is closed.

use std::time::Duration;

use serde_json::{Value, json};

use super::agent::{Agent, Reply, Shared, WorkPhase};
use super::oracle::{ClosedTask, Finish};
use crate::context::pause;
use crate::rng::Rng;

/// Between two looks at the tasks.
const LOOK_EVERY: Duration = Duration::from_millis(30);
/// The chances that work is quiet, and that it is for one worker, in percent.
const QUIET: u64 = 30;
const FOR_ONE: u64 = 20;

pub(super) struct TaskSender<'s> {
    shared: &'s Shared,
    agent: Agent<'s>,
    rng: Rng,
    open_at_once: usize,
    posted: u64,
}

impl<'s> TaskSender<'s> {
    pub(super) fn new(shared: &'s Shared, agent: Agent<'s>, rng: Rng, open_at_once: usize) -> Self {
        Self { shared, agent, rng, open_at_once, posted: 0 }
    }

    /// Posts work while the run is busy, and ends it when all tasks are closed.
    pub(super) async fn run(mut self) {
        loop {
            let open = self.shared.oracle().open();
            match self.shared.phase() {
                WorkPhase::Busy if open.len() < self.open_at_once => {
                    self.post().await;
                    continue;
                }
                WorkPhase::Settling if open.is_empty() => {
                    self.shared.phase.send_replace(WorkPhase::Over);
                    return;
                }
                WorkPhase::Over => return,
                _ => {}
            }
            for id in open {
                self.look_at(id).await;
            }
            pause(LOOK_EVERY).await;
        }
    }

    async fn post(&mut self) {
        self.posted += 1;
        let mut body = json!({"wants": "work", "message": "work", "client_msg_id": format!("post-{}", self.posted)});
        if self.rng.percent(FOR_ONE) {
            body["to"] = format!("w{}", self.rng.pick(self.shared.kills.len())).into();
        } else if self.rng.percent(QUIET) {
            body["quiet"] = true.into();
        }
        match self.agent.insist("POST", "/send", &body).await {
            Reply::Done(sent) => self.shared.oracle().posted(sent["id"].as_u64().unwrap_or_default()),
            // Nobody reads the messages of the workers, so a mailbox may be full.
            Reply::Refused { code, .. } if code == "mailbox_full" => pause(LOOK_EVERY).await,
            Reply::Unknown => {}
            other => self.shared.oracle().violation("an unexpected refusal", &format!("{other:?}")),
        }
    }

    async fn look_at(&mut self, id: u64) {
        match self.agent.insist("GET", &format!("/tasks/{id}"), &Value::Null).await {
            Reply::Done(row) if ["open", "held", "input"].iter().any(|open| row["state"] == *open) => {}
            Reply::Done(row) => {
                let answers = row["answers"].as_array().into_iter().flatten();
                let results = answers.map(|answer| Finish::of_text(answer["text"].as_str()?)).collect();
                let text = |name: &str| row[name].as_str().map(str::to_owned);
                let closed = ClosedTask {
                    state: text("state").unwrap_or_default(),
                    why: text("why"),
                    fence: row["fence"].as_u64().and_then(|fence| u32::try_from(fence).ok()).unwrap_or(0),
                    updated_at: row["updated_at"].as_u64().unwrap_or_default(),
                    results,
                };
                self.shared.oracle().closed(id, &closed);
            }
            Reply::Refused { .. } => self.shared.oracle().lost(id),
            Reply::Unknown => {}
        }
    }
}
