//! Schedules the messages of an agent: at once in a closed loop, at fixed times in an open loop.
//!
//! A message that is late because the server was slow counts from its scheduled time, so that no wait is left out
//! (coordinated omission). A message that is late because of the tool's own timer counts from when the timer fired.

use std::time::Duration;

use super::run_state::{Phase, RunState};
use crate::stopwatch::elapsed_ns;

#[derive(Debug, Clone)]
pub(super) struct Pacer {
    /// The time between two messages; `None` is a closed loop.
    interval_ns: Option<u64>,
    next_ns: u64,
    /// The turn that `next_ns` belongs to.
    turn: u64,
    /// The position of this agent's messages between those of the others, from 0 to 1.
    offset: f64,
}

impl Pacer {
    /// The pacer of one of `agents` that together send `rate` messages per second.
    pub(super) fn new(rate: Option<f64>, agent: usize, agents: usize) -> Self {
        let interval_ns = rate.map(|rate| (agents as f64 * 1e9 / rate) as u64);
        Self { interval_ns, next_ns: 0, turn: 0, offset: agent as f64 / agents as f64 }
    }

    /// Waits until the next message is due and the server has its turn. Returns the time that the latency counts from.
    pub(super) async fn due(&mut self, run_state: &RunState) -> u64 {
        let Some(interval_ns) = self.interval_ns else {
            run_state.wait_for_turn().await;
            return elapsed_ns();
        };
        loop {
            run_state.wait_for_turn().await;
            let now_ns = elapsed_ns();
            if self.turn != run_state.turn() {
                // The schedule of the previous turn is void.
                self.turn = run_state.turn();
                self.next_ns = now_ns + (interval_ns as f64 * self.offset) as u64;
            }
            let scheduled_ns = self.next_ns;
            if scheduled_ns <= now_ns {
                self.next_ns += interval_ns;
                return scheduled_ns;
            }
            tokio::select! {
                () = tokio::time::sleep(Duration::from_nanos(scheduled_ns - now_ns)) => {}
                () = run_state.wait_for_drain() => {}
            }
            // If the turn ended during the sleep, the next one gets a new schedule.
            if run_state.turn() == self.turn && !run_state.is(Phase::Paused) {
                self.next_ns += interval_ns;
                return elapsed_ns();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_closed_loop_counts_from_now() {
        let run_state = RunState::new(None).unwrap();
        run_state.enter(Phase::Measuring);
        let before_ns = elapsed_ns();
        assert!(Pacer::new(None, 3, 8).due(&run_state).await >= before_ns);
    }

    #[tokio::test]
    async fn each_turn_has_its_own_schedule() {
        let run_state = RunState::new(None).unwrap();
        run_state.enter(Phase::Measuring);
        let mut pacer = Pacer::new(Some(1000.0), 0, 1);
        pacer.due(&run_state).await;
        run_state.enter(Phase::Paused);
        let paused_ns = elapsed_ns();
        while elapsed_ns() < paused_ns + 3_000_000 {
            std::hint::spin_loop();
        }
        run_state.enter(Phase::Measuring);
        assert!(pacer.due(&run_state).await >= paused_ns + 3_000_000, "the pause made nothing late");
    }

    #[tokio::test]
    async fn a_late_message_counts_from_its_scheduled_time() {
        let run_state = RunState::new(None).unwrap();
        run_state.enter(Phase::Measuring);
        let mut pacer = Pacer::new(Some(1000.0), 0, 1);
        let first_ns = pacer.due(&run_state).await;
        while elapsed_ns() < first_ns + 3_000_000 {
            std::hint::spin_loop();
        }
        let late = [pacer.due(&run_state).await, pacer.due(&run_state).await];
        assert_eq!(late[1] - late[0], 1_000_000, "a millisecond apart, no matter when they were sent");
        assert!(late[0] < first_ns + 3_000_000);
    }
}
