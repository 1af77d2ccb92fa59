//! Every bound of the hub, by name. Reaching one is a [`Refusal`](crate::Refusal), never a growing queue.
//!
//! Units are the last word of a name. What an operator may set stands in the configuration; these do not move.

/// Messages a channel's ring holds, DMs and broadcasts together.
pub const RING_MESSAGES: usize = 100;
/// Bytes of framed messages a channel's ring holds.
pub const RING_BYTES: usize = 16 * MIB;
/// Undelivered DMs held for one recipient.
pub const HELD_MESSAGES: usize = 100;
/// Bytes of undelivered DMs held for one recipient.
pub const HELD_BYTES: usize = 4 * MIB;
/// Bytes of undelivered DMs held on one channel.
pub const HELD_CHANNEL_BYTES: usize = 16 * MIB;
/// Messages one read returns at most, and the bound of `max`.
pub const READ_MESSAGES: usize = 100;
/// Messages fetched from the log at once, for those who read what is no longer in memory.
pub const FETCH_MESSAGES: usize = 100;
/// Bytes of messages fetched from the log at once.
pub const FETCH_BYTES: usize = MIB;
/// Events a stream may have in its queue before it is lagged.
pub const STREAM_EVENTS: usize = 256;
/// Bytes a stream may have in its queue before it is lagged.
pub const STREAM_BYTES: usize = MIB;

/// Characters (Unicode scalar values) of a message text.
pub const TEXT_CHARS: usize = 8192;
/// Characters of a status text.
pub const STATUS_CHARS: usize = 280;
/// Suggested replies of one message.
pub const SUGGESTED_REPLIES: usize = 4;
/// Characters of one suggested reply.
pub const SUGGESTED_REPLY_CHARS: usize = 64;
/// Attachments of one message.
pub const ATTACHMENTS: usize = 4;
/// Base64 characters of all attachments of one message, whitespace not counted.
pub const ATTACHMENTS_CHARS: usize = 524_288;
/// Media types an attachment may have.
pub const ATTACHMENT_MIMES: [&str; 5] = ["image/jpeg", "image/png", "image/webp", "image/gif", "application/pdf"];
/// Characters of an attachment's file name; what is longer is cut.
pub const FILENAME_CHARS: usize = 128;
/// Characters of a thread's name.
pub const THREAD_CHARS: usize = 64;
/// Characters of an idempotency key.
pub const IDEMPOTENCY_KEY_CHARS: usize = 128;
/// Idempotency keys cached for one member; the oldest is forgotten first.
pub const IDEMPOTENCY_KEYS: usize = 1000;
/// How long an idempotency key is cached.
pub const IDEMPOTENCY_MS: u64 = 24 * HOUR_MS;

/// Characters of a name that is shown beside a callsign.
pub const DISPLAY_CHARS: usize = 64;
/// Characters of a callsign.
pub const CALLSIGN_CHARS: usize = 32;
/// Fewest characters of a session id brought by the caller; a shorter one counts as absent.
pub const SESSION_ID_MIN_CHARS: usize = 8;
/// Most characters of a session id brought by the caller.
pub const SESSION_ID_MAX_CHARS: usize = 128;
/// Fewest characters of an owner password.
pub const PASSWORD_MIN_CHARS: usize = 6;
/// Most characters of an owner password.
pub const PASSWORD_MAX_CHARS: usize = 128;
/// Wrong owner passwords a minute, for one channel and address.
pub const PASSWORD_ATTEMPTS: u32 = 5;

/// Sessions of one account; the one not used for the longest time ends for a new one.
pub const ACCOUNT_SESSIONS: usize = 100;
/// How long a session of an account lives that nobody uses.
pub const ACCOUNT_SESSION_MS: u64 = 30 * 24 * HOUR_MS;
/// How exactly it is known when such a session was used last.
pub const ACCOUNT_USE_MS: u64 = HOUR_MS;

/// Members of one channel.
pub const MEMBERS: usize = 10_000;
/// Consumers of one member, the unnamed one included.
pub const CONSUMERS: usize = 8;
/// Messages one consumer may have been given and not acknowledged; beyond that it is given nothing new.
pub const CLAIMS: usize = 1000;
/// Characters of a consumer's name.
pub const CONSUMER_CHARS: usize = 32;
/// Messages of a channel whose receipts can be asked for.
pub const RECEIPTS: usize = 256;
/// Events of a transcript that are told where nobody says how many.
pub const TRANSCRIPT_DEFAULT: usize = 1000;
/// Events of a channel's transcript that are kept, and that are told at once.
pub const TRANSCRIPT_LINES: usize = 10_000;
/// Callsigns named in a hint.
pub const HINT_NAMES: usize = 20;

