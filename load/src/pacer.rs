//! When the next message is due. In a closed loop at once; in an open loop at moments that do not wait for the server.
//!
//! Who is late because the server was slow counts from the moment that was intended, so that no wait is left out
//! (coordinated omission). Who slept too long because of our own timer counts from when it woke.

use std::time::Duration;

use super::run_state::{Phase, RunState};
use crate::stopwatch::elapsed_ns;

#[derive(Debug, Clone)]
pub(super) struct Pacer {
    /// Between two messages; `None` is a closed loop.
    interval_ns: Option<u64>,
    next_ns: u64,
    /// The turn for which the plan was made.
    turn: u64,
    /// Where this agent's messages lie between those of the others.
    offset: f64,
}

impl Pacer {
    /// One of `agents` that together say `rate` messages a second.
    pub(super) fn new(rate: Option<f64>, agent: usize, agents: usize) -> Self {
        let interval_ns = rate.map(|rate| (agents as f64 * 1e9 / rate) as u64);
        Self { interval_ns, next_ns: 0, turn: 0, offset: agent as f64 / agents as f64 }
    }

    /// Waits until the next message is due and this side has its turn; gives the moment to count from.
    pub(super) async fn due(&mut self, run_state: &RunState) -> u64 {
        let Some(interval_ns) = self.interval_ns else {
            run_state.turn().await;
            return elapsed_ns();
        };
        loop {
            run_state.turn().await;
            let now_ns = elapsed_ns();
            if self.turn != run_state.turns() {
                // What was planned before the other side's turn is void.
                self.turn = run_state.turns();
                self.next_ns = now_ns + (interval_ns as f64 * self.offset) as u64;
            }
            let intended_ns = self.next_ns;
            if intended_ns <= now_ns {
                self.next_ns += interval_ns;
                return intended_ns;
            }
            tokio::select! {
                () = tokio::time::sleep(Duration::from_nanos(intended_ns - now_ns)) => {}
                () = run_state.drained() => {}
            }
            // A turn that ended in our sleep begins anew; else it is time.
            if run_state.turns() == self.turn && !run_state.is(Phase::Paused) {
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
    async fn another_turn_is_another_plan() {
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
        assert!(pacer.due(&run_state).await >= paused_ns + 3_000_000, "nothing was late in the pause");
    }

    #[tokio::test]
    async fn who_is_late_counts_from_the_plan() {
        let run_state = RunState::new(None).unwrap();
        run_state.enter(Phase::Measuring);
        let mut pacer = Pacer::new(Some(1000.0), 0, 1);
        let first_ns = pacer.due(&run_state).await;
        while elapsed_ns() < first_ns + 3_000_000 {
            std::hint::spin_loop();
        }
        let late = [pacer.due(&run_state).await, pacer.due(&run_state).await];
        assert_eq!(late[1] - late[0], 1_000_000, "a millisecond apart, whenever they could be sent");
        assert!(late[0] < first_ns + 3_000_000);
    }
}
