//! What all agents of one run share: the phase, the two histograms and what went wrong.
//! The window is opened and closed here; agents only ask whether it is time to say their last message.

use super::procfs::Process;
use super::sequence::Disorder;
use super::tally::Tally;
use crate::cli::client::Fault;
use crate::cli::client::elapsed_ns;
use hdrhistogram::Histogram;
use std::io;
use std::pin::Pin;
use std::sync::atomic::{AtomicU8, AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard};
use std::time::Duration;
use tokio::task::JoinSet;

/// Longest latency told apart, in µs; longer ones count as this.
const LONGEST_US: u64 = 60_000_000;
const SIGNIFICANT_DIGITS: u8 = 3;
/// For the last messages and the last polls after the window.
const DRAIN: Duration = Duration::from_secs(45);

/// How long one kind of load has its turn.
const TURN: Duration = Duration::from_millis(500);

const WARMING: u8 = 0;
const MEASURING: u8 = 1;
const DRAINING: u8 = 2;

pub(super) struct Stage {
    phase: AtomicU8,
    /// From just before a send is written until its listener has read it, in µs.
    pub(super) hops: Mutex<Histogram<u64>>,
    /// From just before a send is written until its own reply is read, in µs; one for each kind that takes turns.
    pub(super) answers: Vec<Mutex<Histogram<u64>>>,
    /// How long each kind had its turns in the window.
    pub(super) turn_ns: Mutex<Vec<u64>>,
    turn: AtomicUsize,
    pub(super) disorder: Mutex<Disorder>,
    pub(super) tally: Mutex<Tally>,
}

/// The clocks at one end of the window.
#[derive(Debug, Clone, Copy)]
pub(super) struct Mark {
    pub(super) at_ns: u64,
    pub(super) server_cpu_us: Option<u64>,
    pub(super) loader_cpu_us: Option<u64>,
}

impl Mark {
    /// A clock that cannot be read, because the server has died by now, is left out.
    pub(super) fn take(server: Option<Process>) -> Self {
        Self {
            at_ns: elapsed_ns(),
            server_cpu_us: server.and_then(|server| server.cpu_us().ok()),
            loader_cpu_us: Process::own().cpu_us().ok(),
        }
    }
}

impl Stage {
    #[cfg(test)]
    pub(super) fn new() -> io::Result<Self> {
        Self::taking_turns(1)
    }

    /// With so many kinds of load that take turns.
    pub(super) fn taking_turns(kinds: usize) -> io::Result<Self> {
        Ok(Self {
            phase: AtomicU8::new(WARMING),
            hops: Mutex::new(histogram()?),
            answers: (0..kinds).map(|_| histogram().map(Mutex::new)).collect::<io::Result<_>>()?,
            turn_ns: Mutex::new(vec![0; kinds]),
            turn: AtomicUsize::new(0),
            disorder: Mutex::default(),
            tally: Mutex::default(),
        })
    }

    /// Lets the agents warm up, measures between two marks, then waits until all have drained.
    pub(super) async fn window(
        &self,
        mut agents: JoinSet<()>,
        warmup: Duration,
        length: Duration,
        server: Option<Process>,
    ) -> (Mark, Mark) {
        let mut all_ended = std::pin::pin!(self.all_end(&mut agents));
        let early = self.take_turns(warmup, &mut all_ended).await;
        let start = Mark::take(server);
        self.phase.store(MEASURING, Ordering::Relaxed);
        held(&self.turn_ns).fill(0);
        let early = early || self.take_turns(length, &mut all_ended).await;
        self.phase.store(DRAINING, Ordering::Relaxed);
        let end = Mark::take(server);
        if !early && tokio::time::timeout(DRAIN, all_ended).await.is_err() {
            self.fail(&Fault::Stalled("the last messages were waited for"));
        }
        (start, end)
    }

    /// For `length` in all, equally long for every kind; true when all have ended before.
    async fn take_turns(&self, length: Duration, all_ended: &mut Pin<&mut impl Future<Output = ()>>) -> bool {
        let kinds = self.answers.len();
        let rounds = (length.div_duration_f64(TURN) / kinds as f64).ceil().max(1.0);
        let turns = if kinds == 1 { 1 } else { kinds * rounds as usize };
        for turn in 0..turns {
            self.turn.store(turn % kinds, Ordering::Relaxed);
            let start_ns = elapsed_ns();
            let early = tokio::time::timeout(length / turns as u32, &mut *all_ended).await.is_ok();
            held(&self.turn_ns)[turn % kinds] += elapsed_ns() - start_ns;
            if early {
                return true;
            }
        }
        false
    }

    /// Whose turn it is.
    pub(super) fn turn(&self) -> usize {
        self.turn.load(Ordering::Relaxed)
    }

    async fn all_end(&self, agents: &mut JoinSet<()>) {
        while let Some(ended) = agents.join_next().await {
            if let Err(cause) = ended {
                self.fail(&Fault::Died(cause.to_string()));
            }
        }
    }

    pub(super) fn is_draining(&self) -> bool {
        self.phase.load(Ordering::Relaxed) == DRAINING
    }

    pub(super) fn hop(&self, sent_ns: u64) {
        self.record(&self.hops, sent_ns);
    }

    pub(super) fn answer(&self, kind: usize, sent_ns: u64) {
        self.record(&self.answers[kind], sent_ns);
    }

    /// Counts a fault; a rate limit will hit everybody, so it ends the whole run.
    pub(super) fn fail(&self, fault: &Fault) {
        if matches!(fault, Fault::RateLimited { .. }) {
            self.phase.store(DRAINING, Ordering::Relaxed);
        }
        held(&self.tally).add(fault);
    }

    pub(super) fn found(&self, disorder: Disorder) {
        *held(&self.disorder) += disorder;
    }

    fn record(&self, histogram: &Mutex<Histogram<u64>>, sent_ns: u64) {
        if self.phase.load(Ordering::Relaxed) == MEASURING {
            held(histogram).saturating_record(elapsed_ns().saturating_sub(sent_ns) / 1000);
        }
    }
}

/// All agents run on one thread: these locks are never waited for.
pub(super) fn held<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().expect("nothing panics while it counts")
}

fn histogram() -> io::Result<Histogram<u64>> {
    Histogram::new_with_bounds(1, LONGEST_US, SIGNIFICANT_DIGITS).map_err(io::Error::other)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_window_is_recorded() {
        let stage = Stage::new().unwrap();
        stage.hop(0);
        stage.phase.store(MEASURING, Ordering::Relaxed);
        stage.hop(0);
        stage.fail(&Fault::RateLimited { what: "send" });
        stage.hop(0);
        assert_eq!(held(&stage.hops).len(), 1);
        assert!(stage.is_draining(), "a rate limit ends the run");
    }
}
