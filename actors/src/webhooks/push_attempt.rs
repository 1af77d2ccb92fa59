//! One attempt to push a message: determines whether it is still needed, builds the notification and sends it.

use std::borrow::Cow;
use std::sync::{Arc, MutexGuard, OnceLock, PoisonError};

use actix::prelude::*;
use rogerrat_domain::op::{PushCheck, PushMember, PushVerdict};
use rogerrat_domain::push::{MessageFacts, Notice, NoticeEvent, PushKeys, PushTarget, topic};
use rogerrat_domain::webhook::{self, AttemptOutcome, Delivery, DeliveryRow, Failure, Hook};
use rogerrat_domain::{Callsign, ChannelId, Encryptor, MessageId, OutboxEvent, limits};

use super::push_window::{PushTurn, PushWindow};
use super::{HookHandle, PushContext, WebhookActor};
use crate::clock::Clock;
use crate::error::HubError;
use crate::ports::log::Log;
use crate::ports::push_sender::{PushRequest, PushSender};

/// The status of a push service for a payload that is too long.
const TOO_LARGE: u16 = 413;

/// The data of one attempt.
struct PushAttempt {
    handle: Arc<HookHandle>,
    hook: Hook,
    target: PushTarget,
    row: DeliveryRow,
    context: Arc<OnceLock<Box<dyn PushContext>>>,
    log: Arc<dyn Log>,
    push_sender: Arc<dyn PushSender>,
    clock: Clock,
    messages: Encryptor,
    secrets: Encryptor,
}

/// How an attempt ended.
struct PushResult {
    outcome: AttemptOutcome,
    took_ms: u64,
    /// Whether the subscription belongs to nobody any more.
    is_orphaned: bool,
}

impl WebhookActor {
    /// Starts an attempt; its outcome becomes an event of the outbox.
    pub(super) fn push(
        &mut self,
        handle: Arc<HookHandle>,
        target: PushTarget,
        row: DeliveryRow,
        ctx: &mut Context<Self>,
    ) {
        let attempt = PushAttempt {
            hook: handle.hook(),
            handle: handle.clone(),
            target,
            row,
            context: self.push_context.clone(),
            log: self.log.clone(),
            push_sender: self.push_sender.clone(),
            clock: self.clock,
            messages: self.messages.clone(),
            secrets: self.secrets.clone(),
        };
        ctx.spawn(attempt.run().into_actor(self).map(move |result, this, ctx| {
            let PushResult { outcome, took_ms, is_orphaned } = result;
            this.on_event(OutboxEvent::AttemptEnded(handle.id.clone(), outcome, took_ms), ctx);
            if is_orphaned {
                this.drop_push(&handle, ctx);
            }
        }));
    }
}

impl PushAttempt {
    async fn run(self) -> PushResult {
        let began_ms = self.clock.uptime_ms();
        let (outcome, is_orphaned) = match self.attempt().await {
            Ok(outcome) => (outcome, false),
            Err(Orphaned) => (AttemptOutcome::Unneeded(Failure::Read), true),
        };
        PushResult { outcome, took_ms: self.clock.uptime_ms() - began_ms, is_orphaned }
    }

