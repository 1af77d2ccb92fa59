//! Pairs of agents with tasks: one asks and the other answers, or one posts work and the other takes and finishes it.

use std::sync::Arc;

use futures_util::future::LocalBoxFuture;
use rogerrat_client::http::{HttpError, expect_success};
use serde_json::{Value, json};
use tokio::task::JoinSet;

use super::pair_loop::POLL_S;
use super::{Needs, Scenario, ScenarioOptions, ServerContext};
use crate::args::TasksArgs;
use crate::http_connection::HttpConnection;
use crate::pacer::Pacer;
use crate::run_state::RunState;
use crate::setup::Setup;
use crate::stopwatch::elapsed_ns;
use crate::target::{PollKind, Session, Target};

const NAMES: [&str; 2] = ["ann", "bob"];
const CONNECTIONS_PER_PAIR: usize = 2;

#[derive(Debug, Clone, Copy)]
pub(crate) struct TaskPairs {
    pairs: usize,
    /// Take work, instead of asking.
    takes: bool,
    options: ScenarioOptions,
}

impl From<&TasksArgs> for TaskPairs {
    fn from(args: &TasksArgs) -> Self {
        Self { pairs: args.pairs as usize, takes: args.takes, options: ScenarioOptions::from(&args.run) }
    }
}

impl Scenario for TaskPairs {
    fn name(&self) -> &'static str {
        "tasks"
    }

    fn unit(&self) -> (&'static str, &'static str) {
        if self.takes { ("take", "takes") } else { ("ask", "asks") }
    }

    fn summary(&self) -> String {
        let what =
            if self.takes { "one posts work, the other takes and finishes it" } else { "one asks, the other answers" };
        format!("{} pairs: {what}", self.pairs)
    }

    fn needs(&self) -> Needs {
        let connections = self.pairs * CONNECTIONS_PER_PAIR;
        Needs { connections, sends_per_session: usize::MAX, parked_requests: connections }
    }

    fn runs_on_baseline(&self) -> bool {
        false
    }

    fn spreads_over_hubs(&self) -> bool {
        true
    }

    fn start<'a>(
        &'a self,
        server: &'a ServerContext,
        agents: &'a mut JoinSet<()>,
    ) -> LocalBoxFuture<'a, Result<(), HttpError>> {
        Box::pin(async move {
            let names = |_| NAMES.map(str::to_owned).to_vec();
            let channels = Setup::new(server).channels(self.pairs, names).await?;
            for (index, sessions) in channels.into_iter().enumerate() {
                let Ok([ann, bob]) = <[Session; 2]>::try_from(sessions) else { continue };
                // Every second pair uses a hub that does not own its channel.
                let (target, is_at_owner) = server.hub_of_agent(index, index % 2);
                let agent = |session| Agent { session, connection: target.connection() };
                let pair = Pair {
                    target: Arc::clone(target),
                    is_at_owner,
                    ann: agent(ann),
                    bob: agent(bob),
                    text: ".".repeat(self.options.payload_bytes),
                    count: 0,
                };
                let pacer = Pacer::new(self.options.rate, index, self.pairs);
                agents.spawn(pair.run(self.takes, pacer, Arc::clone(&server.run_state)));
            }
            Ok(())
        })
    }
}

struct Agent {
    session: Session,
    connection: HttpConnection,
}

struct Pair {
    target: Arc<Target>,
    /// Whether that hub owns the channel; none if there is one hub only.
    is_at_owner: Option<bool>,
    ann: Agent,
    bob: Agent,
    text: String,
    count: u64,
}

impl Agent {
    async fn write(&mut self, target: &Target, path: &str, body: &Value) -> Result<(), HttpError> {
        self.connection.write(&target.session_request(&self.session, path, &body.to_string())).await
    }

    async fn reply(&mut self, what: &'static str) -> Result<Value, HttpError> {
        let (status, body) = self.connection.reply().await?;
        expect_success(what, status, body)?;
        serde_json::from_slice(body).map_err(|error| HttpError::InvalidResponse(format!("{what}: {error}")))
    }

    async fn call(&mut self, target: &Target, path: &'static str, body: &Value) -> Result<Value, HttpError> {
        self.write(target, path, body).await?;
        self.reply(path).await
    }
}

impl Pair {
    async fn run(mut self, takes: bool, mut pacer: Pacer, run_state: Arc<RunState>) {
        let outcome = loop {
            let since_ns = pacer.due(&run_state).await;
            if run_state.is_draining() {
                break Ok(());
            }
            self.count += 1;
            let round = if takes { self.take(&run_state).await } else { self.ask(since_ns, &run_state).await };
            if let Err(error) = round {
                break Err(error);
            }
        };
        run_state.finish(outcome, []);
    }

    fn record(is_at_owner: Option<bool>, since_ns: u64, run_state: &RunState) {
        run_state.record(since_ns);
        run_state.record_at_hub(is_at_owner, since_ns);
    }

    /// Bob's poll is parked when ann asks; the latency is from the question until ann has the answer.
    async fn ask(&mut self, since_ns: u64, run_state: &RunState) -> Result<(), HttpError> {
        let Self { target, ann, bob, text, count, .. } = self;
        bob.connection.write(&target.poll_request(&bob.session, PollKind::Listen, POLL_S)).await?;
        // The same words would be the same question.
        let question = json!({"to": NAMES[1], "message": format!("{count}{text}"), "timeout": POLL_S});
        ann.write(target, "ask", &question).await?;
        let heard = bob.reply("listen").await?;
        let Some(id) = heard["messages"][0]["id"].as_u64() else {
            return Err(HttpError::TimedOut("a question did not arrive"));
        };
        bob.call(target, "send", &json!({"reply_to": id, "message": text})).await?;
        let asked = ann.reply("ask").await?;
        if asked["answers"].as_array().is_none_or(|answers| answers.len() != 1) {
            return Err(HttpError::TimedOut("an answer did not arrive"));
        }
        Self::record(self.is_at_owner, since_ns, run_state);
        Ok(())
    }

    /// The latency is that of the taking only.
    async fn take(&mut self, run_state: &RunState) -> Result<(), HttpError> {
        let Self { target, ann, bob, text, .. } = self;
        let posted = ann.call(target, "send", &json!({"wants": "work", "quiet": true, "message": text})).await?;
        let since_ns = elapsed_ns();
        let taken = bob.call(target, "tasks/take", &json!({})).await?;
        Self::record(self.is_at_owner, since_ns, run_state);
        if taken["task"]["id"] != posted["id"] {
            return Err(HttpError::InvalidResponse("another task was taken than was posted".into()));
        }
        // It is accepted although ann reads nothing: it is kept with its task.
        let result = json!({"reply_to": posted["id"], "state": "done", "fence": taken["fence"]});
        bob.call(target, "send", &result).await?;
        Ok(())
    }
}
