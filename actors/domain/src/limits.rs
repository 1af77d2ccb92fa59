//! The fixed bounds of the API and of a channel's state. A request beyond a bound is a [`Refusal`](crate::Refusal).
//!
//! The last word of a name is its unit. Bounds that an operator can change are in the configuration. Bounds of a single
//! component, such as the length of its queue, are constants of that component.

/// Messages in a channel's ring, including DMs.
pub const RING_MESSAGES: usize = 100;
/// Bytes of framed messages in a channel's ring.
pub const RING_BYTES: usize = 16 * MIB;
/// Undelivered DMs held for one recipient.
pub const HELD_MESSAGES: usize = 100;
/// Bytes of undelivered DMs held for one recipient.
pub const HELD_BYTES: usize = 4 * MIB;
/// Bytes of undelivered DMs held on one channel.
pub const HELD_CHANNEL_BYTES: usize = 16 * MIB;
/// Messages that one read returns, and the upper bound of `max`.
pub const READ_MESSAGES: usize = 100;
/// Smallest `max_bytes` of an answer; a smaller one means this.
pub const ANSWER_MIN_BYTES: usize = 1000;
/// Largest `max_bytes` of an answer; a larger one means this.
pub const ANSWER_MAX_BYTES: usize = MIB;
/// `max_bytes` of an answer over MCP, if the call gives none. No tokenizer makes more than one token of a byte, so such an
/// answer has less than the 25,000 tokens above which clients refuse one.
pub const ANSWER_MCP_BYTES: usize = 24_000;
/// Messages of one fetch from the log, for readers of the backlog.
pub const FETCH_MESSAGES: usize = 100;
/// Bytes of messages of one fetch from the log.
pub const FETCH_BYTES: usize = MIB;
/// Events in the queue of a stream. A stream that exceeds it is ended as lagged.
pub const STREAM_EVENTS: usize = 256;
/// Bytes in the queue of a stream. A stream that exceeds it is ended as lagged.
pub const STREAM_BYTES: usize = MIB;

/// Characters (Unicode scalar values) of a message text.
pub const TEXT_CHARS: usize = 8192;
/// Characters of a status text.
pub const STATUS_CHARS: usize = 280;
/// Maximum time for which a member can state what it is doing.
pub const STATE_UNTIL_MAX_MS: u64 = 30 * 24 * HOUR_MS;
/// Maximum characters of what a member says that it does.
pub const ABOUT_CHARS: usize = 280;
/// Suggested replies of one message.
pub const SUGGESTED_REPLIES: usize = 4;
/// Characters of one suggested reply.
pub const SUGGESTED_REPLY_CHARS: usize = 64;
/// Attachments of one message.
pub const ATTACHMENTS: usize = 4;
/// Base64 characters of all attachments of one message, whitespace not counted.
pub const ATTACHMENTS_CHARS: usize = 524_288;
/// Media types an attachment may have.
pub const ATTACHMENT_MIMES: [&str; 9] = [
    "image/jpeg",
    "image/png",
    "image/webp",
    "image/gif",
    "application/pdf",
    "text/plain",
    "text/markdown",
    "text/x-diff",
    "application/json",
];
/// Characters of an attachment's file name; a longer one is truncated.
pub const FILENAME_CHARS: usize = 128;
/// Characters of a thread's name.
pub const THREAD_CHARS: usize = 64;
/// Characters of an idempotency key.
pub const IDEMPOTENCY_KEY_CHARS: usize = 128;
/// Idempotency keys remembered per member; the oldest is dropped first.
pub const IDEMPOTENCY_KEYS: usize = 1000;
/// How long an idempotency key is remembered.
pub const IDEMPOTENCY_MS: u64 = 24 * HOUR_MS;

