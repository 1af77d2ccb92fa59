//! What must be true, kept in plain lists by somebody who never looks inside the machine.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

use rogerrat_domain::{AckMode, Entry, Gap, GapReason, Kind, Message, WaiterId, limits};

pub(crate) type Who = (u32, Option<String>);

/// What became of a message with one consumer.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum State {
    Underway(u64),
    Leased(u64),
    Queued(WaiterId),
    Streamed(WaiterId),
    Owed,
}

#[derive(Clone, Copy, Debug)]
pub(crate) struct Claim {
    pub(crate) state: State,
    /// How often the consumer really had it before.
    pub(crate) had: u32,
    /// It was done before and is only read again.
    pub(crate) again: bool,
}

#[derive(Debug, Default)]
pub(crate) struct Reader {
    pub(crate) cursor: u64,
    pub(crate) handed: u64,
    pub(crate) shown: u64,
    pub(crate) claims: BTreeMap<u64, Claim>,
    /// Answers and streams that are telling it a loss.
    pub(crate) telling: BTreeSet<u64>,
    pub(crate) stream: Option<WaiterId>,
}

#[derive(Debug)]
pub(crate) struct Person {
    pub(crate) live: bool,
    pub(crate) seen_ms: u64,
    pub(crate) away_ms: u64,
    pub(crate) held: BTreeMap<u64, usize>,
}

/// The channel as the oracle believes it to be.
pub(crate) struct Oracle {
    pub(crate) log: BTreeMap<u64, Arc<Message>>,
    /// Everything that is held: the shelf, if there is one, and the ring behind it.
    pub(crate) ring: VecDeque<Arc<Message>>,
    /// How many of them are on the shelf, and how many there may be in all.
    pub(crate) shelved: usize,
    shelf: Option<usize>,
    ring_bytes: usize,
    pub(crate) departed: Vec<(u64, Option<u32>)>,
    pub(crate) lost: Option<(u64, GapReason)>,
    pub(crate) people: BTreeMap<u32, Person>,
    pub(crate) readers: BTreeMap<Who, Reader>,
    pub(crate) last_id: u64,
}

impl Oracle {
    pub(crate) fn new(above: u64, loss: Option<GapReason>, shelf: Option<usize>) -> Self {
        Self {
            log: BTreeMap::new(),
            ring: VecDeque::new(),
            shelved: 0,
            shelf,
            ring_bytes: 0,
            departed: loss.map(|_| (above, None)).into_iter().collect(),
            lost: loss.map(|loss| (above, loss)),
            people: BTreeMap::new(),
            readers: BTreeMap::new(),
            last_id: above,
        }
    }

    pub(crate) fn newest_departed(&self) -> u64 {
        self.departed.last().map_or(0, |(id, _)| *id)
    }

    /// Whether a message that is held is in memory.
    pub(crate) fn is_in_memory(&self, id: u64) -> bool {
        let held = self.people.values().any(|p| p.held.contains_key(&id));
        held || self.ring.iter().skip(self.shelved).any(|m| m.id == id)
    }

    fn newcomers_start(&self) -> u64 {
        self.shelved.checked_sub(1).map_or(self.newest_departed(), |at| self.ring[at].id)
    }

    /// Books what an operation or time has made happen, except what readers took: that the oracle knows itself.
    pub(crate) fn happened(&mut self, entry: &Entry, now_ms: u64) {
        match entry {
            Entry::Joined { no, cursor, .. } => self.joined(*no, *cursor, now_ms),
            Entry::Left { no } | Entry::RenamedAway { no } | Entry::Expired { no } | Entry::Revoked { no } => {
                let person = self.people.get_mut(no).expect("who leaves was here");
                (person.live, person.away_ms) = (false, now_ms);
            }
            Entry::Forgotten { no } => self.forget(*no),
            Entry::Sent { message, .. } => self.sent(message),
            _ => {}
        }
    }

