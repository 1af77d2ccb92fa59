//! Tasks in the simulation: members ask, answer, post work, take it, renew its lease and finish it on whatever hub answers.

use std::cell::Cell;
use std::rc::Rc;
use std::time::Duration;

use rogerrat_domain::op::{Board, BoardFilter, Draft, Send, SendInput, Take};
use rogerrat_domain::{AnswersFormat, Code, MessageId, MessageState, TaskRow, TaskState, WaiterId, Wants};
use tokio::time::{sleep, timeout};

use super::client::{ANSWER_LIMIT, Client, Failure};
use super::task_oracle::{By, Posted, result_text};
use crate::random::RngExt as _;
use crate::{HubError, TaskLook};

const LEASE_MS: u64 = 12_000;
/// How long an ask and a taking wait.
const WAIT_MS: u64 = 2_000;
/// How often a client tries before it gives up.
const TRIES: usize = 8;

/// Work that a client has taken.
struct Taken {
    id: MessageId,
    fence: u32,
    sender: String,
}

/// The code of a refusal that no repetition changes.
fn refused(failure: &Failure) -> Option<Code> {
    let Failure::Refused(HubError::Refused(refusal)) = failure else { return None };
    let is_final = matches!(
        refusal.code,
        Code::FenceStale | Code::TaskClosed | Code::TaskTaken | Code::LimitReached | Code::NotFound | Code::Forbidden
    );
    is_final.then_some(refusal.code)
}

impl Client {
    fn chance(&self, chance: f64) -> bool {
        self.world.draw(|rng| rng.random_bool(chance))
    }

    async fn pause(&self, ms: std::ops::Range<u64>) {
        let ms = self.world.draw(|rng| rng.random_range(ms));
        sleep(Duration::from_millis(ms)).await;
    }

    /// Does something with tasks.
    pub(super) async fn play_tasks(&mut self) {
        match self.world.draw(|rng| rng.random_range(0..6)) {
            0 => self.post_work().await,
            1 => self.ask().await,
            2 => self.answer_a_question().await,
            _ => self.work().await,
        }
    }

    /// Sends with a key until the outcome is known, or the client gives up.
    async fn send_task(&self, input: impl Fn() -> SendInput, key: &str) -> Option<Result<MessageId, Code>> {
        for _ in 0..TRIES {
            let session = self.session.clone();
            let draft = Draft::check(input(), Some(key)).expect("it is valid");
            let send = self.world.request(&self.who.0, move |hub, at, _| {
                let send = Send { session: session.clone(), draft: draft.clone() };
                async move { hub.send(&at, send).await }
            });
            match timeout(ANSWER_LIMIT, send).await {
                Ok(Ok(reply)) => return Some(Ok(reply.id)),
                Ok(Err(failure)) => {
                    if let Some(code) = refused(&failure) {
                        return Some(Err(code));
                    }
                }
                Err(_) => {}
            }
            self.pause(100..1_500).await;
        }
        None
    }

    /// Posts work: to all, or quietly.
    async fn post_work(&self) {
        let (text, quiet) = (self.next_text(), self.chance(0.5));
        let owned_by = self.world.oracle().fence_of(&self.who.0);
        let recipients = self.world.oracle().members_beside(&self.who);
        let input = || SendInput {
            message: Some(text.clone()),
            wants: Some(Wants::Work),
            quiet: Some(quiet),
            ..SendInput::default()
        };
        if let Some(Ok(id)) = self.send_task(input, &text).await {
            let mut oracle = self.world.oracle();
            oracle.posted_task(&self.who.0, id, Posted { wants: Wants::Work, answers: 1, owned_by });
            if !quiet {
                oracle.acknowledged(&self.who.0, id, &text, recipients);
            }
        }
    }

    /// Asks all, and waits for answers, perhaps again.
    async fn ask(&mut self) {
        let (text, answers) = (self.next_text(), self.world.draw(|rng| rng.random_range(1..=2)));
        let recipients = self.world.oracle().members_beside(&self.who);
        let owned_by = self.world.oracle().fence_of(&self.who.0);
        let mut id = None;
        for _ in 0..TRIES {
            let asked = self.ask_once(&text, answers, id).await;
            if let Some(asked) = asked {
                if id.is_none() {
                    let mut oracle = self.world.oracle();
                    oracle.posted_task(&self.who.0, asked, Posted { wants: Wants::Answer, answers, owned_by });
                    oracle.acknowledged(&self.who.0, asked, &text, recipients.clone());
                }
                id = Some(asked);
                if self.chance(0.4) {
                    return;
                }
            }
            self.pause(100..1_500).await;
        }
    }

