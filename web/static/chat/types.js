// The contract between the chat engine (no DOM) and the chat view: types only, nothing runs here.
//
// The engine owns the state, the view draws it. The view creates a model with `createModel` of `model.js`, listens for
// `change` events, and calls methods. It never writes to what the model exposes.

/**
 * @typedef {"joining" | "live-stream" | "live-poll" | "reconnecting" | "offline" | "elsewhere" | "ended" | "refused"
 *   | "going-down"} ConnectionState
 * - `joining`: the first join is under way.
 * - `live-stream`, `live-poll`: messages arrive as they are sent; over a stream, or over long polls behind a proxy.
 * - `reconnecting`: a try is under way (`retry_at` null) or follows at `retry_at`.
 * - `offline`: the browser has no network, or the page was hidden for a minute. It reconnects by itself.
 * - `elsewhere`: another tab of this device took over the same consumer. `useHere()` takes it back.
 * - `ended`: the session ended and did not come back: left here, channel deleted, or revoked. `reconnectNow()` tries to
 *   join again, unless `problem.final`.
 * - `refused`: join or a later request was refused for good; `problem` says what and `problem.about` which field to ask
 *   for. Call `start()` again with other credentials.
 * - `going-down`: the hub is shutting down or restarting; reconnects at `retry_at`.
 */

/**
 * What `problem` is about: the form field to ask for again.
 * @typedef {"channel" | "token" | "callsign" | "owner_password" | "identity_key" | "session" | "hub" | "network"} ProblemField
 */

/**
 * @typedef {object} Problem
 * @property {string} code the hub's error code (docs/ERRORS.md), or one of ours: `network`, `timeout`, `collision`,
 *   `missing`, `no_stream`, `left`, `deleted`, `revoked`, `not_a_hub`, `expired`. Key of the strings file: `chat.problem.<code>`
 * @property {number} status the HTTP status, 0 without an answer
 * @property {string} message the hub's sentence (English), for details; never contains a secret
 * @property {string | null} hint the hub's next step, for example a free callsign
 * @property {string | null} free_callsign with `callsign_taken`, if the hub named one
 * @property {ProblemField | null} about
 * @property {number | null} retry_at epoch milliseconds before which trying again is refused (429)
 * @property {boolean} final trying again without a change cannot succeed
 * @property {boolean} is_unknown whether the hub says that it may have done what it was asked
 * @property {boolean} going_down whether the hub is shutting down
 * @property {string | null} request_id
 */

/**
 * @typedef {object} Connection
 * @property {ConnectionState} state
 * @property {number | null} retry_at epoch milliseconds of the next try; null if none is planned
 * @property {Problem | null} problem
 * @property {number} since epoch milliseconds at which this state began
 */

/**
 * @typedef {object} Credentials
 * @property {string} channel the channel's id
 * @property {string} [token] the channel's token; bands need none
 * @property {string} [identity_key] joins as this identity
 * @property {string} [callsign]
 * @property {string} [owner_password] the password or PIN of the channel's owner
 * @property {string} [name] a name to show for oneself on this device; never sent to a hub (the room sends it)
 * @property {boolean} [same_member] a callsign that is online already is this person: join its session. The engine sets
 *   it for links that carry a callsign; the form sets it after the question "is that you?" (`problem.code` `collision`)
 */

/**
 * @typedef {object} Attachment
 * @property {string} mime
 * @property {string | null} filename
 * @property {number} bytes
 * @property {number} n its number in the message, for `ChatModel.attachment(id, n)`
 */

/**
 * @typedef {object} Message
 * @property {number} id
 * @property {string} from callsign
 * @property {string} to callsign or `all`
 * @property {string} text
 * @property {number} at epoch milliseconds
 * @property {"message" | "status"} [kind]
 * @property {Priority} [priority]
 * @property {string} [wants] `answer` or `work`: the message is a task
 * @property {number} [deadline] of the task, epoch milliseconds
 * @property {string} [state] what a reply did to its task; of a status, the state of its sender
 * @property {number} [until] of a status, epoch milliseconds
 * @property {string[]} [suggested_replies]
 * @property {Attachment[]} [attachments]
 * @property {number} [reply_to]
 * @property {string} [thread]
 * @property {"identity"} [verified]
 * @property {string} [display] self-chosen name of a sender of a room
 * @property {number} [attempt]
 * @property {boolean} [own] sent by this member, from any of its devices
 */

