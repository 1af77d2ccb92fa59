//! `rogerrat listen-here`: hands on every message of a channel until it is stopped, over every restart of the hub.

use std::collections::VecDeque;
use std::path::PathBuf;
use std::pin::pin;
use std::process::ExitCode;
use std::time::Duration;

use clap::Args;
use rogerrat_client::http::SseEvent;
use rogerrat_client::{ChannelClient, ClientError, EventStream, Retry};
use rogerrat_domain::text::one_line;
use serde::Deserialize;
use tokio::signal::unix::{SignalKind, signal};
use tokio::time::{Interval, MissedTickBehavior, interval, sleep};

use super::inbox::Inbox;
use super::line::{Format, Gap, Message, Priority};
use super::outlet::{Outlet, Sink};
use crate::outcome::say;
use crate::target::{IdentityArgs, ResolvedTarget, TargetArgs};

pub(super) const NAME: &str = "rogerrat listen-here";

/// Where to listen, and where to.
#[derive(Args)]
#[command(after_help = "Ends with 0 when it is stopped (SIGINT, SIGTERM), 1 when the hub refuses, 2 when this is not \
                        understood, 4 when another reader took over. All else it outlives.")]
pub struct ListenArgs {
    #[command(flatten)]
    place: TargetArgs,
    #[command(flatten)]
    seat: IdentityArgs,
    /// Read with a cursor of this name, so that several readers of one session do not take each other's messages
    #[arg(long, value_name = "NAME")]
    consumer: Option<String>,
    /// Begin above this message id instead of at the cursor
    #[arg(long, value_name = "ID")]
    since: Option<u64>,
    /// Append to this file, one line a message; it and its folders are made. Else messages are printed
    #[arg(long, value_name = "FILE")]
    inbox: Option<PathBuf>,
    /// Run this with `sh -c` for each message, one after the other; it finds the message in RR_… variables
    #[arg(long, value_name = "COMMAND")]
    on_message: Option<String>,
    /// How a message is written
    #[arg(long, value_enum, default_value = "jsonl")]
    format: Format,
    /// Leave out what is less urgent
    #[arg(long, value_name = "PRIORITY", value_enum)]
    min_priority: Option<Priority>,
    /// Say every so many seconds that it still listens: in an inbox of text, else on standard error
    #[arg(long, value_name = "SECONDS", value_parser = clap::value_parser!(u32).range(1..))]
    heartbeat: Option<u32>,
    /// Print no message, and on standard error only what is wrong
    #[arg(long)]
    quiet: bool,
}

#[derive(Deserialize)]
struct Hello {
    callsign: String,
}

struct Listener {
    link: ChannelClient,
    outlet: Outlet,
    retry: Retry,
    /// For the first stream only.
    since: Option<u64>,
    heartbeat: Option<Interval>,
    quiet: bool,
    told_gap: u64,
}

impl ListenArgs {
    pub(super) fn place(&self) -> Result<ResolvedTarget, String> {
        self.place.read(&self.seat)?.needs_seat()?.with_consumer(self.consumer.as_ref())
    }
}

pub(super) async fn run(args: &ListenArgs, place: ResolvedTarget) -> Result<ExitCode, ClientError> {
    let sink = match &args.inbox {
        Some(path) => Sink::Inbox(Inbox::open(path, &place.target.channel).map_err(ClientError::Refused)?),
        None if args.on_message.is_some() || args.quiet => Sink::Nothing,
        None => Sink::Stdout,
    };
    let outlet = Outlet {
        sink,
        format: args.format,
        min_priority: args.min_priority.unwrap_or(Priority::Min),
        command: args.on_message.clone(),
        channel: place.target.channel.clone(),
        done: VecDeque::new(),
    };
    let heartbeat = args.heartbeat.map(|seconds| {
        let mut heartbeat = interval(Duration::from_secs(seconds.into()));
        heartbeat.set_missed_tick_behavior(MissedTickBehavior::Delay);
        heartbeat.reset();
        heartbeat
    });
    let mut listener = Listener {
        link: place.client(),
        outlet,
        retry: Retry::default(),
        since: args.since,
        heartbeat,
        quiet: args.quiet,
        told_gap: 0,
    };
    let signals = |kind| signal(kind).map_err(|error| ClientError::Refused(error.to_string()));
    let (mut interrupt, mut terminate) = (signals(SignalKind::interrupt())?, signals(SignalKind::terminate())?);
    tokio::select! {
        trouble = listener.listen() => Err(trouble),
        _ = interrupt.recv() => Ok(ExitCode::SUCCESS),
        _ = terminate.recv() => Ok(ExitCode::SUCCESS),
    }
}

impl Listener {
    /// Until there is no use in going on.
    async fn listen(&mut self) -> ClientError {
        loop {
            match self.follow().await {
                ClientError::Passing { why, retry_after } => {
                    self.link.forget_address();
                    let pause = self.retry.pause(retry_after);
                    say(NAME, &format!("{why}; trying again in {} s", pause.as_secs()));
                    sleep(pause).await;
                }
                trouble => return trouble,
            }
        }
    }

    /// One stream, to its end.
    async fn follow(&mut self) -> ClientError {
        let since = self.since.map_or(String::new(), |id| format!("&since={id}"));
        let mut stream = match self.link.stream(&since).await {
            Ok(stream) => stream,
            Err(trouble) => return trouble,
        };
        self.since = None;
        loop {
            let event = match self.next(&mut stream).await {
                Ok(event) => event,
                Err(trouble) => return trouble,
            };
            if let Err(trouble) = self.heed(&event, &mut stream).await {
                return trouble;
            }
        }
    }

    async fn next(&mut self, stream: &mut EventStream) -> Result<SseEvent, ClientError> {
        let Some(mut heartbeat) = self.heartbeat.take() else { return stream.next().await };
        let next = {
            let mut next = pin!(stream.next());
            loop {
                tokio::select! {
                    next = &mut next => break next,
                    _ = heartbeat.tick() => self.tell("♥ alive — still listening"),
                }
            }
        };
        self.heartbeat = Some(heartbeat);
        next
    }

    async fn heed(&mut self, event: &SseEvent, stream: &mut EventStream) -> Result<(), ClientError> {
        match &*event.name {
            "hello" => {
                self.retry.reset();
                let Hello { callsign } = event.read()?;
                let channel = &self.outlet.channel;
                let line = format!("● connected — listening on {channel} as {}", one_line(&callsign));
                self.tell(&line);
            }
            "message" => {
                let mut messages = vec![Message::read(event)?];
                while let Some(more) = stream.next_message() {
                    messages.push(Message::read(&more)?);
                }
                self.outlet.take(&mut messages).await?;
                return self.acknowledge(&messages).await;
            }
            "gap" => {
                let gap: Gap = event.read()?;
                if gap.to > self.told_gap {
                    self.told_gap = gap.to;
                    say(NAME, &gap.to_string());
                    self.outlet.note(&one_line(&gap.to_string()));
                }
            }
            _ => {}
        }
        Ok(())
    }

    /// What cannot be acknowledged comes again, and is not handed on again.
    async fn acknowledge(&mut self, messages: &[Message]) -> Result<(), ClientError> {
        let upto = messages.iter().filter(|message| !message.is_status).map(|message| message.id).max();
        let Some(upto) = upto else { return Ok(()) };
        self.link.acknowledge(upto).await
    }

    fn tell(&mut self, line: &str) {
        self.outlet.note(line);
        if !self.quiet {
            say(NAME, line);
        }
    }
}