    fn joined(&mut self, no: u32, cursor: u64, now_ms: u64) {
        match self.people.get_mut(&no) {
            Some(person) => (person.live, person.seen_ms) = (true, now_ms),
            None => {
                assert_eq!(cursor, self.newcomers_start(), "a newcomer starts at the newest that left memory");
                self.people.insert(no, Person { live: true, seen_ms: now_ms, away_ms: 0, held: BTreeMap::new() });
                let reader = self.reader(&(no, None));
                (reader.cursor, reader.handed, reader.shown) = (cursor, cursor, cursor);
            }
        }
    }

    fn forget(&mut self, no: u32) {
        self.people.remove(&no);
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
        while self.ring.len() - self.shelved > limits::RING_MESSAGES || self.ring_bytes > limits::RING_BYTES {
            self.ring_bytes -= self.ring[self.shelved].weight_bytes();
            self.shelved += 1;
        }
        while self.shelved > 0 && self.shelf.is_none_or(|most| self.ring.len() > most) {
            let gone = self.ring.pop_front().expect("a ring over its bounds is not empty");
            self.shelved -= 1;
            if gone.to.is_none() {
                self.departed.push((gone.id, Some(gone.from)));
            }
        }
        if let Some(person) = message.to.filter(|to| *to != message.from).and_then(|to| self.people.get_mut(&to)) {
            person.held.insert(message.id, message.weight_bytes());
            assert!(person.held.len() <= limits::HELD_MESSAGES, "a mailbox keeps its count");
            assert!(person.held.values().sum::<usize>() <= limits::HELD_BYTES, "a mailbox keeps its bytes");
        }
    }

    pub(crate) fn reader(&mut self, who: &Who) -> &mut Reader {
        let cursor = self.newest_departed();
        let fresh = || Reader { cursor, handed: cursor, shown: cursor, ..Reader::default() };
        self.readers.entry(who.clone()).or_insert_with(fresh)
    }

    pub(crate) fn held(&self) -> (usize, usize) {
        let all = self.people.values().flat_map(|p| p.held.values());
        (all.clone().count(), all.sum())
    }

    fn is_held(&self, no: u32, id: u64) -> bool {
        self.people.get(&no).is_some_and(|p| p.held.contains_key(&id))
    }

    /// Whether a consumer is through with a message.
    pub(crate) fn is_done(&self, who: &Who, id: u64) -> bool {
        let reader = &self.readers[who];
        id <= reader.cursor && !reader.claims.contains_key(&id) && !self.is_held(who.0, id)
    }

    /// What a consumer must be given now, oldest first.
    pub(crate) fn due(&self, who: &Who, since: Option<u64>, now_ms: u64) -> Vec<u64> {
        let Some(reader) = self.readers.get(who) else { return Vec::new() };
        let mut here: BTreeSet<u64> = self.ring.iter().map(|m| m.id).collect();
        here.extend(self.people.get(&who.0).iter().flat_map(|p| p.held.keys()));
        let due = here.iter().map(|id| &self.log[id]).filter(|m| {
            let claim = reader.claims.get(&m.id);
            let wanted = match since {
                Some(since) => m.id > since,
                None => m.id > reader.cursor || claim.is_some() || self.is_held(who.0, m.id),
            };
            let mine = m.kind == Kind::Message && m.from != who.0 && m.to.is_none_or(|to| to == who.0);
            mine && wanted && claim.is_none_or(|c| !c.is_busy(now_ms))
        });
        due.map(|m| m.id).collect()
    }