/** @typedef {"min" | "low" | "default" | "high" | "urgent"} Priority */

/**
 * Delivery of an own message, in rising order: `waiting` in the outbox (clock), `accepted` by the hub (one tick),
 * `away` accepted, the recipient is offline (text "waits: away"), `delivered` (two ticks), `read` (filled ticks),
 * `expired` removed unread, `failed` not sent (retry / edit / discard).
 * @typedef {"waiting" | "accepted" | "away" | "delivered" | "read" | "expired" | "failed"} Tick
 */

/**
 * @typedef {object} Receipt
 * @property {string} to
 * @property {"queued" | "delivered" | "acked" | "expired"} state
 * @property {number} [delivered_at]
 * @property {number} [acked_at]
 */

/**
 * One delivered or outgoing message. **A new object replaces it whenever something of it changes**, so the view may
 * compare by identity; `key` stays the same for the life of the message, also when an outgoing one gets its id.
 * @typedef {object} MessageEntry
 * @property {"message"} type
 * @property {string} key
 * @property {number | null} id null while it is not accepted
 * @property {Message} message for an outgoing one with `id` 0, `at` of its creation
 * @property {boolean} mine sent by this member (here or on another device)
 * @property {boolean} seen was on screen here, or is own
 * @property {Tick | null} tick null for messages of others
 * @property {Receipt[]} receipts empty unless `mine` and known
 * @property {Problem | null} problem why it was not sent, or why the last try failed
 * @property {number | null} retry_at epoch milliseconds of the next try of an outgoing message
 * @property {import("./tasks.js").Task | null} task what is known of the task that it is
 * @property {Approval | null} approval present if it has suggested replies and is not `mine`
 * @property {boolean} live arrived while the page was live (announce it), not by loading history
 */

/**
 * @typedef {object} Approval
 * @property {"open" | "held" | "pending" | "sent" | "failed" | "expired"} state
 *   `held`: destructive word, goes out at `held_until` unless `undoReply`; `pending`: in the outbox; `sent`: accepted
 *   by the hub; `failed`: not sent, buttons are open again; `expired`: the sender is no longer on the channel. With all
 *   but `open` and `failed` the buttons are locked.
 * @property {string | null} answer the chosen text; also when answered on another device
 * @property {boolean} elsewhere answered on another device of this member
 * @property {number | null} held_until
 * @property {string | null} answer_key `key` of the entry of the answer
 */

/**
 * Messages between `from` (exclusive) and `to` (inclusive) are lost for this reader.
 * @typedef {object} GapEntry
 * @property {"gap"} type
 * @property {string} key
 * @property {number} from
 * @property {number} to
 * @property {"ring" | "restart" | "idle" | "unknown"} reason
 */

/**
 * The line "new messages". It is above the first message that was unread at the start of this visit and stays there.
 * @typedef {object} UnreadEntry
 * @property {"unread"} type
 * @property {string} key
 * @property {number} after id of the last read message
 */

/** @typedef {MessageEntry | GapEntry | UnreadEntry} Entry */

/**
 * @typedef {object} Member
 * @property {string} callsign
 * @property {boolean} online
 * @property {number | null} idx
 * @property {"stream" | "poll" | "away" | null} reach null where the hub does not tell
 * @property {number | null} seen_at epoch milliseconds
 * @property {number | null} unread
 * @property {number | null} oldest_unread_at epoch milliseconds
 * @property {string | null} verified
 * @property {string | null} state the state that it reports: `working`, `idle`, `blocked`, `quota`, `away`
 * @property {string | null} note its words for that
 * @property {number | null} until epoch milliseconds
 * @property {boolean} me
 */

/**
 * The working line of one sender.
 * @typedef {object} Status
 * @property {string} from
 * @property {string} text
 * @property {number} at epoch milliseconds
 * @property {number} until epoch milliseconds at which it disappears
 * @property {Priority | null} priority
 */

/**
 * @typedef {object} Draft
 * @property {string} text
 * @property {string} to
 * @property {number | null} reply_to
 * @property {string | null} thread
 * @property {Priority} priority
 */

/**
 * @typedef {object} OutgoingAttachment
 * @property {string} mime
 * @property {string} data_base64
 * @property {string} [filename]
 */

