//! Checks of deliveries: every response and stream event is compared with the oracle.

use super::*;

/// What a message weighs in a bounded read.
pub(super) fn weight(id: u64) -> usize {
    usize::try_from(id % 7).unwrap()
}

impl Simulation {
    pub(super) fn answered(&mut self, waiter: WaiterId, response: ReadResponse) {
        let Parked { who, input, deadline_ms } = self.parked.remove(&waiter).expect("a parked poll is answered once");
        self.active(who.0);
        let on_time = response.reason != AnswerReason::TimedOut || self.now.uptime_ms >= deadline_ms;
        let cut_short = !self.channel_knows(&who);
        assert!(on_time || cut_short, "a poll ends at its deadline, not before");
        match response.messages.as_slice() {
            [one] if response.guard.is_none() => self.unclaimed(&who, &input, one),
            _ => self.responded(who, &input, response),
        }
    }

    /// Whether the member is live and has the consumer.
    fn channel_knows(&self, who: &Who) -> bool {
        self.oracle.members.get(&who.0).is_some_and(|p| p.live) && self.oracle.readers.contains_key(who)
    }

    /// A response without a claim: a status, or a copy of a message that a stream of the same consumer has queued.
    fn unclaimed(&mut self, who: &Who, input: &ReadInput, given: &rogerrat_domain::DeliveredMessage) {
        let message = &given.message;
        assert_eq!((given.attempt, message.id), (1, self.oracle.last_id), "it is passed on at that instant");
        let is_own = message.from == who.0;
        assert!(message.is_readable_by(who.0) || is_own && self.oracle.readers[who].own);
        assert!(given.own == is_own && input.since.is_none_or(|since| message.id > since));
        let reader = self.oracle.reader(who);
        reader.seen_upto = reader.seen_upto.max(message.id);
        if message.kind == Kind::Message {
            let claim = reader.claims.get(&message.id).map(|c| c.state);
            assert!(matches!(claim, Some(State::Queued(_))), "without a token only beside a stream");
        }
    }

    /// Checks a response against the oracle, and puts it in flight.
    pub(super) fn responded(&mut self, who: Who, input: &ReadInput, response: ReadResponse) {
        if !self.oracle.members.contains_key(&who.0) || !self.oracle.readers.contains_key(&who) {
            return;
        }
        let now_ms = self.now.uptime_ms;
        let ids: Vec<u64> = response.messages.iter().map(|g| g.message.id).collect();
        let max = input.max.clamp(1, limits::READ_MESSAGES);
        let all_due = self.oracle.due(&who, input.since, now_ms);
        let due = all_due.iter().copied().take(max);
        let mut due: Vec<u64> = due.take_while(|id| self.is_available(&who, *id)).collect();
        if let Some(bound) = input.bound {
            let weight_of_first = |n: usize| due[..n].iter().map(|id| weight(*id)).sum::<usize>();
            let fitting = (1..=due.len()).rev().find(|n| weight_of_first(*n) <= bound.max_bytes);
            due.truncate(fitting.unwrap_or(1));
        }
        let more =
            if input.bound.is_some() && response.reason == AnswerReason::Ready { all_due.len() - due.len() } else { 0 };
        assert_eq!(response.more, more, "{who:?} knows how many messages were left out");
        match response.reason {
            AnswerReason::Ready => assert_eq!(ids, due, "{who:?} is given exactly what is due, in order"),
            _ => assert!(ids.is_empty(), "an ending that is not ready gives nothing"),
        }
        self.check_attempts(&who, &response);
        let gap_upto = response.gap.map(|gap| gap.to);
        match self.oracle.gap(&who, input.since, now_ms) {
            Expected::Exactly(gap) => assert_eq!(response.gap, gap, "{who:?} gets exactly the gap it must get"),
            Expected::Unsure => {}
        }
        let alone = gap_upto.is_some() && input.ack_mode == AckMode::Read && input.since.is_none();
        assert!(response.reason != AnswerReason::Ready || !ids.is_empty() || alone, "an empty answer is not ready");
        self.totals.delivered += ids.len() as u64;
        self.totals.gaps += u64::from(gap_upto.is_some());
        if response.guard.is_none() {
            assert!(ids.is_empty() && gap_upto.is_none(), "what can be lost has a token");
            return;
        }
        let number = self.number();
        if gap_upto.is_some() {
            self.report_gap(&who, number, input.since.is_none());
        }
        self.oracle.claim(&who, &ids, State::InFlight(number));
        self.in_flight.push(InFlight { who, number, ack_mode: input.ack_mode, response });
    }

