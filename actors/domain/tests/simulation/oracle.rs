//! The oracle: a simple model of a channel, in plain lists, that predicts what the machine must deliver.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

use rogerrat_domain::{AckMode, Entry, Gap, GapReason, Kind, Message, WaiterId, limits};

pub(crate) type Who = (u32, Option<String>);

/// The state of a message for one consumer.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum State {
    InFlight(u64),
    Unproven(u64),
    Leased(u64),
    Queued(WaiterId),
    Unacked(WaiterId),
    Due,
}

#[derive(Clone, Copy, Debug)]
pub(crate) struct Claim {
    pub(crate) state: State,
    /// How often it was delivered before.
    pub(crate) deliveries: u32,
    /// Whether it was acknowledged before and is only reread.
    pub(crate) is_reread: bool,
}

#[derive(Debug, Default)]
pub(crate) struct Reader {
    /// Whether it also reads the messages that its member sent.
    pub(crate) own: bool,
    pub(crate) cursor: u64,
    pub(crate) delivered_upto: u64,
    pub(crate) seen_upto: u64,
    pub(crate) claims: BTreeMap<u64, Claim>,
    /// Responses and stream events in flight that report a gap.
    pub(crate) reporting: BTreeSet<u64>,
    pub(crate) stream: Option<WaiterId>,
}

#[derive(Debug)]
pub(crate) struct Member {
    pub(crate) live: bool,
    pub(crate) seen_ms: u64,
    pub(crate) away_ms: u64,
    pub(crate) held: BTreeMap<u64, usize>,
    /// The DMs it sent that were evicted since a consumer of it reads them; none while no consumer does.
    pub(crate) own_dms: Option<Vec<u64>>,
}

/// The channel as the oracle expects it.
pub(crate) struct Oracle {
    pub(crate) log: BTreeMap<u64, Arc<Message>>,
    /// All stored messages: the backlog, then the ring.
    pub(crate) ring: VecDeque<Arc<Message>>,
    /// How many of them are in the backlog, and the limit of all.
    pub(crate) backlog_len: usize,
    backlog_limit: Option<usize>,
    ring_bytes: usize,
    pub(crate) evicted: Vec<(u64, Option<u32>)>,
    newest_evicted_of_any: u64,
    pub(crate) lost: Option<(u64, GapReason)>,
    pub(crate) members: BTreeMap<u32, Member>,
    pub(crate) readers: BTreeMap<Who, Reader>,
    pub(crate) last_id: u64,
}

impl Oracle {
    pub(crate) fn new(above: u64, loss: Option<GapReason>, backlog_limit: Option<usize>) -> Self {
        Self {
            log: BTreeMap::new(),
            ring: VecDeque::new(),
            backlog_len: 0,
            backlog_limit,
            ring_bytes: 0,
            evicted: loss.map(|_| (above, None)).into_iter().collect(),
            newest_evicted_of_any: loss.map_or(0, |_| above),
            lost: loss.map(|loss| (above, loss)),
            members: BTreeMap::new(),
            readers: BTreeMap::new(),
            last_id: above,
        }
    }

    pub(crate) fn newest_evicted(&self) -> u64 {
        self.evicted.last().map_or(0, |(id, _)| *id)
    }

    /// Whether a stored message is in memory for a reader.
    pub(crate) fn is_in_memory(&self, who: &Who, id: u64) -> bool {
        self.is_held(who.0, id) || self.ring.iter().skip(self.backlog_len).any(|m| m.id == id)
    }

    fn start_of_ring(&self) -> u64 {
        self.backlog_len.checked_sub(1).map_or(self.newest_evicted(), |at| self.ring[at].id)
    }

    /// Applies an entry, except deliveries, which the oracle tracks itself.
    pub(crate) fn record(&mut self, entry: &Entry, now_ms: u64) {
        match entry {
            Entry::Joined { no, cursor, .. } => self.joined(*no, *cursor, now_ms),
            Entry::Left { no, .. } | Entry::RenamedAway { no } | Entry::Expired { no } | Entry::Revoked { no } => {
                let member = self.members.get_mut(no).expect("a member that leaves exists");
                (member.live, member.away_ms) = (false, now_ms);
                for reader in self.readers.iter_mut().filter(|(who, _)| who.0 == *no).map(|(_, reader)| reader) {
                    reader.take_back(|state| matches!(state, State::Unproven(_)));
                }
            }
            Entry::Forgotten { no } => self.forget(*no),
            Entry::Sent { message, .. } => self.sent(message),
            Entry::ConsumerAdded { no, consumer, cursor, own } => {
                let who = (*no, Some(consumer.as_str().to_owned()));
                self.read_by(&who, *own);
                let reader = self.reader(&who);
                assert!(*cursor <= reader.cursor, "a new consumer starts at the oldest message");
            }
            Entry::ConsumerRemoved { no, consumer } => {
                self.readers.remove(&(*no, Some(consumer.as_str().to_owned())));
                self.track_own_dms(*no);
            }
            _ => {}
        }
    }

