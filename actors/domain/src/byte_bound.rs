//! The bound on the size of an answer: how many messages of a read fit into it.
//!
//! The machine does not know how an interface formats a message, so the interface passes in the function that weighs one.

use crate::message::Message;

/// How many bytes the messages of one answer may have.
#[derive(Clone, Copy, Debug)]
pub struct ByteBound {
    /// The sum of the weights of all messages in one answer.
    pub max_bytes: usize,
    /// The size of one message in the answer, in bytes. It may overestimate, but never underestimate.
    pub weigh: fn(&Message) -> usize,
}

impl ByteBound {
    /// How many messages, from the first one on, fit into the bound; at least one, if there is any. A single message is
    /// not weighed.
    pub fn fitting<'a>(&self, messages: impl ExactSizeIterator<Item = &'a Message>) -> usize {
        if messages.len() < 2 {
            return messages.len();
        }
        self.fitting_or_none(messages).max(1)
    }

    /// How many messages, from the first one on, fit into the bound. It may be none.
    pub fn fitting_or_none<'a>(&self, messages: impl Iterator<Item = &'a Message>) -> usize {
        let mut left_bytes = self.max_bytes;
        let fits = |message: &&Message| match left_bytes.checked_sub((self.weigh)(message)) {
            Some(left) => {
                left_bytes = left;
                true
            }
            None => false,
        };
        messages.take_while(fits).count()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn messages(texts: &[usize]) -> Vec<Message> {
        let json = |id: usize, chars: usize| {
            format!(r#"{{"id":{id},"from":"ann","to":"all","text":"{}","at":6}}"#, "x".repeat(chars))
        };
        texts
            .iter()
            .zip(1..)
            .map(|(n, id)| Message::from_json(id as u64, 1, None, json(id, *n).as_bytes()).unwrap())
            .collect()
    }

    #[test]
    fn a13_as_many_messages_as_fit_and_at_least_one() {
        let weigh = |message: &Message| message.json().len();
        let some = messages(&[100, 100, 5000, 1]);
        let fit = |max_bytes| ByteBound { max_bytes, weigh }.fitting(some.iter());
        let small = some[0].json().len();
        assert_eq!([fit(1), fit(small), fit(2 * small - 1), fit(2 * small), fit(5000)], [1, 1, 1, 2, 2]);
        assert_eq!((fit(100_000), ByteBound { max_bytes: 1, weigh }.fitting(some[..0].iter())), (4, 0));
        assert_eq!(ByteBound { max_bytes: 1, weigh }.fitting_or_none(some.iter()), 0);
    }

    #[test]
    fn a_single_message_is_not_weighed() {
        let bound = ByteBound { max_bytes: 1, weigh: |_| panic!("weighed") };
        assert_eq!(bound.fitting(messages(&[1]).iter()), 1);
    }
}