    /// Whether a stored message can be delivered now. One in the backlog must be fetched first.
    pub(super) fn is_available(&self, who: &Who, id: u64) -> bool {
        self.oracle.is_in_memory(who, id) || self.fetched.contains(&id)
    }

    fn check_attempts(&mut self, who: &Who, response: &ReadResponse) {
        for given in &response.messages {
            assert_eq!(given.own, given.message.from == who.0, "own messages are marked");
            self.totals.own += u64::from(given.own);
            self.check_attempt(who, given.message.id, given.attempt);
        }
    }

    fn check_attempt(&mut self, who: &Who, id: u64, attempt: u32) {
        let claim = self.oracle.readers[who].claims.get(&id);
        let had = claim.map_or(0, |c| c.deliveries + u32::from(matches!(c.state, State::Leased(_))));
        assert_eq!(attempt, had + 1, "{who:?} was given {id} {had} times before");
        self.totals.redelivered += u64::from(attempt > 1);
    }

    /// A gap is in flight: its messages are claimed meanwhile.
    fn report_gap(&mut self, who: &Who, number: u64, with_owed: bool) {
        let now_ms = self.now.uptime_ms;
        let here: Vec<u64> = self.oracle.ring.iter().map(|m| m.id).collect();
        let is_dm = self.oracle.log.values().filter(|m| m.to.is_some() && m.from != who.0);
        let is_dm: Vec<u64> = is_dm.map(|m| m.id).collect();
        let reader = self.oracle.reader(who);
        reader.reporting.insert(number);
        for (id, claim) in reader.claims.iter_mut().filter(|(_, c)| with_owed && !c.is_busy(now_ms)) {
            if here.binary_search(id).is_err() && is_dm.binary_search(id).is_err() {
                claim.state = State::InFlight(number);
            }
        }
    }

    pub(super) fn stream_fed(&mut self, waiter: WaiterId, frame: &Bytes) {
        let event = Frame::of(frame);
        let feed = &self.feeds[&waiter];
        let (who, since, ack_mode) = (feed.who.clone(), feed.since, feed.ack_mode);
        let now_ms = self.now.uptime_ms;
        let mut queued = Event { id: None, gap: None, bytes: frame.len() };
        if let Frame::Message(id, _) = &event {
            let is_own = self.oracle.log[id].from == who.0;
            let is_marked = std::str::from_utf8(frame).unwrap().contains(",\"own\":true");
            assert!(is_marked == is_own && (!is_own || self.oracle.readers[&who].own), "own messages are marked");
            self.totals.own += u64::from(is_own);
        }
        match event {
            Frame::Hello => {}
            Frame::Message(id, attempt) if self.oracle.log[&id].kind == Kind::Message => {
                let due = self.oracle.due(&who, since, now_ms);
                assert_eq!(Some(&id), due.first(), "{who:?} is fed what is due, in order");
                assert!(self.is_available(&who, id), "{id} is on the backlog_limit");
                self.check_attempt(&who, id, attempt);
                self.oracle.claim(&who, &[id], State::Queued(waiter));
                self.totals.delivered += 1;
                queued.id = Some(id);
            }
            Frame::Message(id, _) => {
                assert_eq!(id, self.oracle.last_id, "a status is passed on at that instant");
                let reader = self.oracle.reader(&who);
                reader.seen_upto = reader.seen_upto.max(id);
            }
            Frame::Gap(to) => {
                match self.oracle.gap(&who, since, now_ms) {
                    Expected::Exactly(gap) => assert_eq!(gap.map(|g| g.to), Some(to), "{who:?} lost that"),
                    Expected::Unsure => {}
                }
                let number = self.number();
                self.report_gap(&who, number, since.is_none());
                self.totals.gaps += 1;
                queued.gap = Some((to, number));
            }
        }
        let feed = self.feeds.get_mut(&waiter).expect("a stream that is fed is open");
        feed.reported_upto = feed.reported_upto.max(queued.gap.map_or(0, |(to, _)| to));
        feed.since = feed.since.map(|since| since.max(queued.id.unwrap_or(0)));
        feed.queue.push_back(queued);
        assert!(feed.queue.len() <= limits::STREAM_EVENTS, "a stream's queue keeps its count");
        assert!(feed.queue.iter().map(|e| e.bytes).sum::<usize>() <= limits::STREAM_BYTES, "and its bytes");
        let max = feed.max.clamp(1, limits::READ_MESSAGES);
        let flying = self.oracle.readers[&who].claims.values();
        let flying = flying.filter(|c| c.state == State::Queued(waiter) || c.state == State::Unacked(waiter)).count();
        assert!(ack_mode == AckMode::Read || flying <= max, "at most max are in flight on a manual stream");
    }

