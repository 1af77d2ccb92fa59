//! What leaves the hub: answers and streams, each with the slip that says whether it was taken.

use std::sync::Arc;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use rogerrat_domain::{Delivery, Ending, Gap, Given, PlaceId, Progress, Slip};
use tokio::sync::mpsc;

use crate::call::{Frame, Nudge, Withdraw};
use crate::room::Room;

/// The answer to a read. Dropped before its receipt is signed, it gives everything back.
#[derive(Debug)]
pub struct Parcel {
    /// What is given, oldest first.
    pub messages: Vec<Given>,
    /// What was lost before it.
    pub gap: Option<Gap>,
    /// Why the read was answered.
    pub ending: Ending,
    /// The callsigns online as a JSON array, if they were asked for.
    pub roster: Option<Bytes>,
    /// To be signed when the bytes have been taken.
    pub receipt: Receipt,
}

impl Parcel {
    pub(crate) fn new(delivery: Delivery, room: Arc<Room>) -> Self {
        let Delivery { messages, gap, ending, slip, roster } = delivery;
        Self { messages, gap, ending, roster, receipt: Receipt(slip.map(|slip| (slip, room))) }
    }
}

/// Signed when the bytes of an answer have been taken; dropped unsigned, what it was for is due again.
#[derive(Debug)]
pub struct Receipt(Option<(Slip, Arc<Room>)>);

impl Receipt {
    /// Says that the bytes have been taken.
    pub fn sign(&mut self) {
        if let Some((slip, _)) = self.0.take() {
            slip.taken();
        }
    }
}

impl Drop for Receipt {
    fn drop(&mut self) {
        let Some((slip, room)) = self.0.take() else { return };
        drop(slip);
        // Somebody else may be waiting for it. If the mailbox is full, whoever comes next looks.
        let _ = room.try_send(Nudge);
    }
}

/// The reading end of a stream. Dropping it gives back what it did not take.
#[derive(Debug)]
pub struct StreamReader {
    frames: mpsc::Receiver<Frame>,
    progress: Arc<Progress>,
    place: PlaceId,
    room: Arc<Room>,
    ended: bool,
    counts_late: bool,
    /// The frame handed out last is not counted yet.
    owes: bool,
}

impl StreamReader {
    pub(crate) fn new(frames: mpsc::Receiver<Frame>, progress: Arc<Progress>, place: PlaceId, room: Arc<Room>) -> Self {
        Self { frames, progress, place, room, ended: false, counts_late: false, owes: false }
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
                let _ = self.room.try_send(Nudge);
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
            let _ = self.room.try_send(Withdraw(self.place));
        }
    }
}

/// Gives a parked poll's place back when its client goes.
pub(crate) struct Parked {
    pub(crate) place: PlaceId,
    pub(crate) room: Arc<Room>,
    pub(crate) answered: bool,
}

impl Drop for Parked {
    fn drop(&mut self) {
        if !self.answered {
            // If the mailbox is full, the place ends at its deadline or when it is offered something: an answer that
            // finds nobody is returned.
            let _ = self.room.try_send(Withdraw(self.place));
        }
    }
}
