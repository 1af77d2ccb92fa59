//! The messages a channel's mailbox takes. None of them leaves this crate.

use actix::Message;
use bytes::Bytes;
use rogerrat_domain::op::{OpenStream, Read};
use rogerrat_domain::{Delivery, Operation, PlaceId};
use tokio::sync::{mpsc, oneshot};

use crate::error::HubError;

/// What comes back: an answer, or the operation itself when nobody has taken it up.
pub(crate) type Back<O, R> = Result<Result<R, HubError>, O>;

/// Something asked of a channel. Dropped before it is taken up, it gives the operation back: that it was not done is
/// then certain.
pub(crate) struct Call<O: Send + 'static, R: Send + 'static>(Option<(O, oneshot::Sender<Back<O, R>>)>);

impl<O: Send + 'static, R: Send + 'static> Call<O, R> {
    pub(crate) fn new(op: O) -> (Self, oneshot::Receiver<Back<O, R>>) {
        let (reply, answer) = oneshot::channel();
        (Self(Some((op, reply))), answer)
    }

    /// Takes the operation up.
    pub(crate) fn take(mut self) -> Option<(O, oneshot::Sender<Back<O, R>>)> {
        self.0.take()
    }
}

impl<O: Send + 'static, R: Send + 'static> Drop for Call<O, R> {
    fn drop(&mut self) {
        if let Some((op, reply)) = self.0.take() {
            let _ = reply.send(Err(op));
        }
    }
}

/// An operation that is answered at once.
#[derive(Message)]
#[rtype(result = "()")]
pub(crate) struct Ask<O: Operation>(pub(crate) Call<O, O::Reply>);

/// A read that may be parked.
#[derive(Message)]
#[rtype(result = "()")]
pub(crate) struct Poll(pub(crate) Call<Read, Delivery>);

/// A frame on its way to a stream's body.
#[derive(Debug)]
pub(crate) enum Frame {
    /// An event.
    Event(Bytes),
    /// The last event; what was queued before it and not taken no longer counts.
    Last(Bytes),
}

/// A stream to open, and where its frames go.
pub(crate) struct Tap {
    pub(crate) open: OpenStream,
    pub(crate) frames: mpsc::Sender<Frame>,
}

/// A stream to open.
#[derive(Message)]
#[rtype(result = "()")]
pub(crate) struct OpenTap(pub(crate) Call<Tap, ()>);

/// Something may have become due: look. A full mailbox may swallow it, because any other message looks too.
#[derive(Message)]
#[rtype(result = "()")]
pub(crate) struct Nudge;

/// The client that waited there has gone.
#[derive(Message)]
#[rtype(result = "()")]
pub(crate) struct Withdraw(pub(crate) PlaceId);

/// End everything that waits, and let nothing wait from now on.
#[derive(Message)]
#[rtype(result = "()")]
pub(crate) struct Drain;

/// Write everything down and stop: the hub goes down. Says whether it was kept.
#[derive(Message)]
#[rtype(result = "()")]
pub(crate) struct Rest(pub(crate) oneshot::Sender<bool>);

/// The channel is deleted: end everything and stop.
#[derive(Message)]
#[rtype(result = "()")]
pub(crate) struct Delete;