    pub(super) fn stream_ended(&mut self, waiter: WaiterId, frame: &Bytes) {
        let text = String::from_utf8_lossy(frame);
        let feed = &self.feeds[&waiter];
        if text.starts_with("event: lagged") {
            self.totals.lagged += 1;
            let bytes: usize = feed.queue.iter().map(|e| e.bytes).sum();
            let full = feed.queue.len() == limits::STREAM_EVENTS || bytes + 600_000 > limits::STREAM_BYTES;
            assert!(full, "a stream is lagged at its bound only");
            let from = format!("{{\"resume_from\":{}}}", self.oracle.readers[&feed.who].cursor);
            assert!(text.contains(&from), "{text} resumes at the cursor");
        }
        self.stream_closed(waiter);
    }

    /// A stream is closed: messages that it did not take or acknowledge are due again.
    pub(super) fn stream_closed(&mut self, waiter: WaiterId) {
        let Some(feed) = self.feeds.remove(&waiter) else { return };
        self.active(feed.who.0);
        self.oracle.returned(&feed.who, State::Queued(waiter), false);
        for (_, number) in feed.queue.iter().filter_map(|event| event.gap) {
            self.oracle.returned(&feed.who, State::InFlight(number), false);
        }
        self.oracle.returned(&feed.who, State::Unacked(waiter), true);
        if let Some(reader) = self.oracle.readers.get_mut(&feed.who) {
            reader.stream = None;
            // A gap reported on this stream is reported again to readers behind it.
            reader.reporting.retain(|number| self.in_flight.iter().any(|c| c.number == *number));
        }
    }

    /// Proves an unproven response, or takes it back.
    pub(super) fn decide_unproven(&mut self) {
        if self.unproven.is_empty() {
            return;
        }
        let nth = self.rng.random_range(0..self.unproven.len());
        let Unproven { who, number, upto, delivery } = self.unproven.remove(nth);
        let is_proven = self.rng.random_bool(0.6);
        self.note(&format!("answer {number} of {who:?} is {}", if is_proven { "proven" } else { "taken back" }));
        if is_proven {
            self.totals.proven += 1;
            delivery.prove();
            self.oracle.proven(&who, number, upto);
        } else {
            self.totals.taken_back += 1;
            drop(delivery);
            self.oracle.returned(&who, State::Unproven(number), true);
        }
        self.tick();
    }

    /// A consumer is about to read again, which settles its unproven response. Dropping that would take it back first.
    #[must_use]
    pub(super) fn settle_unproven(&mut self, who: &Who, since: Option<u64>) -> Vec<Unproven> {
        let settled: Vec<_> = self.unproven.extract_if(.., |u| u.who == *who).collect();
        for Unproven { number, upto, .. } in &settled {
            match since {
                Some(since) if since >= *upto => self.oracle.proven(who, *number, *upto),
                _ => self.oracle.returned(who, State::Unproven(*number), true),
            }
        }
        settled
    }
}

/// A parsed event of a stream.
enum Frame {
    Hello,
    Message(u64, u32),
    Gap(u64),
}

impl Frame {
    fn of(frame: &Bytes) -> Self {
        let text = std::str::from_utf8(frame).unwrap();
        let number = |key: &str| {
            let (_, rest) = text.split_once(key)?;
            rest.split(|c: char| !c.is_ascii_digit()).next()?.parse::<u64>().ok()
        };
        if text.starts_with("event: message") {
            let attempt = number(",\"attempt\":").unwrap_or(1);
            Self::Message(number("\nid: ").unwrap(), u32::try_from(attempt).unwrap())
        } else if text.starts_with("event: gap") {
            Self::Gap(number("\"to\":").unwrap())
        } else {
            assert!(text.starts_with("retry: "), "{text}");
            Self::Hello
        }
    }
}
