"""A receiver of webhooks that is no relative of the hub: answers as its paths say, and writes down what it got.

Each request becomes a line of JSON in the file it is given. `/status/N` answers N, `/fails/N` answers 500 the first N times,
`/hangs` never answers, `/redirects` sends elsewhere, anything else answers 204. `/slack`, `/discord` and `/routine` take only
what the incoming webhooks of those chats and the trigger of a cloud agent's routine take, by their documentation.
"""

import base64
import collections
import http.server
import json
import sys
import threading
import time

lock = threading.Lock()
seen = collections.Counter()


def of_slack(body, headers):
    """An incoming webhook of Slack: a text, with blocks or without."""
    is_right = isinstance(body.get("text"), str) and 0 < len(body["text"]) <= 40000
    blocks = body.get("blocks", [])
    for block in blocks:
        text = block["text"]
        is_right &= block["type"] == "section" and text["type"] == "plain_text" and 0 < len(text["text"]) <= 3000
    return 200 if is_right else 400


def of_discord(body, headers):
    """An incoming webhook of Discord: content of at most 2000 characters."""
    is_right = isinstance(body.get("content"), str) and 0 < len(body["content"]) <= 2000
    return 204 if is_right and 0 < len(body.get("username", "x")) <= 80 else 400


def of_routine(body, headers):
    """The trigger of a routine: its own bearer token and versions, and nothing but a text."""
    if headers.get("authorization") != "Bearer sk-routine-1":
        return 401
    is_right = headers.get("anthropic-version") == "2023-06-01" and headers.get("anthropic-beta") == "routines-1"
    return 200 if is_right and list(body) == ["text"] and isinstance(body["text"], str) else 400


SERVICES = {"slack": of_slack, "discord": of_discord, "routine": of_routine}


class Receiver(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        body = self.rfile.read(int(self.headers["content-length"]))
        with lock:
            seen[self.path] += 1
            count = seen[self.path]
            line = {
                "path": self.path,
                "at": time.monotonic(),
                "headers": {name.lower(): value for name, value in self.headers.items()},
                "body": base64.b64encode(body).decode(),
            }
            out.write(json.dumps(line) + "\n")
            out.flush()
        kind, _, rest = self.path.strip("/").partition("/")
        if kind == "hangs":
            threading.Event().wait()
        status = 204
        if kind == "status":
            status = int(rest.split("/")[0])
        if kind == "fails" and count <= int(rest.split("/")[0]):
            status = 500
        if kind == "redirects":
            status = 307
        if kind in SERVICES:
            media_type = self.headers["content-type"].split(";")[0]
            status = SERVICES[kind](json.loads(body), self.headers) if media_type == "application/json" else 415
        self.send_response(status)
        if kind == "redirects":
            self.send_header("Location", "/elsewhere")
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_):
        pass


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 1024


out = open(sys.argv[1], "a", encoding="utf-8")
server = Server(("127.0.0.1", 0), Receiver)
print(server.server_port, flush=True)
server.serve_forever()
