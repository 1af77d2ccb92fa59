//! The log of channels that promise to keep nothing: who is a member, and no message.
//!
//! It brings a channel back after a panic or an idle hour. It never holds text, and it is folded as it grows: for each
//! member only the last word counts.

use std::collections::BTreeMap;
use std::future::ready;

use dashmap::DashMap;
use rogerrat_domain::{ChannelId, Entry, MemberNo, Record};

use crate::log::{Append, Appended, Log, Records};

/// A log in memory.
#[derive(Debug, Default)]
pub struct MemoryLog {
    channels: DashMap<ChannelId, Folded>,
}

/// What a channel's records come to.
#[derive(Debug, Default)]
struct Folded {
    seq: u64,
    at_ms: u64,
    members: BTreeMap<MemberNo, Told>,
}

/// The last that was told of a member: that it joined, and how it went.
#[derive(Clone, Debug)]
struct Told {
    joined: Entry,
    gone: Option<Entry>,
}

impl Folded {
    fn fold(&mut self, entry: Entry) {
        match entry {
            Entry::Joined { no, .. } => {
                self.members.insert(no, Told { joined: entry, gone: None });
            }
            Entry::Left { no } | Entry::Expired { no } | Entry::RenamedAway { no } => {
                if let Some(told) = self.members.get_mut(&no) {
                    told.gone = Some(entry);
                }
            }
            Entry::Forgotten { no } => {
                self.members.remove(&no);
            }
            _ => {}
        }
    }

    fn records(&self, channel: &ChannelId) -> Vec<Record> {
        let told = self.members.values().cloned();
        let entries: Vec<_> = told.flat_map(|t| std::iter::once(t.joined).chain(t.gone)).collect();
        if self.seq == 0 {
            return Vec::new();
        }
        vec![Record { channel: channel.clone(), seq: self.seq, at_ms: self.at_ms, entries }]
    }
}

impl Log for MemoryLog {
    fn append(&self, record: Record) -> Append {
        let mut folded = self.channels.entry(record.channel).or_default();
        if record.seq != folded.seq + 1 {
            return Box::pin(ready(Appended::Conflict));
        }
        folded.seq = record.seq;
        folded.at_ms = record.at_ms;
        for entry in record.entries {
            folded.fold(entry);
        }
        Box::pin(ready(Appended::Done))
    }

    fn since(&self, channel: &ChannelId, seq: u64) -> Records {
        let records = self.channels.get(channel).filter(|f| f.seq > seq).map(|f| f.records(channel));
        Box::pin(ready(Ok(records.unwrap_or_default())))
    }

    fn forget(&self, channel: &ChannelId) {
        self.channels.remove(channel);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures_util::FutureExt as _;
    use rogerrat_domain::Callsign;

    fn joined(no: MemberNo) -> Entry {
        let callsign = Callsign::parse(&format!("agent{no}")).unwrap();
        Entry::Joined { no, callsign, generation: 1, own_session: None, cursor: 0, at_ms: 1 }
    }

    fn record(seq: u64, entries: Vec<Entry>) -> Record {
        Record { channel: ChannelId::parse("c").unwrap(), seq, at_ms: seq, entries }
    }

    fn append(log: &MemoryLog, seq: u64, entry: Entry) -> Appended {
        log.append(record(seq, vec![entry])).now_or_never().unwrap()
    }

    #[test]
    fn the_last_word_about_a_member_counts() {
        let log = MemoryLog::default();
        for (seq, entry) in
            [joined(1), joined(2), Entry::Left { no: 1 }, joined(1), Entry::Expired { no: 2 }].into_iter().enumerate()
        {
            assert_eq!(append(&log, seq as u64 + 1, entry), Appended::Done);
        }
        let records = log.since(&ChannelId::parse("c").unwrap(), 0).now_or_never().unwrap().unwrap();
        let entries = &records[0].entries;
        assert_eq!((records[0].seq, entries.len()), (5, 3));
        assert!(matches!(entries[0], Entry::Joined { no: 1, .. }) && matches!(entries[2], Entry::Expired { no: 2 }));
    }

    #[test]
    fn a_record_out_of_turn_is_a_conflict() {
        let log = MemoryLog::default();
        assert_eq!(append(&log, 2, joined(1)), Appended::Conflict);
        assert_eq!(append(&log, 1, joined(1)), Appended::Done);
        assert_eq!(append(&log, 1, joined(1)), Appended::Conflict);
    }
}
