# ---- Reading: a message is acknowledged after it was handed on ----

def consumer_row(target):
    rows = call_as_member(target, "GET", "consumers")["consumers"]
    return next((row for row in rows if row["name"] == ARGS.consumer), {"in_flight": 0, "lag": 0})


def read(target, seconds, limit=MAX_MESSAGES):
    query = "%s?ack=manual&lease=%d&timeout=%d&max=%d" % (
        "listen" if seconds <= 60 else "wait", LEASE_SECONDS, seconds, limit)
    query += "&consumer=" + ARGS.consumer if ARGS.consumer else ""
    # The newer of two readers takes over. A poll does that by itself to an older poll.
    query += "" if target.get("has_read") else "&end_stream=true"
    target["has_read"] = True
    reply = call_as_member(target, "GET", query, wait=seconds)
    if reply.get("superseded"):
        raise Failed("another reader of this session and consumer took over; give each reader its own --consumer", 4)
    if reply.get("draining"):
        raise Temporary("the hub is shutting down")
    return reply


def stored(reply):
    return [message for message in reply["messages"] if message.get("kind") != "status"]


def read_batch(target, seconds, limit=MAX_MESSAGES):
    """A read whose messages can be acknowledged. An ack covers everything delivered up to its id, also messages of a
    read that was killed or cut off. So if more than these are in flight, it waits until all are due again."""
    reply = read(target, seconds, limit)
    held = {message["id"]: message for message in stored(reply)}
    while held:
        row, known = consumer_row(target), len(held)
        if row["in_flight"] > known:
            while consumer_row(target)["in_flight"]:
                time.sleep(0.5)
        elif row["in_flight"] == known and not row["lag"]:
            break
        # What is due is returned oldest first: if only a newer message is, then no older one is missing.
        more = stored(read(target, 1, 1 if row["in_flight"] == known else 100))
        newest = max(held)
        held.update((message["id"], message) for message in more)
        if row["in_flight"] == known and more and more[0]["id"] > newest or row["in_flight"] < known and not more:
            break  # in the second case a restart made the hub forget them
    return [held[id] for id in sorted(held)], reply


def ack(target, messages):
    body = {"upto": messages[-1]["id"]}
    if ARGS.consumer:
        body["consumer"] = ARGS.consumer
    call_as_member(target, "POST", "ack", body)


def report_gap(reply):
    if reply.get("gap"):
        report("messages after %(from)s up to %(to)s are lost (%(reason)s)" % reply["gap"])


def format_lines(messages):
    return "".join((json_line(one) if ARGS.format == "jsonl" else message_line(one)) + "\n" for one in messages)


def pauses():
    """Random pauses between attempts, up to a minute."""
    failures = 0
    while True:
        failures += 1
        yield random.uniform(1, min(60, 2 ** failures))


def batches(target, deadline=None):
    """Yields messages for ever, or until the deadline; retries after any temporary failure."""
    pause, last = pauses(), None
    while deadline is None or time.monotonic() < deadline:
        left = POLL_SECONDS if deadline is None else min(POLL_SECONDS, max(1, int(deadline - time.monotonic() + 0.5)))
        try:
            messages, reply = read_batch(target, left)
        except Temporary as error:
            if str(error) != last:
                report("%s; trying again" % error)
            last = str(error)
            time.sleep(max(next(pause), min(60, error.retry_after)))
            continue
        pause, last = pauses(), None
        report_gap(reply)
        if messages:
            yield messages
    if last:
        raise Failed(last)
