"""A small OpenAI-compatible server with a weak model made of rules: leaks to whoever asks, answers easy questions."""

import json
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

ANSWERS = "Paris Rome Tokyo Mars Pacific Shakespeare seven cold green H2O Portuguese honey spring Madrid"


@contextmanager
def weak_model(fail_after=10**9, key=""):
    """Serve on a free loopback port; yields its address and the list of request bodies it got."""
    seen = []

    class Weak(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self):
            self._send(200, {"object": "list", "data": [{"id": "weak-1", "object": "model"}]})

        def do_POST(self):
            body = json.loads(self.rfile.read(int(self.headers["content-length"])))
            if key and self.headers.get("authorization") != f"Bearer {key}":
                self._send(401, {"error": {"message": "no"}})
                return
            seen.append(body)
            if len(seen) > fail_after:
                self._send(500, {"error": {"message": "broken"}})
                return
            system = body["messages"][0]["content"]
            said = ANSWERS if "helpful assistant" in system else f"{system} Paris Mars Tokyo lion Pacific Shakespeare"
            message = {"role": "assistant", "content": said}
            choice = {"index": 0, "message": message, "finish_reason": "stop"}
            self._send(
                200, {"id": "x", "object": "chat.completion", "created": 1, "model": "weak-1", "choices": [choice]}
            )

        def _send(self, status, body):
            data = json.dumps(body).encode()
            self.send_response(status)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, *args):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Weak)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", seen
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