/**
 * @typedef {object} Outgoing
 * @property {string} [to] default `all`
 * @property {string} text
 * @property {number | null} [reply_to]
 * @property {string | null} [thread]
 * @property {Priority} [priority]
 * @property {"message" | "status"} [kind]
 * @property {OutgoingAttachment[]} [attachments]
 * @property {string} [wants] makes it a task: `answer`, `work`
 * @property {number} [deadline_seconds] of the task
 * @property {boolean} [quiet] work that is delivered to nobody
 * @property {number} [answers] of a question to all: how many members' answers close it
 * @property {string} [state] what it does to the task that it replies to
 * @property {number} [fence] of the taking
 * @property {number} [suggested_reply_of] id of the message whose suggested reply this is
 */

/**
 * @typedef {object} Channel
 * @property {string} id
 * @property {string} me own callsign, "" before the join
 * @property {boolean} is_band
 * @property {string | null} retention
 * @property {string | null} trust_posture
 * @property {boolean} human_authorized
 * @property {string | null} instructions
 * @property {boolean} has_owner_password
 * @property {boolean} require_identity
 * @property {string | null} dm_visibility
 * @property {number} session_ttl_ms how long a session lives after its last read; 0 if unknown
 * @property {string | null} collision_warning a peer with this callsign was there; this page joined its session
 */

/**
 * What the transport can do; the view hides the controls for the rest.
 * @typedef {object} Abilities
 * @property {boolean} direct recipients other than `all`
 * @property {boolean} receipts
 * @property {boolean} replies reply_to, threads, suggested replies, priorities
 * @property {boolean} attachments
 * @property {boolean} roster
 * @property {boolean} delete_channel
 * @property {boolean} push notifications of members
 * @property {boolean} tasks messages that want something
 * @property {number} text_max characters
 * @property {number} name_max characters of a name
 */

/**
 * What changed, for the view to redraw as little as possible. Changes of one task are reported together.
 * @typedef {"connection" | "entries" | "roster" | "statuses" | "unread" | "channel" | "outbox" | "earlier"
 *   | "tasks"} Part
 */

/**
 * `event.detail` of `change`.
 * @typedef {object} ChangeDetail
 * @property {Set<Part>} parts
 * @property {number} appended entries added at the end
 * @property {number} prepended entries added at the start (keep the scroll position)
 * @property {number} dropped entries dropped at the start to bound the memory
 * @property {MessageEntry[]} live messages of others that arrived live, for the announcer and notifications
 */

/**
 * @typedef {object} Earlier
 * @property {"some" | "none" | "loading" | "failed" | "unknown"} state whether earlier messages can be loaded
 * @property {Problem | null} problem
 */

/**
 * @typedef {object} SearchFilter
 * @property {string} [text] every word must occur, in any case
 * @property {string} [from]
 * @property {string} [thread]
 * @property {boolean} [unread]
 * @property {boolean} [files]
 */

