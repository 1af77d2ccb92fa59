//! Hears what comes on the channel, over every restart of the hub, and shows it.

use std::cell::RefCell;
use std::rc::Rc;

use rogerrat_client::http::SseEvent;
use rogerrat_client::{ChannelClient, ClientError, EventStream, Retry};
use serde::Deserialize;
use tokio::time::sleep;

use super::screen::Screen;
use crate::receive::Gap;

pub(super) struct Ear {
    pub(super) link: ChannelClient,
    pub(super) screen: Rc<RefCell<Screen>>,
    pub(super) told_gap: u64,
}

#[derive(Deserialize)]
struct Known {
    id: u64,
    #[serde(default)]
    kind: String,
}

impl Ear {
    /// Until there is no use in going on.
    pub(super) async fn listen(&mut self) -> ClientError {
        let (mut retry, mut is_lost) = (Retry::default(), false);
        loop {
            let trouble = match self.link.stream("").await {
                Ok(stream) => {
                    retry.reset();
                    if std::mem::take(&mut is_lost) {
                        self.screen.borrow_mut().note("connected again");
                    }
                    self.follow(stream).await
                }
                Err(trouble) => trouble,
            };
            let ClientError::Passing { why, retry_after } = trouble else { return trouble };
            self.link.forget_address();
            let pause = retry.pause(retry_after);
            if !is_lost {
                self.screen.borrow_mut().trouble(&format!("{why}; trying again"));
            }
            is_lost = true;
            sleep(pause).await;
        }
    }

    async fn follow(&mut self, mut stream: EventStream) -> ClientError {
        loop {
            let heeded = match stream.next().await {
                Ok(event) => self.heed(&event).await,
                Err(trouble) => return trouble,
            };
            if let Err(trouble) = heeded {
                return trouble;
            }
        }
    }

    async fn heed(&mut self, event: &SseEvent) -> Result<(), ClientError> {
        match &*event.name {
            "message" => {
                self.screen.borrow_mut().message(&event.data);
                let Known { id, kind } = event.read()?;
                if kind != "status" {
                    // What cannot be acknowledged comes again, and is not shown again.
                    self.link.acknowledge(id).await?;
                }
            }
            "gap" => {
                let gap: Gap = event.read()?;
                if gap.to > self.told_gap {
                    self.told_gap = gap.to;
                    self.screen.borrow_mut().trouble(&gap.to_string());
                }
            }
            _ => {}
        }
        Ok(())
    }
}
