//! The stage: a channel, its actors' hands, and the clock that only goes where a real one may.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use bytes::Bytes;
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use rogerrat_domain::op::{Operation, ReadInput};
use rogerrat_domain::{
    Channel, ChannelId, Delivery, Effect, Ending, Entry, HubKey, Kind, Loss, Now, PlaceId, Progress, Rules, SessionId,
    Settings, Terms, TokenHash, limits,
};

use crate::oracle::{Expected, Oracle, State, Who};

#[path = "script.rs"]
mod script;

pub(crate) const SESSION_TTL_MS: u64 = 200_000;
pub(crate) const MEMBER_TTL_MS: u64 = 2_000_000;

/// How often the interesting things happened.
#[derive(Debug, Default)]
pub(crate) struct Totals {
    pub(crate) steps: u64,
    pub(crate) given: u64,
    pub(crate) again: u64,
    pub(crate) gaps: u64,
    pub(crate) lagged: u64,
    pub(crate) returned: u64,
    pub(crate) full: u64,
    pub(crate) expired: u64,
    pub(crate) forgotten: u64,
}

impl Totals {
    pub(crate) fn add(&mut self, other: &Self) {
        self.steps += other.steps;
        self.given += other.given;
        self.again += other.again;
        self.gaps += other.gaps;
        self.lagged += other.lagged;
        self.returned += other.returned;
        self.full += other.full;
        self.expired += other.expired;
        self.forgotten += other.forgotten;
    }

    pub(crate) fn covers_everything(&self) -> bool {
        let all =
            [self.given, self.again, self.gaps, self.lagged, self.returned, self.full, self.expired, self.forgotten];
        all.iter().all(|n| *n > 0)
    }
}

/// A parked poll.
pub(crate) struct Parked {
    pub(crate) who: Who,
    pub(crate) input: ReadInput,
    pub(crate) deadline_ms: u64,
}

/// An answer in somebody's hands.
pub(crate) struct Carried {
    pub(crate) who: Who,
    pub(crate) number: u64,
    pub(crate) terms: Terms,
    pub(crate) delivery: Delivery,
}

/// An open stream and its carrier's queue.
pub(crate) struct Feed {
    pub(crate) who: Who,
    pub(crate) since: Option<u64>,
    pub(crate) terms: Terms,
    pub(crate) max: usize,
    pub(crate) progress: Arc<Progress>,
    pub(crate) queue: VecDeque<Event>,
    pub(crate) told_upto: u64,
}

/// An event in a queue.
pub(crate) struct Event {
    pub(crate) id: Option<u64>,
    /// A loss it tells, and the number under which it does.
    pub(crate) gap: Option<(u64, u64)>,
    pub(crate) bytes: usize,
}

pub(crate) struct Stage {
    pub(crate) dice: StdRng,
    pub(crate) script: Vec<String>,
    pub(crate) totals: Totals,
    channel: Channel,
    open: (Arc<Settings>, Rules, u64, Option<Loss>),
    oracle: Oracle,
    now: Now,
    log: Vec<Entry>,
    /// Who somebody is, by the session it holds; old ones are kept to be tried again.
    sessions: Vec<(SessionId, u32)>,
    parked: BTreeMap<PlaceId, Parked>,
    carried: Vec<Carried>,
    feeds: BTreeMap<PlaceId, Feed>,
    sends: Vec<(SessionId, u64)>,
    keys: BTreeMap<(u32, String), u64>,
    numbers: u64,
}

