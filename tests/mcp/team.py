"""Three agents share out twenty jobs and ask each other, while one of them is killed.

`team.py ORIGIN CLIENTS` runs them on a hub, with the clients that `clients/install` prints the folder of: `ann` is the
Python SDK of MCP 2026-07-28, `bob` the TypeScript SDK of MCP 2025-11-25, `carol` is curl. It prints a transcript, and fails
unless every job was finished exactly once, by a current fence. `docs/EXAMPLE-TASKS.md` has such a transcript.
"""

import itertools
import json
import subprocess
import sys
import threading
import time
from pathlib import Path

JOBS = 20
# The lease of a job, and of the one that bob has when he is killed: it is open again after that.
LEASE_SECONDS, SHORT_LEASE_SECONDS = 120, 10
# Jobs that ann and carol take before bob is killed, and the job at which he is.
SHARE, LAST_OF_BOB = 5, 4

# What the agents ask each other.
ANSWERS = {"Which branch?": "main", "Which compiler?": "the pinned one", "Which tests?": "all that touch the parser"}

here = Path(__file__).resolve().parent
start = time.monotonic()
printing = threading.Lock()


def note(who, text):
    """A line of the transcript."""
    with printing:
        print(f"{time.monotonic() - start:6.2f}  {who:5}  {text}", flush=True)


class Refused(Exception):
    """The hub refused a call, with this code or text."""


class Mcp:
    """An agent over an official SDK, in a process of its own: it calls a tool for each line of its input."""

    def __init__(self, command):
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.place = {}
        self.version = json.loads(self.process.stdout.readline())["version"]

    def call(self, tool, **arguments):
        self.process.stdin.write(json.dumps({"tool": tool, "arguments": self.place | arguments}) + "\n")
        self.process.stdin.flush()
        result = json.loads(self.process.stdout.readline())
        if result["is_error"]:
            raise Refused(result["text"])
        return result["data"]

    def join(self, channel, token, callsign):
        joined = self.call("join", channel_id=channel, token=token, callsign=callsign)
        self.place = {"channel_id": channel, "session_id": joined["session_id"]}

    def post(self, text):
        return self.call("send", message=text, wants="work")["id"]

    def take(self, wait, lease):
        taken = self.call("take", lease_seconds=lease, wait_seconds=wait)
        return taken if taken["task"] else None

    def finish(self, task, fence, result, state="done"):
        return self.call("finish", task_id=task, state=state, fence=fence, result=result)

    def ask(self, to, text, timeout):
        return self.call("ask", to=to, message=text, timeout_seconds=timeout)

    def go_on(self, ask_id, timeout):
        return self.call("ask", ask_id=ask_id, timeout_seconds=timeout)

    def answer(self, task, text):
        return self.call("finish", task_id=task, state="done", result=text)

    def listen(self):
        return self.call("listen", timeout_seconds=1)["messages"]


class Curl:
    """An agent that is nothing but curl."""

    def __init__(self, origin):
        self.origin = origin
        self.base, self.headers = "", []

    def request(self, method, path, body=None):
        command = ["curl", "-sS", "-X", method, self.base + path, *self.headers]
        if body is not None:
            command += ["-H", "Content-Type: application/json", "-d", json.dumps(body)]
        reply = json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)
        if "code" in reply:
            raise Refused(reply["code"])
        return reply

    def join(self, channel, token, callsign):
        self.base = f"{self.origin}/api/channels/{channel}"
        self.headers = ["-H", f"Authorization: Bearer {token}"]
        joined = self.request("POST", "/join", {"callsign": callsign})
        self.headers += ["-H", f"X-Session-Id: {joined['session_id']}"]

    def post(self, text):
        return self.request("POST", "/send", {"message": text, "wants": "work"})["id"]

    def take(self, wait, lease):
        taken = self.request("POST", "/tasks/take", {"lease_seconds": lease, "wait": wait})
        return taken if taken["task"] else None

    def finish(self, task, fence, result, state="done"):
        return self.request("POST", "/send", {"reply_to": task, "state": state, "fence": fence, "message": result})

    def ask(self, to, text, timeout):
        return self.request("POST", "/ask", {"to": to, "message": text, "timeout": timeout})

    def go_on(self, ask_id, timeout):
        return self.request("POST", "/ask", {"ask_id": ask_id, "timeout": timeout})

    def answer(self, task, text):
        return self.request("POST", "/send", {"reply_to": task, "message": text})

    def listen(self):
        return self.request("GET", "/listen?timeout=1")["messages"]