    /// Asks, or continues to wait. Returns the id of the question.
    async fn ask_once(&self, text: &str, answers: usize, id: Option<MessageId>) -> Option<MessageId> {
        let input = SendInput {
            to: Some("all".into()),
            message: Some(text.to_owned()),
            wants: Some(Wants::Answer),
            answers: Some(answers as u64),
            ..SendInput::default()
        };
        let draft = Draft::check(input, Some(text)).expect("it is valid");
        let (world, who, session) = (self.world.clone(), self.who.clone(), self.session.clone());
        let gave_up = Rc::new(Cell::new(false));
        let has_given_up = gave_up.clone();
        let ask = self.world.request(&self.who.0, move |hub, at, links| {
            let (world, who, session, draft) = (world.clone(), who.clone(), session.clone(), draft.clone());
            let gave_up = gave_up.clone();
            async move {
                let (reply, read, mut guard) = match id {
                    Some(id) => hub.continue_question(&at, session, id, AnswersFormat::default(), WAIT_MS).await?,
                    None => hub.question(&at, Send { session, draft }, AnswersFormat::default(), WAIT_MS).await?,
                };
                let (latency_ms, reads_late) = world.draw(|rng| (rng.random_range(0..40), rng.random_bool(0.5)));
                sleep(Duration::from_millis(latency_ms)).await;
                if links.pass().await && (!gave_up.get() || reads_late) {
                    guard.complete();
                    let mut oracle = world.oracle();
                    for answer in &reply.answers {
                        oracle.returned(&who, answer.get(), &read);
                    }
                }
                Ok(reply.ask_id)
            }
        });
        let asked = timeout(ANSWER_LIMIT, ask).await;
        if asked.is_err() {
            has_given_up.set(true);
        }
        asked.ok()?.ok()
    }

    /// Answers a question that it has not answered.
    async fn answer_a_question(&self) {
        let session = self.session.clone();
        let board = self.world.request(&self.who.0, move |hub, at, _| {
            let filter =
                BoardFilter { state: Some(TaskState::Open), wants: Some(Wants::Answer), ..BoardFilter::default() };
            let board = Board { session: session.clone(), filter };
            async move { hub.query(&at, board).await }
        });
        let Ok(Ok(board)) = timeout(ANSWER_LIMIT, board).await else { return };
        let questions: Vec<_> = board.tasks.into_iter().filter(|row| row.from != self.who.1).collect();
        if questions.is_empty() {
            return;
        }
        let at = self.world.draw(|rng| rng.random_range(0..questions.len()));
        let TaskRow { id, from: sender, .. } = &questions[at];
        self.finish(Taken { id: *id, fence: 0, sender: sender.clone() }).await;
    }

    /// Takes work and finishes it, or gives it back.
    async fn work(&self) {
        let Some(mut taken) = self.take(None, None).await else { return };
        for _ in 0..2 {
            self.pause(0..LEASE_MS).await;
            match self.world.draw(|rng| rng.random_range(0..10)) {
                0..4 => drop(self.take(Some(taken.id), Some(taken.fence)).await),
                4 => {
                    // A process that was started again does not know the fence.
                    let Some(again) = self.take(Some(taken.id), None).await else { continue };
                    if self.chance(0.5) {
                        self.finish(Taken { sender: again.sender.clone(), ..taken }).await;
                    }
                    taken = again;
                }
                5 => return self.give_back(&taken).await,
                _ => {}
            }
        }
        self.finish(taken).await;
    }

