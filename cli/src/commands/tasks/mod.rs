//! Tasks: `ask`, `take`, `finish`, `task` and `work`.

mod ask;
mod board;
mod finish;
mod take;
mod work;
mod work_process;

pub(crate) use ask::{AskArgs, run as run_ask};
pub(crate) use board::{TaskArgs, run as run_task};
pub(crate) use finish::{FinishArgs, run as run_finish};
pub(crate) use take::{TakeArgs, run as run_take};
pub(crate) use work::{WorkArgs, run as run_work};

use rogerrat_client::TaskInfo;
use rogerrat_domain::text::one_line;

use super::{RequestArgs, attachments, render, run_on};

/// A task on one line.
fn line(task: &TaskInfo) -> String {
    let holder = task.holder.as_ref().map_or_else(String::new, |holder| format!(" by {}", one_line(holder)));
    let fence = task.fence.map_or_else(String::new, |fence| format!(", fence {fence}"));
    let until = task.lease_until.map_or_else(String::new, |until| format!(", until {}", render::clock(until)));
    format!(
        "#{} {} → {} [{}; {}{holder}{fence}{until}]: {}\n",
        task.id,
        one_line(&task.from),
        one_line(&task.to),
        one_line(&task.wants),
        one_line(&task.state),
        one_line(&task.text)
    )
}
