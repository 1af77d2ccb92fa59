//! `rogerrat listen-here`: hands on every message of a channel until it is stopped. It reconnects after any temporary
//! failure.

use std::collections::VecDeque;
use std::future::pending;
use std::path::PathBuf;
use std::pin::pin;
use std::process::ExitCode;
use std::time::Duration;

use clap::Args;
use rogerrat_client::{ChannelSubscription, ClientError, ReceivedMessage, StreamOptions, SubscriptionEvent};
use rogerrat_domain::Priority;
use rogerrat_domain::text::one_line;
use tokio::signal::unix::{SignalKind, signal};
use tokio::time::{Interval, MissedTickBehavior, interval};

use super::batch::{Batch, WakeArgs};
use super::format::Format;
use super::inbox::Inbox;
use super::outage::Outage;
use super::output_reader::OutputReader;
use super::owner::{Owner, OwnerArgs, OwnerChoice};
use super::sink::{Output, Sink, SinkError};
use super::{STEPPED_BACK, report_polling};
use crate::outcome::{CommandError, report};
use crate::target::{IdentityArgs, ProfileRule, ResolvedTarget, TargetArgs};
use crate::words::{number, word};

pub(super) const NAME: &str = "rogerrat listen-here";
/// Maximum number of messages to collect before they are handed on.
const MAX_COLLECTED: usize = 50;

/// Which channel to listen on, and where to hand messages on.
#[derive(Args)]
#[command(after_help = "Exit code 0: stopped by SIGINT or SIGTERM; 1: the hub refused; 2: usage error; 5: the \
                        process of --with-pid has ended. It retries on any other error.")]
pub struct ListenHereArgs {
    #[command(flatten)]
    target: TargetArgs,
    #[command(flatten)]
    identity: IdentityArgs,
    /// Read with the cursor of this name; readers of one session need different names to receive all messages each
    #[arg(long, value_name = "NAME")]
    consumer: Option<String>,
    /// Start after this message id instead of the cursor
    #[arg(long, value_name = "ID")]
    since: Option<u64>,
    /// Append one line for each message to this file, and create it and its folders; by default messages are printed
    #[arg(long, value_name = "FILE")]
    inbox: Option<PathBuf>,
    /// Run this with `sh -c` for each message, one at a time; RR_… variables describe the message. With --settle or
    /// --direct it runs once for all that were collected, and reads their lines from standard input
    #[arg(long, value_name = "COMMAND")]
    on_message: Option<String>,
    /// How to write a message
    #[arg(long, value_enum, default_value = "jsonl")]
    format: Format,
    /// Skip less urgent messages
    #[arg(long, value_name = "PRIORITY", value_parser = word::<Priority>(Priority::NAMES))]
    min_priority: Option<Priority>,
    #[command(flatten)]
    wake: WakeArgs,
    #[command(flatten)]
    owner: OwnerArgs,
    /// Report at this interval that it is listening: in an inbox of text, else on standard error
    #[arg(long, value_name = "SECONDS", value_parser = number(1..=u32::MAX))]
    heartbeat: Option<u32>,
    /// Print no messages, and only problems on standard error
    #[arg(long)]
    quiet: bool,
    /// Report every interruption of the connection on standard error, not only those that last
    #[arg(long, conflicts_with = "quiet")]
    verbose: bool,
}

struct Listener {
    subscription: ChannelSubscription,
    sink: Sink,
    /// Messages that are collected; none if each is handed on at once.
    batch: Option<Batch>,
    outage: Outage,
    has_connected: bool,
    has_stepped_back: bool,
    heartbeat: Option<Interval>,
    quiet: bool,
}

impl ListenHereArgs {
    pub(super) fn resolve(&self) -> Result<ResolvedTarget, String> {
        let target = self.target.resolve(&self.identity, ProfileRule::MayBeNew)?;
        target.require_member()?.with_consumer(self.consumer.as_ref())
    }
}

pub(super) async fn run(args: &ListenHereArgs, target: ResolvedTarget) -> Result<ExitCode, CommandError> {
    let owner = match args.owner.watch(NAME, OwnerChoice::None) {
        Ok(owner) => owner,
        Err(code) => return Ok(code),
    };
    let channel = target.target.channel.clone();
    let output = match &args.inbox {
        Some(path) => Output::Inbox(Inbox::open(path, &channel).map_err(CommandError::Local)?),
        None if args.on_message.is_some() || args.quiet => Output::Nowhere,
        None => Output::Stdout,
    };
    let reader = match output {
        Output::Stdout => OutputReader::of_stdout(),
        Output::Nowhere | Output::Inbox(_) => OutputReader::none(),
    };
    let sink = Sink {
        name: NAME,
        output,
        format: args.format,
        min_priority: args.min_priority.unwrap_or(Priority::Min),
        command: args.on_message.clone(),
        runs_for_batch: args.wake.collects(),
        channel,
        done: VecDeque::new(),
    };
    let heartbeat = args.heartbeat.map(|seconds| {
        let mut heartbeat = interval(Duration::from_secs(seconds.into()));
        heartbeat.set_missed_tick_behavior(MissedTickBehavior::Delay);
        heartbeat.reset();
        heartbeat
    });
    let subscription = target.client().subscribe(StreamOptions { since: args.since, ..StreamOptions::default() });
    let min_priority = sink.min_priority;
    let batch = args.wake.batch(Duration::ZERO, min_priority, MAX_COLLECTED, args.format);
    let batch = Some(batch).filter(|_| args.wake.collects());
    let mut listener = Listener {
        subscription,
        sink,
        batch,
        outage: Outage::new(args.verbose),
        has_connected: false,
        has_stepped_back: false,
        heartbeat,
        quiet: args.quiet,
    };
    let signals = |kind| signal(kind).map_err(|error| CommandError::Local(error.to_string()));
    let (mut interrupt, mut terminate) = (signals(SignalKind::interrupt())?, signals(SignalKind::terminate())?);
    tokio::select! {
        error = listener.listen() => Err(error),
        _ = interrupt.recv() => Ok(ExitCode::SUCCESS),
        _ = terminate.recv() => Ok(ExitCode::SUCCESS),
        () = owner.ended() => Ok(Owner::report_end(NAME)),
        () = reader.closed() => Ok(OutputReader::report_end(NAME)),
    }
}