/// Characters of a display name.
pub const DISPLAY_CHARS: usize = 64;
/// Characters of a callsign.
pub const CALLSIGN_CHARS: usize = 32;
/// Minimum characters of a session id chosen by the caller; a shorter one counts as absent.
pub const SESSION_ID_MIN_CHARS: usize = 8;
/// Maximum characters of a session id chosen by the caller.
pub const SESSION_ID_MAX_CHARS: usize = 128;
/// Minimum characters of an owner password.
pub const PASSWORD_MIN_CHARS: usize = 6;
/// Maximum characters of an owner password.
pub const PASSWORD_MAX_CHARS: usize = 128;
/// Wrong owner passwords per minute, for one channel and address.
pub const PASSWORD_ATTEMPTS: u32 = 5;
/// Wrong owner passwords per hour, for one channel whose owner password is a PIN, over all addresses.
pub const PIN_ATTEMPTS: u32 = 20;
/// The window in which these are counted.
pub const PIN_WINDOW_MS: u64 = HOUR_MS;
/// Digits of such a PIN.
pub const PIN_DIGITS: usize = 6;
/// Bytes of a text to encode as a QR code.
pub const QR_TEXT_BYTES: usize = 1024;

/// Sessions of one account. A new one ends the least recently used one.
pub const ACCOUNT_SESSIONS: usize = 100;
/// Characters of the label of such a session.
pub const SESSION_LABEL_CHARS: usize = 64;
/// How long an unused session of an account lives.
pub const ACCOUNT_SESSION_MS: u64 = 30 * 24 * HOUR_MS;
/// The precision of the time at which such a session was last used.
pub const ACCOUNT_USE_MS: u64 = HOUR_MS;

/// Characters of an e-mail address.
pub const EMAIL_CHARS: usize = 254;
/// Accounts that one e-mail address recovers.
pub const EMAIL_ACCOUNTS: usize = 5;
/// Wrong codes after which the code is void.
pub const EMAIL_CODE_TRIES: u32 = 5;
/// How long such a code, and a link that recovers an account, is valid.
pub const EMAIL_CODE_MS: u64 = 15 * MINUTE_MS;
/// E-mails of one kind to one address in an hour: with a code, or with links that recover accounts.
pub const EMAILS_PER_ADDRESS: usize = 3;
/// The window in which these are counted.
pub const EMAIL_WINDOW_MS: u64 = HOUR_MS;
/// E-mails of one kind for one account in a day.
pub const EMAILS_PER_ACCOUNT: usize = 10;
/// The window in which these are counted.
pub const EMAIL_ACCOUNT_WINDOW_MS: u64 = 24 * HOUR_MS;

/// Open tasks of one channel.
pub const TASKS_OPEN: usize = 500;
/// Open tasks that one member has posted on a channel.
pub const TASKS_OPEN_MEMBER: usize = 50;
/// Closed tasks that a channel keeps; the oldest is dropped first.
pub const TASKS_CLOSED: usize = 500;
/// How long a closed task is kept.
pub const TASK_KEEP_MS: u64 = 24 * HOUR_MS;
/// Bytes of the messages of open tasks of one channel, and of all its tasks: closed ones are dropped for newer ones.
pub const TASK_HELD_BYTES: usize = 16 * MIB;
/// Requests of one member that wait for tasks.
pub const TASK_WAITS: usize = 32;
/// Answers of one task.
pub const TASK_ANSWERS: u32 = 16;
/// Bytes of the data of a message.
pub const DATA_BYTES: usize = 16 * 1024;
/// Levels of the data of a message.
pub const DATA_LEVELS: usize = 32;
/// Leases of a task that may end without a result.
pub const TASK_ATTEMPTS: u32 = 5;
/// The default deadline of a task that wants an answer.
pub const TASK_DEADLINE_ANSWER_MS: u64 = HOUR_MS;
/// The default deadline of a task that wants work.
pub const TASK_DEADLINE_WORK_MS: u64 = 7 * 24 * HOUR_MS;
/// The longest deadline of a task.
pub const TASK_DEADLINE_MAX_MS: u64 = 30 * 24 * HOUR_MS;
/// The default lease of a task.
pub const TASK_LEASE_DEFAULT_MS: u64 = 15 * MINUTE_MS;
/// The shortest lease of a task.
pub const TASK_LEASE_MIN_MS: u64 = 10_000;
/// The longest lease of a task.
pub const TASK_LEASE_MAX_MS: u64 = HOUR_MS;
/// The longest wait for a task, and the longest timeout of an ask.
pub const TASK_WAIT_MAX_MS: u64 = 300_000;
/// The default timeout of an ask.
pub const ASK_DEFAULT_MS: u64 = 60_000;
/// The default timeout of an ask over MCP, below the minute after which some clients give up.
pub const ASK_MCP_DEFAULT_MS: u64 = 45_000;
/// Tasks that the board returns if the request gives no number.
pub const BOARD_DEFAULT: usize = 50;
/// Tasks that the board returns at most.
pub const BOARD_TASKS: usize = 200;
/// Characters of a task's text in the board.
pub const TASK_HEAD_CHARS: usize = 120;