    fn joined(&mut self, no: u32, cursor: u64, now_ms: u64) {
        match self.members.get_mut(&no) {
            Some(member) => (member.live, member.seen_ms) = (true, now_ms),
            None => {
                assert_eq!(cursor, self.start_of_ring(), "a new member starts after the backlog");
                let (held, own_dms) = (BTreeMap::new(), None);
                self.members.insert(no, Member { live: true, seen_ms: now_ms, away_ms: 0, held, own_dms });
                let reader = self.reader(&(no, None));
                (reader.cursor, reader.delivered_upto, reader.seen_upto) = (cursor, cursor, cursor);
            }
        }
    }

    fn forget(&mut self, no: u32) {
        self.members.remove(&no);
        self.readers.retain(|(whose, _), _| *whose != no);
    }

    fn sent(&mut self, message: &Arc<Message>) {
        assert!(message.id > self.last_id, "ids are strictly increasing");
        self.last_id = message.id;
        self.log.insert(message.id, message.clone());
        if message.kind == Kind::Status {
            return;
        }
        self.ring.push_back(message.clone());
        self.ring_bytes += message.weight_bytes();
        while self.ring.len() - self.backlog_len > limits::RING_MESSAGES || self.ring_bytes > limits::RING_BYTES {
            self.ring_bytes -= self.ring[self.backlog_len].weight_bytes();
            self.backlog_len += 1;
        }
        while self.backlog_len > 0 && self.backlog_limit.is_none_or(|most| self.ring.len() > most) {
            let gone = self.ring.pop_front().expect("a ring over its bounds is not empty");
            self.backlog_len -= 1;
            self.newest_evicted_of_any = gone.id;
            if gone.to.is_none() {
                self.evicted.push((gone.id, Some(gone.from)));
            } else if let Some(sender) = self.members.get_mut(&gone.from) {
                sender.own_dms.iter_mut().for_each(|own| own.push(gone.id));
            }
        }
        if let Some(member) = message.to.filter(|to| *to != message.from).and_then(|to| self.members.get_mut(&to)) {
            member.held.insert(message.id, message.weight_bytes());
            assert!(member.held.len() <= limits::HELD_MESSAGES, "the held DMs of a member are bounded");
            assert!(member.held.values().sum::<usize>() <= limits::HELD_BYTES, "the bytes of held DMs are bounded");
        }
    }

    pub(crate) fn reader(&mut self, who: &Who) -> &mut Reader {
        let cursor = self.newest_evicted();
        let fresh = || Reader { cursor, delivered_upto: cursor, seen_upto: cursor, ..Reader::default() };
        self.readers.entry(who.clone()).or_insert_with(fresh)
    }

    /// A consumer reads its member's own messages from now on, or no longer.
    fn read_by(&mut self, who: &Who, own: bool) {
        let sent: BTreeSet<u64> = self.log.values().filter(|m| m.from == who.0).map(|m| m.id).collect();
        let reader = self.reader(who);
        reader.own = own;
        if !own {
            let is_resting = |state| matches!(state, State::Due | State::Leased(_));
            reader.claims.retain(|id, c| !sent.contains(id) || !is_resting(c.state));
            reader.claims.iter_mut().filter(|(id, _)| sent.contains(id)).for_each(|(_, c)| c.is_reread = true);
        }
        self.track_own_dms(who.0);
    }

    fn track_own_dms(&mut self, no: u32) {
        let reads_own = self.readers.iter().any(|(who, reader)| who.0 == no && reader.own);
        let Some(member) = self.members.get_mut(&no) else { return };
        match reads_own {
            true => drop(member.own_dms.get_or_insert_default()),
            false => member.own_dms = None,
        }
    }

