# ---- Reading: a message is acknowledged after it was handed on ----

class Draining(Temporary):
    """The hub is shutting down."""


class Superseded(Failed):
    """A newer reader of the same session and consumer receives the messages."""

    def __init__(self):
        super().__init__("another reader of this session and consumer took over; give each its own --consumer", 4)


def consumer_row(target):
    rows = call_as_member(target, "GET", "consumers")["consumers"]
    return next((row for row in rows if row["name"] == ARGS.consumer), {"in_flight": 0, "lag": 0, "waiting": False})


def read(target, seconds, limit, lease=LEASE_SECONDS, since=None):
    query = "%s?ack=manual&lease=%d&timeout=%d&max=%d&max_bytes=%d" % (
        "listen" if seconds <= 60 else "wait", lease, seconds, limit, BATCH_BYTES)
    query += "&consumer=" + ARGS.consumer if ARGS.consumer else ""
    query += "&since=%d" % since if since else ""
    query += "&attachments=meta" if ARGS.format == "text" and not ARGS.json else ""
    # The newer of two readers takes over. A poll does that by itself to an older poll.
    query += "" if target.get("has_read") else "&end_stream=true"
    target["has_read"] = True
    reply = call_as_member(target, "GET", query, wait=seconds)
    if reply.get("superseded"):
        raise Superseded()
    if reply.get("draining"):
        raise Draining("the hub is shutting down")
    return reply


def stored(reply):
    return {message["id"]: message for message in reply["messages"] if message.get("kind") != "status"}


def is_full(held, limit):
    return len(held) >= limit or len(format_lines(held.values()).encode("utf-8", "replace")) >= BATCH_BYTES


def collect(target, held, limit, settle):
    """Adds the messages of a burst: until none has arrived for the time `settle`, or for four times as long."""
    began = time.monotonic()
    while held and settle and not is_full(held, limit) and time.monotonic() - began < 4 * settle:
        if any(message.get("priority") == "urgent" for message in held.values()):
            break
        time.sleep(settle)
        if not consumer_row(target)["lag"]:
            break
        held.update(stored(read(target, 1, limit - len(held))))


def verify(target, held, limit):
    """Makes sure that the messages can be acknowledged. An ack covers everything delivered up to its id, also messages
    of a read that was killed or cut off. So if more than these are in flight, it waits until those are due again."""
    while held:
        row, known, newest = consumer_row(target), len(held), max(held)
        if row["in_flight"] > known:
            time.sleep(0.5)
            continue
        if row["in_flight"] == known and not row["lag"]:
            break
        # What is due is returned oldest first: if only a newer message is, then no older one is missing.
        is_same = row["in_flight"] == known
        more = stored(read(target, 1, 1, lease=1) if is_same else read(target, 1, max(limit, known)))
        is_newer = is_same and bool(more) and min(more) > newest
        if not is_newer:
            held.update(more)
        if is_newer or row["in_flight"] < known and not more:
            break  # in the second case a restart made the hub forget them


def report_gap(reply):
    if reply.get("gap"):
        report("messages after %(from)s up to %(to)s are lost (%(reason)s)" % reply["gap"])


def read_batch(target, seconds, limit, settle=0):
    """Returns messages that can be acknowledged, oldest first, and the reply of the first read."""
    reply = read(target, seconds, limit)
    held = stored(reply)
    report_gap(reply)
    collect(target, held, limit, settle)
    verify(target, held, limit)
    return [held[id] for id in sorted(held)], reply


def read_waking_batch(target, seconds, limit, settle, wakes, seen):
    """The same, if one of the messages wakes or there is no place for more. Until then they stay unread: `seen` has
    those that the next call need not return again."""
    def is_due():
        return any(wakes(message) for message in seen.values()) or is_full(seen, limit)
    if not is_due():  # it is if the hub could not be reached after the last read
        seen.update(stored(read(target, seconds, limit - len(seen), lease=1, since=max(seen) if seen else None)))
    if not is_due():
        return []
    for _ in range(10):  # until the short leases have ended
        if not consumer_row(target)["in_flight"]:
            break
        time.sleep(0.2)
    messages, _ = read_batch(target, 1, limit, settle)
    first = dict(seen)  # their attempt was 1, unless another process had them
    seen.clear()
    return [first.get(message["id"], message) for message in messages]


def ack(target, messages):
    body = {"upto": messages[-1]["id"]}
    if ARGS.consumer:
        body["consumer"] = ARGS.consumer
    call_as_member(target, "POST", "ack", body)


def format_lines(messages):
    return "".join((json_line(one) if ARGS.format == "jsonl" else message_line(one)) + "\n" for one in messages)


class Outage:
    """When to report that the hub cannot be reached: short interruptions are normal, and a line may wake an agent."""

    def __init__(self):
        self.reason, self.since, self.is_reported, self.failures = None, None, False, 0
        self.was_connected = False

    def connected(self):
        self.reason, self.since, self.is_reported, self.failures = None, None, False, 0
        self.was_connected = True

    def lost(self, error):
        """Reports it if that is due, and waits at random up to a minute before the next attempt."""
        is_new, self.reason = str(error) != self.reason, str(error)
        self.since = self.since or time.monotonic()
        minutes = (time.monotonic() - self.since) // 60
        if ARGS.verbose or not self.was_connected and is_new:
            report("%s; trying again" % error)
        elif self.was_connected and minutes >= 5 and not self.is_reported:
            self.is_reported = True
            report("no connection for %d minutes: %s; trying again" % (minutes, error))
        self.failures += 1
        time.sleep(max(random.uniform(1, min(60, 2 ** self.failures)), min(60, error.retry_after)))


def batches(target, limit, settle, wakes=None, deadline=None):
    """Yields messages for ever, or until the deadline; retries after any temporary failure."""
    outage, seen, has_stepped_back = Outage(), {}, False
    while deadline is None or time.monotonic() < deadline:
        left = POLL_SECONDS if deadline is None else min(POLL_SECONDS, max(1, int(deadline - time.monotonic() + 0.5)))
        try:
            if wakes:
                messages = read_waking_batch(target, left, limit, settle, wakes, seen)
            else:
                messages = read_batch(target, left, limit, settle)[0]
            outage.connected()
        except Temporary as error:
            outage.was_connected |= isinstance(error, Draining)
            outage.lost(error)
            continue
        except Superseded:
            seen.clear()
            if not has_stepped_back:
                has_stepped_back = True
                report("another reader of this session and consumer took over; it receives the messages until it ends, "
                       "then this one does. One is enough: stop the other or this one")
            step_back(target, deadline)
            continue
        if messages:
            yield messages
    if outage.reason:
        raise Failed(outage.reason)


def step_back(target, deadline):
    """Waits until no other reader waits. Between two polls of a reader there is a moment in which it does not."""
    unused = 0
    while unused < 3 and (deadline is None or time.monotonic() < deadline):
        time.sleep(1)
        try:
            unused = 0 if consumer_row(target)["waiting"] else unused + 1
        except Temporary:
            unused = 0
