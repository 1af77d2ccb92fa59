//! What leaves the hub: answers and streams, each with the token that says whether it was taken.

use std::sync::Arc;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use rogerrat_domain::{DeliveryToken, Progress, WaiterId};
use tokio::sync::mpsc;

use crate::channel::handle::ChannelHandle;
use crate::channel::messages::{CancelWait, CheckNow, Frame};

/// The answer to a read. Dropped before its guard is completed, it gives everything back.
pub type ReadResponse = rogerrat_domain::ReadResponse<DeliveryGuard>;

/// Completed when the client has taken the bytes of an answer. Dropped before that, the messages are due again.
#[derive(Debug)]
pub struct DeliveryGuard(Option<(DeliveryToken, Arc<ChannelHandle>)>);

impl DeliveryGuard {
    pub(crate) fn new(token: Option<DeliveryToken>, channel: Arc<ChannelHandle>) -> Self {
        Self(token.map(|token| (token, channel)))
    }

    /// Confirms that the client has taken the bytes.
    pub fn complete(&mut self) {
        if let Some((token, _)) = self.0.take() {
            token.complete();
        }
    }
}

impl Drop for DeliveryGuard {
    fn drop(&mut self) {
        let Some((token, handle)) = self.0.take() else { return };
        drop(token);
        // Somebody else may be waiting for it. If the mailbox is full, whoever comes next looks.
        let _ = handle.try_send(CheckNow);
    }
}

/// The reading end of a stream. Dropping it gives back what it did not take.
#[derive(Debug)]
pub struct StreamReader {
    frames: mpsc::Receiver<Frame>,
    progress: Arc<Progress>,
    waiter: WaiterId,
    handle: Arc<ChannelHandle>,
    ended: bool,
    counts_late: bool,
    /// The frame handed out last is not counted yet.
    owes: bool,
}

impl StreamReader {
    pub(crate) fn new(
        frames: mpsc::Receiver<Frame>,
        progress: Arc<Progress>,
        waiter: WaiterId,
        handle: Arc<ChannelHandle>,
    ) -> Self {
        Self { frames, progress, waiter, handle, ended: false, counts_late: false, owes: false }
    }

    /// Counts a frame only when the next one is asked for: for a carrier that takes a frame first and finds out then
    /// whether its client is still there. A stream cut in between says its last frame again.
    #[must_use]
    pub fn counting_late(mut self) -> Self {
        self.counts_late = true;
        self
    }

    /// The next frame, counted as taken. None when the stream has ended.
    pub fn poll_frame(&mut self, cx: &mut Context<'_>) -> Poll<Option<Bytes>> {
        if std::mem::take(&mut self.owes) {
            // Not counted when the stream was cut meanwhile: then it is still unread, and comes again.
            let _ = self.progress.take();
        }
        loop {
            if self.ended {
                return Poll::Ready(None);
            }
            if self.frames.is_empty() && self.progress.is_hungry() {
                let _ = self.handle.try_send(CheckNow);
            }
            match ready!(self.frames.poll_recv(cx)) {
                Some(Frame::Event(frame)) if self.counts_late && !self.progress.is_cut() => {
                    self.owes = true;
                    return Poll::Ready(Some(frame));
                }
                Some(Frame::Event(frame)) if !self.counts_late && self.progress.take() => {
                    return Poll::Ready(Some(frame));
                }
                // Cut: it is unread, and the last event is behind it in the queue.
                Some(Frame::Event(_)) => {}
                Some(Frame::Last(frame)) => {
                    self.ended = true;
                    return Poll::Ready(Some(frame));
                }
                None => {
                    self.ended = true;
                    return Poll::Ready(Some(Bytes::from_static(b"event: bye\ndata: {\"reason\":\"restart\"}\n\n")));
                }
            }
        }
    }
}

impl Drop for StreamReader {
    fn drop(&mut self) {
        self.progress.cut();
        if !self.ended {
            // If the mailbox is full, whoever comes next sees the cut.
            let _ = self.handle.try_send(CancelWait(self.waiter));
        }
    }
}

/// Gives a parked poll's place back when its client goes.
pub(crate) struct WaitGuard {
    pub(crate) waiter: WaiterId,
    pub(crate) handle: Arc<ChannelHandle>,
    pub(crate) answered: bool,
}

impl Drop for WaitGuard {
    fn drop(&mut self) {
        if !self.answered {
            // If the mailbox is full, the place ends at its deadline or when it is offered something: an answer that
            // finds nobody is returned.
            let _ = self.handle.try_send(CancelWait(self.waiter));
        }
    }
}
