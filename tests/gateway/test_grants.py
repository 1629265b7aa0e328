"""Rights of a caller."""

import json

import pytest

from bartizan.core.errors import BadRequest
from bartizan.gateway.grants import EVERYTHING, Grant, capped, usage_wanted
from bartizan.gateway.wires.openai_chat import OpenAIChat
from bartizan.gateway.wires.openai_responses import OpenAIResponses

CHAT = "/v1/chat/completions"


def asked(**more):
    body = {"model": "gpt-4o", "messages": [{"role": "user", "content": "x"}], **more}
    return OpenAIChat().parse(json.dumps(body).encode())


TOOL = {"type": "function", "function": {"name": "send_mail"}}


@pytest.mark.parametrize(
    ("grant", "more", "why"),
    [
        (Grant(routes=("/v1/embeddings",)), {}, "may not use /v1/chat/completions"),
        (Grant(models=("gpt-3*", "llama-*")), {}, "the model 'gpt-4o'"),
        (Grant(tools=("read_*",)), {"tools": [TOOL]}, "the tool 'send_mail'"),
        (Grant(networks=("10.0.0.0/8",)), {}, "this address"),
        (Grant(roles=("system",)), {}, "messages as user"),
        (Grant(roles=("user",)), {"chat_template": "x"}, "chat_template"),
        (Grant(logprobs=False), {"logprobs": True}, "token probabilities"),
        (Grant(logprobs=False), {"logprobs": 0}, "token probabilities"),
        (Grant(logprobs=False), {"n_probs": 5}, "token probabilities"),
        (Grant(logprobs=False), {"prompt_logprobs": 0}, "token probabilities"),
        (Grant(logprobs=False), {"return_logprob": True}, "token probabilities"),
        (Grant(logprobs=False), {"include": ["message.output_text.logprobs"]}, "token probabilities"),
        (Grant(logit_bias=False), {"logit_bias": {"5": 100}}, "logit_bias"),
        (Grant(logit_bias=False), {"allowed_token_ids": [5]}, "allowed_token_ids"),
        (Grant(max_choices=1), {"n": 2}, "n = 2"),
        (Grant(max_choices=1), {"n": "2"}, "n = 2"),
    ],
)
def test_what_is_not_granted_is_denied(grant, more, why):
    """With the thing and the value."""
    assert why in grant.denies(asked(**more), CHAT, "192.0.2.7")
    assert more.get("n") == "2" or EVERYTHING.denies(asked(**more), CHAT, "192.0.2.7") == ""


def test_what_is_granted_passes():
    """Patterns, networks, roles."""
    grant = Grant(("/v1/chat/*",), ("gpt-*",), ("send_*",), ("192.0.2.0/24",), ("user",), False, False, False, 1)
    assert grant.denies(asked(tools=[TOOL], n=1, logprobs=False, logit_bias={}), CHAT, "192.0.2.7") == ""
    assert "this address" in grant.denies(asked(), CHAT, "")


def test_state_kept_elsewhere_can_be_denied():
    """What cannot be seen cannot be screened."""
    stored = OpenAIResponses().parse(b'{"model":"m","input":"x","previous_response_id":"r"}')
    assert "previous_response_id" in Grant(stateful=False).denies(stored, "/v1/responses", "")


KEYS = OpenAIChat.cap_keys


@pytest.mark.parametrize(
    ("more", "ceiling", "limit"),
    [({}, 50, 50), ({"max_tokens": 99}, 50, 50), ({"max_tokens": 9, "max_completion_tokens": 99}, 50, 50)],
)
def test_a_ceiling_is_written_or_brought_down(more, ceiling, limit):
    """The body stays the same JSON otherwise."""
    request = asked(**more)
    body = json.dumps(request.document).encode()
    after = json.loads(capped(body, request, KEYS, ceiling))
    assert max(after.get(key, 0) for key in KEYS) == limit
    assert {key: value for key, value in after.items() if key not in KEYS} == {
        key: value for key, value in request.document.items() if key not in KEYS
    }


def test_a_low_limit_and_no_ceiling_keep_the_bytes():
    """Not one byte differs."""
    body = json.dumps(asked(max_tokens=5).document, indent=3).encode()
    assert capped(body, asked(max_tokens=5), KEYS, 50) is body
    assert capped(body, asked(), KEYS, None) is body


def test_a_limit_that_is_null_is_written_once():
    """A second key of the same name would be the one that a server obeys."""
    request = asked(max_completion_tokens=None)
    body = json.dumps(request.document).encode()
    after = capped(body, request, KEYS, 50)
    assert after.count(b"max_completion_tokens") == 1
    assert json.loads(after)["max_completion_tokens"] == 50


@pytest.mark.parametrize("value", [99.5, "99", True, [1]])
def test_a_limit_that_is_no_whole_number_is_refused(value):
    """Another reader could take it for a larger one."""
    request = asked(max_tokens=value)
    with pytest.raises(BadRequest, match="max_tokens"):
        capped(json.dumps(request.document).encode(), request, KEYS, 50)


def test_usage_is_asked_for_only_where_a_stream_does_not_say_it():
    """By one key more, or by changing the one that is there."""
    wire = OpenAIChat()
    quiet = asked(stream=True)
    body = json.dumps(quiet.document).encode()
    changed, forwarded = usage_wanted(quiet, body, wire)
    assert changed.usage_hidden
    assert json.loads(forwarded) == {**quiet.document, "stream_options": {"include_usage": True}}
    for given in (None, {"include_usage": False}, {"x": 1}):
        odd = asked(stream=True, stream_options=given)
        _, forwarded = usage_wanted(odd, json.dumps(odd.document).encode(), wire)
        assert json.loads(forwarded)["stream_options"]["include_usage"] is True
    wanted = asked(stream=True, stream_options={"include_usage": True})
    for request in (asked(), wanted):
        assert usage_wanted(request, body, wire) == (request, body)
    assert usage_wanted(quiet, body, OpenAIResponses()) == (quiet, body)