    /// The reader of a consumer, which is created if it does not exist.
    pub(crate) fn reader_for(&mut self, who: &Who, own: bool) {
        if own && !self.readers.contains_key(who) {
            let cursor = self.newest_evicted_of_any;
            let fresh = Reader { cursor, delivered_upto: cursor, seen_upto: cursor, ..Reader::default() };
            self.readers.insert(who.clone(), fresh);
        }
        self.reader(who);
    }

    pub(crate) fn held(&self) -> (usize, usize) {
        let all = self.members.values().flat_map(|p| p.held.values());
        (all.clone().count(), all.sum())
    }

    fn is_held(&self, no: u32, id: u64) -> bool {
        self.members.get(&no).is_some_and(|p| p.held.contains_key(&id))
    }

    /// Whether a message is done for a consumer.
    pub(crate) fn is_done(&self, who: &Who, id: u64) -> bool {
        let reader = &self.readers[who];
        id <= reader.cursor && !reader.claims.contains_key(&id) && !self.is_held(who.0, id)
    }

    /// The messages due to a consumer, oldest first.
    pub(crate) fn due(&self, who: &Who, since: Option<u64>, now_ms: u64) -> Vec<u64> {
        let Some(reader) = self.readers.get(who) else { return Vec::new() };
        let mut here: BTreeSet<u64> = self.ring.iter().map(|m| m.id).collect();
        here.extend(self.members.get(&who.0).iter().flat_map(|p| p.held.keys()));
        let due = here.iter().map(|id| &self.log[id]).filter(|m| {
            let claim = reader.claims.get(&m.id);
            let wanted = match since {
                Some(since) => m.id > since,
                None => m.id > reader.cursor || claim.is_some() || self.is_held(who.0, m.id),
            };
            let is_for_me = m.from != who.0 && m.to.is_none_or(|to| to == who.0) || reader.own && m.from == who.0;
            let mine = m.kind == Kind::Message && is_for_me;
            mine && wanted && claim.is_none_or(|c| !c.is_busy(now_ms))
        });
        due.map(|m| m.id).collect()
    }

    /// The gap that a read must report, or `Unsure` while a gap is being reported.
    pub(crate) fn gap(&self, who: &Who, since: Option<u64>, now_ms: u64) -> Expected {
        let reader = &self.readers[who];
        let sent = self.members.get(&who.0).and_then(|member| member.own_dms.as_ref()).filter(|_| reader.own);
        let others = self.evicted.iter().filter(|(_, from)| reader.own || *from != Some(who.0)).map(|(id, _)| *id);
        let others = others.chain(sent.into_iter().flatten().copied());
        let from = since.unwrap_or(reader.cursor);
        let owed = |id: &u64| reader.claims.get(id).is_some_and(|c| !c.is_busy(now_ms));
        let lost: Vec<u64> = match since {
            Some(since) => others.filter(|id| *id > since).collect(),
            None => {
                let newest = others.clone().max().unwrap_or(0);
                let holes = newest > reader.cursor && reader.claims.get(&newest).is_some_and(|c| c.is_busy(now_ms));
                if holes || !reader.reporting.is_empty() {
                    return Expected::Unsure;
                }
                let is_lost = |id: &u64| owed(id) || *id > reader.cursor && !reader.claims.contains_key(id);
                others.filter(is_lost).collect()
            }
        };
        let Some(to) = lost.iter().copied().max() else { return Expected::Exactly(None) };
        let low = lost.iter().filter(|id| since.is_none() && owed(id)).min().map_or(from, |id| from.min(id - 1));
        let reason = self.lost.filter(|(id, _)| low < *id).map_or(GapReason::Ring, |(_, loss)| loss);
        Expected::Exactly(Some(Gap { from: low, to, reason }))
    }

    /// Claims messages that are being delivered.
    pub(crate) fn claim(&mut self, who: &Who, ids: &[u64], state: State) {
        for id in ids {
            let held = self.is_held(who.0, *id);
            let reader = self.readers.get_mut(who).expect("the reader exists");
            let before = reader.claims.get(id).copied();
            let again = before.is_none() && *id <= reader.cursor && !held;
            let had = before.map_or(0, |c| c.deliveries + u32::from(matches!(c.state, State::Leased(_))));
            reader.claims.insert(*id, Claim { state, deliveries: had, is_reread: again });
        }
    }

