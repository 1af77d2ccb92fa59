# ---- Tasks ----

def text_of(argument):
    text = read_stdin(TEXT_CHARS) if argument in (None, "-") else argument
    if not text:
        raise usage("the text is empty; give it as an argument or on standard input")
    if len(text) > TEXT_CHARS:
        raise usage("the text has more than %d characters: send it as a file" % TEXT_CHARS)
    return text


def given(fields):
    return {key: one for key, one in fields.items() if one not in (None, False, [])}


def task_line(task):
    facts = one_line(task["state"])
    if task.get("holder"):
        facts += " by " + one_line(task["holder"])
    if task.get("fence"):
        facts += ", fence %d" % task["fence"]
    if task.get("lease_until"):
        facts += time.strftime(", until [%H:%M:%S]", time.gmtime(task["lease_until"] // 1000))
    return "#%d %s → %s [%s; %s]: %s\n" % (task["id"], one_line(task["from"]), one_line(task["to"]),
                                          one_line(task["wants"]), facts, one_line(task["text"]))


def message_lines(messages):
    return "".join(message_line(one) + "\n" for one in messages)


def ask():
    """Asks and waits for the answer. The same words are one question, so a call that breaks is repeated."""
    target = member()
    if ARGS.resume and ARGS.to:
        raise usage("--resume goes on with a question: give no other")
    if ARGS.resume:
        body = {"ask_id": ARGS.resume}
    elif ARGS.to:
        body = given({"to": ARGS.to, "message": text_of(ARGS.text), "thread": ARGS.thread, "client_msg_id": new_key()})
        if ARGS.answers > 1:
            body["answers"] = ARGS.answers
    else:
        raise usage("give whom to ask, or --resume")
    body["timeout"] = ARGS.timeout
    reply = call_twice(target, "ask", body, ARGS.timeout)
    show(reply, message_lines(reply["answers"]))
    go_on = "go on with: %s ask --resume %d" % (CALL, reply["ask_id"])
    if reply.get("interrupted_by"):
        report("%s needs something from you first: read and answer it, then %s" % (reply["interrupted_by"], go_on))
    elif reply["state"] in ("open", "held"):
        report("no answer yet; " + go_on)
    elif reply["state"] == "input":
        report("the other side needs something from you: read it, reply with --reply-to %d, then %s"
               % (reply["ask_id"], go_on))
    elif reply["answers"]:
        return 0
    else:
        report("the question is closed: %s" % reply["state"])
    return 3


def task_add():
    target = member()
    body = given({"to": ARGS.to, "message": text_of(ARGS.text), "wants": "work", "quiet": ARGS.quiet,
                  "thread": ARGS.thread, "deadline_seconds": ARGS.deadline, "client_msg_id": new_key()})
    reply = call_twice(target, "send", body)
    return show(reply, "posted #%d\n" % reply["id"])


def task_list():
    query = given({"limit": ARGS.n, "mine": ARGS.mine and "true", "state": ARGS.state, "wants": ARGS.wants})
    reply = call_as_member(member(), "GET", "tasks?" + urllib.parse.urlencode(query))
    return show(reply, "".join(task_line(task) for task in reply["tasks"]))


def task_show():
    task = call_as_member(member(), "GET", "tasks/%d" % ARGS.id)
    return show(task, task_line(task) + message_lines(task.get("answers", [])))


def task_cancel():
    reply = call_twice(member(), "send", {"reply_to": ARGS.id, "state": "cancelled", "client_msg_id": new_key()})
    return show(reply, "#%d is cancelled\n" % ARGS.id)


def take():
    what = "tasks/%d/take" % ARGS.id if ARGS.id else "tasks/take"
    wait = 0 if ARGS.id else ARGS.wait
    body = given({"lease_seconds": ARGS.lease, "wait": wait, "fence": ARGS.fence, "thread": ARGS.thread})
    reply = call_as_member(member(), "POST", what, body, wait)
    task, message = reply.get("task"), reply.get("message")
    show(reply, message_lines([message] if message else []) + (task_line(task) if task else ""))
    return 0 if task else 3


def finish():
    text = text_of(ARGS.text) if ARGS.text else ""
    body = given({"reply_to": ARGS.id, "state": ARGS.state, "fence": ARGS.fence, "to": ARGS.to, "message": text,
                  "attachments": attachments(ARGS.attach), "client_msg_id": new_key()})
    reply = call_twice(member(), "send", body)
    return show(reply, "#%d is %s\n" % (ARGS.id, (reply.get("task") or {}).get("state", ARGS.state)))
