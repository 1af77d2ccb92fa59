//! The tools, one file each kind: what it takes, what it asks of the hub, and what it tells.
//!
//! Arguments that are wrong, and everything the hub refuses, are told by the tool with the hub's code: the model that
//! called it can mend that. Only a tool that does not exist is a fault of the protocol.

mod account;
mod catalogue;
mod create;
mod join;
mod look;
mod read;
mod talk;

use rogerrat_domain::{Code, Refusal};
use serde::de::DeserializeOwned;

use super::answer::Told;
use super::rpc::{Id, Params, text};
use super::schema;
use super::visit::{SeatArgs, Seated, Visit};
use super::waiting::Waiting;
use crate::web::json;
use catalogue::Does;
pub(super) use catalogue::{Catalogue, Tool};

/// What a call of a tool comes to.
pub(super) enum Outcome {
    Told(Told),
    Waits(Waiting),
}

impl From<Told> for Outcome {
    fn from(told: Told) -> Self {
        Self::Told(told)
    }
}

/// The arguments of a call: its own, and for whom it acts.
struct Arguments<'a> {
    said: &'a str,
    seat: SeatArgs,
}

impl Arguments<'_> {
    /// Reads the tool's own.
    fn read<T: DeserializeOwned>(&self) -> Result<T, Refusal> {
        json::parse(self.said.as_bytes())
    }

    async fn seated(&self, visit: &Visit<'_>) -> Result<Seated, Refusal> {
        visit.seated(&self.seat).await
    }
}

/// Calls a tool.
pub(super) async fn call(visit: &Visit<'_>, id: Id<'_>, tool: &Tool, params: &Params<'_>) -> Outcome {
    match run(visit, id, tool, params).await {
        Ok(outcome) => outcome,
        Err(refusal) => Outcome::Told(Told::refusal(&with_hint(refusal))),
    }
}

/// Adds what to do about a token or key that is missing or wrong, where the refusal does not say it.
pub(super) fn with_hint(refusal: Refusal) -> Refusal {
    if refusal.code == Code::Unauthorized && refusal.hint.is_none() {
        return refusal.hint("call join with the token of the channel");
    }
    refusal
}

async fn run(visit: &Visit<'_>, id: Id<'_>, tool: &Tool, params: &Params<'_>) -> Result<Outcome, Refusal> {
    let said = params.arguments.map_or("{}", |raw| if raw.get() == "null" { "{}" } else { raw.get() });
    if !said.starts_with('{') {
        return Err(Refusal::invalid("`arguments` must be an object"));
    }
    let arguments = arguments(said, tool, visit)?;
    Ok(match tool.does {
        Does::Create => create::create(visit, &arguments).await?.into(),
        Does::OpenAccount => account::open(visit).await?.into(),
        Does::AddIdentity => account::add_identity(visit, &arguments).await?.into(),
        Does::Join => join::join(visit, &arguments).await?.into(),
        Does::Leave => join::leave(visit, &arguments).await?.into(),
        Does::Send => talk::send(visit, &arguments).await?.into(),
        Does::Ack => talk::ack(visit, &arguments).await?.into(),
        Does::Keepalive => talk::keepalive(visit, &arguments).await?.into(),
        Does::Roster => look::roster(visit, &arguments).await?.into(),
        Does::History => look::history(visit, &arguments).await?.into(),
        Does::Listen => Outcome::Waits(read::listen(visit, id, &arguments, params).await?),
        Does::Wait => Outcome::Waits(read::wait(visit, id, &arguments, params).await?),
    })
}

fn arguments<'a>(said: &'a str, tool: &Tool, visit: &Visit<'_>) -> Result<Arguments<'a>, Refusal> {
    let given = schema::look(said, tool.arguments(visit))?;
    let field = |name, raw: Option<_>| match raw {
        None => Ok(None),
        Some(raw) => match text(raw) {
            Some(said) => Ok(Some(said.into_owned())),
            None => Err(Refusal::invalid(format!("`{name}` must be a string"))),
        },
    };
    let seat = SeatArgs {
        channel_id: field("channel_id", given.channel_id)?,
        session_id: field("session_id", given.session_id)?,
    };
    Ok(Arguments { said, seat })
}
