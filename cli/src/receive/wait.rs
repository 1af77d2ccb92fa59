//! `rogerrat wait`, the doorbell: waits for a message, prints it and ends.

use std::future::pending;
use std::pin::Pin;
use std::process::ExitCode;
use std::time::Duration;

use clap::Args;
use rogerrat_client::{ChannelSubscription, ClientError, StreamOptions, SubscriptionEvent};
use rogerrat_domain::{MessageView, Priority};
use tokio::time::{Sleep, sleep};

use super::batch::{Batch, WakeArgs};
use super::format::Format;
use super::outage::Outage;
use super::output_reader::OutputReader;
use super::owner::{Owner, OwnerArgs, OwnerChoice};
use super::{STEPPED_BACK, report_polling};
use crate::outcome::{CommandError, NO_MESSAGE, print, report};
use crate::target::{IdentityArgs, ProfileRule, ResolvedTarget, TargetArgs};
use crate::words::{number, word};

pub(super) const NAME: &str = "rogerrat wait";
/// The default pause that ends a burst of messages.
const SETTLE: Duration = Duration::from_millis(500);
/// Attempts to acknowledge printed messages.
const ACK_ATTEMPTS: u32 = 3;

/// Which channel to wait on, and how long.
#[derive(Args)]
#[command(after_help = "Exit code 0: a message was printed; 1: the hub refused; 2: usage error; 3: no message \
                        arrived in time; 5: the process that started it has ended.")]
pub struct WaitArgs {
    #[command(flatten)]
    target: TargetArgs,
    #[command(flatten)]
    identity: IdentityArgs,
    /// Read with the cursor of this name; readers of one session need different names to receive all messages each
    #[arg(long, value_name = "NAME")]
    consumer: Option<String>,
    /// How to print a message
    #[arg(long, value_enum, default_value = "text")]
    format: Format,
    /// Give up after this time; wait indefinitely by default
    #[arg(long, value_name = "SECONDS", value_parser = number(1..=u32::MAX))]
    timeout: Option<u32>,
    #[command(flatten)]
    wake: WakeArgs,
    /// Wake only for messages that are at least this urgent. Others stay unread until then, at most a batch of them
    #[arg(long, value_name = "PRIORITY", value_parser = word::<Priority>(Priority::NAMES))]
    min_priority: Option<Priority>,
    /// Print at most this many messages. The others remain for the next run
    #[arg(long, value_name = "COUNT", default_value = "50", value_parser = number(1..=100))]
    max: u32,
    #[command(flatten)]
    owner: OwnerArgs,
}

/// The subscription, and what it has delivered.
struct Doorbell {
    subscription: ChannelSubscription,
    batch: Batch,
    outage: Outage,
    /// Whether another reader may have acknowledged messages of the batch.
    is_shared: bool,
    has_stepped_back: bool,
}

impl WaitArgs {
    pub(super) fn resolve(&self) -> Result<ResolvedTarget, String> {
        let target = self.target.resolve(&self.identity, ProfileRule::MayBeNew)?;
        target.require_member()?.with_consumer(self.consumer.as_ref())
    }
}

pub(super) async fn run(args: &WaitArgs, target: ResolvedTarget) -> Result<ExitCode, CommandError> {
    let owner = match args.owner.watch(NAME, OwnerChoice::Parent) {
        Ok(owner) => owner,
        Err(code) => return Ok(code),
    };
    let reader = OutputReader::of_stdout();
    let options = StreamOptions { max: Some(args.max), ..StreamOptions::default() };
    let min_priority = args.min_priority.unwrap_or(Priority::Min);
    let mut doorbell = Doorbell {
        subscription: target.client().subscribe(options),
        batch: args.wake.batch(SETTLE, min_priority, args.max as usize, args.format),
        outage: Outage::new(false),
        is_shared: false,
        has_stepped_back: false,
    };
    let timeout = args.timeout.map(|seconds| Duration::from_secs(seconds.into()));
    let is_rung = tokio::select! {
        is_rung = doorbell.wait(timeout) => is_rung?,
        () = owner.ended() => return Ok(Owner::report_end(NAME)),
        () = reader.closed() => return Ok(OutputReader::report_end(NAME)),
    };
    if !is_rung {
        return doorbell.timed_out();
    }
    if owner.has_ended() {
        return Ok(Owner::report_end(NAME));
    }
    // The stream stays open until the process ends: while it is open, the hub does not deliver the messages to another
    // reader.
    let messages = doorbell.batch.messages();
    let lines: String = messages.iter().map(|message| args.format.line(message, &[])).collect();
    print(&lines)?;
    if let Some(upto) = messages.iter().map(|message| message.id).max() {
        doorbell.ack(upto).await;
    }
    Ok(ExitCode::SUCCESS)
}

