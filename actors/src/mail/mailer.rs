//! The queue of e-mails: several tries for each, a few at the same time. It is lost on a restart.

use std::sync::Arc;
use std::time::Duration;

use rogerrat_domain::Now;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::clock::Clock;
use crate::counters::{Count, Counters};
use crate::ports::mail_sender::{Mail, MailSender};

/// When an e-mail is tried, after it was queued.
const TRIES_MS: [u64; 4] = [0, 5_000, 30_000, 120_000];
/// E-mails with a code that may be queued; a caller sees the refusal of a further one.
const CODES_QUEUED: usize = 50;
/// Other e-mails that may be queued. They have a queue of their own, because whether it is full must not be visible.
const OTHERS_QUEUED: usize = 50;
/// E-mails that are handed to the server at the same time.
const SENDING: usize = 4;

/// Sends e-mails.
pub(crate) struct Mailer {
    sender: Arc<dyn MailSender>,
    codes: Arc<Semaphore>,
    others: Arc<Semaphore>,
    sending: Arc<Semaphore>,
    clock: Clock,
    counters: Arc<Counters>,
}

impl Mailer {
    pub(crate) fn new(sender: Arc<dyn MailSender>, clock: Clock, counters: Arc<Counters>) -> Self {
        let [codes, others, sending] = [CODES_QUEUED, OTHERS_QUEUED, SENDING].map(|n| Arc::new(Semaphore::new(n)));
        Self { sender, codes, others, sending, clock, counters }
    }

    /// A place in the queue for an e-mail with a code, if there is one.
    pub(crate) fn place_for_a_code(&self) -> Option<OwnedSemaphorePermit> {
        self.codes.clone().try_acquire_owned().ok()
    }

    /// Counts an e-mail that is not sent because of a limit.
    pub(crate) fn dropped(&self, why: &'static str) {
        self.counters.add(Count::MailsDropped, 1);
        log::warn!(why; "an e-mail was not sent");
    }

    /// Queues an e-mail without a code. One for which there is no room is dropped.
    pub(crate) fn queue(&self, mail: Mail) {
        match self.others.clone().try_acquire_owned() {
            Ok(place) => self.queue_at(place, mail),
            Err(_) => self.dropped("the queue is full"),
        }
    }

    /// Queues an e-mail at its place.
    pub(crate) fn queue_at(&self, place: OwnedSemaphorePermit, mail: Mail) {
        self.counters.add(Count::MailsQueued, 1);
        let (sender, sending, clock) = (self.sender.clone(), self.sending.clone(), self.clock);
        let counters = self.counters.clone();
        actix::spawn(async move {
            let is_sent = deliver(&*sender, &sending, clock, &counters, mail).await;
            counters.add(if is_sent { Count::MailsSent } else { Count::MailsFailed }, 1);
            counters.take(Count::MailsQueued, 1);
            drop(place);
        });
    }
}

/// Tries to send an e-mail until it is sent or refused for good. Returns whether it was sent.
async fn deliver(sender: &dyn MailSender, sending: &Semaphore, clock: Clock, counters: &Counters, mail: Mail) -> bool {
    let kind = mail.content.kind();
    let Now { uptime_ms: queued_ms, .. } = clock.now();
    for (n, after_ms) in TRIES_MS.into_iter().enumerate() {
        let left_ms = (queued_ms + after_ms).saturating_sub(clock.uptime_ms());
        if left_ms > 0 {
            tokio::time::sleep(Duration::from_millis(left_ms)).await;
        }
        // The semaphore is never closed.
        let _turn = sending.acquire().await;
        counters.add(Count::MailAttempts, 1);
        match sender.send(mail.clone()).await {
            Ok(()) => {
                log::debug!(kind; "e-mail sent");
                return true;
            }
            Err(failure) => {
                let (reason, status, is_last) = (failure.reason, failure.status.unwrap_or(0), n + 1 == TRIES_MS.len());
                if is_last || !failure.is_temporary {
                    log::warn!(kind, reason, status; "an e-mail could not be sent");
                    return false;
                }
                log::info!(kind, reason, status; "an e-mail could not be sent yet");
            }
        }
    }
    false
}