    async fn attempt(&self) -> Result<AttemptOutcome, Orphaned> {
        let Self { row, target, .. } = self;
        let delivery = &row.delivery;
        let context = self.context.get().filter(|context| !context.is_draining());
        let Some(context) = context else { return Ok(AttemptOutcome::NotBegun) };
        let Ok(hidden) = self.log.webhooks().hidden(row.no).await else { return Ok(AttemptOutcome::NotBegun) };
        let Some(message) = hidden.and_then(|hidden| self.messages.decrypt(&hidden, &delivery.context())) else {
            return Ok(AttemptOutcome::Unreadable);
        };
        let Some(keys) = keys(&self.secrets, &self.hook) else { return Ok(AttemptOutcome::Unreadable) };
        let facts = MessageFacts::of(&message).filter(|_| delivery.message.is_some());
        let wants_answer = facts.as_ref().is_some_and(MessageFacts::wants_answer);
        let is_of_channel = matches!(&*delivery.event, webhook::PUSH_UNREAD | webhook::PUSH_GONE);
        let ttl_ms = match delivery.message {
            None if !is_of_channel => limits::PUSH_NOTICE_TTL_MS,
            Some(_) if wants_answer => limits::PUSH_ANSWER_TTL_MS,
            _ => limits::PUSH_TTL_MS,
        };
        let age_ms = self.clock.now().at_ms.saturating_sub(delivery.at_ms);
        if age_ms >= ttl_ms {
            return Ok(AttemptOutcome::Unneeded(Failure::Expired));
        }
        if let (Some(channel), Some(id), Some(facts)) = (&delivery.channel, delivery.message, &facts) {
            match self.verdict(&**context, channel, id, facts).await {
                Ok(PushVerdict::Unread) => {}
                Ok(PushVerdict::Reading) if age_ms >= limits::PUSH_READING_MS => {}
                Ok(PushVerdict::Reading) => return Ok(AttemptOutcome::Later(limits::PUSH_AGAIN_MS)),
                Ok(PushVerdict::Read) => return Ok(AttemptOutcome::Unneeded(Failure::Read)),
                Ok(PushVerdict::Absent) if target.member.is_some() => return Err(Orphaned),
                Ok(PushVerdict::Absent) => return Ok(AttemptOutcome::Unneeded(Failure::Read)),
                Err(HubError::Refused(_)) => return Ok(AttemptOutcome::Unreadable),
                Err(_) => return Ok(AttemptOutcome::NotBegun),
            }
        }
        let text = std::str::from_utf8(&message).unwrap_or_default();
        let Some(mut event) = event(delivery, facts.as_ref(), text) else { return Ok(AttemptOutcome::Unreadable) };
        let (mut missed, mut window) = (0, *self.push_window());
        let takes_turn = (delivery.message.is_some() || is_of_channel) && delivery.attempts == 0;
        if takes_turn {
            match window.take(self.clock.uptime_ms()) {
                PushTurn::Send { missed: before } => missed = before,
                PushTurn::Many => event = NoticeEvent::Many,
                PushTurn::Drop => {
                    *self.push_window() = window;
                    return Ok(AttemptOutcome::Unneeded(Failure::TooMany));
                }
            }
        }
        // A notice replaces only one of the same event and name.
        let thread = match delivery.message {
            Some(_) => facts.as_ref().and_then(|facts| facts.thread.as_deref()).map(Cow::Borrowed),
            None => Some(Cow::Owned(format!("{} {text}", delivery.event))),
        };
        let tag = topic(&keys.auth, delivery.channel.as_ref(), thread.as_deref());
        let notice = Notice { event, channel: delivery.channel.as_ref(), message: delivery.message, tag: &tag, missed };
        let request = PushRequest {
            endpoint: self.hook.url.clone(),
            keys,
            payload: notice.payload(target, true),
            ttl_s: ttl_ms / 1000,
            is_urgent: facts.as_ref().is_none_or(MessageFacts::is_urgent),
            topic: tag.clone(),
            at_s: self.clock.now().at_ms / 1000,
        };
        let outcome = self.push_sender.push(request.clone()).await;
        if takes_turn && outcome != AttemptOutcome::NotBegun {
            *self.push_window() = window;
        }
        if outcome.status() != Some(TOO_LARGE) || !target.show_text {
            return Ok(outcome);
        }
        Ok(self.push_sender.push(PushRequest { payload: notice.payload(target, false), ..request }).await)
    }

    fn push_window(&self) -> MutexGuard<'_, PushWindow> {
        self.handle.push_window.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn verdict(
        &self,
        context: &dyn PushContext,
        channel: &ChannelId,
        message: MessageId,
        facts: &MessageFacts<'_>,
    ) -> Result<PushVerdict, HubError> {
        let member = match self.target.member {
            Some(member) => PushMember::Subscribed(member),
            None => PushMember::Named(Callsign::parse(&facts.to)?),
        };
        let check = PushCheck { member, consumer: self.target.consumer.clone(), message };
        context.verdict(channel.clone(), check).await
    }
}

/// The member of a subscription has left the channel.
struct Orphaned;

/// What a delivery is about.
fn event<'a>(delivery: &Delivery, facts: Option<&'a MessageFacts<'a>>, text: &'a str) -> Option<NoticeEvent<'a>> {
    Some(match &*delivery.event {
        webhook::MESSAGE_RECEIVED => NoticeEvent::Message(facts?),
        webhook::PUSH_EXPIRING => NoticeEvent::Expiring,
        webhook::PUSH_UNREAD => NoticeEvent::Unread(text),
        webhook::PUSH_GONE => NoticeEvent::Gone(text),
        webhook::PUSH_SESSION => NoticeEvent::AccountSession,
        webhook::PUSH_RECOVERY => NoticeEvent::RecoveryRotated,
        webhook::PUSH_KEY => NoticeEvent::KeyRotated(text),
        _ => return None,
    })
}

/// The keys of a subscription.
pub(super) fn keys(secrets: &Encryptor, hook: &Hook) -> Option<PushKeys> {
    PushKeys::from_bytes(&secrets.decrypt_text(&hook.secret, hook.id.as_str())?)
}
