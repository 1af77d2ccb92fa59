//! Guests that come and go: each joins, says a word to its host, hears one from it, and leaves.

use std::sync::Arc;

use rogerrat_client::http::{HttpError, expect_success};
use tokio::task::JoinSet;

use super::pair_loop::{POLL_S, SWEEP_S};
use super::{Needs, ScenarioOptions};
use crate::http_connection::Line;
use crate::message::{self, Numbered};
use crate::order_check::Sequence;
use crate::pacer::Pacer;
use crate::run_state::RunState;
use crate::setup::{self, Created, Setup};
use crate::stopwatch::elapsed_ns;
use crate::target::{PollKind, Session, Target};

const HOST: &str = "host";
/// Names that guests of one channel use in turn: a name comes back, its seat does not.
const NAMES: u64 = 50;

#[derive(Debug, Clone, Copy)]
pub(crate) struct Churn {
    pub(super) guests: usize,
    pub(super) options: ScenarioOptions,
}

impl Churn {
    pub(super) fn summary(self) -> String {
        format!("{} guests at once join, talk and leave", self.guests)
    }

    pub(super) fn needs(self) -> Needs {
        Needs { lines: self.guests * 2, sends_by_one: usize::MAX, parked: self.guests }
    }

    pub(super) async fn start(
        self,
        target: &Arc<Target>,
        run_state: &Arc<RunState>,
        agents: &mut JoinSet<()>,
    ) -> Result<(), HttpError> {
        let setup = Setup::new(target, run_state, self.options.durability);
        for (index, sessions) in setup.channels(self.guests, |_| vec![HOST.to_owned()]).await?.into_iter().enumerate() {
            let Some(host) = sessions.into_iter().next() else { continue };
            let host_channel = HostChannel {
                host_line: target.line(),
                guest_line: target.line(),
                host,
                target: Arc::clone(target),
                pacer: Pacer::new(self.options.rate, index, self.guests),
                payload_bytes: self.options.payload_bytes,
                at_host: Sequence::default(),
                at_guests: Sequence::default(),
            };
            agents.spawn(host_channel.scenario(Arc::clone(run_state)));
        }
        Ok(())
    }
}

/// A channel with its host, and the guests one after the other. Both count visits.
struct HostChannel {
    host_line: Line,
    guest_line: Line,
    host: Session,
    target: Arc<Target>,
    pacer: Pacer,
    payload_bytes: usize,
    at_host: Sequence,
    at_guests: Sequence,
}

impl HostChannel {
    async fn scenario(mut self, run_state: Arc<RunState>) {
        let mut visits = 0;
        let outcome = loop {
            let since_ns = self.pacer.due(&run_state).await;
            if run_state.is_draining() {
                break Ok(());
            }
            match self.visit(visits + 1).await {
                Ok(()) => run_state.hop(since_ns),
                Err(fault) => break Err(fault),
            }
            visits += 1;
        };
        let visits = if matches!(outcome, Err(HttpError::TimedOut(_))) { visits + 1 } else { visits };
        for sequence in [&self.at_host, &self.at_guests] {
            run_state.found(match &outcome {
                Ok(()) | Err(HttpError::TimedOut(_)) => sequence.complete(visits),
                Err(_) => sequence.so_far(),
            });
        }
        if let Err(fault) = outcome {
            run_state.fail(&fault);
        }
    }

    async fn visit(&mut self, seq: u64) -> Result<(), HttpError> {
        let name = format!("g{}", seq % NAMES);
        let Self { host_line, guest_line, host, target, payload_bytes, at_host, at_guests, .. } = self;
        let channel = Created { channel_id: host.channel_id.clone(), join_token: host.join_token.clone() };
        let guest = setup::join(guest_line, target, &channel, &name).await?;
        let bytes = *payload_bytes;
        say(guest_line, target, &guest, HOST, seq, bytes).await?;
        hear(host_line, target, host, (&name, HOST), bytes, at_host, seq).await?;
        say(host_line, target, host, &name, seq, bytes).await?;
        hear(guest_line, target, &guest, (HOST, &name), bytes, at_guests, seq).await?;
        let (status, body) = guest_line.call(&target.leave_request(&guest)).await?;
        expect_success("leave", status, body)
    }
}

async fn say(
    line: &mut Line,
    target: &Target,
    session: &Session,
    to: &str,
    seq: u64,
    payload_bytes: usize,
) -> Result<(), HttpError> {
    let mut template = target.template(session, to, payload_bytes);
    let numbered = Numbered { seq, sent_ns: elapsed_ns(), last: false };
    let (status, body) = line.call(template.number(numbered)).await?;
    expect_success("send", status, body)
}

/// Reads the message that was sent before; the poll is answered at once.
async fn hear(
    line: &mut Line,
    target: &Target,
    session: &Session,
    (from, to): (&str, &str),
    payload_bytes: usize,
    sequence: &mut Sequence,
    seq: u64,
) -> Result<(), HttpError> {
    let timeout_s = if seq == 1 { POLL_S } else { SWEEP_S };
    let (status, body) = line.call(&target.poll_request(session, PollKind::Listen, timeout_s)).await?;
    expect_success("poll", status, body)?;
    for message in message::of_poll(body)? {
        match message.numbered().filter(|_| message.is_of(from, to, payload_bytes)) {
            Some(numbered) => {
                sequence.arrive(numbered.seq);
            }
            None => sequence.stray(),
        }
    }
    if sequence.highest() < seq { Err(HttpError::TimedOut("a message was waited for")) } else { Ok(()) }
}
