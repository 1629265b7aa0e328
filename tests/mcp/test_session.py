"""A session: listed methods in their direction, answers to what was asked, calls recorded before they are made."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.mcp.standing import ORDER, call, passed, ready, reason, server_at, text_of, to_client, to_server

from bartizan.mcp.messages import Answer, Note, Notification, Request, ToClient, ToServer
from bartizan.mcp.methods import CAPABILITIES_KEY, VERSION_KEY
from bartizan.mcp.session import Session

STATELESS = {VERSION_KEY: "2026-07-28", CAPABILITIES_KEY: {"sampling": {}, "x": {}}}


@pytest.fixture
def talk(tmp_path):
    """A session whose tools are listed."""
    return ready(server_at(tmp_path))


def test_a_call_is_recorded_and_passes_and_its_answer_comes_back(talk):
    """The record comes first; the arguments stand in it as a hash."""
    acts = call(talk, "add", a=1, b=2)
    assert [type(act) for act in acts] == [Note, ToServer]
    assert acts[0].body["verdict"] == "allow"
    assert len(acts[0].body["arguments"]) == 64
    answer = to_client(talk.server_says(Answer(1, result={"content": [{"type": "text", "text": "3"}]})))
    assert text_of(answer) == "3"
    assert talk.tainted


def test_a_refused_call_is_answered_so_that_a_model_can_act(talk):
    """A result that is an error; an unknown tool is an error of the protocol."""
    acts = call(talk, "read_file", path="../x")
    assert reason(acts) == "path-traversal"
    assert not passed(acts)
    assert to_client(acts).result["isError"]
    assert to_client(call(talk, "nix")).error["code"] == -32602


def test_a_poisoned_result_is_withheld(talk):
    """The model reads that it was, not what it was."""
    call(talk, "read_file", path="x")
    answer = to_client(talk.server_says(Answer(1, result={"content": [{"type": "text", "text": ORDER}]})))
    assert answer.result["isError"]
    assert "id_rsa" not in text_of(answer)


def test_answers_to_nothing_are_dropped_both_ways(talk):
    """Nobody can inject an answer, nor answer twice."""
    assert not any(isinstance(act, ToClient) for act in talk.server_says(Answer(99, result={})))
    assert not passed(talk.client_says(Answer(99, result={})))
    call(talk, "add", a=1, b=2)
    assert not any(isinstance(act, ToClient) for act in talk.server_says(Answer("1", result={})))
    to_client(talk.server_says(Answer(1, result={"content": []})))
    assert not any(isinstance(act, ToClient) for act in talk.server_says(Answer(1, result={"content": []})))


def test_unlisted_methods_pass_in_no_direction(talk):
    """Requests are answered, notifications dropped."""
    assert to_client(talk.client_says(Request(1, "admin/reset", {}))).error["code"] == -32601
    assert not passed(talk.client_says(Notification("notifications/x", {})))
    assert to_server(talk.server_says(Request(1, "tools/call", {}))).error["code"] == -32601
    assert not any(isinstance(act, ToClient) for act in talk.server_says(Notification("notifications/x", {})))


def test_sampling_is_denied_and_the_client_is_not_seen_to_offer_it(talk):
    """The request is answered for the client; capabilities are taken out of both forms of greeting."""
    acts = talk.server_says(Request(5, "sampling/createMessage", {"messages": []}))
    assert to_server(acts).error["message"].endswith("mcp.sampling is denied here")
    greeting = {"protocolVersion": "2025-11-25", "capabilities": {"sampling": {}, "roots": {}, "x": {}}}
    assert to_server(talk.client_says(Request(1, "initialize", greeting))).params["capabilities"] == {"x": {}}
    sent = to_server(talk.client_says(Request(2, "tools/list", {"_meta": STATELESS})))
    assert sent.params["_meta"][CAPABILITIES_KEY] == {"x": {}}


def test_requests_inside_results_are_denied_too(talk):
    """2026-07-28: a result that asks for input, and input that nobody was asked for."""
    call(talk, "add", a=1, b=2)
    asks = {"resultType": "input_required", "inputRequests": {"k": {"method": "sampling/createMessage", "params": {}}}}
    assert "may not" in to_client(talk.server_says(Answer(1, result=asks))).error["message"]
    acts = talk.client_says(Request(2, "tools/call", {"name": "add", "inputResponses": {"k": {}}}))
    assert not passed(acts)


def test_allowed_questions_pass_and_are_answered_once(tmp_path):
    """The client's answer goes to the question that waits."""
    talk = ready(server_at(tmp_path, roots="allow"))
    assert to_client(talk.server_says(Request(5, "roots/list", {}))).id == 5
    assert passed(talk.client_says(Answer(5, result={"roots": []})))
    assert not passed(talk.client_says(Answer(5, result={"roots": []})))


def test_questions_act_on_no_terminal(tmp_path):
    """A server's words to a person come without control characters, in requests and within results."""
    talk = ready(server_at(tmp_path, elicitation="allow"))
    params = {"message": "a\x1b[8mb", "requestedSchema": {"type": "object", "properties": {}}}
    assert to_client(talk.server_says(Request(5, "elicitation/create", dict(params)))).params["message"] == "ab"
    call(talk, "add", a=1, b=2)
    asks = {"resultType": "input_required", "inputRequests": {"k": {"method": "elicitation/create", "params": params}}}
    asked = to_client(talk.server_says(Answer(1, result=asks))).result["inputRequests"]["k"]
    assert asked["params"]["message"] == "ab"


