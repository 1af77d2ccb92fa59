"""A receiver of webhooks that is no relative of the hub: answers as its paths say, and writes down what it got.

Each request becomes a line of JSON in the file it is given. `/status/N` answers N, `/fails/N` answers 500 the first N times,
`/hangs` never answers, `/redirects` sends elsewhere, anything else answers 204.
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
