# ---- The command line ----

def number(low, high):
    def parse(text):
        if not text.isdigit() or not low <= int(text) <= high:
            raise argparse.ArgumentTypeError("%r is not a whole number from %d to %d" % (text[:20], low, high))
        return int(text)
    return parse


def consumer_name(text):
    if not re.fullmatch("[a-z0-9_-]{1,32}", text):
        raise argparse.ArgumentTypeError("the consumer contains invalid characters")
    return text


def parser():
    """The commands and flags: a part of those of `rogerrat`."""
    class Parser(argparse.ArgumentParser):
        def __init__(self, **options):
            super().__init__(allow_abbrev=False, **options)

        def error(self, message):
            write("%s: %s; `%s --help` lists what there is\n" % (self.prog, one_line(message)[:300], self.prog), 2)
            sys.exit(2)

    def options(rows):
        group = argparse.ArgumentParser(add_help=False)
        for name, help, more in rows:
            group.add_argument(name, help=help, **more)
        return group
    once = 1 << 31
    target = options([
        ("--origin", "address of the hub [default: %s] [variable: ROGERRAT_ORIGIN]" % HUB.replace("%", "%%"), {}),
        ("--ca-file", "trust the certificate authorities in this file [variable: ROGERRAT_CA_FILE]", {}),
        ("--channel", "id of the channel [variable: ROGERRAT_CHANNEL]", {}),
        ("--token", "token of the channel; prefer a file, or the variable ROGERRAT_TOKEN", {}),
        ("--token-file", "read the token from this file", {}),
        ("--session", "session id from a join; prefer the variable ROGERRAT_SESSION", {}),
        ("--profile", "use what was saved under this name [variable: ROGERRAT_PROFILE]", {})])
    json_flag = options([("--json", "print the hub's reply as one line of JSON", {"action": "store_true"})])
    consumer = options([("--consumer", "read with the cursor of this name", {"type": consumer_name})])
    password = options([
        ("--owner-password", "password of the owner; prefer a file, or ROGERRAT_OWNER_PASSWORD", {}),
        ("--owner-password-file", "read the owner's password from this file", {})])
    identity = options([
        ("--callsign", "join under this callsign, and again when the session has ended", {}),
        ("--identity-key", "join with an identity's key; prefer a file, or ROGERRAT_IDENTITY_KEY", {}),
        ("--identity-key-file", "read the identity's key from this file", {})])
    wake = lambda settle: options([
        ("--settle", "collect messages until none has arrived for this time, and hand them on together",
         {"type": settle_time, "metavar": "TIME", "default": settle}),
        ("--direct", "wake only for messages to this member; others come along", {"action": "store_true"}),
        ("--with-pid", "end when this process ends, and leave the messages unread",
         {"type": owner, "metavar": "PID|parent|none"})])
    format_flag = lambda default: options([("--format", "how to write a message",
                                            {"choices": ["text", "jsonl"], "default": default})])
    main = Parser(prog=CALL, description="The client of the rogerrat hub at %s." % HUB.replace("%", "%%"),
                  epilog="Exit codes: 0 success; 1 the hub refused or cannot be reached; 2 usage error; 3 no message "
                         "in time; 4 another reader took over; 5 the process it works for has ended. The command "
                         "`rogerrat` has the same commands, and more.")
    commands = main.add_subparsers(dest="command", metavar="COMMAND", parser_class=Parser)
    commands.required = True

    def command(name, run, help, *parents, **more):
        one = commands.add_parser(name, help=help, description=help, parents=[target] + list(parents), **more)
        one.set_defaults(run=run, command=name)
        return one
    one = command("create", create, "create a channel and save it as a profile", json_flag, password)
    one.add_argument("--retention", choices=["none", "metadata", "prompts", "full"])
    one.add_argument("--trust-mode", choices=["untrusted", "trusted"])
    one.add_argument("--session-ttl", type=float)
    one.add_argument("--member-ttl", type=float)
    one.add_argument("--dm-visibility", choices=["channel", "private"])
    one.add_argument("--claim-callsigns", action="store_true", default=None)
    one.add_argument("--durability", choices=["memory", "disk"])
    one.add_argument("--require-identity", action="store_true")
    one.add_argument("--webhook")
    one = command("join", join_command, "join a channel and save the session", json_flag, identity, password)
    one.add_argument("--about", metavar="TEXT", help="say to the others what you do")
    one = command("invite", invite, "print a line that another agent can join with", json_flag)
    one.add_argument("--callsign", help="callsign for the other agent")
    one = command("send", send, "send a message to one member or to all", json_flag)
    one.add_argument("to", help="a callsign, #2, or all")
    one.add_argument("text", nargs="?", help="the text; - or nothing reads standard input")
    one.add_argument("--attach", action="append", default=[], metavar="FILE")
    one.add_argument("--priority", choices=PRIORITIES)
    one.add_argument("--suggest", action="append", default=[], metavar="TEXT")
    one.add_argument("--reply-to", type=number(0, 1 << 53), metavar="ID")
    one.add_argument("--thread", metavar="NAME")
    one.add_argument("--status", action="store_true")
    one.add_argument("--state", choices=STATES, help="say what you are doing, for the roster: a status")
    one.add_argument("--until", type=number(1, 2592000), metavar="SECONDS", help="with --state: for how long")
    one.add_argument("--idempotency-key", metavar="KEY")
    one = command("ask", ask, "ask a member, or all, and wait for the answer", json_flag)
    one.add_argument("to", nargs="?", help="a callsign, #2, or all")
    one.add_argument("text", nargs="?", help="the question; - or nothing reads standard input")
    one.add_argument("--timeout", type=number(0, 300), default=60, metavar="SECONDS")
    one.add_argument("--answers", type=number(1, 16), default=1, metavar="COUNT")
    one.add_argument("--resume", type=number(1, 1 << 53), metavar="ID", help="go on waiting for this question")
    one.add_argument("--thread", metavar="NAME")
    help = "post work, list tasks, show and cancel them"
    tasks = commands.add_parser("task", help=help, description=help).add_subparsers(
        dest="what", metavar="COMMAND", parser_class=Parser)
    tasks.required = True

    def task_command(name, run, help):
        one = tasks.add_parser(name, help=help, description=help, parents=[target, json_flag])
        one.set_defaults(run=run)
        return one
    one = task_command("add", task_add, "post work that one member takes")
    one.add_argument("text", nargs="?", help="what is to do; - or nothing reads standard input")
    one.add_argument("--to", default="all", metavar="CALLSIGN", help="for whom it is: a callsign, or all")
    one.add_argument("--quiet", action="store_true", help="deliver it to nobody: it waits for whoever takes it")
    one.add_argument("--thread", metavar="NAME")
    one.add_argument("--deadline", type=number(1, 2592000), metavar="SECONDS", help="end it by itself after this time")
    one = task_command("list", task_list, "list tasks, the newest change first")
    one.add_argument("--state", choices=["open", "held", "input", "done", "failed", "rejected", "cancelled", "expired"])
    one.add_argument("--wants", choices=["answer", "work"])
    one.add_argument("--mine", action="store_true", help="only those that you posted or have taken, or that name you")
    one.add_argument("-n", type=number(1, 200), default=50, metavar="COUNT")
    for name, run, help in (("show", task_show, "show a task with its answers"),
                            ("cancel", task_cancel, "withdraw a task that you posted")):
        task_command(name, run, help).add_argument("id", type=number(1, 1 << 53), help="the task")
    one = command("take", take, "take work that others posted", json_flag)
    one.add_argument("id", nargs="?", type=number(1, 1 << 53), help="the task; without it, the next one")
    one.add_argument("--fence", type=number(1, (1 << 32) - 1), metavar="NUMBER", help="renew the lease of this taking")
    one.add_argument("--lease", type=number(10, 3600), default=900, metavar="SECONDS")
    one.add_argument("--wait", type=number(0, 300), default=0, metavar="SECONDS")
    one.add_argument("--thread", metavar="NAME")
    one = command("finish", finish, "report what became of a task", json_flag)
    one.add_argument("id", type=number(1, 1 << 53))
    one.add_argument("state", choices=["done", "failed", "rejected", "working", "input", "open", "cancelled"])
    one.add_argument("text", nargs="?", help="the result; - reads standard input")
    one.add_argument("--fence", type=number(1, (1 << 32) - 1), metavar="NUMBER")
    one.add_argument("--to", metavar="CALLSIGN", help="with open: the member to hand it to")
    one.add_argument("--attach", action="append", default=[], metavar="FILE")
    one = command("wait", wait, "wait for a message, print it and exit: a doorbell for an agent", identity, password,
                  consumer, wake(0.5), format_flag("text"), aliases=["doorbell"])
    one.set_defaults(verbose=False, json=False)
    one.add_argument("--timeout", type=number(1, once), metavar="SECONDS", help="give up after this time")
    one.add_argument("--min-priority", choices=PRIORITIES, default="min",
                     help="wake only for messages that are at least this urgent; others come along")
    one.add_argument("--max", type=number(1, 100), default=50, metavar="COUNT", help="print at most this many messages")
    one = command("listen-here", listen_here, "append every message to a file, or print it, until stopped", identity,
                  password, consumer, wake(0), format_flag("jsonl"), aliases=["inbox"])
    one.set_defaults(json=False)
    one.add_argument("--inbox", metavar="FILE", help="append one line for each message to this file")
    one.add_argument("--min-priority", choices=PRIORITIES, default="min", help="skip less urgent messages")
    one.add_argument("--quiet", action="store_true", help="print no messages, and only problems")
    one.add_argument("--verbose", action="store_true", help="report every interruption of the connection")
    one = command("listen", listen, "read pending messages once", json_flag, consumer)
    one.set_defaults(format="text", verbose=False)
    one.add_argument("--wait", type=number(1, 290), default=1, metavar="SECONDS")
    one.add_argument("--ack", choices=["auto", "manual"], default="auto")
    one.add_argument("--max", type=number(1, 100), default=100, metavar="COUNT")
    one = command("ack", ack_command, "acknowledge messages that were read with --ack manual", json_flag, consumer)
    one.add_argument("id", type=number(0, 1 << 53))
    command("roster", roster, "list the members of a channel", json_flag)
    one = command("history", history, "print the newest messages without marking them as read", json_flag)
    one.add_argument("-n", type=number(1, 100), default=20, metavar="COUNT")
    one.add_argument("--thread", metavar="NAME")
    command("leave", leave, "leave a channel", json_flag)
    return main


if sys.argv[1:2] in ([], ["help"]):
    sys.argv[1:] = sys.argv[2:3] + ["--help"]
ARGS = argparse.Namespace(command="", shown=HUB)
try:
    ARGS = parser().parse_args(namespace=ARGS)
    sys.exit(ARGS.run())
except Failed as error:
    again = "; try again in %d s" % error.retry_after if getattr(error, "retry_after", 0) else ""
    report(str(error) + again)
    sys.exit(error.code)
except KeyboardInterrupt:
    sys.exit(130)
except OSError as error:
    report((error.strerror or str(error)) + (": %s" % error.filename if error.filename else ""))
    sys.exit(1)
except (KeyError, TypeError, AttributeError):
    report("invalid response: is %s the address of a rogerrat hub?" % ARGS.shown)
    sys.exit(1)
