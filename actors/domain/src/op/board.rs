//! The board: the tasks of a channel that a member may see.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::channel::{Channel, Task, TaskRow};
use crate::ids::{MessageId, SessionId};
use crate::message::task::{TaskState, Wants};
use crate::op::Query;
use crate::refusal::Refusal;
use crate::{Now, limits};

/// Which tasks to list.
#[derive(Clone, Debug, Default, Deserialize)]
pub struct BoardFilter {
    /// In this state.
    pub state: Option<TaskState>,
    /// That want this.
    pub wants: Option<Wants>,
    /// Only those that the caller posted, has taken, or that are for it by name.
    #[serde(default)]
    pub mine: bool,
    /// Of this thread.
    pub thread: Option<String>,
    /// How many at most.
    pub limit: Option<usize>,
    /// Only those that changed last before this time, in milliseconds since the epoch.
    pub before: Option<u64>,
}

/// Lists tasks, the newest change first.
#[derive(Clone, Debug)]
pub struct Board {
    /// The member's session.
    pub session: SessionId,
    /// Which tasks.
    pub filter: BoardFilter,
}

/// Tasks of a channel.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct BoardReply {
    /// The tasks without their answers, the newest change first.
    pub tasks: Vec<TaskRow>,
    /// Present if there are more: `before` of the next page.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<u64>, nullable = false)]
    pub before: Option<MessageId>,
    /// How many open tasks are for you, by name or because you may take them.
    pub for_you: usize,
}

/// The tasks that are for a member, in the replies to its other requests.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct TasksForYou {
    /// How many open tasks you may take or should answer.
    #[schema(minimum = 1)]
    pub for_you: usize,
}

impl Query for Board {
    type Reply = BoardReply;

    fn session(&self) -> Option<&SessionId> {
        Some(&self.session)
    }

    fn answer(&self, channel: &Channel, now: Now) -> Result<BoardReply, Refusal> {
        let no = channel.sessions.member(&self.session, now.uptime_ms)?;
        let BoardFilter { state, wants, mine, thread, limit, before } = &self.filter;
        let thread_of = |task: &Task| task.question.message.as_ref().and_then(|message| message.thread.clone());
        let is_mine =
            |task: &Task| task.from.no == no || task.is_held_by(no) || task.to.as_ref().is_some_and(|to| to.no == no);
        let mut found: Vec<&Task> = channel
            .tasks
            .iter()
            .filter(|task| task.is_visible_to(no))
            .filter(|task| state.is_none_or(|state| task.state == state))
            .filter(|task| wants.is_none_or(|wants| task.wants == wants))
            .filter(|task| !mine || is_mine(task))
            .filter(|task| thread.is_none() || thread_of(task).as_deref() == thread.as_deref())
            .filter(|task| before.is_none_or(|before| task.updated_at_ms < before))
            .collect();
        found.sort_by_key(|task| std::cmp::Reverse((task.updated_at_ms, task.id())));
        let limit = limit.unwrap_or(limits::BOARD_DEFAULT).clamp(1, limits::BOARD_TASKS);
        let are_more = found.len() > limit;
        found.truncate(limit);
        let before = found.last().filter(|_| are_more).map(|task| task.updated_at_ms);
        let tasks = found.into_iter().map(|task| channel.task_row(task, None)).collect();
        Ok(BoardReply { tasks, before, for_you: channel.tasks_for(no) })
    }
}

impl Channel {
    /// How many open tasks a member may take or should answer.
    pub(crate) fn tasks_for(&self, no: u32) -> usize {
        self.tasks.open().filter(|task| task.is_wanted_of(no)).count()
    }

    /// The tasks that are for a member, if there are any.
    pub(crate) fn tasks_for_you(&self, no: u32) -> Option<TasksForYou> {
        if self.tasks.have_none() {
            return None;
        }
        Some(TasksForYou { for_you: self.tasks_for(no) }).filter(|tasks| tasks.for_you > 0)
    }
}
