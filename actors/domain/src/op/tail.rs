//! Broadcasts by their sequence number on the channel, from 0. For protocols without message ids.

use std::sync::Arc;

use crate::channel::Channel;
use crate::message::Message;
use crate::op::Query;
use crate::{Now, Refusal};

/// Returns broadcasts from a sequence number on.
#[derive(Clone, Copy, Debug)]
pub struct Tail {
    /// The first sequence number to return. One from the future belongs to an earlier incarnation of the channel, so
    /// everything is returned.
    pub after: u64,
}

/// The broadcasts that are in memory.
#[derive(Clone, Debug)]
pub struct TailReply {
    /// The messages with their sequence numbers, oldest first.
    pub messages: Vec<(u64, Arc<Message>)>,
    /// The sequence number of the next broadcast.
    pub next: u64,
}

impl Query for Tail {
    type Reply = TailReply;

    fn answer(&self, channel: &Channel, _: Now) -> Result<TailReply, Refusal> {
        let next = channel.ring.broadcasts();
        let after = if self.after > next { 0 } else { self.after };
        let numbered = channel.ring.numbered_broadcasts().take_while(|(number, _)| *number >= after);
        let mut messages: Vec<_> = numbered.filter_map(|(number, message)| Some((number, message?.clone()))).collect();
        messages.reverse();
        Ok(TailReply { messages, next })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::op::harness::TestChannel;

    #[test]
    fn broadcasts_are_numbered_from_the_first_one() {
        let mut test = TestChannel::new();
        let numbers = |test: &mut TestChannel, after| {
            let TailReply { messages, next } = test.query(&Tail { after }).unwrap();
            (messages.iter().map(|(number, _)| *number).collect::<Vec<_>>(), next)
        };
        test.join("ann");
        test.join("bob");
        assert_eq!(numbers(&mut test, 0), (vec![], 0));
        for n in 0..3 {
            test.send("ann", "all", &n.to_string());
            test.send("ann", "bob", "a DM has no number");
        }
        assert_eq!(numbers(&mut test, 0), (vec![0, 1, 2], 3));
        assert_eq!((numbers(&mut test, 2), numbers(&mut test, 3)), ((vec![2], 3), (vec![], 3)));
        assert_eq!(
            numbers(&mut test, 4),
            (vec![0, 1, 2], 3),
            "a number from the future belongs to an earlier incarnation"
        );
        for n in 0..200 {
            test.send("ann", "all", &n.to_string());
        }
        let (held, next) = numbers(&mut test, 0);
        assert_eq!((held.len(), held[0], next), (100, 103, 203));
        assert_eq!(numbers(&mut test, 201).0, [201, 202]);
    }
}
