//! Receives messages of the channel and prints them. It reconnects after any temporary failure.

use std::cell::RefCell;
use std::rc::Rc;

use rogerrat_client::{ChannelSubscription, ClientError, SubscriptionEvent};

use super::screen::Screen;
use crate::receive::polling_notice;

pub(super) struct Receiver {
    pub(super) subscription: ChannelSubscription,
    pub(super) screen: Rc<RefCell<Screen>>,
}

impl Receiver {
    /// Prints messages until a reconnect cannot help.
    pub(super) async fn run(&mut self) -> ClientError {
        let mut is_disconnected = false;
        loop {
            match self.subscription.next().await {
                Ok(SubscriptionEvent::Connected(greeting)) => {
                    if let Some(notice) = polling_notice(&greeting) {
                        self.screen.borrow_mut().note(&notice);
                    }
                    if std::mem::take(&mut is_disconnected) {
                        self.screen.borrow_mut().note("connected again");
                    }
                }
                Ok(SubscriptionEvent::Message(message)) => {
                    self.screen.borrow_mut().message(message.json());
                    // Without the acknowledgment it is delivered again; the screen ignores it then.
                    if let Err(error) = self.subscription.ack(&message).await {
                        return error;
                    }
                }
                Ok(SubscriptionEvent::Tasks(changed)) => {
                    let mut screen = self.screen.borrow_mut();
                    let notes = screen.tasks.changed(&changed.tasks);
                    notes.iter().for_each(|note| screen.note(note));
                }
                Ok(SubscriptionEvent::Gap(gap)) => self.screen.borrow_mut().warn(&gap.to_string()),
                Ok(SubscriptionEvent::Disconnected { reason, .. }) => {
                    if !std::mem::replace(&mut is_disconnected, true) {
                        self.screen.borrow_mut().warn(&format!("{reason}; trying again"));
                    }
                }
                Ok(SubscriptionEvent::SteppedBack) => {
                    is_disconnected = true;
                    self.screen.borrow_mut().warn(
                        "another reader of this session and consumer took over; messages are shown again when it ends",
                    );
                }
                Err(error) => return error,
            }
        }
    }
}
