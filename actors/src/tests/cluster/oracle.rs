//! The oracle: what the log and the clients of a simulation observe, and which of it breaks a promise.
//!
//! It keeps its own account of who owns a channel, from the calls that succeeded, and does not ask the log's.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use rogerrat_domain::webhook::AttemptOutcome;
use rogerrat_domain::{ChannelId, Code, MessageId, TaskRow};

use super::posts::PostedWebhooks;
use super::task_oracle::{By, Posted, TaskOracle, TaskTotals, text_of};
use crate::ports::webhook_sender::WebhookRequest;
use crate::{Clock, InstanceId, PreviousOwner, StoredChannel};

/// A member of a channel, by its callsign.
pub(super) type Who = (ChannelId, String);

/// A message whose send was acknowledged.
#[derive(Clone, Debug)]
struct Acknowledged {
    id: MessageId,
    text: String,
    /// The members who must receive it, or be shown a gap.
    recipients: Vec<String>,
    /// Whether the webhook of the channel is for it.
    hooked: bool,
}

/// What a member has observed.
#[derive(Debug, Default)]
struct Reader {
    /// The attempts with which each message arrived.
    seen: BTreeMap<MessageId, Vec<u32>>,
    gaps: Vec<(MessageId, MessageId)>,
    /// Its membership was lost, and it joined again.
    rejoined: bool,
}

/// What happened in a simulation.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Totals {
    pub(super) acknowledged: u64,
    pub(super) delivered: u64,
    pub(super) repeated: u64,
    pub(super) gaps: u64,
    pub(super) lost_in_gaps: u64,
    pub(super) rejoined: u64,
    pub(super) given_up: u64,
    pub(super) taken_over: u64,
    pub(super) kills: u64,
    pub(super) freezes: u64,
    pub(super) cuts: u64,
    pub(super) stops: u64,
    pub(super) hubs_ended: u64,
    pub(super) webhooks: u64,
    pub(super) webhooks_repeated: u64,
    pub(super) tasks: TaskTotals,
}

/// See the module.
#[derive(Debug, Default)]
pub(super) struct Oracle {
    durable: BTreeSet<ChannelId>,
    owners: HashMap<ChannelId, (InstanceId, u64)>,
    fences: HashMap<ChannelId, u64>,
    last_stored: HashMap<ChannelId, MessageId>,
    acknowledged: BTreeMap<ChannelId, Vec<Acknowledged>>,
    texts: HashMap<(ChannelId, MessageId), String>,
    ids: HashMap<(ChannelId, String), MessageId>,
    readers: BTreeMap<Who, Reader>,
    pub(super) posts: PostedWebhooks,
    pub(super) tasks: TaskOracle,
    pub(super) totals: Totals,
    pub(super) violations: Vec<String>,
    pub(super) trace: Vec<String>,
    clock: Option<Clock>,
}

impl Reader {
    /// Whether a gap was reported that has a message.
    fn is_in_gap(&self, id: MessageId) -> bool {
        self.gaps.iter().any(|(from, to)| (from + 1..=*to).contains(&id))
    }
}

impl Oracle {
    /// Notes what happened, for who looks for the cause of a violation.
    pub(super) fn note(&mut self, what: impl FnOnce() -> String) {
        if let Some(clock) = &self.clock {
            self.trace.push(format!("{:>7} ms {}", clock.uptime_ms(), what()));
        }
    }

    /// Notes everything from now on.
    pub(super) fn start_trace(&mut self) {
        self.clock = Some(Clock::start());
    }

    fn violation(&mut self, what: String) {
        self.note(|| format!("VIOLATION {what}"));
        self.violations.push(what);
    }

    pub(super) fn created(&mut self, channel: &ChannelId, durable: bool) {
        if durable {
            self.durable.insert(channel.clone());
        }
    }

