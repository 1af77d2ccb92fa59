//! The counters and gauges of a hub, as the interfaces read them.

/// The counters and gauges of a hub.
#[derive(Clone, Copy, Debug)]
pub struct Totals {
    /// Channels created.
    pub channels_created: u64,
    /// Joins that were not repeats.
    pub joins_total: u64,
    /// Messages sent, statuses included.
    pub messages_total: u64,
    /// Statuses sent.
    pub statuses_total: u64,
    /// Messages delivered, once for each reader.
    pub taken_total: u64,
    /// Messages returned because the client did not take the response; they are delivered again.
    pub returned_total: u64,
    /// Gaps reported to readers.
    pub gaps_total: Gaps,
    /// Held DMs lost because their member was forgotten.
    pub held_lost_with_member_total: u64,
    /// Held DMs lost because their channel was deleted or crashed.
    pub held_lost_with_channel_total: u64,
    /// Operations refused because a mailbox was full.
    pub mailbox_refusals_total: u64,
    /// Channels recovered after a panic.
    pub revivals_total: u64,
    /// Webhooks.
    pub webhooks: WebhookTotals,
    /// Web push.
    pub pushes: PushTotals,
    /// E-mails.
    pub mails: MailTotals,
    /// What concerns a log that hubs share; 0 where no other hub uses it.
    pub cluster: ClusterTotals,
    /// Current values.
    pub now: Gauges,
    /// Whether the log currently refuses writes.
    pub is_log_failing: bool,
    /// Whether the hub is shutting down.
    pub is_draining: bool,
    /// When the hub started, in milliseconds since the epoch.
    pub started_at_ms: u64,
}

/// Counters and gauges of webhooks.
#[derive(Clone, Copy, Debug)]
pub struct WebhookTotals {
    /// Attempts started.
    pub attempts_total: u64,
    /// Attempts that failed and will be repeated.
    pub retried_total: u64,
    /// Deliveries that the receiver accepted.
    pub delivered_total: u64,
    /// Deliveries that failed for good.
    pub failed_total: u64,
    /// Deliveries dropped because the queue of their hook was full.
    pub dropped_total: u64,
    /// Hooks.
    pub hooks: u64,
    /// Hooks that are disabled.
    pub hooks_off: u64,
    /// Deliveries due.
    pub due: u64,
}

/// Counters and gauges of web push.
#[derive(Clone, Copy, Debug)]
pub struct PushTotals {
    /// Pushes that a push service accepted.
    pub sent_total: u64,
    /// Pushes that failed for good.
    pub failed_total: u64,
    /// Pushes that were not sent: read before, too old, or too many.
    pub dropped_total: u64,
    /// Subscriptions.
    pub subscriptions: u64,
}

/// Counters and gauges of e-mails.
#[derive(Clone, Copy, Debug)]
pub struct MailTotals {
    /// Tries to hand an e-mail to the mail server.
    pub attempts_total: u64,
    /// E-mails that the mail server accepted.
    pub sent_total: u64,
    /// E-mails that failed for good.
    pub failed_total: u64,
    /// E-mails that were not sent because of a limit or a full queue.
    pub dropped_total: u64,
    /// E-mails that wait to be sent.
    pub queued: u64,
}

/// Counters of an instance on a log that hubs share.
#[derive(Clone, Copy, Debug)]
pub struct ClusterTotals {
    /// Channels taken that had no owner: new ones, and those that an instance had given up.
    pub moved_total: u64,
    /// Channels taken whose owner had ended without giving them up.
    pub taken_over_total: u64,
    /// Records that were refused because the channel had another owner.
    pub conflicts_total: u64,
    /// Records appended.
    pub appends_total: u64,
    /// How long those appends took, in microseconds.
    pub append_us_total: u64,
    /// Instances that this one has declared ended.
    pub dead_declared_total: u64,
}

/// Gaps reported, by reason.
#[derive(Clone, Copy, Debug)]
pub struct Gaps {
    /// Newer messages evicted older ones.
    pub ring: u64,
    /// The channel was recovered without its messages.
    pub restart: u64,
    /// The channel was unloaded while it was idle.
    pub idle: u64,
}

/// Current values.
#[derive(Clone, Copy, Debug)]
pub struct Gauges {
    /// Channels known, bands included.
    pub channels: u64,
    /// Channels in memory.
    pub channels_live: u64,
    /// Members of channels in memory, online or not.
    pub members: u64,
    /// Members online.
    pub members_live: u64,
    /// Parked polls.
    pub polls: u64,
    /// Open streams.
    pub streams: u64,
    /// Undelivered DMs held in memory.
    pub held: u64,
    /// Bytes of those DMs.
    pub held_bytes: u64,
}