def test_methods_that_left_with_2026_are_gone_there(talk):
    """And are as they were before."""
    acts = talk.client_says(Request(1, "resources/subscribe", {"uri": "x:y", "_meta": STATELESS}))
    assert to_client(acts).error["code"] == -32601
    assert passed(talk.client_says(Request(2, "resources/subscribe", {"uri": "x:y"})))


def test_versions_that_we_do_not_know_are_not_spoken(talk):
    """A stateless one is refused, a handshake offers our latest, a server's odd answer is an error."""
    acts = talk.client_says(Request(1, "tools/list", {"_meta": {VERSION_KEY: "2031-01-01"}}))
    assert to_client(acts).error["code"] == -32022
    sent = to_server(talk.client_says(Request(2, "initialize", {"protocolVersion": "2031-01-01"})))
    assert sent.params["protocolVersion"] == "2025-11-25"
    assert to_client(talk.server_says(Answer(2, result={"protocolVersion": "9"}))).error


def test_the_instructions_of_a_server_are_pinned(talk):
    """Poisoned or changed ones do not reach the model."""
    talk.client_says(Request(1, "initialize", {"protocolVersion": "2025-11-25"}))
    said = {"protocolVersion": "2025-11-25", "instructions": ORDER}
    assert "instructions" not in to_client(talk.server_says(Answer(1, result=said))).result


def test_prompts_and_resources_are_screened_one_by_one(talk):
    """The poisoned one is left out."""
    talk.client_says(Request(1, "prompts/list", {}))
    prompts = [{"name": "a", "description": ORDER}, {"name": "b", "description": "Greets."}]
    answer = to_client(talk.server_says(Answer(1, result={"prompts": prompts})))
    assert [one["name"] for one in answer.result["prompts"]] == ["b"]


def test_errors_and_log_messages_carry_no_orders(talk):
    """They are read by models as well."""
    call(talk, "add", a=1, b=2)
    answer = to_client(talk.server_says(Answer(1, error={"code": -1, "message": ORDER})))
    assert "withheld" in answer.error["message"]
    told = Notification("notifications/message", {"level": "info", "data": ORDER})
    assert not any(isinstance(act, ToClient) for act in talk.server_says(told))
    plain = Notification("notifications/message", {"level": "info", "data": "started"})
    assert to_client(talk.server_says(plain)).params["data"] == "started"


def test_requests_and_calls_are_bounded(tmp_path):
    """At once, per minute, and no id twice."""
    talk = ready(server_at(tmp_path, requests_at_once=2, calls_per_minute=2))
    assert passed(call(talk, "add", 1, a=1, b=1))
    assert to_client(call(talk, "add", 1, a=1, b=1)).error["code"] == -32600
    assert passed(call(talk, "add", 2, a=1, b=1))
    assert "at once" in to_client(call(talk, "add", 3, a=1, b=1)).error["message"]
    talk.server_says(Answer(1, result={"content": []}))
    assert "minute" in text_of(to_client(call(talk, "add", 4, a=1, b=1)))
    talk.server.clock.advance(61)
    assert passed(call(talk, "add", 5, a=1, b=1))


def test_namespaced_tools_are_renamed_both_ways(tmp_path):
    """The client sees SERVER__TOOL, the server its own name."""
    talk = ready(server_at(tmp_path, namespaced=True))
    assert to_server(call(talk, "demo__add", a=1, b=1)).params["name"] == "add"
    assert to_client(call(talk, "add", 2, a=1, b=1)).error["code"] == -32602


def test_a_late_answer_is_given_up(talk):
    """The client hears of it, the server is told to stop, and what still comes is dropped."""
    call(talk, "add", a=1, b=2)
    acts = talk.late(1)
    assert to_client(acts).error
    assert to_server(acts).method == "notifications/cancelled"
    assert talk.late(1) == []
    assert talk.waiting() == []


def test_a_control_that_breaks_refuses(talk):
    """Whatever fails, nothing passes."""
    object.__setattr__(talk.server, "calls", None)
    acts = call(talk, "add", a=1, b=2)
    assert not passed(acts)
    assert to_client(acts).error["code"] == -32603


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
PARAMS = st.dictionaries(
    st.sampled_from(("name", "arguments", "_meta", "uri", "cursor", "protocolVersion", "inputResponses", "requestId")),
    JSON | st.sampled_from(("add", "read_file", "2025-11-25")),
    max_size=4,
)
METHODS = st.sampled_from(("initialize", "tools/list", "tools/call", "resources/read", "ping", "x", "prompts/list"))
RESULTS = st.dictionaries(
    st.sampled_from(("tools", "content", "prompts", "resources", "inputRequests", "resultType", "instructions")),
    JSON,
    max_size=3,
)


@settings(max_examples=25, deadline=None)
@given(st.lists(st.tuples(METHODS, PARAMS, RESULTS), max_size=6))
def test_no_message_breaks_a_session_and_no_call_passes_unrecorded(tmp_path_factory, turns):
    """Whatever either side says: acts come out, and a call reaches the server only behind its record."""
    talk = Session(server_at(tmp_path_factory.mktemp("s")))
    for id_, (method, params, result) in enumerate(turns):
        acts = talk.client_says(Request(id_, method, params))
        for at, act in enumerate(acts):
            if isinstance(act, ToServer) and isinstance(act.message, Request) and act.message.method == "tools/call":
                assert any(isinstance(one, Note) and one.kind == "mcp-call" for one in acts[:at])
        talk.server_says(Answer(id_, result=result))
        talk.server_says(Request(id_, "elicitation/create", params))
        talk.server_says(Notification("notifications/message", params))