    /// A webhook was posted. Returns the answer.
    pub(super) fn posted(&mut self, from: InstanceId, request: &WebhookRequest, fails: bool) -> AttemptOutcome {
        let (outcome, wrong) = self.posts.posted(from, request, fails);
        let delivery = &request.body.delivery;
        self.note(|| format!("{from} posts {} of {:?}: {outcome:?}", request.id, delivery.message));
        wrong.into_iter().for_each(|wrong| self.violation(wrong));
        outcome
    }

    /// Whether the webhooks of everything acknowledged were delivered.
    pub(super) fn has_all_webhooks(&self) -> bool {
        let has_all = |(channel, messages): (&ChannelId, &Vec<Acknowledged>)| {
            self.posts
                .missing(channel, messages.iter().filter(|sent| sent.hooked).map(|message| message.id))
                .next()
                .is_none()
        };
        self.acknowledged.iter().all(has_all)
    }

    /// The webhooks of everything acknowledged were delivered, none twice without a reason.
    pub(super) fn check_webhooks(&mut self) {
        let mut wrong: Vec<_> = self.posts.doubled().collect();
        for (channel, messages) in &self.acknowledged {
            let missing =
                self.posts.missing(channel, messages.iter().filter(|sent| sent.hooked).map(|message| message.id));
            wrong.extend(missing.map(|message| format!("{channel}: the webhook of {message} was not delivered")));
        }
        (self.totals.webhooks, self.totals.webhooks_repeated) = (self.posts.delivered, self.posts.repeated);
        wrong.into_iter().for_each(|wrong| self.violation(wrong));
    }

    /// An instance took a channel.
    pub(super) fn taken(&mut self, channel: &ChannelId, instance: InstanceId, stored: &StoredChannel) {
        self.note(|| format!("{instance} takes {channel}: {:?}, fence {}", stored.previous_owner, stored.fence));
        let last = self.fences.insert(channel.clone(), stored.fence).unwrap_or_default();
        if stored.fence <= last {
            self.violation(format!("{channel}: fence {} after {last}", stored.fence));
        }
        self.owners.insert(channel.clone(), (instance, stored.fence));
        self.totals.taken_over += u64::from(matches!(stored.previous_owner, PreviousOwner::Lost { .. }));
    }

    /// The fence of the last instance that took a channel.
    pub(super) fn fence_of(&self, channel: &ChannelId) -> u64 {
        self.fences.get(channel).copied().unwrap_or_default()
    }

    /// Whether an instance is not the owner of a channel, because another is.
    pub(super) fn has_other_owner(&self, channel: &ChannelId, instance: InstanceId) -> bool {
        self.owners.get(channel).is_some_and(|(owner, _)| *owner != instance)
    }

    /// An instance gave a channel up.
    pub(super) fn given_up(&mut self, channel: &ChannelId, instance: InstanceId, fence: u64) {
        self.note(|| format!("{instance} gives up {channel}"));
        self.check_owner(channel, instance, fence, "gave up");
        self.owners.remove(channel);
        self.totals.given_up += 1;
    }

    fn check_owner(&mut self, channel: &ChannelId, instance: InstanceId, fence: u64, what: &str) {
        let owner = self.owners.get(channel).copied();
        if owner != Some((instance, fence)) {
            self.violation(format!("{channel}: instance {instance} {what} with fence {fence}, the owner is {owner:?}"));
        }
    }

    /// A record was appended that stores these messages.
    pub(super) fn appended(&mut self, channel: &ChannelId, instance: InstanceId, fence: u64, ids: &[MessageId]) {
        self.check_owner(channel, instance, fence, "appended");
        for id in ids {
            let last = self.last_stored.insert(channel.clone(), *id).unwrap_or_default();
            if *id <= last {
                self.violation(format!("{channel}: message {id} was stored after {last}"));
            }
        }
    }

    /// A member has joined.
    pub(super) fn joined(&mut self, who: &Who) {
        if self.readers.contains_key(who) {
            self.totals.rejoined += 1;
            if self.durable.contains(&who.0) {
                self.violation(format!("{} is no longer a member of the durable channel {}", who.1, who.0));
            }
            self.readers.entry(who.clone()).or_default().rejoined = true;
        } else {
            self.readers.insert(who.clone(), Reader::default());
        }
    }