impl Listener {
    /// Hands messages on until that is no longer possible.
    async fn listen(&mut self) -> CommandError {
        loop {
            let handled = match self.next().await {
                Ok(Some(event)) => self.handle(event).await,
                Ok(None) => self.hand_on_batch().await,
                Err(error) => return error.into(),
            };
            if let Err(error) = handled {
                return error;
            }
        }
    }

    /// The next event, or `None` when the collected messages are to be handed on. While the stream is open, heartbeats
    /// are reported.
    async fn next(&mut self) -> Result<Option<SubscriptionEvent>, ClientError> {
        let is_connected = self.subscription.is_connected();
        let mut next = pin!(self.subscription.next());
        loop {
            tokio::select! {
                biased;
                next = &mut next => return next.map(Some),
                () = batch_ready(self.batch.as_ref()) => return Ok(None),
                () = tick(self.heartbeat.as_mut()), if is_connected => {
                    report_status(&mut self.sink, self.quiet, "♥ alive — still listening");
                }
            }
        }
    }

    async fn handle(&mut self, event: SubscriptionEvent) -> Result<(), CommandError> {
        match event {
            SubscriptionEvent::Connected(greeting) => {
                report_polling(NAME, &greeting);
                let is_first = !std::mem::replace(&mut self.has_connected, true);
                if self.outage.connected() {
                    // The reply to a poll has no callsign.
                    let member = match one_line(&greeting.callsign) {
                        callsign if callsign.is_empty() => String::new(),
                        callsign => format!(" as {callsign}"),
                    };
                    let line = format!("● connected — listening on {}{member}", self.sink.channel);
                    match is_first {
                        true => report_status(&mut self.sink, self.quiet, &line),
                        false => report(NAME, &line),
                    }
                }
            }
            SubscriptionEvent::Message(message) => {
                let mut messages = vec![message];
                while let Some(message) = self.subscription.next_ready_message()? {
                    messages.push(message);
                }
                let Some(batch) = &mut self.batch else { return self.hand_on(&messages).await };
                messages.into_iter().for_each(|message| batch.push(message));
            }
            SubscriptionEvent::Tasks(_) => {}
            SubscriptionEvent::Gap(gap) => {
                report(NAME, &gap.to_string());
                self.sink.write_status(&one_line(&gap.to_string()));
            }
            SubscriptionEvent::Disconnected { reason, .. } => {
                if let Some(line) = self.outage.lost(&reason) {
                    report(NAME, &line);
                }
            }
            SubscriptionEvent::SteppedBack => {
                if let Some(batch) = &mut self.batch {
                    batch.clear();
                }
                if !std::mem::replace(&mut self.has_stepped_back, true) {
                    report(NAME, STEPPED_BACK);
                }
            }
        }
        Ok(())
    }

    async fn hand_on_batch(&mut self) -> Result<(), CommandError> {
        let messages = self.batch.as_mut().map(Batch::take).unwrap_or_default();
        self.hand_on(&messages).await
    }

    async fn hand_on(&mut self, messages: &[ReceivedMessage]) -> Result<(), CommandError> {
        match self.sink.take(messages).await {
            Ok(()) => Ok(self.subscription.ack_all(messages).await?),
            Err(SinkError::Temporary(reason)) => {
                report(NAME, &format!("{reason}; trying again"));
                self.subscription.interrupt(reason);
                Ok(())
            }
            Err(SinkError::Permanent(message)) => Err(CommandError::Local(message)),
        }
    }
}

/// Returns when collected messages are to be handed on; never if there is no batch.
async fn batch_ready(batch: Option<&Batch>) {
    match batch {
        Some(batch) => batch.ready().await,
        None => pending().await,
    }
}

/// Returns at the next heartbeat; never if there is none.
async fn tick(heartbeat: Option<&mut Interval>) {
    match heartbeat {
        Some(heartbeat) => drop(heartbeat.tick().await),
        None => pending().await,
    }
}

/// Reports the listener's state, in an inbox of text and on standard error.
fn report_status(sink: &mut Sink, quiet: bool, line: &str) {
    sink.write_status(line);
    if !quiet {
        report(NAME, line);
    }
}
