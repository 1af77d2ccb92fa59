//! Everything a reader is given, held against what the oracle says is due.

use super::*;

impl Simulation {
    pub(super) fn answered(&mut self, waiter: WaiterId, delivery: ReadResponse) {
        let Parked { who, input, deadline_ms } = self.parked.remove(&waiter).expect("a parked poll is answered once");
        self.seen(who.0);
        let on_time = delivery.reason != AnswerReason::TimedOut || self.now.uptime_ms >= deadline_ms;
        let cut_short = !self.channel_knows(&who);
        assert!(on_time || cut_short, "a poll ends at its deadline, not before");
        match delivery.messages.as_slice() {
            [one] if delivery.guard.is_none() => self.beside(&who, &input, one),
            _ => self.handed(who, &input, delivery),
        }
    }

    /// Whether the member is still here and the consumer still its own.
    fn channel_knows(&self, who: &Who) -> bool {
        self.oracle.people.get(&who.0).is_some_and(|p| p.live) && self.oracle.readers.contains_key(who)
    }

    /// A status, or the copy of what a stream of the same consumer has in its queue.
    fn beside(&mut self, who: &Who, input: &ReadInput, given: &rogerrat_domain::DeliveredMessage) {
        let message = &given.message;
        assert_eq!((given.attempt, message.id), (1, self.oracle.last_id), "it is passed on at that instant");
        assert!(message.is_readable_by(who.0) && input.since.is_none_or(|since| message.id > since));
        let reader = self.oracle.reader(who);
        reader.shown = reader.shown.max(message.id);
        if message.kind == Kind::Message {
            let claim = reader.claims.get(&message.id).map(|c| c.state);
            assert!(matches!(claim, Some(State::Queued(_))), "without a token only beside a stream");
        }
    }

    /// Checks an answer against what the oracle says is due, and takes it into somebody's hands.
    pub(super) fn handed(&mut self, who: Who, input: &ReadInput, delivery: ReadResponse) {
        if !self.oracle.people.contains_key(&who.0) || !self.oracle.readers.contains_key(&who) {
            return;
        }
        let now_ms = self.now.uptime_ms;
        let ids: Vec<u64> = delivery.messages.iter().map(|g| g.message.id).collect();
        let max = input.max.clamp(1, limits::READ_MESSAGES);
        let due = self.oracle.due(&who, input.since, now_ms).into_iter().take(max);
        let due: Vec<u64> = due.take_while(|id| self.is_at_hand(*id)).collect();
        match delivery.reason {
            AnswerReason::Ready => assert_eq!(ids, due, "{who:?} is given exactly what is due, in order"),
            _ => assert!(ids.is_empty(), "an ending that is not ready gives nothing"),
        }
        self.check_attempts(&who, &delivery);
        let told = delivery.gap.map(|gap| gap.to);
        match self.oracle.gap(&who, input.since, now_ms) {
            Expected::Exactly(gap) => assert_eq!(delivery.gap, gap, "{who:?} is told exactly what it lost"),
            Expected::Unsure => {}
        }
        let alone = told.is_some() && input.ack_mode == AckMode::Read && input.since.is_none();
        assert!(delivery.reason != AnswerReason::Ready || !ids.is_empty() || alone, "an empty answer is not ready");
        self.totals.given += ids.len() as u64;
        self.totals.gaps += u64::from(told.is_some());
        if delivery.guard.is_none() {
            assert!(ids.is_empty() && told.is_none(), "what can be lost has a token");
            return;
        }
        let number = self.number();
        if told.is_some() {
            self.tell(&who, number, input.since.is_none());
        }
        self.oracle.give(&who, &ids, State::Underway(number));
        self.carried.push(Carried { who, number, ack_mode: input.ack_mode, delivery });
    }

    /// Whether a message that is held can be given now: what is on the shelf must be fetched first.
    pub(super) fn is_at_hand(&self, id: u64) -> bool {
        self.oracle.is_in_memory(id) || self.lent.contains(&id)
    }

    fn check_attempts(&mut self, who: &Who, delivery: &ReadResponse) {
        for given in &delivery.messages {
            self.check_attempt(who, given.message.id, given.attempt);
        }
    }

    fn check_attempt(&mut self, who: &Who, id: u64, attempt: u32) {
        let claim = self.oracle.readers[who].claims.get(&id);
        let had = claim.map_or(0, |c| c.had + u32::from(matches!(c.state, State::Leased(_))));
        assert_eq!(attempt, had + 1, "{who:?} was given {id} {had} times before");
        self.totals.again += u64::from(attempt > 1);
    }