impl Stage {
    pub(crate) fn new(seed: u64) -> Self {
        let mut dice = StdRng::seed_from_u64(seed);
        let now = Now { at_ms: 1_000_000, uptime_ms: dice.random_range(0..100_000) };
        let claimed = dice.random_bool(0.3);
        let settings = Settings {
            claim_callsigns: claimed,
            session_ttl_ms: SESSION_TTL_MS,
            member_ttl_ms: MEMBER_TTL_MS,
            ..Settings::plain(TokenHash::of("t"), now.at_ms)
        };
        let sends_per_minute = dice.random_bool(0.1).then_some(20);
        let rules = Rules { key: HubKey::new([1; 32]), sends_per_minute, idle_ms: None };
        let lost = [None, None, Some(Loss::Restart), Some(Loss::Idle)][dice.random_range(0..4)];
        let above = now.at_ms - 5_000 + dice.random_range(0..10_000);
        let open = (Arc::new(settings), rules, above, lost);
        Self {
            dice,
            script: Vec::new(),
            totals: Totals::default(),
            channel: fresh(&open, now),
            oracle: Oracle::new(above, lost, claimed),
            open,
            now,
            log: Vec::new(),
            sessions: Vec::new(),
            parked: BTreeMap::new(),
            carried: Vec::new(),
            feeds: BTreeMap::new(),
            sends: Vec::new(),
            keys: BTreeMap::new(),
            numbers: 0,
        }
    }

    fn note(&mut self, line: String) {
        self.script.push(format!("{:>9} {line}", self.now.uptime_ms));
    }

    fn number(&mut self) -> u64 {
        self.numbers += 1;
        self.numbers
    }

    /// Runs an operation as an actor does, and books every entry where it was applied.
    fn ask<O: Operation>(&mut self, op: O) -> Result<(O::Reply, Vec<Entry>), rogerrat_domain::Refusal> {
        self.tick();
        let entries = op.decide(&self.channel, self.now)?;
        for entry in &entries {
            self.oracle.happened(entry, self.now.uptime_ms);
            self.log.push(entry.clone());
            let mut effects = Vec::new();
            self.channel.apply(entry, self.now, &mut effects);
            self.carry(effects);
        }
        let mut effects = Vec::new();
        let reply = op.answer(&mut self.channel, &entries, self.now, &mut effects);
        self.carry(effects);
        Ok((reply, entries))
    }

    fn tick(&mut self) {
        let mut effects = Vec::new();
        self.channel.tick(self.now, &mut effects);
        self.carry(effects);
    }

    /// Lets time pass, stopping wherever the machine wants to be woken.
    fn pass_to(&mut self, uptime_ms: u64) {
        for _ in 0..10_000 {
            let next = self.channel.next_deadline_ms().filter(|at| *at <= uptime_ms);
            let step = next.unwrap_or(uptime_ms).max(self.now.uptime_ms);
            self.now = Now { at_ms: self.now.at_ms + (step - self.now.uptime_ms), uptime_ms: step };
            self.tick();
            if next.is_none() {
                return;
            }
        }
        panic!("the alarm rings for ever at {:?}", self.channel.next_deadline_ms());
    }

    fn carry(&mut self, effects: Vec<Effect>) {
        for effect in effects {
            match effect {
                Effect::Answer(place, delivery) => self.answered(place, delivery),
                Effect::Feed(place, frame) => self.fed(place, &frame),
                Effect::End(place, frame) => self.ended(place, &frame),
                Effect::Log(entry) => self.logged(entry),
                Effect::Notify(message) => assert_eq!(message.kind, Kind::Message, "webhooks hear of messages only"),
                Effect::Retire => panic!("this channel never retires"),
            }
        }
    }

    fn logged(&mut self, entry: Entry) {
        match &entry {
            Entry::Expired { no } => {
                self.totals.expired += 1;
                let person = &self.oracle.people[no];
                let waits = self.parked.values().any(|p| p.who.0 == *no) || self.feeds.values().any(|f| f.who.0 == *no);
                assert!(person.live && !waits, "only who gives no sign of life expires");
                assert!(self.now.uptime_ms >= person.seen_ms + SESSION_TTL_MS, "no session expires early");
            }
            Entry::Forgotten { no } => {
                self.totals.forgotten += 1;
                let person = &self.oracle.people[no];
                assert!(!person.live && self.now.uptime_ms >= person.away_ms + MEMBER_TTL_MS, "forgotten early");
            }
            Entry::Handed { .. } => {}
            other => panic!("time makes no such entry: {other:?}"),
        }
        self.oracle.happened(&entry, self.now.uptime_ms);
        self.log.push(entry);
    }

