//! The messages a channel's mailbox takes. None of them leaves this crate.

use actix::Message;
use bytes::Bytes;
use rogerrat_domain::op::{OpenStream, Read};
use rogerrat_domain::{Operation, ReadResponse, WaiterId};
use tokio::sync::{mpsc, oneshot};

use crate::error::HubError;

/// What comes back: an answer, or the operation itself when nobody has taken it up.
pub(crate) type RequestResult<O, R> = Result<Result<R, HubError>, O>;

/// Something asked of a channel. Dropped before it is taken up, it gives the operation back: that it was not done is
/// then certain.
pub(crate) struct Request<O: Send + 'static, R: Send + 'static>(Option<(O, oneshot::Sender<RequestResult<O, R>>)>);

impl<O: Send + 'static, R: Send + 'static> Request<O, R> {
    pub(crate) fn new(op: O) -> (Self, oneshot::Receiver<RequestResult<O, R>>) {
        let (reply, answer) = oneshot::channel();
        (Self(Some((op, reply))), answer)
    }

    /// Takes the operation up.
    pub(crate) fn take(mut self) -> Option<(O, oneshot::Sender<RequestResult<O, R>>)> {
        self.0.take()
    }
}

impl<O: Send + 'static, R: Send + 'static> Drop for Request<O, R> {
    fn drop(&mut self) {
        if let Some((op, reply)) = self.0.take() {
            let _ = reply.send(Err(op));
        }
    }
}

/// An operation that is answered at once.
#[derive(Message)]
#[rtype(result = "()")]
pub(crate) struct Ask<O: Operation>(pub(crate) Request<O, O::Reply>);

/// A read that may be parked.
#[derive(Message)]
#[rtype(result = "()")]
pub(crate) struct Poll(pub(crate) Request<Read, ReadResponse>);

/// A frame on its way to a stream's body.
#[derive(Debug)]
pub(crate) enum Frame {
    /// An event.
    Event(Bytes),
    /// The last event; what was queued before it and not taken no longer counts.
    Last(Bytes),
}

/// A stream to open, and where its frames go.
pub(crate) struct Subscription {
    pub(crate) open: OpenStream,
    pub(crate) frames: mpsc::Sender<Frame>,
}

/// A stream to open.
#[derive(Message)]
#[rtype(result = "()")]
pub(crate) struct OpenSubscription(pub(crate) Request<Subscription, ()>);

/// Something may have become due: look. A full mailbox may swallow it, because any other message looks too.
#[derive(Message)]
#[rtype(result = "()")]
pub(crate) struct CheckNow;

/// The client that waited there has gone.
#[derive(Message)]
#[rtype(result = "()")]
pub(crate) struct CancelWait(pub(crate) WaiterId);

/// End everything that waits, and let nothing wait from now on.
#[derive(Message)]
#[rtype(result = "()")]
pub(crate) struct Drain;

/// Write everything down and stop: the hub goes down. Says whether it was kept.
#[derive(Message)]
#[rtype(result = "()")]
pub(crate) struct Passivate(pub(crate) oneshot::Sender<bool>);

/// The channel is deleted: end everything and stop.
#[derive(Message)]
#[rtype(result = "()")]
pub(crate) struct Delete;
