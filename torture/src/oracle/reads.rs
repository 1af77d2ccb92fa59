//! What the oracle hears of reads: who may get what, how often, and in which order.

use super::state::{Doubt, ReadUnderWay, Seen, SendState};
use super::{ConsumerNo, Delivery, End, Gap, Oracle, Reading, Reason, Violation};

/// How many messages a disk channel keeps unread, and a memory channel at all; a gap comes only beyond that.
const KEPT_ON_DISK: usize = 10_000;
const KEPT_IN_MEMORY: usize = 100;
/// The hub's watch and ours show whole milliseconds: of the same time one may show so much less than the other.
const WATCHES_MS: u64 = 1;

impl Oracle {
    pub(super) fn read_begun(&mut self, consumer: ConsumerNo, lease_ms: u64) {
        let read = ReadUnderWay { began: self.stamp(), began_ms: self.now.ms, lease_ms };
        self.consumers[consumer].read = Some(read);
    }

    pub(super) fn read_ended(&mut self, consumer: ConsumerNo, end: End) {
        let at = self.channel_of(consumer);
        let Some(read) = self.consumers[consumer].read.take() else { return };
        match end {
            End::Whole => self.expect_restart_gap(consumer, read),
            End::Refused => {}
            End::Left => {
                self.consumers[consumer].left_tick = self.now.tick;
                self.counts(at).left += 1;
            }
            End::Cut { glimpsed } if read.began.life < self.life => self.cut(consumer, read, glimpsed),
            End::Cut { .. } => {
                let what = format!("a read of {}", self.name(consumer));
                self.failed(read.began, &what);
            }
        }
    }

    /// What was on its way may be taken for delivered; only an automatic reader has agreed to that.
    fn cut(&mut self, consumer: ConsumerNo, read: ReadUnderWay, glimpsed: Vec<u64>) {
        let at = self.channel_of(consumer);
        let book = &mut self.consumers[consumer];
        if book.reading != Reading::Manual {
            let above = book.seen.last_key_value().map_or(0, |(id, _)| *id);
            book.doubts.push(Doubt { above, life: read.began.life });
        }
        // A stream that resumes asks for what it has not read to its end, whatever was handed over.
        if book.reading != Reading::Resuming {
            book.glimpsed.extend(glimpsed);
        }
        self.counts(at).cut += 1;
    }

    pub(super) fn delivered(&mut self, consumer: ConsumerNo, messages: &[Delivery], gap: Option<Gap>) {
        let Some(read) = self.consumers[consumer].read else { return };
        if let Some(gap) = gap {
            self.gap(consumer, read, gap);
        }
        if !messages.is_empty() {
            self.expect_restart_gap(consumer, read);
        }
        if let Some(pair) = messages.windows(2).find(|pair| pair[0].id >= pair[1].id) {
            let text = format!("{} got {} before {} in one body", self.name(consumer), pair[0].id, pair[1].id);
            self.violation(Violation::Reordered, &text);
        }
        for delivery in messages {
            self.message(consumer, read, *delivery);
        }
    }

    fn message(&mut self, consumer: ConsumerNo, read: ReadUnderWay, delivery: Delivery) {
        let Delivery { id, message_key, intact, .. } = delivery;
        let at = self.channel_of(consumer);
        let name = self.name(consumer);
        self.counts(at).deliveries += 1;
        let to_whom = self.members.get(message_key.writer).filter(|writer| writer.channel == at);
        let Some((to, send_state)) =
            to_whom.and_then(|writer| writer.sent.get(&message_key.seq)).map(|sent| (sent.to, sent.send_state))
        else {
            return self.violation(Violation::Phantom, &format!("{name} got {id}, which nobody wrote"));
        };
        self.learn(message_key, id);
        let text = format!("{name} got {}", self.describe(message_key));
        let member = self.consumers[consumer].member;
        if send_state == SendState::Refused {
            self.violation(Violation::Phantom, &format!("{text}, and its send was refused"));
        }
        if !intact {
            self.violation(Violation::Damaged, &text);
        }
        if message_key.writer == member || to.is_some_and(|to| to != member) {
            self.violation(Violation::Misdirected, &text);
        }
        self.expect_order(consumer, read, delivery, &text);
        self.expect_first(consumer, read, delivery, &text);
        let leased_until_ms = if read.lease_ms > 0 { read.began_ms + read.lease_ms - WATCHES_MS } else { 0 };
        let seen = Seen { life: read.began.life, leased_until_ms };
        self.consumers[consumer].seen.insert(id, seen);
    }