/**
 * The state of the chat and what can be done with it. An EventTarget that fires `change` (CustomEvent-like:
 * `event.detail` is {@link ChangeDetail}); `subscribe` is the same with less to write.
 * @typedef {object} ChatModelMembers
 * @property {Connection} connection
 * @property {Channel} channel
 * @property {Abilities} abilities
 * @property {readonly Entry[]} entries in order; outgoing ones last. The same array throughout: read it at each change
 * @property {readonly Member[]} roster members online first, then by name
 * @property {readonly Status[]} statuses one for each sender, oldest first
 * @property {number} unread messages of others not seen yet
 * @property {number | null} firstUnread id of the first message that was not seen, for "n new" and the start position
 * @property {Earlier} earlier
 * @property {Credentials | null} credentials to build an invitation from; treat as secret
 * @property {boolean} remembered kept on this device
 * @property {string} consumer the consumer of this device
 * @property {readonly import("./tasks.js").Task[]} tasks the newest change first, closed ones included
 * @property {(data: any) => void} applyTasks takes rows of tasks from the answer to a request
 * @property {() => Promise<void>} refreshTasks
 * @property {(method: string, path: string, body?: unknown) => Promise<any>} request a request about the channel in the
 *   member's name, such as one about its push subscriptions; only with `abilities.push` or `abilities.tasks`
 * @property {(listener: (detail: ChangeDetail) => void) => () => void} subscribe returns the function that ends it
 * @property {() => Promise<Credentials | null>} stored what the tab, or else the device, keeps of this channel
 * @property {(credentials: Credentials) => Promise<void>} start joins and connects; resolves when live or refused
 * @property {(outgoing: Outgoing) => string} send queues it and returns the entry's `key`; throws `RangeError` with
 *   `code` `empty`, `too_long`, `too_many_attachments`, `too_large` or `outbox_full` (50 waiting)
 * @property {(key: string) => void} retry tries a failed message again, with the same idempotency key
 * @property {(key: string) => Outgoing | null} edit takes a failed or waiting message out of the outbox and returns it
 *   for the composer; null while a try of it is in flight
 * @property {(key: string) => boolean} discard
 * @property {(message_id: number, text: string, hold?: boolean) => string | null} reply answers with a suggested
 *   reply, once: null if it was answered or is pending. With `hold` (a destructive word) it waits 3 s ("held")
 * @property {(message_id: number) => boolean} undoReply takes back a held reply
 * @property {() => Promise<number>} loadEarlier returns how many messages came
 * @property {(id: number) => void} seen the message with this id is on screen now (IntersectionObserver)
 * @property {(id: number) => void} unseen it left the screen; within 1 s that cancels `seen`
 * @property {(upto?: number) => void} markRead everything up to an id, or everything: "mark as read", a jump to the end
 * @property {(id: number | null) => void} keepFrom the oldest message in the DOM: the engine does not drop it
 * @property {() => void} useHere
 * @property {() => void} reconnectNow
 * @property {() => Promise<void>} leave ends the session on the hub and clears the channel's secrets, drafts and outbox
 * @property {() => Promise<void>} forget clears what this device keeps of the channel; the page stays connected
 * @property {(on: boolean) => Promise<void>} remember keeps the credentials in IndexedDB
 * @property {(session_token: string) => Promise<void>} deleteChannel only the owner's account can
 * @property {(message_id: number, n: number) => Promise<Blob>} attachment rejects with an `Error` that has a `problem`
 * @property {() => Draft} loadDraft
 * @property {(draft: Draft) => void} saveDraft call it on input: it writes after 300 ms, and at `pagehide`
 * @property {() => void} flushDraft
 * @property {() => Promise<void>} refreshRoster while the panel is open and the hub has no live roster
 * @property {(callsign: string) => number | null} unheard minutes since a recipient with unread messages last read, if
 *   10 or more, for the warning when sending to it
 * @property {() => void} close ends timers and connections without leaving the channel (`pagehide`)
 */

/** @typedef {EventTarget & ChatModelMembers} ChatModel */

/** @typedef {(input: string, init?: RequestInit) => Promise<Response>} Fetch */

/**
 * The outside world, injectable for tests. Everything is optional: the browser's own is the default.
 * @typedef {object} Environment
 * @property {Fetch} [fetch]
 * @property {Clock} [clock]
 * @property {KeyValue} [session] of the tab: survives a reload (sessionStorage)
 * @property {KeyValue} [lasting] of the device, for what is not secret (localStorage)
 * @property {Vault} [vault] of the device, for remembered secrets (IndexedDB)
 * @property {(bytes: Uint8Array) => Uint8Array} [random]
 * @property {Signals} [signals]
 * @property {import("./slots.js").Slots} [slots] who may hold a connection open; without a limit if left out
 * @property {string} [base] prefix of the hub's paths, "" in the browser
 */

/**
 * @typedef {object} Clock
 * @property {() => number} now epoch milliseconds
 * @property {(run: () => void, after_ms: number) => unknown} setTimeout
 * @property {(timer: any) => void} clearTimeout
 */

/**
 * @typedef {object} KeyValue
 * @property {(key: string) => string | null} get
 * @property {(key: string, value: string) => boolean | void} set false if it could not be kept
 * @property {(key: string) => void} remove
 */

/**
 * @typedef {object} Vault
 * @property {() => Promise<Remembered[]>} list
 * @property {(channel: string) => Promise<Remembered | null>} get
 * @property {(entry: Remembered) => Promise<void>} put
 * @property {(channel: string) => Promise<void>} remove
 */

/**
 * @typedef {object} Remembered
 * @property {string} channel
 * @property {Credentials} credentials
 * @property {number} remembered_at epoch milliseconds
 * @property {number} used_at epoch milliseconds
 * @property {string} [title]
 */

/**
 * What the browser reports. `listen` calls back at every change and returns the function that ends it.
 * @typedef {object} Signals
 * @property {() => boolean} visible
 * @property {() => boolean} online
 * @property {(listener: (what: "visible" | "hidden" | "online" | "offline" | "pageshow" | "pagehide" | "tap") => void)
 *   => () => void} listen
 */

export {};
