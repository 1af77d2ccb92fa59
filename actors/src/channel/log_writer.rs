//! PendingWrites what happened: the channel actor's way to the log and back.
//!
//! What is decided is applied at once, but what comes of it leaves the actor only when the log has it: answers, wakes
//! and frames wait in a batch. While the log writes, the mailbox waits too, so what arrives meanwhile becomes the next
//! record. If the log refuses, the state in memory is ahead of it: the actor ends and comes back from the log.

use std::time::Duration;

use actix::prelude::*;
use rogerrat_domain::transcript::TranscriptLine;
use rogerrat_domain::{Effect, Entry, Record};

use crate::channel::actor::ChannelActor;
use crate::channel::pending_webhooks::PendingDeliveries;
use crate::error::HubError;
use crate::ports::log::AppendResult;
use crate::random::record_id;

/// How long what nobody waits for may gather before it is written.
const GATHER: Duration = Duration::from_millis(20);
/// How long until a log that failed is tried again.
pub(crate) const RETRY: Duration = Duration::from_secs(1);
/// Entries after which the log of a small channel is folded.
const FOLD_AFTER: usize = 2000;

/// An answer that waits for the log.
pub(crate) type Answer = Box<dyn FnOnce(&mut ChannelActor, Result<(), HubError>)>;

/// What happened and is not in the log yet, and what comes of it.
#[derive(Default)]
pub(crate) struct Batch {
    entries: Vec<Entry>,
    transcript: Vec<TranscriptLine>,
    notices: PendingDeliveries,
    answers: Vec<Answer>,
    effects: Vec<Effect>,
    /// Whether somebody waits for it to be kept.
    awaited: bool,
}

impl Batch {
    fn is_empty(&self) -> bool {
        self.entries.is_empty() && self.transcript.is_empty() && self.notices.is_empty()
    }
}

/// How the actor stands with its log.
#[derive(Default)]
pub(crate) struct PendingWrites {
    /// None while nothing happens that the log should know.
    batch: Option<Box<Batch>>,
    in_flight: bool,
    /// Whether a write is set for when the mailbox is empty, and for when enough has gathered.
    write_is_set: bool,
    flush_is_set: bool,
    /// The log lacks something that is in memory: a fold will mend it.
    behind: bool,
    since_fold: usize,
}

impl PendingWrites {
    /// Goes on with a log of so many entries that are not folded.
    pub(crate) fn after(entries: usize) -> Self {
        Self { since_fold: entries, ..Self::default() }
    }

    /// Whether there is nothing to be written.
    fn is_even(&self) -> bool {
        self.batch.as_ref().is_none_or(|batch| batch.is_empty())
    }

    /// The batch, if somebody waits for it.
    fn awaited(&mut self) -> Option<&mut Batch> {
        self.batch.as_deref_mut().filter(|batch| batch.awaited)
    }

    /// Lets go of what would be written that nobody waits for.
    fn clear(&mut self) {
        if let Some(batch) = &mut self.batch {
            batch.entries.clear();
        }
    }
}

/// What became of an attempt to keep something.
enum WriteOutcome {
    Kept,
    /// Not kept, and the channel can live with that until its log is folded.
    Owed,
    Lost(HubError),
}

impl ChannelActor {
    /// Whether the log takes nothing now.
    pub(crate) fn log_is_shut(&self) -> bool {
        self.keeping.behind || !self.house.log.is_healthy()
    }

    /// Puts what was applied into the batch. `awaited` when nothing may come of it before it is kept.
    pub(crate) fn note(
        &mut self,
        entries: Vec<Entry>,
        transcript: Vec<TranscriptLine>,
        notices: PendingDeliveries,
        awaited: bool,
    ) {
        if !awaited && entries.is_empty() && transcript.is_empty() && notices.is_empty() {
            return;
        }
        let batch = self.keeping.batch.get_or_insert_default();
        batch.entries.extend(entries);
        batch.transcript.extend(transcript);
        batch.notices.extend(notices);
        batch.awaited |= awaited;
    }