impl Doorbell {
    /// Waits until there are messages to print. Returns false if the time is over and no message wakes.
    async fn wait(&mut self, timeout: Option<Duration>) -> Result<bool, ClientError> {
        let mut timeout = timeout.map(|timeout| Box::pin(sleep(timeout)));
        loop {
            let event = tokio::select! {
                biased;
                event = self.subscription.next() => Some(event),
                () = self.batch.ready() => None,
                () = over(&mut timeout) => match self.batch.wakes() {
                    true => None,
                    false => return Ok(false),
                },
            };
            match event {
                Some(Ok(event)) => {
                    if !self.handle(event) {
                        continue;
                    }
                }
                Some(Err(error)) if !self.batch.wakes() => return Err(error),
                Some(Err(_)) | None => {}
            }
            self.remove_acknowledged().await;
            if self.batch.wakes() {
                return Ok(true);
            }
        }
    }

    /// Handles an event. Returns whether the messages are to be printed now. A status is no message: that another agent
    /// is busy is no reason to wake this one.
    fn handle(&mut self, event: SubscriptionEvent) -> bool {
        match event {
            SubscriptionEvent::Connected(greeting) => {
                report_polling(NAME, &greeting);
                self.batch.expect(greeting.backlog_count);
                self.outage.connected();
            }
            SubscriptionEvent::Tasks(_) => {}
            SubscriptionEvent::Message(message) if message.is_status => {}
            SubscriptionEvent::Message(message) => {
                self.is_shared |= is_repeated(message.json());
                self.batch.push(message);
            }
            // A gap alone is not acknowledged: there may be messages before its end that are not delivered yet.
            SubscriptionEvent::Gap(gap) => report(NAME, &gap.to_string()),
            SubscriptionEvent::Disconnected { reason, .. } => {
                if let Some(line) = self.outage.lost(&reason) {
                    report(NAME, &line);
                }
                if self.batch.wakes() {
                    return true;
                }
                self.is_shared |= !self.batch.messages().is_empty();
            }
            SubscriptionEvent::SteppedBack => {
                self.batch.clear();
                if !std::mem::replace(&mut self.has_stepped_back, true) {
                    report(NAME, STEPPED_BACK);
                }
            }
        }
        false
    }

    /// Removes messages that another reader has acknowledged meanwhile, so that they are not printed twice.
    async fn remove_acknowledged(&mut self) {
        if std::mem::take(&mut self.is_shared)
            && let Ok(Some(state)) = self.subscription.client().consumer().await
        {
            self.batch.remove_upto(state.cursor);
        }
    }

    /// Acknowledges printed messages. If that fails, they are printed again by the next run.
    async fn ack(&mut self, upto: u64) {
        let client = self.subscription.client();
        let mut attempts = 1;
        let error = loop {
            match client.ack(upto).await {
                Ok(_) => return,
                Err(error) if error.is_temporary() && attempts < ACK_ATTEMPTS => {
                    attempts += 1;
                    client.forget_address();
                    sleep(Duration::from_secs(1)).await;
                }
                Err(error) => break CommandError::from(error),
            }
        };
        report(NAME, &format!("the messages were printed but not acknowledged, and may be printed again: {error}"));
    }

    fn timed_out(self) -> Result<ExitCode, CommandError> {
        match self.outage.reason() {
            None => Ok(ExitCode::from(NO_MESSAGE)),
            Some(reason) => Err(CommandError::Local(reason.to_owned())),
        }
    }
}

/// Returns when the time is over; never if there is none.
async fn over(timeout: &mut Option<Pin<Box<Sleep>>>) {
    match timeout {
        Some(timeout) => timeout.as_mut().await,
        None => pending().await,
    }
}

/// Whether a message was delivered before.
fn is_repeated(json: &str) -> bool {
    serde_json::from_str::<MessageView<'_>>(json).is_ok_and(|message| message.attempt > 1)
}