    /// The other members of a channel.
    pub(super) fn members_beside(&self, (channel, callsign): &Who) -> Vec<String> {
        let members = self.readers.keys().filter(|(of, name)| of == channel && name != callsign);
        members.map(|(_, name)| name.clone()).collect()
    }

    /// A send to all was acknowledged.
    pub(super) fn acknowledged(&mut self, channel: &ChannelId, id: MessageId, text: &str, recipients: Vec<String>) {
        self.sent(channel, text, Acknowledged { id, text: text.to_owned(), recipients, hooked: true });
    }

    /// The result of a task was acknowledged.
    pub(super) fn acknowledged_result(&mut self, channel: &ChannelId, id: MessageId, text: &str, sender: String) {
        let recipients = vec![sender];
        self.sent(channel, text, Acknowledged { id, text: text.to_owned(), recipients, hooked: false });
    }

    fn sent(&mut self, channel: &ChannelId, text: &str, sent: Acknowledged) {
        self.note(|| format!("{channel}: {} ({text}) is acknowledged", sent.id));
        self.check_text(channel, sent.id, text);
        self.totals.acknowledged += 1;
        self.acknowledged.entry(channel.clone()).or_default().push(sent);
    }

    /// The post of a task was acknowledged.
    pub(super) fn posted_task(&mut self, channel: &ChannelId, id: MessageId, posted: Posted) {
        let wrong = self.tasks.posted_as(channel, id, posted);
        self.violations.extend(wrong);
    }

    /// An ask returned an answer; those that are read by it arrive at its member.
    pub(super) fn returned(&mut self, who: &Who, answer: &str, read: &[MessageId]) {
        let json: serde_json::Value = serde_json::from_str(answer).expect("messages are valid");
        let Some(id) = json["id"].as_u64().filter(|id| read.contains(id)) else { return };
        let is_first = self.readers.get(who).is_none_or(|reader| !reader.seen.contains_key(&id));
        // It does not say which attempt it is.
        self.delivered(who, id, if is_first { 1 } else { 2 }, &text_of(answer));
        self.tasks.totals.returned += 1;
    }

    /// What is wrong with a task as a member finds it at the end.
    pub(super) fn check_task(&mut self, who: &Who, id: MessageId, found: Option<&TaskRow>) -> Option<String> {
        if let Some(row) = found {
            return self.tasks.check(&who.0, row);
        }
        if self.may_be_lost(who, id) {
            self.tasks.totals.lost_in_memory += 1;
            return None;
        }
        Some(format!("{}: the task {id} is lost", who.0))
    }

    /// On a memory channel tasks end with its owner, as messages do. Who has received all of them is shown no gap. An owner that
    /// does not know yet that it was replaced may accept one more; all are shown the gap of that.
    fn may_be_lost(&self, who: &Who, task: MessageId) -> bool {
        let is_of_earlier_owner = self.tasks.owned_by(&who.0, task).is_some_and(|fence| fence < self.fence_of(&who.0));
        let is_in_gap = self.readers.get(who).is_some_and(|reader| reader.gaps.iter().any(|(_, to)| *to >= task));
        (is_of_earlier_owner || is_in_gap) && !self.durable.contains(&who.0)
    }

    /// A result was refused. Returns what is wrong with that.
    pub(super) fn refused_result(&mut self, who: &Who, id: MessageId, by: &By, code: Code) -> Option<String> {
        let wrong = self.tasks.refused(&who.0, id, by);
        // It may be sent again, when the task that it has finished is lost.
        wrong.filter(|_| code != Code::NotFound || !self.may_be_lost(who, id))
    }