    fn answered(&mut self, place: PlaceId, delivery: Delivery) {
        let Parked { who, input, deadline_ms } = self.parked.remove(&place).expect("a parked poll is answered once");
        self.seen(who.0);
        let on_time = delivery.ending != Ending::TimedOut || self.now.uptime_ms >= deadline_ms;
        let cut_short = !self.channel_knows(&who);
        assert!(on_time || cut_short, "a poll ends at its deadline, not before");
        match delivery.messages.as_slice() {
            [one] if delivery.slip.is_none() => self.beside(&who, &input, one),
            _ => self.handed(who, &input, delivery),
        }
    }

    /// Whether the member is still here and the consumer still its own.
    fn channel_knows(&self, who: &Who) -> bool {
        self.oracle.people.get(&who.0).is_some_and(|p| p.live) && self.oracle.readers.contains_key(who)
    }

    /// A status, or the copy of what a stream of the same consumer has in its queue.
    fn beside(&mut self, who: &Who, input: &ReadInput, given: &rogerrat_domain::Given) {
        let message = &given.message;
        assert_eq!((given.attempt, message.id), (1, self.oracle.last_id), "it is passed on at that instant");
        assert!(message.reaches(who.0) && input.since.is_none_or(|since| message.id > since));
        let reader = self.oracle.reader(who);
        reader.shown = reader.shown.max(message.id);
        if message.kind == Kind::Message {
            let claim = reader.claims.get(&message.id).map(|c| c.state);
            assert!(matches!(claim, Some(State::Queued(_))), "without a slip only beside a stream");
        }
    }

    /// Checks an answer against what the oracle says is due, and takes it into somebody's hands.
    fn handed(&mut self, who: Who, input: &ReadInput, delivery: Delivery) {
        if !self.oracle.people.contains_key(&who.0) || !self.oracle.readers.contains_key(&who) {
            return;
        }
        let now_ms = self.now.uptime_ms;
        let ids: Vec<u64> = delivery.messages.iter().map(|g| g.message.id).collect();
        let max = input.max.clamp(1, limits::READ_MESSAGES);
        let due: Vec<u64> = self.oracle.due(&who, input.since, now_ms).into_iter().take(max).collect();
        match delivery.ending {
            Ending::Ready => assert_eq!(ids, due, "{who:?} is given exactly what is due, in order"),
            _ => assert!(ids.is_empty(), "an ending that is not ready gives nothing"),
        }
        self.check_attempts(&who, &delivery);
        let told = delivery.gap.map(|gap| gap.to);
        match self.oracle.gap(&who, input.since, now_ms) {
            Expected::Exactly(gap) => assert_eq!(delivery.gap, gap, "{who:?} is told exactly what it lost"),
            Expected::Unsure => {}
        }
        let alone = told.is_some() && input.terms == Terms::Read && input.since.is_none();
        assert!(delivery.ending != Ending::Ready || !ids.is_empty() || alone, "an empty answer is not ready");
        self.totals.given += ids.len() as u64;
        self.totals.gaps += u64::from(told.is_some());
        if delivery.slip.is_none() {
            assert!(ids.is_empty() && told.is_none(), "what can be lost has a slip");
            return;
        }
        let number = self.number();
        if told.is_some() {
            self.tell(&who, number, input.since.is_none());
        }
        self.oracle.give(&who, &ids, State::Underway(number));
        self.carried.push(Carried { who, number, terms: input.terms, delivery });
    }

