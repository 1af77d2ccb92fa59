//! The last broadcasts by their place: the first that was ever said on the channel is 0. For rooms that know no ids.

use std::sync::Arc;

use crate::channel::Channel;
use crate::message::Message;
use crate::op::Query;
use crate::{Now, Refusal};

/// Ask for what was said to all.
#[derive(Clone, Copy, Debug)]
pub struct Tail {
    /// From this place on. One that nothing has reached yet was said of an earlier life of the channel: then everything.
    pub after: u64,
}

/// What is held of it, oldest first.
#[derive(Clone, Debug)]
pub struct TailReply {
    /// The messages with their places.
    pub messages: Vec<(u64, Arc<Message>)>,
    /// The place of the next one.
    pub next: u64,
}

impl Query for Tail {
    type Reply = TailReply;

    fn answer(&self, channel: &Channel, _: Now) -> Result<TailReply, Refusal> {
        let next = channel.ring.broadcasts();
        let after = if self.after > next { 0 } else { self.after };
        let placed = channel.ring.numbered_broadcasts().take_while(|(place, _)| *place >= after);
        let mut messages: Vec<_> = placed.filter_map(|(place, message)| Some((place, message?.clone()))).collect();
        messages.reverse();
        Ok(TailReply { messages, next })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::op::harness::TestChannel;

    #[test]
    fn places_count_broadcasts_from_the_first_ever_on() {
        let mut test = TestChannel::new();
        let places = |test: &mut TestChannel, after| {
            let TailReply { messages, next } = test.query(Tail { after }).unwrap();
            (messages.iter().map(|(place, _)| *place).collect::<Vec<_>>(), next)
        };
        test.join("ann");
        test.join("bob");
        assert_eq!(places(&mut test, 0), (vec![], 0));
        for n in 0..3 {
            test.send("ann", "all", &n.to_string());
            test.send("ann", "bob", "a DM has no place");
        }
        assert_eq!(places(&mut test, 0), (vec![0, 1, 2], 3));
        assert_eq!((places(&mut test, 2), places(&mut test, 3)), ((vec![2], 3), (vec![], 3)));
        assert_eq!(places(&mut test, 4), (vec![0, 1, 2], 3), "what nobody has reached is of an earlier life");
        for n in 0..200 {
            test.send("ann", "all", &n.to_string());
        }
        let (held, next) = places(&mut test, 0);
        assert_eq!((held.len(), held[0], next), (100, 103, 203));
        assert_eq!(places(&mut test, 201).0, [201, 202]);
    }
}