    /// Answers now, or when what came before it is kept.
    pub(crate) fn answer_in_turn(&mut self, answer: impl FnOnce(&mut Self, Result<(), HubError>) + 'static) {
        match self.keeping.awaited() {
            Some(batch) => batch.answers.push(Box::new(answer)),
            None => answer(self, Ok(())),
        }
    }

    /// Keeps an effect back while what it comes of is not kept. Gives it back when it may be carried out.
    pub(crate) fn hold_back(&mut self, effect: Effect) -> Option<Effect> {
        let Some(batch) = self.keeping.awaited() else { return Some(effect) };
        batch.effects.push(effect);
        None
    }

    /// Whether everything that happened is in the log.
    pub(crate) fn is_kept(&self) -> bool {
        let keeping = &self.keeping;
        !keeping.in_flight && !keeping.behind && keeping.batch.as_ref().is_none_or(|batch| batch.entries.is_empty())
    }

    /// Sees to it that the batch is written: when the mailbox is empty if somebody waits, else soon.
    pub(crate) fn write_soon(&mut self, ctx: &mut Context<Self>) {
        if self.keeping.is_even() || self.keeping.in_flight {
            return;
        }
        if self.keeping.awaited().is_some() {
            // Polled when the mailbox has nothing more: what came together is written together.
            if !self.keeping.write_is_set {
                self.keeping.write_is_set = true;
                ctx.spawn(async {}.into_actor(self).map(|(), this, ctx| {
                    this.keeping.write_is_set = false;
                    this.write(ctx);
                }));
            }
        } else if !self.keeping.flush_is_set {
            self.keeping.flush_is_set = true;
            ctx.run_later(GATHER, |this, ctx| {
                this.keeping.flush_is_set = false;
                this.write(ctx);
            });
        }
    }

    /// Writes the batch, unless the one before is still on its way: then it follows that one.
    pub(crate) fn write(&mut self, ctx: &mut Context<Self>) {
        if self.keeping.in_flight || self.keeping.is_even() {
            return;
        }
        if self.keeping.behind {
            // A fold will bring everything; only what nobody waits for can be here.
            self.keeping.clear();
            return;
        }
        let Some(batch) = self.keeping.batch.take() else { return };
        let Batch { entries, transcript, notices, answers, effects, awaited } = *batch;
        let text_is_kept = self.channel.settings().is_durable() || !transcript.is_empty() || !notices.is_empty();
        let PendingDeliveries { due, tickets } = notices;
        self.keeping.since_fold += entries.len();
        let now = self.house.clock.now();
        let rid = record_id();
        let channel = self.channel.id().clone();
        let append = self.house.log.append(Record {
            channel,
            seq: self.seq + 1,
            rid,
            at_ms: now.at_ms,
            entries,
            transcript,
            due,
        });
        self.keeping.in_flight = true;
        let landed = append.into_actor(self).map(move |appended, this, ctx| {
            this.keeping.in_flight = false;
            let must_be_kept = awaited && text_is_kept;
            match fate(appended, must_be_kept) {
                WriteOutcome::Kept => {
                    this.seq += 1;
                    this.house.webhooks.wake(tickets);
                }
                WriteOutcome::Owed => this.fall_behind(ctx),
                WriteOutcome::Lost(error) => return this.give_up(answers, &error, ctx),
            }
            answers.into_iter().for_each(|answer| answer(this, Ok(())));
            this.effects.extend(effects);
            this.carry_out(ctx);
            this.fold_if_long();
        });
        if awaited {
            ctx.wait(landed);
        } else {
            let _ = ctx.spawn(landed);
        }
    }