    /// New messages come by id. Automatic readers have nothing that could come back out of order within one life.
    fn expect_order(&mut self, consumer: ConsumerNo, read: ReadUnderWay, delivery: Delivery, text: &str) {
        let Delivery { id, message_key, attempt, .. } = delivery;
        let begun_tick = self.members[message_key.writer].sent.get(&message_key.seq).map_or(0, |sent| sent.begun_tick);
        let book = &mut self.consumers[consumer];
        let (life, highest) = book.highest_of_life;
        let highest_of_life = if life == read.began.life { highest } else { 0 };
        let is_automatic = book.reading != Reading::Manual;
        // What was on its way to a client that went is given back, and newer ones may have overtaken it.
        let was_given_back = begun_tick < book.left_tick;
        let overtaken = match (is_automatic, attempt) {
            (true, _) if id <= highest_of_life => Some(highest_of_life),
            (_, 0 | 1) if id <= book.highest_fresh && !was_given_back => Some(book.highest_fresh),
            _ => None,
        };
        book.highest_of_life = (read.began.life, highest_of_life.max(id));
        if attempt < 2 {
            book.highest_fresh = book.highest_fresh.max(id);
        }
        // What it has had before is a duplicate; that is said elsewhere.
        if let Some(other) = overtaken.filter(|_| !self.consumers[consumer].seen.contains_key(&id)) {
            self.violation(Violation::Reordered, &format!("{text} after {other}"));
        }
    }

    /// What came before may come again only when a crash or a lease explains it, and it says so.
    fn expect_first(&mut self, consumer: ConsumerNo, read: ReadUnderWay, delivery: Delivery, text: &str) {
        let Delivery { id, attempt, .. } = delivery;
        let at = self.channel_of(consumer);
        let book = &self.consumers[consumer];
        let (reading, acked) = (book.reading, book.acked);
        let Some(seen) = book.seen.get(&id).copied() else {
            if attempt < 2 && book.glimpsed.contains(&id) {
                self.violation(
                    Violation::Duplicated,
                    &format!("{text}, which a kill had cut off, as if for the first time"),
                );
            }
            return;
        };
        let violation = match reading {
            _ if attempt < 2 => (Violation::Duplicated, "again, as if for the first time"),
            Reading::Manual if id <= acked => (Violation::AckForgotten, "again, and it was acknowledged"),
            Reading::Manual if seen.life == read.began.life && self.now.ms < seen.leased_until_ms => {
                (Violation::LeaseBroken, "again, and its lease had not ended")
            }
            Reading::Automatic | Reading::Resuming if seen.life == read.began.life => {
                (Violation::Duplicated, "again, and nothing had happened to the hub")
            }
            _ => {
                self.counts(at).again += 1;
                return;
            }
        };
        self.violation(violation.0, &format!("{text} {}", violation.1));
    }

    fn gap(&mut self, consumer: ConsumerNo, read: ReadUnderWay, gap: Gap) {
        let at = self.channel_of(consumer);
        self.counts(at).gaps += 1;
        let text = format!("{} gets a gap {}..{} {:?}", self.name(consumer), gap.from, gap.to, gap.reason);
        let channel = &self.channels[at];
        let kept = if channel.durable { KEPT_ON_DISK } else { KEPT_IN_MEMORY };
        let is_restart = gap.reason == Reason::Restart;
        let is_needless = match is_restart {
            true => channel.durable || read.began.life == 0,
            // Sends that are under way count: their ids are not known, and they may have pushed others out.
            false => channel.ids.range(gap.from + 1..).count() + self.under_way(at) <= kept,
        };
        if is_needless {
            self.violation(Violation::GapNeedless, &text);
        }
        let book = &mut self.consumers[consumer];
        book.gaps.push(gap);
        // With manual acks the cursor stays where it is, and the loss above it, until something above is acknowledged.
        let is_repeat_allowed = book.reading == Reading::Manual && book.acked < gap.to;
        if is_restart && book.last_restart_gap.replace(read.began.life) == Some(read.began.life) && !is_repeat_allowed {
            self.violation(Violation::GapRepeated, &text);
        }
    }

    fn under_way(&self, channel: usize) -> usize {
        let members = self.channels[channel].members.iter().map(|member| &self.members[*member]);
        members.flat_map(|member| member.sent.values().rev().take(2)).filter(|sent| sent.id.is_none()).count()
    }

    /// The first read of an earlier member of a memory channel must report the restart, if messages were lost.
    fn expect_restart_gap(&mut self, consumer: ConsumerNo, read: ReadUnderWay) {
        let life = read.began.life;
        let at = self.channel_of(consumer);
        let channel = &self.channels[at];
        let has_lost = channel.first_broadcast.is_some_and(|first| first < life);
        let book = &self.consumers[consumer];
        // Two consumers of a member may get the gap in either order, and the replies may cross.
        let is_alone = self.members[book.member].consumers.len() == 1;
        if channel.durable || !has_lost || !is_alone || book.last_restart_gap == Some(life) {
            return;
        }
        let text = format!("{} reads after a restart and gets no gap", self.name(consumer));
        // Reported once for each life.
        self.consumers[consumer].last_restart_gap = Some(life);
        self.violation(Violation::GapMissing, &text);
    }
}
