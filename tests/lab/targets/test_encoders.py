"""Encoders count what they are asked, refuse what is no vector, and open by name."""

import json
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer

import numpy as np
import pytest

from bartizan.core.errors import BadSettings, UpstreamFailed
from bartizan.lab.targets.encoders import Encoder, open_encoder


def lengths(texts):
    """The function that a name opens: two numbers about each text."""
    return np.array([[len(text), 1.0] for text in texts])


def test_texts_are_counted_and_rows_have_length_1():
    """Also over several batches."""
    encoder = Encoder("lengths", lengths)
    found = encoder(["a" * size for size in range(150)])
    assert encoder.asked == 150
    assert np.linalg.norm(found, axis=1) == pytest.approx(1)
    assert found[0] == pytest.approx([0, 1])


def test_a_limit_and_rows_that_are_none_are_refused():
    """Before the encoder is asked, and with what came."""
    encoder = Encoder("lengths", lengths, limit=3)
    encoder(["a", "b"])
    with pytest.raises(BadSettings, match="4 texts would be more than the 3"):
        encoder(["c", "d"])
    assert encoder.asked == 2
    with pytest.raises(BadSettings, match="expected one row"):
        Encoder("half", lambda texts: lengths(texts)[1:])(["a", "b"])
    with pytest.raises(BadSettings, match="expected one row"):
        Encoder("nan", lambda texts: lengths(texts) * np.nan)(["a"])


class Endpoint(BaseHTTPRequestHandler):
    """Answers as OpenAI's route for embeddings does, in an order of its own."""

    def do_POST(self):
        """Return two numbers for each text, or nothing of the kind for the model `bad`."""
        asked = json.loads(self.rfile.read(int(self.headers["content-length"])))
        rows = [{"index": at, "embedding": [len(text), 1]} for at, text in enumerate(asked["input"])][::-1]
        body = json.dumps({} if asked["model"] == "bad" else {"data": rows}).encode()
        self.send_response(200 if self.headers["authorization"] == "Bearer k" else 401)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args):
        """Say nothing."""


@pytest.fixture
def endpoint():
    """An address that answers."""
    server = HTTPServer(("127.0.0.1", 0), Endpoint)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/v1/embeddings"
    server.shutdown()
    server.server_close()


def test_an_address_is_asked_for_embeddings(endpoint):
    """Rows by their index; what is no answer is said."""
    found = open_encoder(endpoint, model="m", api_key="k")(["a" * 7, "b"])
    assert found[:, 0] / found[:, 1] == pytest.approx([7, 1])
    with pytest.raises(UpstreamFailed, match="no embeddings in the answer"):
        open_encoder(endpoint, model="bad", api_key="k")(["a"])
    with pytest.raises(UpstreamFailed, match="HTTP 401"):
        open_encoder(endpoint)(["a"])


def test_a_function_is_opened_by_name_and_a_wrong_name_is_refused():
    """With what was expected."""
    assert open_encoder("python:tests.lab.targets.test_encoders:lengths")(["abc"])[0, 0] > 0.9
    with pytest.raises(BadSettings, match="expected http"):
        open_encoder("nowhere")
