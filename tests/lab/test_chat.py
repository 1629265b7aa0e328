"""HttpChat against a real local server: bodies, blocked answers, failures as values, and the hard request limit."""

import json
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from bartizan.core.errors import UpstreamFailed
from bartizan.core.messages import Message, Prompt, Reply, Role, Text, ToolCall, ToolResult, ToolSpec, Trust
from bartizan.lab.chat import Answered, EchoBot, Failed, HttpChat, RefuseBot, RequestBudget, ScriptedChat, request_body

PROMPT = Prompt("", (Message.of(Role.SYSTEM, "s"), Message.of(Role.USER, "u")), max_output_tokens=5)


@contextmanager
def server(status=200, body=b"{}", headers=()):
    """Serve one fixed answer and collect what was posted."""
    seen = []

    class Fixed(BaseHTTPRequestHandler):
        def do_POST(self):
            seen.append(
                (self.path, json.loads(self.rfile.read(int(self.headers["content-length"]))), dict(self.headers))
            )
            self.do_GET()

        def do_GET(self):
            self.send_response(status)
            for name, value in headers:
                self.send_header(name, value)
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *args):
            pass

    listening = ThreadingHTTPServer(("127.0.0.1", 0), Fixed)
    thread = threading.Thread(target=listening.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{listening.server_port}", seen
    finally:
        listening.shutdown()
        thread.join()
        listening.server_close()


@contextmanager
def chat(url, limit=5, key=""):
    """Close the client again."""
    one = HttpChat(url, "m", RequestBudget(limit), api_key=key, timeout_s=5)
    try:
        yield one
    finally:
        one.close()


def completion(content, **more):
    """Return the bytes of a chat completion."""
    return json.dumps({"choices": [{"message": {"content": content, **more}, "finish_reason": "stop"}]}).encode()


def test_an_answer_is_read_and_the_request_is_what_clients_send():
    """Model, messages, cap, key; /v1 at the end of the address is taken off once."""
    with (
        server(body=completion("hello"), headers=[("x-bartizan-receipt", "7:ab")]) as (url, seen),
        chat(url + "/v1", key="k") as one,
    ):
        outcome = one.ask(PROMPT)
    assert outcome.reply == Reply("hello")
    assert (outcome.blocked, outcome.receipt) == (False, "7:ab")
    path, body, headers = seen[0]
    assert path == "/v1/chat/completions"
    assert body["messages"] == [{"role": "system", "content": "s"}, {"role": "user", "content": "u"}]
    assert (body["model"], body["max_tokens"]) == ("m", 5)
    assert headers["authorization"] == "Bearer k"


def test_tool_calls_are_read():
    """Name and raw arguments."""
    call = {"id": "1", "function": {"name": "t", "arguments": '{"a":1}'}}
    with server(body=completion(None, tool_calls=[call])) as (url, _), chat(url) as one:
        assert one.ask(PROMPT).reply.tool_calls == (ToolCall("1", "t", '{"a":1}'),)


@pytest.mark.parametrize("status", [200, 403])
def test_a_block_is_known_by_its_header_whatever_the_status(status):
    """Both ways of refusing count as blocked, not as failed."""
    headers = [("x-bartizan-verdict", "block"), ("x-bartizan-receipt", "9:cd")]
    with server(status, completion("I can't"), headers) as (url, _), chat(url) as one:
        outcome = one.ask(PROMPT)
    assert outcome.blocked
    assert outcome.receipt == "9:cd"


@pytest.mark.parametrize(
    ("status", "body", "why"),
    [
        (500, b"boom", "HTTP 500: boom"),
        (200, b"not json", "no chat completion"),
        (200, b'{"choices":[]}', "no chat completion"),
    ],
)
def test_what_cannot_be_judged_is_failed(status, body, why):
    """An error is neither a success nor a defence."""
    with server(status, body) as (url, _), chat(url) as one:
        outcome = one.ask(PROMPT)
    assert isinstance(outcome, Failed)
    assert why in outcome.why


def test_a_target_that_is_not_there_is_failed():
    """No exception escapes."""
    with chat("http://127.0.0.1:9") as one:
        assert "ConnectError" in one.ask(PROMPT).why


def test_no_request_beyond_the_limit_ever_leaves():
    """The server itself counts."""
    with server(body=completion("x")) as (url, seen), chat(url, limit=2) as one:
        outcomes = [one.ask(PROMPT) for _ in range(5)]
    assert len(seen) == 2
    assert [isinstance(outcome, Answered) for outcome in outcomes] == [True, True, False, False, False]
    assert "limit of 2 requests is spent" in outcomes[-1].why


def test_the_budget_holds_under_threads():
    """A thousand takers, a hundred winners."""
    budget = RequestBudget(100)
    won = []
    threads = [threading.Thread(target=lambda: won.extend(budget.take() for _ in range(100))) for _ in range(10)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(won) == budget.spent == 100


def test_a_limit_below_one_is_refused():
    """Zero requests test nothing."""
    with pytest.raises(ValueError, match="expected 1 or more"):
        RequestBudget(0)


def test_models_are_listed():
    """The names, in order."""
    with server(body=b'{"data":[{"id":"a"},{"id":"b"}]}') as (url, _), chat(url) as one:
        assert one.models() == ["a", "b"]


@pytest.mark.parametrize(("status", "body"), [(404, b"{}"), (200, b"[]"), (200, b'{"data":[]}')])
def test_an_endpoint_that_lists_nothing_says_what_to_do(status, body):
    """The hint names --model."""
    with server(status, body) as (url, _), chat(url) as one, pytest.raises(UpstreamFailed) as caught:
        one.models()
    assert "--model" in caught.value.hint()


def test_tool_turns_become_the_entries_the_dialect_wants():
    """A call of the assistant, its result, and the tools on offer."""
    turn = Message(Role.ASSISTANT, (ToolCall("1", "t", "{}"),))
    result = Message(Role.TOOL, (ToolResult("1", Text("out", Trust.TOOL)),))
    body = request_body(Prompt("", (turn, result), (ToolSpec("t"),)), "m")
    assert body["messages"][0]["tool_calls"][0]["function"] == {"name": "t", "arguments": "{}"}
    assert body["messages"][1] == {"role": "tool", "tool_call_id": "1", "content": "out"}
    assert body["tools"][0]["function"]["name"] == "t"


def test_the_bots_do_what_their_names_say():
    """One repeats the last user text, one refuses."""
    assert EchoBot().ask(PROMPT).reply.text == "u"
    assert EchoBot().ask(Prompt("", ())).reply.text == ""
    assert "can't help" in RefuseBot().ask(PROMPT).reply.text
    scripted = ScriptedChat(["a", Failed("b")])
    assert [scripted.ask(PROMPT), scripted.ask(PROMPT), scripted.ask(PROMPT)][1:] == [Failed("b"), Failed("b")]
