//! `rogerrat wait`, the doorbell: ends when a message has come and was printed.

use std::process::ExitCode;
use std::time::Duration;

use clap::Args;
use rogerrat_client::{ChannelClient, ClientError, EventStream, Retry};
use serde::Deserialize;
use tokio::time::{sleep, timeout};

use super::line::{Format, Gap, Message};
use crate::outcome::{NOTHING_CAME, print, say};
use crate::target::{IdentityArgs, ResolvedTarget, TargetArgs};

pub(super) const NAME: &str = "rogerrat wait";
/// Messages printed at once; more stay for the next time.
const MOST: usize = 10;
/// For what the hub has said that it holds.
const AT_ONCE: Duration = Duration::from_secs(2);
/// Tries to acknowledge what was printed.
const ACKS: u32 = 3;

/// Where to wait, and how long.
#[derive(Args)]
#[command(
    after_help = "Ends with 0 when a message was printed, 1 when the hub refuses, 2 when this is not understood, \
                        3 when nothing came in time, 4 when another reader took over."
)]
pub struct WaitArgs {
    #[command(flatten)]
    place: TargetArgs,
    #[command(flatten)]
    seat: IdentityArgs,
    /// Read with a cursor of this name, so that several readers of one session do not take each other's messages
    #[arg(long, value_name = "NAME")]
    consumer: Option<String>,
    /// How a message is printed
    #[arg(long, value_enum, default_value = "text")]
    format: Format,
    /// Give up after so many seconds; else wait for ever
    #[arg(long, value_name = "SECONDS", value_parser = clap::value_parser!(u32).range(1..))]
    timeout: Option<u32>,
}

#[derive(Deserialize)]
struct Hello {
    #[serde(default)]
    backlog_count: usize,
}

/// The bell, and why it is silent.
struct Bell {
    link: ChannelClient,
    /// Why the hub cannot be reached, while it cannot.
    unreached: Option<String>,
    told_gap: u64,
}

impl WaitArgs {
    pub(super) fn place(&self) -> Result<ResolvedTarget, String> {
        self.place.read(&self.seat)?.needs_seat()?.with_consumer(self.consumer.as_ref())
    }
}

pub(super) async fn run(args: &WaitArgs, place: ResolvedTarget) -> Result<ExitCode, ClientError> {
    let mut bell = Bell { link: place.client(), unreached: Some("the hub has not answered yet".into()), told_gap: 0 };
    let rung = match args.timeout {
        None => bell.ring().await,
        Some(seconds) => match timeout(Duration::from_secs(seconds.into()), bell.ring()).await {
            Ok(rung) => rung,
            Err(_) => return bell.nothing(),
        },
    };
    // The stream stays open until the end: what it has brought belongs to us as long as it lives.
    let (messages, _stream) = rung?;
    let lines: String = messages.iter().map(|message| message.line(args.format)).collect();
    print(&lines)?;
    if let Some(upto) = messages.iter().filter(|message| !message.is_status).map(|message| message.id).max() {
        bell.acknowledge(upto).await;
    }
    Ok(ExitCode::SUCCESS)
}

impl Bell {
    /// Until something has come, over every restart of the hub.
    async fn ring(&mut self) -> Result<(Vec<Message>, EventStream), ClientError> {
        let mut retry = Retry::default();
        loop {
            match self.once(&mut retry).await {
                Err(ClientError::Passing { why, retry_after }) => {
                    self.link.forget_address();
                    let pause = retry.pause(retry_after);
                    if self.unreached.as_ref() != Some(&why) {
                        say(NAME, &format!("{why}; trying again"));
                    }
                    self.unreached = Some(why);
                    sleep(pause).await;
                }
                ended => return ended,
            }
        }
    }

    async fn once(&mut self, retry: &mut Retry) -> Result<(Vec<Message>, EventStream), ClientError> {
        let mut stream = self.link.stream(&format!("&max={MOST}")).await?;
        let (mut messages, mut expected) = (Vec::new(), 1);
        loop {
            let event = match messages.is_empty() {
                true => stream.next().await?,
                // What was promised and does not come is no reason to keep what came.
                false if messages.len() < expected => match timeout(AT_ONCE, stream.next()).await {
                    Ok(Ok(event)) => event,
                    Ok(Err(_)) | Err(_) => return Ok((messages, stream)),
                },
                false => return Ok((messages, stream)),
            };
            match &*event.name {
                "hello" => {
                    expected = event.read::<Hello>()?.backlog_count.clamp(1, MOST);
                    self.unreached = None;
                    retry.reset();
                }
                // Somebody who is busy is no reason to wake anybody.
                "message" => messages.extend(Some(Message::read(&event)?).filter(|message| !message.is_status)),
                "gap" => self.lost(&event.read()?),
                _ => {}
            }
        }
    }

    /// Says a loss once. It is not acknowledged for itself: below its end there may be messages on their way.
    fn lost(&mut self, gap: &Gap) {
        if gap.to > self.told_gap {
            self.told_gap = gap.to;
            say(NAME, &gap.to_string());
        }
    }

    /// What was printed and cannot be acknowledged comes again, and says so.
    async fn acknowledge(&mut self, upto: u64) {
        let mut tries = 1;
        let why = loop {
            match self.link.ack(upto).await {
                Ok(_) => return,
                Err(ClientError::Passing { .. }) if tries < ACKS => {
                    tries += 1;
                    self.link.forget_address();
                    sleep(Duration::from_secs(1)).await;
                }
                Err(trouble) => break trouble,
            }
        };
        say(NAME, &format!("printed, but not acknowledged, so it may come again: {why}"));
    }

    fn nothing(self) -> Result<ExitCode, ClientError> {
        match self.unreached {
            None => Ok(ExitCode::from(NOTHING_CAME)),
            Some(why) => Err(ClientError::Refused(why)),
        }
    }
}