class Agent(threading.Thread):
    """Takes jobs until all are done, answers questions between them, and asks one itself."""

    def __init__(self, name, client, team):
        super().__init__(name=name)
        self.client, self.team = client, team
        self.done, self.asks, self.failure = [], None, None

    def run(self):
        try:
            self.work()
        except Exception as error:  # noqa: BLE001: the main thread reports it
            self.failure = error
            self.team.is_over.set()

    def work(self):
        while True:
            self.read()
            if len(self.done) == SHARE and not self.team.is_killed.is_set():
                # The others leave jobs for bob until he is killed.
                while not self.team.is_killed.wait(0) and not self.team.is_over.is_set():
                    self.read()
            if self.team.is_over.is_set():
                return
            is_last = self.name == "bob" and len(self.done) == LAST_OF_BOB - 1
            taken = self.client.take(wait=2, lease=SHORT_LEASE_SECONDS if is_last else LEASE_SECONDS)
            if not taken:
                continue
            task, fence, text = taken["task"]["id"], taken["fence"], taken["message"]["text"]
            again = "" if fence == 1 else f", fence {fence}: somebody had it before"
            note(self.name, f"takes {text!r}{again}")
            if is_last:
                self.team.bob_has = (task, fence, text)
                self.team.bob_is_stuck.set()
                return
            if self.asks and len(self.done) == 1:
                self.ask(*self.asks)
            self.client.finish(task, fence, f"{text} is done")
            self.done.append((task, fence))
            note(self.name, f"finishes {text!r}")

    def ask(self, whom, question):
        note(self.name, f"asks {whom}: {question}")
        reply = self.client.ask(whom, question, timeout=5)
        while not reply["answers"]:
            why = f"{reply['interrupted_by']} needs something first" if reply.get("interrupted") else "not yet"
            note(self.name, f"has no answer: {why}")
            self.read()
            reply = self.client.go_on(reply["ask_id"], timeout=5)
        note(self.name, f"has the answer of {whom}: {reply['answers'][0]['text']}")

    def read(self):
        for message in self.client.listen():
            if message.get("wants") == "answer":
                text = ANSWERS[message["text"]]
                self.client.answer(message["id"], text)
                note(self.name, f"answers {message['from']}: {text}")


class Team:
    """What the agents and the main thread have in common."""

    def __init__(self):
        self.is_over, self.is_killed, self.bob_is_stuck = (threading.Event() for _ in range(3))
        self.bob_has = None


def main(origin, clients):
    node = clients / "typescript/node_modules/.bin/node"
    ann = Mcp([clients / "python_v2/bin/python", here / "clients/python_v2.py", f"{origin}/mcp"])
    bob = Mcp([node, clients / "typescript/typescript_sdk.mjs", f"{origin}/mcp"])
    carol = Curl(origin)
    created = subprocess.run(["curl", "-sS", "-X", "POST", f"{origin}/api/channels", "-H", "Content-Type: application/json", "-d", "{}"],
                             capture_output=True, text=True, check=True).stdout
    channel = json.loads(created)
    for name, client, how in [("ann", ann, f"the Python SDK, MCP {ann.version}"), ("bob", bob, f"the TypeScript SDK, MCP {bob.version}"), ("carol", carol, "curl")]:
        client.join(channel["channel_id"], channel["join_token"], name)
        note(name, f"joins: {how}")
    jobs = {client.post(f"job {number}"): f"job {number}" for number, client in zip(range(1, JOBS + 1), itertools.cycle([ann, carol]))}
    note("ann", "has posted the jobs with odd numbers")
    note("carol", "has posted the jobs with even numbers")

    team = Team()
    agents = {name: Agent(name, client, team) for name, client in [("ann", ann), ("bob", bob), ("carol", carol)]}
    agents["ann"].asks, agents["bob"].asks, agents["carol"].asks = ("bob", "Which branch?"), ("carol", "Which compiler?"), ("ann", "Which tests?")
    for agent in agents.values():
        agent.start()
    while not team.bob_is_stuck.wait(1):
        check(agents)
    bob.process.kill()
    bob.process.wait()
    task, fence, text = team.bob_has
    note("bob", f"is killed while he has {text!r}, until {SHORT_LEASE_SECONDS} s after he took it")
    team.is_killed.set()

    def board():
        return {row["id"]: row for row in carol.request("GET", "/tasks?limit=200")["tasks"] if row["wants"] == "work"}

    while not all(board()[job]["state"] == "done" for job in jobs):
        check(agents)
        time.sleep(0.2)
    team.is_over.set()
    for agent in agents.values():
        agent.join()
    check(agents)

    # What bob had done would come too late: the session is still his.
    late = Curl(origin)
    late.base, late.headers = carol.base, [carol.headers[0], carol.headers[1], "-H", f"X-Session-Id: {bob.place['session_id']}"]
    try:
        late.finish(task, fence, "late")
        raise AssertionError("a result with an old fence counts")
    except Refused as refused:
        note("bob", f"comes back with his result of {text!r}: refused, {refused}")

    finished = dict(pair for agent in agents.values() for pair in agent.done)
    assert sum(len(agent.done) for agent in agents.values()) == len(jobs) and finished.keys() == jobs.keys(), "each once"
    for job in jobs:
        row = carol.request("GET", f"/tasks/{job}")
        assert (row["state"], len(row["answers"]), row["fence"]) == ("done", 1, finished[job]), row
        assert row["attempts"] == (1 if job == task else 0), row
    assert finished[task] > fence
    for name, agent in agents.items():
        note(name, f"has finished {len(agent.done)} jobs")
    note("", f"{len(finished)} of {len(jobs)} jobs are done, each once; {text!r} was taken twice")
    ann.process.kill()
    ann.process.wait()


def check(agents):
    """Ends the run with the failure of an agent."""
    for agent in agents.values():
        if agent.failure and not (agent.name == "bob" and agent.team.is_killed.is_set()):
            raise agent.failure


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]).resolve())
