//! Does what a person typed, one line after the other, and shows what came of it.

use std::cell::RefCell;
use std::rc::Rc;

use rogerrat_client::{ChannelClient, ClientError};
use rogerrat_domain::text::one_line;
use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Value, json};
use tokio::sync::mpsc::Receiver;

use super::screen::Screen;
use super::typed::{HELP, Typed};
use crate::commands::{AT_ONCE, Roster, attachments, post, random_key, read};

pub(super) struct Mouth {
    pub(super) link: ChannelClient,
    pub(super) screen: Rc<RefCell<Screen>>,
}

#[derive(Deserialize)]
struct Joined {
    callsign: String,
    roster: Vec<String>,
}

#[derive(Deserialize)]
struct History {
    history: Vec<Box<RawValue>>,
}

#[derive(Deserialize)]
struct Sent {
    to: String,
    #[serde(default)]
    queued: bool,
}

impl Mouth {
    /// Takes the place, and shows who is there and what was said.
    pub(super) async fn enter(&mut self) -> Result<(), ClientError> {
        let joined: Joined = read(&self.link.join().await?)?;
        self.screen.borrow_mut().me.clone_from(&joined.callsign);
        let place = self.link.target();
        let (channel, origin) = (&place.channel, &place.hub.origin);
        let hello = format!("you are {} on {channel} at {origin}; /help says what you can type", joined.callsign);
        self.note(&hello);
        self.note(&format!("here: {}", joined.roster.join(", ")));
        self.history().await
    }

    /// Until no more is typed.
    pub(super) async fn obey(&mut self, mut typed: Receiver<Typed>) {
        while let Some(typed) = typed.recv().await {
            if let Err(trouble) = self.one(typed).await {
                self.link.forget_address();
                self.screen.borrow_mut().trouble(&trouble.to_string());
            }
        }
    }

    async fn one(&mut self, typed: Typed) -> Result<(), ClientError> {
        match typed {
            Typed::Say { to, text } => self.send(json!({"to": to, "message": text})).await,
            Typed::Status(text) => self.send(json!({"message": text, "kind": "status"})).await,
            Typed::Attach { file, text } => {
                let files = attachments(std::slice::from_ref(&file)).map_err(ClientError::Refused)?;
                self.send(json!({"message": text, "attachments": files})).await
            }
            Typed::Roster => {
                let roster: Roster = read(&self.link.call("GET", "roster", None, AT_ONCE).await?)?;
                for line in roster.lines().lines() {
                    self.note(line.trim_start());
                }
                Ok(())
            }
            Typed::History => {
                self.screen.borrow_mut().forget();
                self.history().await
            }
            Typed::Help => {
                HELP.lines().for_each(|line| self.note(line));
                Ok(())
            }
            Typed::Unknown(what) => {
                self.note(&format!("{what} (/help says what you can type)"));
                Ok(())
            }
            Typed::Quit => Ok(()),
        }
    }

    async fn send(&mut self, mut body: Value) -> Result<(), ClientError> {
        body["client_msg_id"] = random_key().into();
        let Sent { to, queued } = read(&post(&mut self.link, &body).await?)?;
        if queued {
            self.note(&format!("{} is away and will find it", one_line(&to)));
        }
        Ok(())
    }

    async fn history(&mut self) -> Result<(), ClientError> {
        let History { history } = read(&self.link.call("GET", "history?n=20", None, AT_ONCE).await?)?;
        for message in history {
            self.screen.borrow_mut().message(message.get());
        }
        Ok(())
    }

    fn note(&self, text: &str) {
        self.screen.borrow_mut().note(text);
    }
}
