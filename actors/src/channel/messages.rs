//! The messages of a channel actor's mailbox, and the one it sends when it leaves memory. None of them leaves this
//! crate.

use actix::Message;
use bytes::Bytes;
use rogerrat_domain::op::{LookAtTask, OpenStream, Read, Take, TakeOutcome};
use rogerrat_domain::{
    ChannelId, CompletedDelivery, MessageId, Operation, Query, ReadResponse, TaskResponse, WaiterId,
};
use tokio::sync::{mpsc, oneshot};

use crate::error::HubError;

/// The reply to a request: the result, or the request itself if the actor stopped before taking it.
pub(crate) type RequestResult<O, R> = Result<Result<R, HubError>, O>;

/// A request to a channel actor. Dropped before it is taken, it goes back to the caller, who then knows that it was not
/// processed.
pub(crate) struct Request<O: Send + 'static, R: Send + 'static>(Option<(O, oneshot::Sender<RequestResult<O, R>>)>);

impl<O: Send + 'static, R: Send + 'static> Request<O, R> {
    pub(crate) fn new(op: O) -> (Self, oneshot::Receiver<RequestResult<O, R>>) {
        let (reply, answer) = oneshot::channel();
        (Self(Some((op, reply))), answer)
    }

    /// Takes the request for processing.
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

/// Performs an operation whose reply is immediate.
#[derive(Message)]
#[rtype(result = "()")]
pub(crate) struct Ask<O: Operation>(pub(crate) Request<O, O::Reply>);

/// Runs a query.
#[derive(Message)]
#[rtype(result = "()")]
pub(crate) struct AskQuery<Q: Query>(pub(crate) Request<Q, Q::Reply>);

/// Performs a read that may wait.
#[derive(Message)]
#[rtype(result = "()")]
pub(crate) struct Poll(pub(crate) Request<Read, ReadResponse>);

/// Looks at a task, which may wait. None: it must be asked again.
#[derive(Message)]
#[rtype(result = "()")]
pub(crate) struct Look(pub(crate) Request<LookAtTask, Option<Box<TaskResponse>>>);

/// Takes a task, which may wait. None: it must be asked again.
#[derive(Message)]
#[rtype(result = "()")]
pub(crate) struct TakeWork(pub(crate) Request<Take, Option<TakeOutcome>>);

/// A frame in the queue of a stream.
#[derive(Debug)]
pub(crate) enum Frame {
    /// An event.
    Event(Bytes),
    /// The last event. Events queued before it and not taken do not count as delivered.
    Last(Bytes),
}

/// A stream to open, and the queue for its frames.
pub(crate) struct Subscription {
    pub(crate) open: OpenStream,
    pub(crate) frames: mpsc::Sender<Frame>,
}

/// Opens a stream.
#[derive(Message)]
#[rtype(result = "()")]
pub(crate) struct OpenSubscription(pub(crate) Request<Subscription, ()>);

/// Checks what has become due. It may be lost in a full mailbox, since every other message checks too.
#[derive(Message)]
#[rtype(result = "()")]
pub(crate) struct CheckNow;

/// Ends a wait whose client has gone.
#[derive(Message)]
#[rtype(result = "()")]
pub(crate) struct CancelWait(pub(crate) WaiterId);

/// Takes back the messages of a completed response whose client did not read it.
#[derive(Message)]
#[rtype(result = "()")]
pub(crate) struct TakeBack {
    pub(crate) delivery: CompletedDelivery,
    pub(crate) messages: Box<[MessageId]>,
}

/// Ends every wait, and lets no request wait from now on.
#[derive(Message)]
#[rtype(result = "()")]
pub(crate) struct Drain;

/// Writes the state and stops, because the hub shuts down. Reports whether the state is stored.
#[derive(Message)]
#[rtype(result = "()")]
pub(crate) struct Unload(pub(crate) oneshot::Sender<bool>);

/// Ends every wait and stops without writing anything, because this instance of the hub has ended.
#[derive(Message)]
#[rtype(result = "()")]
pub(crate) struct Abandon;

/// Ends every wait and stops, because the channel is deleted.
#[derive(Message)]
#[rtype(result = "()")]
pub(crate) struct Delete;

/// Sent to the Registry by a channel that has left memory.
#[derive(Message)]
#[rtype(result = "()")]
pub(crate) struct Unloaded {
    pub(crate) channel: ChannelId,
}