    /// No id is assigned twice; on a durable channel no send with a key is done twice.
    fn check_text(&mut self, channel: &ChannelId, id: MessageId, text: &str) {
        let known = self.texts.entry((channel.clone(), id)).or_insert_with(|| text.to_owned());
        if known != text {
            let known = known.clone();
            self.violation(format!("{channel}: id {id} is of both {known} and {text}"));
        }
        if self.durable.contains(channel) {
            let other = *self.ids.entry((channel.clone(), text.to_owned())).or_insert(id);
            if other != id {
                self.violation(format!("{channel}: {text} was sent as {other} and as {id}"));
            }
        }
    }

    /// A message arrived at a member.
    pub(super) fn delivered(&mut self, who: &Who, id: MessageId, attempt: u32, text: &str) {
        self.note(|| format!("{}: {id} ({text}) arrives at {}, attempt {attempt}", who.0, who.1));
        self.check_text(&who.0, id, text);
        let attempts = self.readers.entry(who.clone()).or_default().seen.entry(id).or_default();
        attempts.push(attempt);
        let is_first = attempts.len() == 1;
        let firsts = attempts.iter().filter(|attempt| **attempt == 1).count();
        if firsts > 1 {
            self.violation(format!("{}: {id} arrived at {} twice with attempt 1", who.0, who.1));
        }
        self.totals.delivered += 1;
        self.totals.repeated += u64::from(!is_first);
    }

    /// A gap was reported to a member.
    pub(super) fn gap(&mut self, who: &Who, from: MessageId, to: MessageId) {
        self.note(|| format!("{}: gap {from}..={to} at {}", who.0, who.1));
        self.readers.entry(who.clone()).or_default().gaps.push((from, to));
        self.totals.gaps += 1;
    }

    /// Everything has been read: what was acknowledged must have arrived, or be in a gap.
    pub(super) fn check_losses(&mut self) {
        let mut lost = Vec::new();
        let mut lost_in_gaps = 0;
        for (channel, messages) in &self.acknowledged {
            let durable = self.durable.contains(channel);
            for message in messages {
                for recipient in &message.recipients {
                    let Some(reader) = self.readers.get(&(channel.clone(), recipient.clone())) else { continue };
                    let in_gap = reader.is_in_gap(message.id);
                    if reader.seen.contains_key(&message.id) || !durable && reader.rejoined {
                        continue;
                    }
                    if in_gap && !durable {
                        lost_in_gaps += 1;
                    } else {
                        let (id, text, gaps) = (message.id, &message.text, &reader.gaps);
                        let kind = if durable { "durable" } else { "memory" };
                        lost.push(format!(
                            "{channel}: {kind} {id} ({text}) did not arrive at {recipient}; gaps {gaps:?}"
                        ));
                    }
                }
            }
        }
        self.totals.lost_in_gaps = lost_in_gaps;
        self.totals.tasks = self.tasks.totals;
        self.violations.extend(lost);
    }
}

impl Totals {
    pub(super) fn add(&mut self, other: &Self) {
        self.acknowledged += other.acknowledged;
        self.delivered += other.delivered;
        self.repeated += other.repeated;
        self.gaps += other.gaps;
        self.lost_in_gaps += other.lost_in_gaps;
        self.rejoined += other.rejoined;
        self.given_up += other.given_up;
        self.taken_over += other.taken_over;
        self.kills += other.kills;
        self.freezes += other.freezes;
        self.cuts += other.cuts;
        self.stops += other.stops;
        self.hubs_ended += other.hubs_ended;
        self.webhooks += other.webhooks;
        self.webhooks_repeated += other.webhooks_repeated;
        self.tasks.add(&other.tasks);
    }

    /// Whether each interesting case happened.
    pub(super) fn covers_everything(&self) -> bool {
        let of_messages = [self.delivered, self.repeated, self.gaps, self.lost_in_gaps, self.given_up, self.taken_over];
        let of_hubs = [self.kills, self.freezes, self.cuts, self.stops, self.hubs_ended];
        let of_webhooks = [self.webhooks, self.webhooks_repeated];
        of_messages.iter().chain(&of_hubs).chain(&of_webhooks).all(|n| *n > 0) && self.tasks.covers_everything()
    }
}
