//! `rogerrat wait`, the doorbell: waits for a message, prints it and ends.

use std::process::ExitCode;
use std::time::Duration;

use clap::Args;
use rogerrat_client::{ChannelSubscription, ClientError, GapNotice, ReceivedMessage, StreamOptions, SubscriptionEvent};
use tokio::time::{sleep, timeout};

use super::format::Format;
use super::report_polling;
use crate::outcome::{CommandError, NO_MESSAGE, print, report};
use crate::target::{IdentityArgs, ProfileRule, ResolvedTarget, TargetArgs};

pub(super) const NAME: &str = "rogerrat wait";
/// Maximum number of messages to print. The others remain for the next run.
const MAX_MESSAGES: u32 = 10;
/// Time limit for messages that the hub has announced as stored.
const BACKLOG_TIMEOUT: Duration = Duration::from_secs(2);
/// Attempts to acknowledge printed messages.
const ACK_ATTEMPTS: u32 = 3;

/// Which channel to wait on, and how long.
#[derive(Args)]
#[command(after_help = "Exit code 0: a message was printed; 1: the hub refused; 2: usage error; 3: no message \
                        arrived in time; 4: another reader took over.")]
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
    /// Give up after this time; wait for ever by default
    #[arg(long, value_name = "SECONDS", value_parser = clap::value_parser!(u32).range(1..))]
    timeout: Option<u32>,
}

/// The subscription, and why it has no connection.
struct Doorbell {
    subscription: ChannelSubscription,
    /// Why the hub cannot be reached, or `None` while connected.
    disconnected: Option<String>,
}

impl WaitArgs {
    pub(super) fn resolve(&self) -> Result<ResolvedTarget, String> {
        let target = self.target.resolve(&self.identity, ProfileRule::MayBeNew)?;
        target.require_member()?.with_consumer(self.consumer.as_ref())
    }
}

pub(super) async fn run(args: &WaitArgs, target: ResolvedTarget) -> Result<ExitCode, CommandError> {
    let options = StreamOptions { max: Some(MAX_MESSAGES), ..StreamOptions::default() };
    let subscription = target.client().subscribe(options);
    let mut doorbell = Doorbell { subscription, disconnected: Some("the hub has not responded yet".into()) };
    let messages = match args.timeout {
        None => doorbell.wait().await?,
        Some(seconds) => match timeout(Duration::from_secs(seconds.into()), doorbell.wait()).await {
            Ok(messages) => messages?,
            Err(_) => return doorbell.timed_out(),
        },
    };
    // The stream stays open until the process ends: while it is open, the hub does not deliver the messages to another
    // reader.
    let lines: String = messages.iter().map(|message| args.format.line(message, &[])).collect();
    print(&lines)?;
    if let Some(upto) = messages.iter().map(|message| message.id).max() {
        doorbell.ack(upto).await;
    }
    Ok(ExitCode::SUCCESS)
}

impl Doorbell {
    /// Waits until a message has arrived, and then for those that the hub has announced with it. A status does not
    /// count: that another agent is busy is no reason to wake this one.
    async fn wait(&mut self) -> Result<Vec<ReceivedMessage>, ClientError> {
        let (mut messages, mut expected) = (Vec::new(), 1);
        loop {
            let event = match messages.is_empty() {
                true => self.subscription.next().await?,
                false if messages.len() < expected => match timeout(BACKLOG_TIMEOUT, self.subscription.next()).await {
                    Ok(Ok(event)) => event,
                    Ok(Err(_)) | Err(_) => return Ok(messages),
                },
                false => return Ok(messages),
            };
            match event {
                SubscriptionEvent::Connected(greeting) => {
                    report_polling(NAME, &greeting);
                    expected = greeting.backlog_count.clamp(1, MAX_MESSAGES as usize);
                    self.disconnected = None;
                }
                SubscriptionEvent::Message(message) => messages.extend(Some(message).filter(|m| !m.is_status)),
                SubscriptionEvent::Gap(gap) => report_gap(&gap),
                SubscriptionEvent::Disconnected { .. } if !messages.is_empty() => return Ok(messages),
                SubscriptionEvent::Disconnected { reason, .. } => {
                    if self.disconnected.as_ref() != Some(&reason) {
                        report(NAME, &format!("{reason}; trying again"));
                    }
                    self.disconnected = Some(reason);
                }
            }
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
        match self.disconnected {
            None => Ok(ExitCode::from(NO_MESSAGE)),
            Some(reason) => Err(CommandError::Local(reason)),
        }
    }
}

/// A gap alone is not acknowledged: there may be messages before its end that are not delivered yet.
fn report_gap(gap: &GapNotice) {
    report(NAME, &gap.to_string());
}
