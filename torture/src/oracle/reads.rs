//! Checks of reads: which reader gets which message, how often, and in which order.

use super::state::{CutRead, LastDelivery, LastSend, OpenRead, SendState};
use super::{ConsumerNo, Delivery, Gap, GapReason, Oracle, ReadEnd, ReadMode, Violation};

/// Unread messages that a disk channel stores, and messages that a memory channel stores; only beyond there are gaps.
const STORED_ON_DISK: usize = 10_000;
const STORED_IN_MEMORY: usize = 100;
/// How much two clocks of whole milliseconds, the hub's and the client's, may differ in a length of time.
const CLOCK_ERROR_MS: u64 = 1;

impl Oracle {
    pub(super) fn read_begun(&mut self, consumer: ConsumerNo, lease_ms: u64) {
        let read = OpenRead { start: self.request_start(), start_ms: self.now.ms, lease_ms };
        self.consumers[consumer].read = Some(read);
    }

    pub(super) fn read_ended(&mut self, consumer: ConsumerNo, end: ReadEnd) {
        let at = self.channel_of(consumer);
        let Some(read) = self.consumers[consumer].read.take() else { return };
        match end {
            ReadEnd::Whole => {
                let state = &mut self.consumers[consumer];
                for cut in &mut state.cut_reads {
                    if let LastSend::BeforeNextRead = cut.last {
                        cut.last = LastSend::Tick(self.now.tick);
                        // What was delivered to it may come back after newer messages.
                        state.abandoned_tick = self.now.tick;
                    }
                }
                self.expect_restart_gap(consumer, read);
            }
            ReadEnd::Unavailable if self.is_cluster => self.read_cut(consumer, read, Vec::new()),
            ReadEnd::Refused | ReadEnd::Unavailable => {}
            ReadEnd::GivenUp { partial_ids } => self.read_cut(consumer, read, partial_ids),
            ReadEnd::Abandoned => {
                self.consumers[consumer].abandoned_tick = self.now.tick;
                self.counts(at).left += 1;
            }
            ReadEnd::Cut { partial_ids } if read.start.boot < self.boot || self.is_moving() => {
                self.read_cut(consumer, read, partial_ids);
            }
            ReadEnd::Cut { .. } => {
                let what = format!("a read of {}", self.describe_consumer(consumer));
                self.request_failed(read.start, &what);
            }
        }
    }

    /// The hub may count the messages in the response as delivered; only an automatic reader accepts that.
    fn read_cut(&mut self, consumer: ConsumerNo, read: OpenRead, partial_ids: Vec<u64>) {
        let at = self.channel_of(consumer);
        let last = if self.is_cluster { LastSend::BeforeNextRead } else { LastSend::OfBoot(read.start.boot) };
        let state = &mut self.consumers[consumer];
        if state.mode != ReadMode::Manual {
            let above = state.deliveries.last_key_value().map_or(0, |(id, _)| *id);
            state.cut_reads.push(CutRead { above, last });
        }
        if self.is_cluster {
            // Its owner may have been another hub, which notices later that nobody received the response.
            state.abandoned_tick = self.now.tick;
        }
        // A stream that resumes requests everything after its last complete message, delivered or not.
        if state.mode != ReadMode::Resuming {
            state.partial_ids.extend(partial_ids);
        }
        self.counts(at).cut += 1;
    }

    pub(super) fn delivered(&mut self, consumer: ConsumerNo, deliveries: &[Delivery], gap: Option<Gap>) {
        let Some(read) = self.consumers[consumer].read else { return };
        if let Some(gap) = gap {
            self.gap(consumer, read, gap);
        }
        if !deliveries.is_empty() {
            self.expect_restart_gap(consumer, read);
        }
        if let Some(pair) = deliveries.windows(2).find(|pair| pair[0].id >= pair[1].id) {
            let name = self.describe_consumer(consumer);
            let text = format!("{name} got {} before {} in one body", pair[0].id, pair[1].id);
            self.violation(Violation::Reordered, &text);
        }
        for delivery in deliveries {
            self.delivery(consumer, read, *delivery);
        }
    }