    /// What the log holds is not what is in memory: say so, and come back from it.
    fn give_up(&mut self, answers: Vec<Answer>, error: &HubError, ctx: &mut Context<Self>) {
        log::error!(channel:display = self.channel.id(), error:display; "a record was not kept: the channel starts again from its log");
        answers.into_iter().for_each(|answer| answer(self, Err(error.clone())));
        let later = self.keeping.batch.take().unwrap_or_default();
        later.answers.into_iter().for_each(|answer| answer(self, Err(error.clone())));
        ctx.stop();
    }

    /// The log lacks something nobody was promised on disk. When it works again it gets the whole state.
    pub(crate) fn fall_behind(&mut self, ctx: &mut Context<Self>) {
        if !self.keeping.behind {
            log::warn!(channel:display = self.channel.id(); "the log keeps nothing now: the channel goes on in memory");
            self.keeping.behind = true;
            ctx.run_later(RETRY, Self::catch_up);
        }
    }

    fn catch_up(&mut self, ctx: &mut Context<Self>) {
        if !self.house.log.is_healthy() || self.keeping.in_flight || self.keeping.awaited().is_some() {
            ctx.run_later(RETRY, Self::catch_up);
            return;
        }
        self.keeping.clear();
        self.keeping.in_flight = true;
        let fold =
            self.house.log.compact(self.channel.id(), self.seq, self.channel.snapshot(None, self.house.clock.now()));
        ctx.wait(fold.into_actor(self).map(|folded, this, ctx| {
            this.keeping.in_flight = false;
            match folded {
                Ok(()) => this.keeping.behind = false,
                Err(_) => {
                    ctx.run_later(RETRY, Self::catch_up);
                }
            }
            this.write_soon(ctx);
        }));
    }

    /// Folds the log when it has grown long, at a moment when it has everything.
    fn fold_if_long(&mut self) {
        let members = self.channel.stats().members as usize;
        if self.keeping.since_fold < FOLD_AFTER + 4 * members
            || !self.is_kept()
            || self.keeping.batch.as_ref().is_some_and(|batch| !batch.transcript.is_empty())
        {
            return;
        }
        self.keeping.since_fold = 0;
        // Nobody waits for it: if it is lost, the records stay.
        drop(self.house.log.compact(self.channel.id(), self.seq, self.channel.snapshot(None, self.house.clock.now())));
    }

    /// Writes everything there is and then the state, as that of a channel that rests. Runs `rested` when it is kept.
    pub(crate) fn rest(
        &mut self,
        ctx: &mut Context<Self>,
        rested: impl FnOnce(&mut Self, bool, &mut Context<Self>) + 'static,
    ) {
        self.write(ctx);
        if self.keeping.in_flight {
            // The batch before it is on its way: look again when it has landed.
            ctx.run_later(GATHER, |this, ctx| this.rest(ctx, rested));
            return;
        }
        self.keeping.clear();
        self.keeping.in_flight = true;
        let fold = self.house.log.compact(
            self.channel.id(),
            self.seq,
            self.channel.snapshot(Some(self.house.run), self.house.clock.now()),
        );
        ctx.wait(fold.into_actor(self).map(move |folded, this, ctx| {
            this.keeping.in_flight = false;
            if folded.is_ok() {
                this.keeping.behind = false;
                this.keeping.since_fold = 0;
            }
            rested(this, folded.is_ok(), ctx);
        }));
    }
}

fn fate(appended: AppendResult, must_be_kept: bool) -> WriteOutcome {
    match appended {
        AppendResult::Done => WriteOutcome::Kept,
        AppendResult::Refused | AppendResult::Busy if !must_be_kept => WriteOutcome::Owed,
        AppendResult::Refused => WriteOutcome::Lost(HubError::StorageFailed),
        AppendResult::Busy => WriteOutcome::Lost(HubError::Busy),
        AppendResult::Conflict | AppendResult::Unknown => WriteOutcome::Lost(HubError::OutcomeUnknown),
    }
}
