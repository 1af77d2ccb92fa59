//! The hub in numbers, for those outside: what it has done since it started, and what is there now.

/// The hub's lifetime numbers, and how it stands.
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
    /// Messages handed over whose bytes were taken, once for each reader.
    pub taken_total: u64,
    /// Messages handed over that came back unread.
    pub returned_total: u64,
    /// Gaps told.
    pub gaps_total: Gaps,
    /// Held DMs that ended with their member.
    pub held_lost_with_member_total: u64,
    /// Held DMs that ended with their channel: it was deleted or went down.
    pub held_lost_with_channel_total: u64,
    /// Operations a full mailbox refused.
    pub mailbox_refusals_total: u64,
    /// Channels brought back after a panic.
    pub revivals_total: u64,
    /// Webhooks.
    pub webhooks: WebhookTotals,
    /// What is there now.
    pub now: Gauges,
    /// Whether the log refuses what would have to be kept.
    pub is_log_failing: bool,
    /// Whether the hub is going down.
    pub is_draining: bool,
    /// When the hub started, in milliseconds since the epoch.
    pub started_at_ms: u64,
}

/// Webhooks: what was posted since the start, and what is there now.
#[derive(Clone, Copy, Debug)]
pub struct WebhookTotals {
    /// Attempts begun.
    pub attempts_total: u64,
    /// Attempts that failed and are followed by another.
    pub retried_total: u64,
    /// Deliveries the receiver took.
    pub delivered_total: u64,
    /// Deliveries given up.
    pub failed_total: u64,
    /// Deliveries never tried, because too much was due for their hook.
    pub dropped_total: u64,
    /// Hooks.
    pub hooks: u64,
    /// Those of them that are switched off.
    pub hooks_off: u64,
    /// Deliveries due.
    pub due: u64,
}

/// Gaps told, by reason.
#[derive(Clone, Copy, Debug)]
pub struct Gaps {
    /// Newer messages pushed the oldest out.
    pub ring: u64,
    /// The channel was brought back without its messages.
    pub restart: u64,
    /// The channel had left memory while nobody was there.
    pub idle: u64,
}

/// What is there now.
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
    /// Polls parked.
    pub polls: u64,
    /// Streams open.
    pub streams: u64,
    /// Undelivered DMs held.
    pub held: u64,
    /// Their bytes.
    pub held_bytes: u64,
}