    fn delivery(&mut self, consumer: ConsumerNo, read: OpenRead, delivery: Delivery) {
        let Delivery { id, message, intact, .. } = delivery;
        let at = self.channel_of(consumer);
        let name = self.describe_consumer(consumer);
        self.counts(at).deliveries += 1;
        let writer = self.members.get(message.writer).filter(|writer| writer.channel == at);
        let send = writer.and_then(|writer| writer.sends.get(&message.seq));
        let Some((to, send_state)) = send.map(|send| (send.to, send.state)) else {
            return self.violation(Violation::Phantom, &format!("{name} got {id}, which was never sent"));
        };
        self.learn_id(message, id);
        let text = format!("{name} got {}", self.describe(message));
        let member = self.consumers[consumer].member;
        if send_state == SendState::Refused {
            self.violation(Violation::Phantom, &format!("{text}, but its send was refused"));
        }
        if !intact {
            self.violation(Violation::Damaged, &text);
        }
        if message.writer == member || to.is_some_and(|to| to != member) {
            self.violation(Violation::Misdirected, &text);
        }
        self.expect_order(consumer, read, delivery, &text);
        self.expect_first(consumer, read, delivery, &text);
        let leased_until_ms = if read.lease_ms > 0 { read.start_ms + read.lease_ms - CLOCK_ERROR_MS } else { 0 };
        let last = LastDelivery { boot: read.start.boot, leased_until_ms };
        self.consumers[consumer].deliveries.insert(id, last);
    }

    /// Whether the channel may have moved to another hub during a read.
    fn may_have_moved(&self, read: OpenRead) -> bool {
        self.is_cluster && (!self.serving || read.start.boot != self.boot)
    }

    /// New messages are delivered in the order of their ids. An automatic reader gets none out of order in one boot.
    fn expect_order(&mut self, consumer: ConsumerNo, read: OpenRead, delivery: Delivery, text: &str) {
        let Delivery { id, message, attempt, .. } = delivery;
        let begun_tick = self.members[message.writer].sends.get(&message.seq).map_or(0, |send| send.begun_tick);
        let may_have_moved = self.may_have_moved(read);
        let state = &mut self.consumers[consumer];
        let (boot, highest) = state.highest_of_boot;
        let highest_of_boot = if boot == read.start.boot { highest } else { 0 };
        let is_automatic = state.mode != ReadMode::Manual;
        // Messages of an abandoned response are delivered again, and newer ones may have overtaken them.
        let may_be_overtaken = begun_tick < state.abandoned_tick;
        let overtaken_by = match (is_automatic, attempt) {
            (true, _) if id <= highest_of_boot && !(may_have_moved && (attempt > 1 || may_be_overtaken)) => {
                Some(highest_of_boot)
            }
            (_, 0 | 1) if id <= state.highest_first && !may_be_overtaken => Some(state.highest_first),
            _ => None,
        };
        state.highest_of_boot = (read.start.boot, highest_of_boot.max(id));
        if attempt < 2 {
            state.highest_first = state.highest_first.max(id);
        }
        // A hub that does not know yet that it was declared dead delivers what was reported as lost.
        let at = self.channel_of(consumer);
        let is_reported = self.consumers[consumer].gaps.iter().any(|gap| gap.from < id && id <= gap.to);
        if may_have_moved && is_reported && !self.channels[at].durable {
            return;
        }
        // A message that was delivered before is a duplicate, which `expect_first` checks.
        if let Some(other) = overtaken_by.filter(|_| !self.consumers[consumer].deliveries.contains_key(&id)) {
            self.violation(Violation::Reordered, &format!("{text} after {other}"));
        }
    }

