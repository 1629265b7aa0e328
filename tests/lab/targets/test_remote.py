"""Targets behind HTTP speak the protocol, and say what went wrong when the server does not."""

import json
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import numpy as np
import pytest

from bartizan.core.errors import BadSettings, UpstreamFailed
from bartizan.lab.inference_server import serving
from bartizan.lab.target import Access, Arrays, of_callable
from bartizan.lab.targets.remote import of_mlflow, of_open_inference

SPEC = Arrays((3,), 0, 1)


def normal(x):
    """Return probabilities that follow the features."""
    p = np.asarray(x) + 0.1
    return p / p.sum(axis=1, keepdims=True)


@contextmanager
def answering(*bodies):
    """Serve fixed JSON bodies, one after the other, the last one again and again."""
    left = list(bodies)
    seen = []

    class Handler(BaseHTTPRequestHandler):
        def log_message(self, *args):
            pass

        def do_POST(self):
            seen.append(json.loads(self.rfile.read(int(self.headers["content-length"]))))
            self.do_GET()

        def do_GET(self):
            status, body = left.pop(0) if len(left) > 1 else left[0]
            data = json.dumps(body).encode()
            self.send_response(status)
            self.send_header("content-length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", seen
    finally:
        server.shutdown()
        server.server_close()


def test_the_open_inference_protocol_round_trips():
    """Shape, classes and kind of score come from the server; answers are the model's own."""
    model = of_callable("m", normal, SPEC, classes=3)
    with serving(model) as url:
        target = of_open_inference(f"{url}/v2/models/reference", SPEC)
        x = np.random.default_rng(0).uniform(size=(5, 3)).astype(np.float32)
        assert np.allclose(target.scores(x), normal(x), atol=1e-6)
        assert (target.classes, target.access, target.traits.score_kind) == (3, Access.SCORES, "probabilities")
        assert target.queries == 5


def test_a_server_that_gives_labels_needs_the_number_of_classes():
    """Labels alone do not tell how many there are."""
    model = of_callable("m", lambda x: x.argmax(axis=1), SPEC, classes=3, access=Access.LABELS)
    with serving(model) as url:
        target = of_open_inference(f"{url}/v2/models/reference", SPEC, classes=3)
        assert target.access is Access.LABELS
        assert target.labels(np.eye(3)).tolist() == [0, 1, 2]
        with pytest.raises(BadSettings, match="how many classes"):
            of_open_inference(f"{url}/v2/models/reference", SPEC)


def test_mlflow_scoring_gives_probabilities_or_labels():
    """Rows of floats are scores, a flat list is labels."""
    with answering((200, {"predictions": [[0.2, 0.8]]})) as (url, seen):
        target = of_mlflow(f"{url}/invocations", SPEC)
        assert target.probabilities([[0, 0, 1]]).tolist() == [[0.2, 0.8]]
        assert seen[-1] == {"inputs": [[0, 0, 1]]}
    with answering((200, {"predictions": [1]})) as (url, _):
        assert of_mlflow(f"{url}/invocations", SPEC, classes=2).labels([[0, 0, 1]]).tolist() == [1]


def test_a_server_that_fails_is_named_with_what_it_said():
    """Status, no metadata, no predictions, nobody there, another scheme."""
    with answering((503, {"error": "busy"})) as (url, _):
        with pytest.raises(UpstreamFailed, match=r"HTTP 503.*busy"):
            of_open_inference(f"{url}/v2/models/m")
        with pytest.raises(BadSettings, match="ends in /v2/models/NAME"):
            of_open_inference(url)
    with answering((200, {})) as (url, _):
        with pytest.raises(UpstreamFailed, match="metadata without inputs"):
            of_open_inference(f"{url}/v2/models/m")
        with pytest.raises(UpstreamFailed, match="no predictions"):
            of_mlflow(f"{url}/invocations", SPEC)
    with pytest.raises(UpstreamFailed, match="ConnectError") as closed:
        of_mlflow("http://127.0.0.1:9/invocations", SPEC)
    assert "server running" in closed.value.hint()
    with pytest.raises(BadSettings, match="expected http"):
        of_mlflow("file:///invocations", SPEC)


@pytest.mark.parametrize(("status", "hint"), [(401, "key"), (403, "key"), (404, "path"), (500, "log")])
def test_a_refusal_of_the_server_comes_with_a_next_step(status, hint):
    """By its status."""
    with answering((status, {})) as (url, _), pytest.raises(UpstreamFailed, match=f"HTTP {status}") as refused:
        of_open_inference(f"{url}/v2/models/m")
    assert hint in refused.value.hint()


def test_what_is_no_json_is_quoted():
    """A page of a proxy, such as stands before many servers."""

    class Page(BaseHTTPRequestHandler):
        def log_message(self, *args):
            pass

        def do_GET(self):
            self.send_response(200)
            self.send_header("content-length", "6")
            self.end_headers()
            self.wfile.write(b"<html>")

    server = ThreadingHTTPServer(("127.0.0.1", 0), Page)
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
    with pytest.raises(UpstreamFailed, match="no JSON: '<html>'") as refused:
        of_open_inference(f"http://127.0.0.1:{server.server_port}/v2/models/m")
    assert "path of the address" in refused.value.hint()
    server.shutdown()
    server.server_close()
