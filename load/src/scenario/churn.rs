//! Guests that come and go: each joins, sends a message to its host, receives one, and leaves.

use std::sync::Arc;

use futures_util::future::LocalBoxFuture;
use rogerrat_client::http::{HttpError, expect_success};
use tokio::task::JoinSet;

use super::pair_loop::{POLL_S, SWEEP_S};
use super::{Needs, Scenario, ScenarioOptions, ServerContext};
use crate::args::ChurnArgs;
use crate::http_connection::HttpConnection;
use crate::message::{self, MessageTag};
use crate::order_check::OrderCheck;
use crate::pacer::Pacer;
use crate::run_state::RunState;
use crate::setup::{self, Created, Setup};
use crate::stopwatch::elapsed_ns;
use crate::target::{PollKind, Session, Target};

const HOST: &str = "host";
/// Callsigns that the guests of a channel use in turn: a callsign returns, its member number does not.
const NAMES: u64 = 50;

#[derive(Debug, Clone, Copy)]
pub(crate) struct Churn {
    pub(super) guests: usize,
    pub(super) options: ScenarioOptions,
}

impl Scenario for Churn {
    fn name(&self) -> &'static str {
        "churn"
    }

    fn unit(&self) -> (&'static str, &'static str) {
        ("visit", "visits")
    }

    fn summary(&self) -> String {
        format!("{} guests at a time join, talk and leave", self.guests)
    }

    fn needs(&self) -> Needs {
        Needs { connections: self.guests * 2, sends_per_session: usize::MAX, parked_requests: self.guests }
    }

    fn runs_on_baseline(&self) -> bool {
        false
    }

    fn start<'a>(
        &'a self,
        server: &'a ServerContext,
        agents: &'a mut JoinSet<()>,
    ) -> LocalBoxFuture<'a, Result<(), HttpError>> {
        Box::pin(async move {
            let channels = Setup::new(server).channels(self.guests, |_| vec![HOST.to_owned()]).await?;
            for (index, sessions) in channels.into_iter().enumerate() {
                let Some(host) = sessions.into_iter().next() else { continue };
                let visits = VisitLoop {
                    host_connection: server.target.connection(),
                    guest_connection: server.target.connection(),
                    host,
                    target: Arc::clone(&server.target),
                    pacer: Pacer::new(self.options.rate, index, self.guests),
                    payload_bytes: self.options.payload_bytes,
                    at_host: OrderCheck::default(),
                    at_guests: OrderCheck::default(),
                };
                agents.spawn(visits.run(Arc::clone(&server.run_state)));
            }
            Ok(())
        })
    }
}

impl From<&ChurnArgs> for Churn {
    fn from(args: &ChurnArgs) -> Self {
        Self { guests: args.guests as usize, options: ScenarioOptions::from(&args.run) }
    }
}

/// A channel with its host and one guest after the other. The sequence number of both messages is that of the visit.
struct VisitLoop {
    host_connection: HttpConnection,
    guest_connection: HttpConnection,
    host: Session,
    target: Arc<Target>,
    pacer: Pacer,
    payload_bytes: usize,
    at_host: OrderCheck,
    at_guests: OrderCheck,
}

impl VisitLoop {
    async fn run(mut self, run_state: Arc<RunState>) {
        let mut visits = 0;
        let outcome = loop {
            let since_ns = self.pacer.due(&run_state).await;
            if run_state.is_draining() {
                break Ok(());
            }
            match self.visit(visits + 1).await {
                Ok(()) => run_state.record(since_ns),
                Err(error) => break Err(error),
            }
            visits += 1;
        };
        let sent = if matches!(outcome, Err(HttpError::TimedOut(_))) { visits + 1 } else { visits };
        run_state.finish(outcome, [(&self.at_host, sent), (&self.at_guests, sent)]);
    }

    async fn visit(&mut self, seq: u64) -> Result<(), HttpError> {
        let name = format!("g{}", seq % NAMES);
        let Self { host_connection, guest_connection, host, target, payload_bytes, at_host, at_guests, .. } = self;
        let channel = Created { channel_id: host.channel_id.clone(), join_token: host.join_token.clone() };
        let guest = setup::join(guest_connection, target, &channel, &name).await?;
        let bytes = *payload_bytes;
        send(guest_connection, target, &guest, HOST, seq, bytes).await?;
        receive(host_connection, target, host, (&name, HOST), bytes, at_host, seq).await?;
        send(host_connection, target, host, &name, seq, bytes).await?;
        receive(guest_connection, target, &guest, (HOST, &name), bytes, at_guests, seq).await?;
        let (status, body) = guest_connection.call(&target.leave_request(&guest)).await?;
        expect_success("leave", status, body)
    }
}

async fn send(
    connection: &mut HttpConnection,
    target: &Target,
    session: &Session,
    to: &str,
    seq: u64,
    payload_bytes: usize,
) -> Result<(), HttpError> {
    let mut template = target.send_template(session, to, payload_bytes);
    let tag = MessageTag { seq, sent_ns: elapsed_ns(), last: false };
    let (status, body) = connection.call(template.with_tag(tag)).await?;
    expect_success("send", status, body)
}

/// Receives a message that was sent before, so that the poll returns at once.
async fn receive(
    connection: &mut HttpConnection,
    target: &Target,
    session: &Session,
    (from, to): (&str, &str),
    payload_bytes: usize,
    order: &mut OrderCheck,
    seq: u64,
) -> Result<(), HttpError> {
    let timeout_s = if seq == 1 { POLL_S } else { SWEEP_S };
    let (status, body) = connection.call(&target.poll_request(session, PollKind::Listen, timeout_s)).await?;
    expect_success("poll", status, body)?;
    for message in message::parse_poll(body)? {
        order.receive(message.tag_if(from, to, payload_bytes));
    }
    if order.highest() < seq { Err(HttpError::TimedOut("a message did not arrive")) } else { Ok(()) }
}
