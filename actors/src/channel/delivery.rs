//! Responses and streams on their way to a client, with the guards that return messages a client did not take.

use std::sync::Arc;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use rogerrat_domain::{CompletedDelivery, DeliveryToken, MessageId, Progress, UnprovenDelivery, WaiterId};
use tokio::sync::mpsc;

use crate::channel::handle::ChannelHandle;
use crate::channel::messages::{CancelWait, CheckNow, Frame, TakeBack};

/// The answer to a read. If it is dropped before its guard is completed, its messages are due again.
pub type ReadResponse = rogerrat_domain::ReadResponse<DeliveryGuard>;

/// Confirms a delivery. Complete it when the client has taken the bytes of the response; if it is dropped before that,
/// the messages are due again.
#[derive(Debug)]
pub struct DeliveryGuard(Option<(DeliveryToken, Arc<ChannelHandle>)>);

impl DeliveryGuard {
    pub(crate) fn new(token: Option<DeliveryToken>, channel: Arc<ChannelHandle>) -> Self {
        Self(token.map(|token| (token, channel)))
    }

    /// Whether the response carries anything that could be lost.
    #[must_use]
    pub fn is_needed(&self) -> bool {
        self.0.is_some()
    }

    /// Confirms that the client has taken the bytes.
    pub fn complete(&mut self) {
        if let Some((token, _)) = self.0.take() {
            token.complete();
        }
    }

    /// Confirms that the client has taken the bytes, as far as its connection shows until now. The messages are those of
    /// the response. None if the response carries nothing that could be lost.
    pub fn complete_unless_reset(&mut self, messages: Box<[MessageId]>) -> Option<CompletedAnswer> {
        let (token, channel) = self.0.take()?;
        Some(CompletedAnswer { delivery: token.complete_unless_reset(), messages, channel })
    }

    /// Records that the bytes were written to a client that may have given up on the response. None if the response
    /// carries nothing that could be lost.
    pub fn written(&mut self) -> Option<UnprovenAnswer> {
        let (token, handle) = self.0.take()?;
        Some(UnprovenAnswer(Some((token.written(), handle))))
    }
}

/// A response that counts as delivered, although its connection may still show that the client did not read it.
#[derive(Debug)]
pub struct CompletedAnswer {
    delivery: CompletedDelivery,
    messages: Box<[MessageId]>,
    channel: Arc<ChannelHandle>,
}

impl CompletedAnswer {
    /// The client did not read the response: its messages are due again, with a higher `attempt`.
    #[expect(clippy::disallowed_methods, reason = "nothing would repeat it; at most one for each open connection")]
    pub fn take_back(self) {
        if let Some(addr) = self.channel.addr() {
            addr.do_send(TakeBack { delivery: self.delivery, messages: self.messages });
        }
    }
}

/// A response that was written, and not proven to have arrived. If it is dropped before it is proven, its messages are
/// due again, with a higher `attempt`.
#[derive(Debug)]
pub struct UnprovenAnswer(Option<(UnprovenDelivery, Arc<ChannelHandle>)>);

impl UnprovenAnswer {
    /// Confirms that the client took the response.
    pub fn prove(mut self) {
        if let Some((delivery, _)) = self.0.take() {
            delivery.prove();
        }
    }
}

impl Drop for UnprovenAnswer {
    fn drop(&mut self) {
        let Some((delivery, handle)) = self.0.take() else { return };
        drop(delivery);
        // Another read may be waiting for these messages. If the mailbox is full, the next message of any kind checks.
        let _ = handle.try_send(CheckNow);
    }
}

impl Drop for DeliveryGuard {
    fn drop(&mut self) {
        let Some((token, handle)) = self.0.take() else { return };
        drop(token);
        // Another read may be waiting for these messages. If the mailbox is full, the next message of any kind checks.
        let _ = handle.try_send(CheckNow);
    }
}

/// The reading end of a stream. Dropping it returns the events it did not take.
#[derive(Debug)]
pub struct StreamReader {
    frames: mpsc::Receiver<Frame>,
    progress: Arc<Progress>,
    waiter: WaiterId,
    handle: Arc<ChannelHandle>,
    ended: bool,
    counts_late: bool,
    /// The frame returned last is not counted yet.
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

    /// Counts a frame as taken only when the next one is polled, for a transport that notices only after taking a frame
    /// whether its client is still connected. If the stream is cut in between, the last frame is delivered again.
    #[must_use]
    pub fn counting_late(mut self) -> Self {
        self.counts_late = true;
        self
    }

    /// The next frame, counted as taken. None when the stream has ended.
    pub fn poll_frame(&mut self, cx: &mut Context<'_>) -> Poll<Option<Bytes>> {
        if std::mem::take(&mut self.owes) {
            // Not counted if the stream has been cut meanwhile: the event is still unread and is delivered again.
            let _ = self.progress.take();
        }
        loop {
            if self.ended {
                return Poll::Ready(None);
            }
            if self.frames.is_empty() && self.progress.wants_more() {
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
                // The stream was cut: the event stays unread, and the last event follows in the queue.
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
            // If the mailbox is full, the next message of any kind notices the cut.
            let _ = self.handle.try_send(CancelWait(self.waiter));
        }
    }
}

/// Cancels the wait of a parked poll when its client disconnects.
pub(crate) struct WaitGuard {
    pub(crate) waiter: WaiterId,
    pub(crate) handle: Arc<ChannelHandle>,
    pub(crate) answered: bool,
}

impl Drop for WaitGuard {
    fn drop(&mut self) {
        if !self.answered {
            // If the mailbox is full, the wait ends at its deadline or with the next response, which is dropped and
            // returns its messages.
            let _ = self.handle.try_send(CancelWait(self.waiter));
        }
    }
}