    /// Records a delivery.
    pub(crate) fn taken(&mut self, who: &Who, ids: &[u64], gap: Option<u64>, ack_mode: AckMode, now_ms: u64) {
        let upto = ids.iter().copied().max().max(gap).unwrap_or(0);
        let Some(reader) = self.readers.get_mut(who) else { return };
        reader.delivered_upto = reader.delivered_upto.max(upto);
        reader.seen_upto = reader.seen_upto.max(upto);
        for id in ids {
            let Some(claim) = reader.claims.get_mut(id) else { continue };
            match ack_mode {
                AckMode::Read => {
                    reader.claims.remove(id);
                }
                AckMode::Leased { .. } if claim.is_reread => {
                    reader.claims.remove(id);
                }
                AckMode::Leased { lease_ms } => claim.state = State::Leased(now_ms + lease_ms),
                AckMode::Streamed => {
                    if let State::Queued(id) = claim.state {
                        claim.state = State::Unacked(id);
                    }
                }
            }
        }
        if ack_mode == AckMode::Read {
            reader.cursor = reader.cursor.max(upto);
            if let Some(member) = self.members.get_mut(&who.0) {
                member.held.retain(|id, _| !ids.contains(id));
            }
        }
    }

    /// Records that a response was written, which proves nothing yet.
    pub(crate) fn written(&mut self, who: &Who, number: u64, upto: u64) {
        let Some(reader) = self.readers.get_mut(who) else { return };
        reader.delivered_upto = reader.delivered_upto.max(upto);
        reader.seen_upto = reader.seen_upto.max(upto);
        reader.claims.retain(|_, c| c.state != State::InFlight(number) || !c.is_reread);
        for claim in reader.claims.values_mut().filter(|c| c.state == State::InFlight(number)) {
            claim.state = State::Unproven(number);
        }
    }

    /// Records that the client took a response that was unproven.
    pub(crate) fn proven(&mut self, who: &Who, number: u64, upto: u64) {
        let Some(reader) = self.readers.get_mut(who) else { return };
        reader.cursor = reader.cursor.max(upto);
        let done: Vec<_> = reader.claims.extract_if(.., |_, c| c.state == State::Unproven(number)).collect();
        if let Some(member) = self.members.get_mut(&who.0) {
            member.held.retain(|id, _| done.iter().all(|(gone, _)| gone != id));
        }
    }

    /// Makes the messages claimed in a state due again; `was_delivered` if they were delivered and not acknowledged.
    pub(crate) fn returned(&mut self, who: &Who, state: State, was_delivered: bool) {
        let Some(reader) = self.readers.get_mut(who) else { return };
        reader.claims.retain(|_, c| c.state != state || !c.is_reread);
        for claim in reader.claims.values_mut().filter(|c| c.state == state) {
            claim.state = State::Due;
            claim.deliveries += u32::from(was_delivered);
        }
    }

    /// Acknowledges. Returns the number of messages.
    pub(crate) fn acked(&mut self, who: &Who, upto: u64) -> usize {
        let member = self.members.get_mut(&who.0).expect("the member exists");
        let reader = self.readers.get_mut(who).expect("the reader exists");
        let upto = upto.min(reader.delivered_upto);
        reader.cursor = reader.cursor.max(upto);
        let is_delivered = |state| matches!(state, State::Leased(_) | State::Unacked(_) | State::Unproven(_));
        let had = |c: &Claim| c.deliveries > 0 || is_delivered(c.state);
        let ids: Vec<u64> = reader.claims.range(..=upto).filter(|(_, c)| had(c)).map(|(id, _)| *id).collect();
        for id in &ids {
            reader.claims.remove(id);
            member.held.remove(id);
        }
        ids.len()
    }
}

/// The gap that a read must report.
#[derive(Debug, PartialEq)]
pub(crate) enum Expected {
    Exactly(Option<Gap>),
    Unsure,
}

impl Reader {
    /// Makes delivered messages due again.
    fn take_back(&mut self, is_affected: impl Fn(State) -> bool) {
        for claim in self.claims.values_mut().filter(|c| is_affected(c.state)) {
            claim.state = State::Due;
            claim.deliveries += 1;
        }
    }
}

impl Claim {
    pub(crate) fn is_busy(&self, now_ms: u64) -> bool {
        match self.state {
            State::InFlight(_) | State::Unproven(_) | State::Queued(_) | State::Unacked(_) => true,
            State::Leased(until_ms) => until_ms > now_ms,
            State::Due => false,
        }
    }
}