/// Webhooks of one channel, and of one account.
pub const HOOKS: usize = 10;
/// Bytes of a webhook's URL.
pub const HOOK_URL_BYTES: usize = 2048;
/// Deliveries that may be due for one webhook; what comes beyond is told in its delivery log and not tried.
pub const HOOK_QUEUE: u64 = 1000;
/// Bytes of the messages that may be due for one webhook.
pub const HOOK_QUEUE_BYTES: u64 = 32 * MIB as u64;
/// Deliveries of one webhook that are read from the log at once.
pub const HOOK_FETCH: usize = 32;
/// Deliveries a webhook's log tells of, those that are due included.
pub const HOOK_LOG: usize = 100;
/// Deliveries that fail in a row before a webhook is switched off.
pub const HOOK_FAILURES: u32 = 50;
/// Attempts under way at once, of all webhooks; of one there is one.
pub const HOOK_CONCURRENCY: usize = 256;
/// How many of them may be for webhooks whose last attempt failed, so that those that hang cannot take all.
pub const HOOK_CONCURRENCY_FAILING: usize = 128;
/// How long one attempt may take.
pub const HOOK_ATTEMPT_MS: u64 = 10_000;
/// How long a persistent webhook tries one delivery.
pub const HOOK_PERSIST_MS: u64 = 24 * HOUR_MS;
/// How long a secret that was rotated signs beside the new one.
pub const HOOK_GRACE_MS: u64 = 24 * HOUR_MS;

/// Default life of a session without a sign of life.
pub const SESSION_TTL_MS: u64 = 30 * MINUTE_MS;
/// Longest `session_ttl_seconds`.
pub const SESSION_TTL_MAX_MS: u64 = 24 * HOUR_MS;
/// How long an ended session is told from one that never was.
pub const TOMBSTONE_MS: u64 = HOUR_MS;
/// Tombstones of one channel; the oldest is forgotten first.
pub const TOMBSTONES: usize = 10_000;
/// Default time after which a member without a live session is forgotten.
pub const MEMBER_TTL_MS: u64 = 7 * 24 * HOUR_MS;
/// Longest `member_ttl_seconds`.
pub const MEMBER_TTL_MAX_MS: u64 = 365 * 24 * HOUR_MS;
/// The window in which sends of a session are counted.
pub const WINDOW_MS: u64 = MINUTE_MS;

/// `listen`: default timeout.
pub const LISTEN_DEFAULT_MS: u64 = 30_000;
/// `listen`: longest timeout.
pub const LISTEN_MAX_MS: u64 = 60_000;
/// `wait`: default timeout.
pub const WAIT_DEFAULT_MS: u64 = 120_000;
/// `wait` over MCP: default timeout, below the minute after which some clients give up.
pub const WAIT_MCP_DEFAULT_MS: u64 = 45_000;
/// `wait`: longest timeout.
pub const WAIT_MAX_MS: u64 = 300_000;
/// Shortest timeout of a poll.
pub const POLL_MIN_MS: u64 = 1_000;
/// Default lease of a manual read.
pub const LEASE_DEFAULT_MS: u64 = 60_000;
/// Longest lease of a manual read.
pub const LEASE_MAX_MS: u64 = HOUR_MS;
/// Messages of history in a join reply, and the default of `history`.
pub const HISTORY_DEFAULT: usize = 20;

/// Body of a send, at most.
pub const BODY_SEND_BYTES: usize = MIB;
/// Body of any other request, at most.
pub const BODY_BYTES: usize = 64 * 1024;
/// Characters of input an error text may repeat.
pub const ECHO_CHARS: usize = 64;

/// Channels the administration is shown at once, and how many if it does not say.
pub const ADMIN_CHANNELS: usize = 1000;
/// See [`ADMIN_CHANNELS`].
pub const ADMIN_CHANNELS_DEFAULT: usize = 100;
/// Bans a hub keeps at most.
pub const BANS: usize = 1000;
/// The longest ban with an end, in seconds: a year.
pub const BAN_MAX_SECONDS: u64 = 31_536_000;
/// Characters of the reason of a ban.
pub const BAN_REASON_CHARS: usize = 200;
/// Wrong administration tokens an address may try in a minute.
pub const ADMIN_ATTEMPTS: u32 = 5;

const MIB: usize = 1024 * 1024;
const MINUTE_MS: u64 = 60_000;
const HOUR_MS: u64 = 60 * MINUTE_MS;