    /// What a consumer must be told of losses: exactly, or nothing sure while it is being told.
    pub(crate) fn gap(&self, who: &Who, since: Option<u64>, now_ms: u64) -> Expected {
        let reader = &self.readers[who];
        let others = self.departed.iter().filter(|(_, from)| *from != Some(who.0)).map(|(id, _)| *id);
        let from = since.unwrap_or(reader.cursor);
        let owed = |id: &u64| reader.claims.get(id).is_some_and(|c| !c.is_busy(now_ms));
        let lost: Vec<u64> = match since {
            Some(since) => others.filter(|id| *id > since).collect(),
            None => {
                let newest = others.clone().max().unwrap_or(0);
                let holes = newest > reader.cursor && reader.claims.get(&newest).is_some_and(|c| c.is_busy(now_ms));
                if holes || !reader.telling.is_empty() {
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

    /// Claims what is being given, and what is being told lost.
    pub(crate) fn give(&mut self, who: &Who, ids: &[u64], state: State) {
        for id in ids {
            let held = self.is_held(who.0, *id);
            let reader = self.readers.get_mut(who).expect("who is given something reads");
            let before = reader.claims.get(id).copied();
            let again = before.is_none() && *id <= reader.cursor && !held;
            let had = before.map_or(0, |c| c.had + u32::from(matches!(c.state, State::Leased(_))));
            reader.claims.insert(*id, Claim { state, had, again });
        }
    }

    /// What the answer or event `state` carried was taken.
    pub(crate) fn taken(&mut self, who: &Who, ids: &[u64], gap: Option<u64>, ack_mode: AckMode, now_ms: u64) {
        let upto = ids.iter().copied().max().max(gap).unwrap_or(0);
        let Some(reader) = self.readers.get_mut(who) else { return };
        reader.handed = reader.handed.max(upto);
        reader.shown = reader.shown.max(upto);
        for id in ids {
            let Some(claim) = reader.claims.get_mut(id) else { continue };
            match ack_mode {
                AckMode::Read => {
                    reader.claims.remove(id);
                }
                AckMode::Leased { .. } if claim.again => {
                    reader.claims.remove(id);
                }
                AckMode::Leased { lease_ms } => claim.state = State::Leased(now_ms + lease_ms),
                AckMode::Streamed => {
                    if let State::Queued(id) = claim.state {
                        claim.state = State::Streamed(id);
                    }
                }
            }
        }
        if ack_mode == AckMode::Read {
            reader.cursor = reader.cursor.max(upto);
            if let Some(person) = self.people.get_mut(&who.0) {
                person.held.retain(|id, _| !ids.contains(id));
            }
        }
    }

    /// Gives back what is held in one way; `was_had` if it was taken and not acknowledged.
    pub(crate) fn returned(&mut self, who: &Who, state: State, was_had: bool) {
        let Some(reader) = self.readers.get_mut(who) else { return };
        reader.claims.retain(|_, c| c.state != state || !c.again);
        for claim in reader.claims.values_mut().filter(|c| c.state == state) {
            claim.state = State::Owed;
            claim.had += u32::from(was_had);
        }
    }

    /// Acknowledges; gives how many were with the consumer.
    pub(crate) fn acked(&mut self, who: &Who, upto: u64) -> usize {
        let person = self.people.get_mut(&who.0).expect("who acknowledges is here");
        let reader = self.readers.get_mut(who).expect("who acknowledges reads");
        let upto = upto.min(reader.handed);
        reader.cursor = reader.cursor.max(upto);
        let had = |c: &Claim| c.had > 0 || matches!(c.state, State::Leased(_) | State::Streamed(_));
        let ids: Vec<u64> = reader.claims.range(..=upto).filter(|(_, c)| had(c)).map(|(id, _)| *id).collect();
        for id in &ids {
            reader.claims.remove(id);
            person.held.remove(id);
        }
        ids.len()
    }
}

/// What a read must say of losses.
#[derive(Debug, PartialEq)]
pub(crate) enum Expected {
    Exactly(Option<Gap>),
    Unsure,
}

impl Claim {
    pub(crate) fn is_busy(&self, now_ms: u64) -> bool {
        match self.state {
            State::Underway(_) | State::Queued(_) | State::Streamed(_) => true,
            State::Leased(until_ms) => until_ms > now_ms,
            State::Owed => false,
        }
    }
}