    /// A loss is on its way: what was owed of it is held meanwhile.
    fn tell(&mut self, who: &Who, number: u64, with_owed: bool) {
        let now_ms = self.now.uptime_ms;
        let here: Vec<u64> = self.oracle.ring.iter().map(|m| m.id).collect();
        let is_dm: Vec<u64> = self.oracle.log.values().filter(|m| m.to.is_some()).map(|m| m.id).collect();
        let reader = self.oracle.reader(who);
        reader.telling.insert(number);
        for (id, claim) in reader.claims.iter_mut().filter(|(_, c)| with_owed && !c.is_busy(now_ms)) {
            if here.binary_search(id).is_err() && is_dm.binary_search(id).is_err() {
                claim.state = State::Underway(number);
            }
        }
    }

    pub(super) fn fed(&mut self, waiter: WaiterId, frame: &Bytes) {
        let event = Frame::of(frame);
        let feed = &self.feeds[&waiter];
        let (who, since, ack_mode) = (feed.who.clone(), feed.since, feed.ack_mode);
        let now_ms = self.now.uptime_ms;
        let mut queued = Event { id: None, gap: None, bytes: frame.len() };
        match event {
            Frame::Hello => {}
            Frame::Message(id, attempt) if self.oracle.log[&id].kind == Kind::Message => {
                let due = self.oracle.due(&who, since, now_ms);
                assert_eq!(Some(&id), due.first(), "{who:?} is fed what is due, in order");
                assert!(self.is_at_hand(id), "{id} is on the shelf");
                self.check_attempt(&who, id, attempt);
                self.oracle.give(&who, &[id], State::Queued(waiter));
                self.totals.given += 1;
                queued.id = Some(id);
            }
            Frame::Message(id, _) => {
                assert_eq!(id, self.oracle.last_id, "a status is passed on at that instant");
                let reader = self.oracle.reader(&who);
                reader.shown = reader.shown.max(id);
            }
            Frame::Gap(to) => {
                match self.oracle.gap(&who, since, now_ms) {
                    Expected::Exactly(gap) => assert_eq!(gap.map(|g| g.to), Some(to), "{who:?} lost that"),
                    Expected::Unsure => {}
                }
                let number = self.number();
                self.tell(&who, number, since.is_none());
                self.totals.gaps += 1;
                queued.gap = Some((to, number));
            }
        }
        let feed = self.feeds.get_mut(&waiter).expect("a stream that is fed is open");
        feed.told_upto = feed.told_upto.max(queued.gap.map_or(0, |(to, _)| to));
        feed.since = feed.since.map(|since| since.max(queued.id.unwrap_or(0)));
        feed.queue.push_back(queued);
        assert!(feed.queue.len() <= limits::STREAM_EVENTS, "a stream's queue keeps its count");
        assert!(feed.queue.iter().map(|e| e.bytes).sum::<usize>() <= limits::STREAM_BYTES, "and its bytes");
        let max = feed.max.clamp(1, limits::READ_MESSAGES);
        let flying = self.oracle.readers[&who].claims.values();
        let flying = flying.filter(|c| c.state == State::Queued(waiter) || c.state == State::Streamed(waiter)).count();
        assert!(ack_mode == AckMode::Read || flying <= max, "at most max are in flight on a manual stream");
    }

    pub(super) fn ended(&mut self, waiter: WaiterId, frame: &Bytes) {
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
        self.closed(waiter);
    }

    /// A stream is gone: what it took and did not acknowledge, and what it did not take, is due again.
    pub(super) fn closed(&mut self, waiter: WaiterId) {
        let Some(feed) = self.feeds.remove(&waiter) else { return };
        self.seen(feed.who.0);
        self.oracle.returned(&feed.who, State::Queued(waiter), false);
        for (_, number) in feed.queue.iter().filter_map(|event| event.gap) {
            self.oracle.returned(&feed.who, State::Underway(number), false);
        }
        self.oracle.returned(&feed.who, State::Streamed(waiter), true);
        if let Some(reader) = self.oracle.readers.get_mut(&feed.who) {
            reader.stream = None;
            // A loss told on this stream is told again to whoever has not got past it.
            reader.telling.retain(|number| self.carried.iter().any(|c| c.number == *number));
        }
    }
}

/// An event as it is read from its bytes.
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