    /// Takes work, or renews a lease.
    async fn take(&self, id: Option<MessageId>, fence: Option<u32>) -> Option<Taken> {
        let (world, who, session) = (self.world.clone(), self.who.clone(), self.session.clone());
        let until_ms = self.world.lease_until_ms(self.world.now_ms(), LEASE_MS);
        let known = id.map_or(0, |id| self.world.oracle().tasks.highest_fence(&self.who.0, id));
        let take = self.world.request(&self.who.0, move |hub, at, links| {
            let (world, who, session) = (world.clone(), who.clone(), session.clone());
            async move {
                let timeout_ms = if id.is_none() { WAIT_MS } else { 0 };
                let (thread, waiter) = (None, WaiterId(0));
                let take = Take { session, id, fence, lease_ms: LEASE_MS, thread, timeout_ms, waiter };
                let Some(mut taken) = hub.take(&at, take).await? else { return Ok(None) };
                sleep(Duration::from_millis(world.draw(|rng| rng.random_range(0..40)))).await;
                if !links.pass().await {
                    return Ok(None);
                }
                taken.guard.complete();
                let (id, sender) = (taken.task.id, taken.task.from.clone());
                let by = By { who: who.1.clone(), fence: taken.fence };
                let mut oracle = world.oracle();
                oracle.note(|| format!("{}: {id} is taken by {by:?}, renewed: {}", who.0, fence.is_some()));
                let wrong = if fence.is_some() {
                    oracle.tasks.renewed(&who.0, id, &by, until_ms, known)
                } else {
                    oracle.tasks.taken(&who.0, id, &by, (world.now_ms(), until_ms), known)
                };
                oracle.violations.extend(wrong);
                Ok(Some(Taken { id, fence: taken.fence, sender }))
            }
        });
        timeout(ANSWER_LIMIT, take).await.ok()?.ok()?
    }

    async fn give_back(&self, taken: &Taken) {
        self.world.oracle().tasks.gives_back(&self.who.0, taken.id);
        let input = || SendInput {
            reply_to: Some(taken.id),
            message: Some(format!("{} gives {} back with {}", self.who.1, taken.id, taken.fence)),
            state: Some(MessageState::Open),
            fence: Some(taken.fence.into()),
            ..SendInput::default()
        };
        let _ = self.send_task(input, &format!("back-{}-{}", taken.id, taken.fence)).await;
    }

    /// Sends a result or an answer until it is known whether it counts.
    async fn finish(&self, Taken { id, fence, sender }: Taken) {
        let (channel, by) = (self.who.0.clone(), By { who: self.who.1.clone(), fence });
        let text = result_text(id, &by);
        let known = self.world.oracle().tasks.sends(&channel, id, &by);
        let input = || SendInput {
            message: Some(text.clone()),
            reply_to: Some(id),
            state: Some(MessageState::Done),
            fence: (fence > 0).then_some(fence.into()),
            ..SendInput::default()
        };
        let outcome = self.send_task(input, &text.replace(' ', "-")).await;
        let mut oracle = self.world.oracle();
        oracle.note(|| format!("{channel}: {id} is finished by {by:?}: {outcome:?}"));
        let wrong = match outcome {
            Some(Ok(message)) => {
                oracle.acknowledged_result(&channel, message, &text, sender);
                oracle.tasks.accepted(&channel, id, &by, known)
            }
            Some(Err(code)) => oracle.refused_result(&self.who, id, &by, code),
            None => None,
        };
        oracle.violations.extend(wrong);
    }

    /// Looks at every task that was posted on its channel: each must be as was observed.
    pub(super) async fn check_tasks(&self) {
        let posted = self.world.oracle().tasks.posted(&self.who.0);
        for id in posted {
            let mut found = Err("cannot be looked at");
            for _ in 0..20 {
                let session = self.session.clone();
                let look = self.world.request(&self.who.0, move |hub, at, _| {
                    let session = session.clone();
                    async move { hub.look_at_task(&at, session, TaskLook::now(id)).await.map(|look| look.task) }
                });
                match timeout(ANSWER_LIMIT, look).await {
                    Ok(Ok(row)) => found = Ok(Some(row)),
                    Ok(Err(failure)) if refused(&failure) == Some(Code::NotFound) => found = Ok(None),
                    _ => {
                        sleep(Duration::from_millis(500)).await;
                        continue;
                    }
                }
                break;
            }
            let mut oracle = self.world.oracle();
            let wrong = match found {
                Ok(row) => oracle.check_task(&self.who, id, row.as_ref()),
                Err(why) => Some(format!("{}: the task {id} {why}", self.who.0)),
            };
            oracle.violations.extend(wrong);
        }
    }
}