/// Rows of one side event of a stream; further ones are counted.
pub const SIDE_EVENT_ROWS: usize = 200;

/// Members of one channel.
pub const MEMBERS: usize = 10_000;
/// Members that a roster describes with their presence, if the request gives no number.
pub const ROSTER_MEMBERS: usize = 1000;
/// Consumers of one member, including the default one.
pub const CONSUMERS: usize = 8;
/// How long a named consumer must not have been read until another one may replace it.
pub const CONSUMER_UNREAD_MS: u64 = 7 * 24 * HOUR_MS;
/// Messages in flight or unacknowledged for one consumer. At the bound it gets no new ones.
pub const CLAIMS: usize = 1000;
/// Characters of a consumer's name.
pub const CONSUMER_CHARS: usize = 32;
/// Messages of a channel for which receipts are available.
pub const RECEIPTS: usize = 256;
/// Messages whose receipts one request returns.
pub const RECEIPT_IDS: usize = 50;
/// Receipts of one message that such a request returns; the others are counted.
pub const RECEIPTS_SHOWN: usize = 100;
/// Transcript events returned if the request gives no number.
pub const TRANSCRIPT_DEFAULT: usize = 1000;
/// Transcript events that are stored per channel, and that one request returns.
pub const TRANSCRIPT_LINES: usize = 10_000;
/// Callsigns listed in a hint.
pub const HINT_NAMES: usize = 20;

/// Webhooks of one channel, and of one account.
pub const HOOKS: usize = 10;
/// Bytes of a webhook's URL.
pub const HOOK_URL_BYTES: usize = 2048;
/// Headers that the owner of a webhook may add to its requests.
pub const HOOK_HEADERS: usize = 16;
/// Bytes of the name of such a header.
pub const HOOK_HEADER_NAME_BYTES: usize = 64;
/// Bytes of the value of such a header.
pub const HOOK_HEADER_VALUE_BYTES: usize = 4096;
/// Bytes of the names and values of all such headers of a webhook.
pub const HOOK_HEADERS_BYTES: usize = 8192;
/// Bytes of a webhook's body template.
pub const HOOK_TEMPLATE_BYTES: usize = 16 * 1024;
/// Placeholders in a body template. A text is inserted once for each, so this bounds the size of a body.
pub const HOOK_PLACEHOLDERS: usize = 16;
/// Deliveries in the queue of one webhook. Further ones are dropped, which the delivery log records.
pub const HOOK_QUEUE: u64 = 1000;
/// Bytes of the messages in the queue of one webhook.
pub const HOOK_QUEUE_BYTES: u64 = 32 * MIB as u64;
/// Deliveries of one webhook read from the log at once.
pub const HOOK_FETCH: usize = 32;
/// Deliveries in a webhook's delivery log, including queued ones.
pub const HOOK_LOG: usize = 100;
/// Consecutive failed deliveries after which a webhook is switched off.
pub const HOOK_FAILURES: u32 = 50;
/// Concurrent attempts of all webhooks together; one webhook has one at a time.
pub const HOOK_CONCURRENCY: usize = 256;
/// Concurrent attempts of webhooks whose last attempt failed, so that hanging receivers cannot use all.
pub const HOOK_CONCURRENCY_FAILING: usize = 128;
/// How long one attempt may take.
pub const HOOK_ATTEMPT_MS: u64 = 10_000;
/// How long a persistent webhook retries a delivery.
pub const HOOK_PERSIST_MS: u64 = 24 * HOUR_MS;
/// Push subscriptions of one member.
pub const PUSH_PER_MEMBER: usize = 4;
/// Push subscriptions of one channel.
pub const PUSH_PER_CHANNEL: usize = 50;
/// Push subscriptions of one account.
pub const PUSH_PER_ACCOUNT: usize = 20;
/// Bytes of the endpoint of a push subscription.
pub const PUSH_ENDPOINT_BYTES: usize = 1024;
/// How long a push waits, so that what is read meanwhile is not pushed.
pub const PUSH_DELAY_MS: u64 = 5000;
/// How long a message of a subscribed member is unread before that is pushed to it.
pub const PUSH_UNREAD_MS: u64 = 600_000;
/// How long a push waits again while its device reads the channel.
pub const PUSH_AGAIN_MS: u64 = 15_000;
/// How long a push waits for a device that reads the channel and does not acknowledge the message.
pub const PUSH_READING_MS: u64 = 90_000;
/// How long a push is useful, and a push service keeps it.
pub const PUSH_TTL_MS: u64 = HOUR_MS;
/// The same for a message with suggested replies.
pub const PUSH_ANSWER_TTL_MS: u64 = 600_000;
/// The same for a notice about an account or a subscription.
pub const PUSH_NOTICE_TTL_MS: u64 = 72 * HOUR_MS;
/// Pushes to one subscription within [`PUSH_WINDOW_MS`]. One more says how many there were.
pub const PUSH_WINDOW: u64 = 20;
/// See [`PUSH_WINDOW`].
pub const PUSH_WINDOW_MS: u64 = HOUR_MS;
/// How long a push subscription lasts that its page does not confirm.
pub const PUSH_UNUSED_MS: u64 = 60 * 24 * HOUR_MS;
/// When its end is announced.
pub const PUSH_WARN_MS: u64 = 55 * 24 * HOUR_MS;
/// How long a rotated secret still signs deliveries.
pub const HOOK_GRACE_MS: u64 = 24 * HOUR_MS;