    fn check_attempts(&mut self, who: &Who, delivery: &Delivery) {
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

    fn fed(&mut self, place: PlaceId, frame: &Bytes) {
        let event = Frame::of(frame);
        let feed = &self.feeds[&place];
        let (who, since, terms) = (feed.who.clone(), feed.since, feed.terms);
        let now_ms = self.now.uptime_ms;
        let mut queued = Event { id: None, gap: None, bytes: frame.len() };
        match event {
            Frame::Hello => {}
            Frame::Message(id, attempt) if self.oracle.log[&id].kind == Kind::Message => {
                let due = self.oracle.due(&who, since, now_ms);
                assert_eq!(Some(&id), due.first(), "{who:?} is fed what is due, in order");
                self.check_attempt(&who, id, attempt);
                self.oracle.give(&who, &[id], State::Queued(place));
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
        let feed = self.feeds.get_mut(&place).expect("a stream that is fed is open");
        feed.told_upto = feed.told_upto.max(queued.gap.map_or(0, |(to, _)| to));
        feed.since = feed.since.map(|since| since.max(queued.id.unwrap_or(0)));
        feed.queue.push_back(queued);
        assert!(feed.queue.len() <= limits::STREAM_EVENTS, "a stream's queue keeps its count");
        assert!(feed.queue.iter().map(|e| e.bytes).sum::<usize>() <= limits::STREAM_BYTES, "and its bytes");
        let max = feed.max.clamp(1, limits::READ_MESSAGES);
        let flying = self.oracle.readers[&who].claims.values();
        let flying = flying.filter(|c| c.state == State::Queued(place) || c.state == State::Streamed(place)).count();
        assert!(terms == Terms::Read || flying <= max, "at most max are in flight on a manual stream");
    }

    fn ended(&mut self, place: PlaceId, frame: &Bytes) {
        let text = String::from_utf8_lossy(frame);
        let feed = &self.feeds[&place];
        if text.starts_with("event: lagged") {
            self.totals.lagged += 1;
            let bytes: usize = feed.queue.iter().map(|e| e.bytes).sum();
            let full = feed.queue.len() == limits::STREAM_EVENTS || bytes + 600_000 > limits::STREAM_BYTES;
            assert!(full, "a stream is lagged at its bound only");
            let from = format!("{{\"resume_from\":{}}}", self.oracle.readers[&feed.who].cursor);
            assert!(text.contains(&from), "{text} resumes at the cursor");
        }
        self.closed(place);
    }

    /// A stream is gone: what it took and did not acknowledge, and what it did not take, is due again.
    fn closed(&mut self, place: PlaceId) {
        let Some(feed) = self.feeds.remove(&place) else { return };
        self.seen(feed.who.0);
        self.oracle.returned(&feed.who, State::Queued(place), false);
        for (_, number) in feed.queue.iter().filter_map(|event| event.gap) {
            self.oracle.returned(&feed.who, State::Underway(number), false);
        }
        self.oracle.returned(&feed.who, State::Streamed(place), true);
        if let Some(reader) = self.oracle.readers.get_mut(&feed.who) {
            reader.stream = None;
            // A loss told on this stream is told again to whoever has not got past it.
            reader.telling.retain(|number| self.carried.iter().any(|c| c.number == *number));
        }
    }

    fn seen(&mut self, no: u32) {
        if let Some(person) = self.oracle.people.get_mut(&no).filter(|p| p.live) {
            person.seen_ms = self.now.uptime_ms;
        }
    }

    /// What must be true between any two steps.
    fn check(&mut self) {
        let now_ms = self.now.uptime_ms;
        for (place, parked) in &self.parked {
            assert!(self.channel.waits(*place), "{:?} waits and the channel knows it", parked.who);
            assert!(parked.deadline_ms > now_ms, "{:?} is answered in time", parked.who);
            // What it may read again but has had, it need not be woken for.
            let mut due = self.oracle.due(&parked.who, parked.input.since, now_ms);
            due.retain(|id| !self.oracle.is_done(&parked.who, *id));
            assert!(due.is_empty() || self.is_stuffed(&parked.who), "{:?} waits although {due:?} are due", parked.who);
        }
        for (place, feed) in &self.feeds {
            assert!(self.channel.waits(*place), "{:?} reads and the channel knows it", feed.who);
            let flying = self.oracle.readers[&feed.who].claims.values();
            let flying = flying.filter(|c| c.state == State::Streamed(*place)).count();
            let may_take = feed.terms == Terms::Read || flying < feed.max.clamp(1, limits::READ_MESSAGES);
            if feed.queue.is_empty() && may_take && !self.is_stuffed(&feed.who) {
                let mut due = self.oracle.due(&feed.who, feed.since, now_ms);
                due.retain(|id| !self.oracle.is_done(&feed.who, *id));
                assert!(due.is_empty(), "{:?} has an empty stream although {due:?} are due", feed.who);
            }
        }
        assert_eq!(self.channel.places(), (self.parked.len(), self.feeds.len()), "nobody else waits");
        assert_eq!(self.channel.held(), self.oracle.held(), "the held DMs are those nobody has had");
        assert!(self.channel.held().1 <= limits::HELD_CHANNEL_BYTES, "the mailboxes keep their bytes");
        assert_eq!(self.channel.last_id(), self.oracle.last_id);
        let live = self.oracle.people.values().filter(|p| p.live);
        assert_eq!(self.channel.live_members(), live.count());
        let placed =
            |no: u32| self.parked.values().any(|p| p.who.0 == no) || self.feeds.values().any(|f| f.who.0 == no);
        for (no, person) in self.oracle.people.iter().filter(|(_, p)| p.live) {
            assert!(placed(*no) || person.seen_ms + SESSION_TTL_MS > now_ms, "#{no} should have expired");
        }
    }

    /// Whether a consumer has so much unacknowledged that it is given nothing more.
    fn is_stuffed(&self, who: &Who) -> bool {
        self.oracle.readers[who].claims.len() >= limits::CLAIMS
    }

    /// A channel opened again and given the log is the same channel.
    fn replay(&mut self) {
        let mut again = fresh(&self.open, self.now);
        for entry in &self.log {
            again.apply(entry, self.now, &mut Vec::new());
        }
        assert_eq!(again.held(), self.channel.held(), "a replay holds the same DMs");
        assert_eq!(again.last_id(), self.channel.last_id());
        let ask = |channel: &mut Channel, session: &SessionId| {
            let op = rogerrat_domain::op::Consumers { session: session.clone() };
            let rows = channel.run(op, self.now, &mut Vec::new()).map(|r| r.consumers).unwrap_or_default();
            rows.into_iter().map(|row| (row.name, row.cursor)).collect::<BTreeMap<_, _>>()
        };
        let roster = |channel: &mut Channel| {
            let reply = channel.run(rogerrat_domain::op::Roster { session: None }, self.now, &mut Vec::new()).unwrap();
            serde_json::to_value(reply).unwrap()
        };
        assert_eq!(roster(&mut again), roster(&mut self.channel), "a replay has the same members");
        for (session, no) in &self.sessions {
            let replayed = ask(&mut again, session);
            for (name, cursor) in ask(&mut self.channel, session) {
                let is_known = replayed.contains_key(&name);
                // Where a named consumer began is not in the log: until it reads or acknowledges it may begin later.
                let stands = replayed.get(&name).is_none_or(|at| *at == cursor || name.is_some() && *at > cursor);
                assert!(stands, "#{no} {name:?} stands at {cursor} in both");
                let untouched = self.oracle.readers.get(&(*no, name.clone())).is_none_or(|r| r.handed == 0);
                assert!(is_known || untouched || name.is_some(), "#{no} is in both");
            }
        }
    }
}

fn fresh((settings, rules, above, lost): &(Arc<Settings>, Rules, u64, Option<Loss>), now: Now) -> Channel {
    let id = ChannelId::parse("quiet-otter-3a8f").unwrap();
    Channel::open(id, settings.clone(), rules.clone(), *above, *lost, now)
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