    /// A message may be delivered again only after a crash or a lease, and with a higher attempt.
    fn expect_first(&mut self, consumer: ConsumerNo, read: OpenRead, delivery: Delivery, text: &str) {
        let Delivery { id, attempt, .. } = delivery;
        let at = self.channel_of(consumer);
        let is_same_boot = |last: LastDelivery| last.boot == read.start.boot && !self.may_have_moved(read);
        let state = &self.consumers[consumer];
        let (mode, acked) = (state.mode, state.acked);
        let Some(last) = state.deliveries.get(&id).copied() else {
            if attempt < 2 && state.partial_ids.contains(&id) {
                let text = format!("{text} with a first attempt, but a kill had cut off an earlier one");
                self.violation(Violation::Duplicated, &text);
            }
            return;
        };
        let (violation, reason) = match mode {
            _ if attempt < 2 => (Violation::Duplicated, "again with a first attempt"),
            ReadMode::Manual if id <= acked => (Violation::AckForgotten, "again, but had acknowledged it"),
            ReadMode::Manual if is_same_boot(last) && self.now.ms < last.leased_until_ms => {
                (Violation::LeaseBroken, "again before its lease ended")
            }
            ReadMode::Automatic | ReadMode::Resuming if is_same_boot(last) => {
                (Violation::Duplicated, "again without a crash")
            }
            _ => {
                let counts = self.counts(at);
                counts.redelivered += 1;
                counts.doubted += u64::from(mode != ReadMode::Manual);
                return;
            }
        };
        self.violation(violation, &format!("{text} {reason}"));
    }

    fn gap(&mut self, consumer: ConsumerNo, read: OpenRead, gap: Gap) {
        let at = self.channel_of(consumer);
        self.counts(at).gaps += 1;
        let name = self.describe_consumer(consumer);
        let text = format!("{name} got the gap {}..{} {:?}", gap.from, gap.to, gap.reason);
        let channel = &self.channels[at];
        let stored = if channel.durable { STORED_ON_DISK } else { STORED_IN_MEMORY };
        let is_restart = gap.reason == GapReason::Restart;
        let may_have_moved = self.may_have_moved(read);
        let is_unexpected = match is_restart {
            true => channel.durable || (read.start.boot == 0 && !may_have_moved),
            // Sends in flight count: their ids are not known, and they may have evicted other messages.
            false => channel.ids.range(gap.from + 1..).count() + self.sends_in_flight(at) <= stored,
        };
        if is_unexpected {
            self.violation(Violation::GapUnexpected, &text);
        }
        let state = &mut self.consumers[consumer];
        state.gaps.push(gap);
        // With manual acks the cursor stays below the loss, and the gap is repeated, until a message above is
        // acknowledged.
        let may_repeat = (state.mode == ReadMode::Manual && state.acked < gap.to) || may_have_moved;
        let boot = read.start.boot;
        if is_restart && state.restart_reported_in.replace(boot) == Some(boot) && !may_repeat {
            self.violation(Violation::GapRepeated, &text);
        }
    }

    fn sends_in_flight(&self, channel: usize) -> usize {
        let members = self.channels[channel].members.iter().map(|member| &self.members[*member]);
        members.flat_map(|member| member.sends.values().rev().take(2)).filter(|send| send.id.is_none()).count()
    }

    /// After a restart of a memory channel that lost messages, the first read of each older member reports the gap.
    fn expect_restart_gap(&mut self, consumer: ConsumerNo, read: OpenRead) {
        // A fault of one hub concerns only its channels; what is missing without a gap is found at the end.
        if self.is_cluster {
            return;
        }
        let boot = read.start.boot;
        let channel = &self.channels[self.channel_of(consumer)];
        let has_lost = channel.first_broadcast.is_some_and(|first| first < boot);
        let state = &self.consumers[consumer];
        // Two consumers of a member may get the gap in either order, and their responses may overtake each other.
        let is_only_consumer = self.members[state.member].consumers.len() == 1;
        if channel.durable || !has_lost || !is_only_consumer || state.restart_reported_in == Some(boot) {
            return;
        }
        let text = format!("{} reads after a restart and gets no gap", self.describe_consumer(consumer));
        // Report the violation once per boot.
        self.consumers[consumer].restart_reported_in = Some(boot);
        self.violation(Violation::GapMissing, &text);
    }
}
