//! The tasks that the chat has shown: short numbers for them, and who has them.

use std::collections::VecDeque;

use rogerrat_client::TaskInfo;
use rogerrat_domain::text::one_line;

/// Tasks that keep their number. The oldest are forgotten first.
const REMEMBERED_TASKS: usize = 1_000;
/// Larger numbers are ids of tasks.
const MAX_NUMBER: u64 = 1_000_000_000;

/// Numbers of tasks, as the user types them.
#[derive(Default)]
pub(super) struct ChatTasks {
    known: VecDeque<KnownTask>,
    /// How many were forgotten.
    forgotten: usize,
    /// Whether the tasks that were open at the start are known.
    has_begun: bool,
}

struct KnownTask {
    id: u64,
    /// None for a task of which only the message is known.
    state: Option<String>,
    holder: Option<String>,
}

impl ChatTasks {
    /// The number of a task. A new task gets the next one.
    pub(super) fn number(&mut self, id: u64) -> usize {
        let at = self.known.iter().position(|task| task.id == id).unwrap_or_else(|| {
            if self.known.len() >= REMEMBERED_TASKS {
                self.known.pop_front();
                self.forgotten += 1;
            }
            self.known.push_back(KnownTask { id, state: None, holder: None });
            self.known.len() - 1
        });
        self.forgotten + at + 1
    }

    /// The id of the task that the user means: by its number or its id.
    pub(super) fn id(&self, number: u64) -> Option<u64> {
        if number > MAX_NUMBER {
            return Some(number);
        }
        let at = usize::try_from(number).ok()?.checked_sub(self.forgotten + 1)?;
        self.known.get(at).map(|task| task.id)
    }

    /// Records the tasks of an event of the stream. Returns what no message says.
    pub(super) fn changed(&mut self, tasks: &[TaskInfo]) -> Vec<String> {
        let is_first = !std::mem::replace(&mut self.has_begun, true);
        let open = tasks.iter().filter(|task| is_open(task)).count();
        let notes: Vec<_> = tasks.iter().filter_map(|task| self.change(task)).collect();
        match (is_first, open) {
            (false, _) => notes,
            (true, 0) => Vec::new(),
            (true, 1) => vec!["1 task is open; /tasks shows it".to_owned()],
            (true, open) => vec![format!("{open} tasks are open; /tasks lists them")],
        }
    }

    fn change(&mut self, task: &TaskInfo) -> Option<String> {
        let number = self.number(task.id);
        let known = &mut self.known[number - self.forgotten - 1];
        let before = known.state.replace(task.state.clone());
        let holder = std::mem::replace(&mut known.holder, task.holder.clone());
        let is_same = before.as_ref() == Some(&task.state) && holder == task.holder;
        match &*task.state {
            _ if is_same => None,
            "held" => Some(format!("task {number}: {}", held(task))),
            "open" if before.is_none() && task.quiet => Some(line(number, task)),
            "open" if holder.is_some() => Some(format!("task {number} is open again")),
            "expired" => Some(format!("task {number} has expired")),
            "failed" | "cancelled" if task.why.is_some() => Some(format!("task {number} is {}", one_line(&task.state))),
            _ => None,
        }
    }
}

/// Whether something can still change.
pub(super) fn is_open(task: &TaskInfo) -> bool {
    matches!(&*task.state, "open" | "held" | "input")
}

/// A task on one line: `task 3 [work; bob has it until 12:46]: ann → all: fix it`
pub(super) fn line(number: usize, task: &TaskInfo) -> String {
    let state = match &*task.state {
        "held" => held(task),
        state => one_line(state).into_owned(),
    };
    let (from, to, text) = (one_line(&task.from), one_line(&task.to), one_line(&task.text));
    format!("task {number} [{}; {state}]: {from} → {to}: {text}", one_line(&task.wants))
}

/// Who has a task, and until when.
pub(super) fn held(task: &TaskInfo) -> String {
    let holder = task.holder.as_deref().map(one_line).unwrap_or_default();
    let until = task.lease_until.map_or_else(String::new, |until_ms| format!(" until {}", clock(until_ms)));
    format!("{holder} has it{until}")
}

/// A time of day in UTC: `12:31`
pub(super) fn clock(ms: u64) -> String {
    let minutes = ms / 60_000 % 1440;
    format!("{:02}:{:02}", minutes / 60, minutes % 60)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn task(id: u64, state: &str, holder: Option<&str>) -> TaskInfo {
        let row = json!({"id": id, "from": "ann", "to": "all", "wants": "work", "state": state, "text": "x\u{1b}[2J\ny",
            "holder": holder, "lease_until": 45_960_000});
        serde_json::from_value(row).unwrap()
    }

    #[test]
    fn only_what_no_message_says_is_noted() {
        let mut tasks = ChatTasks::default();
        assert_eq!(
            tasks.changed(&[task(70, "open", None), task(71, "held", Some("bob"))]),
            ["2 tasks are open; /tasks lists them"]
        );
        assert_eq!(tasks.changed(&[task(70, "held", Some("eve"))]), ["task 1: eve has it until 12:46"]);
        assert!(tasks.changed(&[task(70, "held", Some("eve"))]).is_empty(), "a renewal");
        assert_eq!(tasks.changed(&[task(70, "open", None)]), ["task 1 is open again"]);
        assert!(
            tasks.changed(&[task(71, "done", Some("bob")), task(72, "open", None)]).is_empty(),
            "a message says so"
        );
        assert_eq!(tasks.changed(&[task(72, "expired", None)]), ["task 3 has expired"]);
        assert_eq!(line(1, &task(70, "open", None)), "task 1 [work; open]: ann → all: x\\u{1b}[2J\\ny");
    }

    #[test]
    fn numbers_are_bounded_and_stay() {
        let mut tasks = ChatTasks::default();
        for id in 0..REMEMBERED_TASKS as u64 + 5 {
            assert_eq!(tasks.number(2_000_000_000 + id) as u64, id + 1);
        }
        assert_eq!((tasks.id(5), tasks.id(6), tasks.id(0)), (None, Some(2_000_000_005), None));
        assert_eq!((tasks.id(1_795_187_482_643), tasks.id(9_999)), (Some(1_795_187_482_643), None));
        assert_eq!(tasks.known.len(), REMEMBERED_TASKS);
    }
}