/// Default time without activity after which a session ends.
pub const SESSION_TTL_MS: u64 = 30 * MINUTE_MS;
/// Longest `session_ttl_seconds`.
pub const SESSION_TTL_MAX_MS: u64 = 24 * HOUR_MS;
/// How long an ended session is remembered, so that its caller gets `session_expired`.
pub const TOMBSTONE_MS: u64 = HOUR_MS;
/// Ended sessions remembered per channel; the oldest is dropped first.
pub const TOMBSTONES: usize = 10_000;
/// Default time after which a member without a live session is removed.
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
/// `wait`: longest timeout. Some clients give up after 300 s without a response head (`fetch` of Node.js).
pub const WAIT_MAX_MS: u64 = 290_000;
/// Shortest timeout of a poll.
pub const POLL_MIN_MS: u64 = 1_000;
/// Default lease of a manual read.
pub const LEASE_DEFAULT_MS: u64 = 60_000;
/// Longest lease of a manual read.
pub const LEASE_MAX_MS: u64 = HOUR_MS;
/// Messages of history in a join reply, and the default of `history`.
pub const HISTORY_DEFAULT: usize = 20;

/// Maximum size of the body of a send.
pub const BODY_SEND_BYTES: usize = MIB;
/// Maximum size of the body of any other request.
pub const BODY_BYTES: usize = 64 * 1024;
/// Characters of the input that an error message may repeat.
pub const ECHO_CHARS: usize = 64;

/// Channels that one administration request lists at most.
pub const ADMIN_CHANNELS: usize = 1000;
/// Channels that an administration request lists by default.
pub const ADMIN_CHANNELS_DEFAULT: usize = 100;
/// Bans of a hub.
pub const BANS: usize = 1000;
/// The longest ban with an end, in seconds: a year.
pub const BAN_MAX_SECONDS: u64 = 31_536_000;
/// Characters of the reason of a ban.
pub const BAN_REASON_CHARS: usize = 200;
/// Wrong administration tokens per minute and address.
pub const ADMIN_ATTEMPTS: u32 = 5;

const MIB: usize = 1024 * 1024;
const MINUTE_MS: u64 = 60_000;
const HOUR_MS: u64 = 60 * MINUTE_MS;
