"""Loops are seen in the request itself; work that makes progress goes on."""

import json

import pytest

from bartizan.gateway.limits.breakers import Breakers
from bartizan.gateway.wires.anthropic_messages import AnthropicMessages
from bartizan.gateway.wires.openai_chat import OpenAIChat
from bartizan.gateway.wires.openai_responses import OpenAIResponses


def chat(steps):
    """A conversation in which a tool was called with these (arguments, result)."""
    messages = [{"role": "user", "content": "find it"}]
    for number, (arguments, result) in enumerate(steps):
        call = {"id": f"c{number}", "type": "function", "function": {"name": "search", "arguments": arguments}}
        messages += [
            {"role": "assistant", "content": None, "tool_calls": [call]},
            {"role": "tool", "tool_call_id": f"c{number}", "content": result},
        ]
    return OpenAIChat().parse(json.dumps({"model": "m", "messages": messages}).encode()).prompt.messages


def anthropic(steps):
    messages = []
    for number, (arguments, result) in enumerate(steps):
        use = {"type": "tool_use", "id": f"c{number}", "name": "search", "input": json.loads(arguments)}
        answer = {"type": "tool_result", "tool_use_id": f"c{number}", "content": result}
        messages += [{"role": "assistant", "content": [use]}, {"role": "user", "content": [answer]}]
    body = {"model": "m", "max_tokens": 9, "messages": messages}
    return AnthropicMessages().parse(json.dumps(body).encode()).prompt.messages


def responses(steps):
    items = []
    for number, (arguments, result) in enumerate(steps):
        items += [
            {"type": "function_call", "call_id": f"c{number}", "name": "search", "arguments": arguments},
            {"type": "function_call_output", "call_id": f"c{number}", "output": result},
        ]
    return OpenAIResponses().parse(json.dumps({"model": "m", "input": items}).encode()).prompt.messages


LOOP = [('{"q": "x"}', "nothing found")] * 6
SPACED = [(f'{{"q":{" " * n}"x"}}', "nothing found") for n in range(6)]
POLITE = [(f'{{"q": "{n}"}}', "nothing found") for n in range(12)]
PROGRESS = [(f'{{"q": "{n}"}}', f"page {n}") for n in range(30)]


@pytest.mark.parametrize("written", [chat, anthropic, responses])
def test_the_same_call_with_the_same_result_is_a_loop(written):
    """In every dialect; spaces between arguments hide nothing; the fifth time is allowed, the sixth is not."""
    breakers = Breakers(repeats=5)
    for steps in (LOOP, SPACED):
        assert "6 times with the same arguments" in breakers.trips(written(steps), [])
        assert breakers.trips(written(steps[:5]), []) == ""
    assert breakers.trips(written(PROGRESS), []) == ""


@pytest.mark.parametrize("written", [chat, anthropic, responses])
def test_results_that_bring_nothing_new_are_a_loop_too(written):
    """Other arguments each time, the same answer: no progress."""
    assert "nothing new" in Breakers(stale=10).trips(written(POLITE), [])
    assert Breakers(stale=10).trips(written(PROGRESS), []) == ""
    assert Breakers(repeats=5).trips(written(POLITE), []) == ""


def test_steps_and_depth_are_counted():
    """A conversation that is too long, agents that call agents, a depth that is no number."""
    assert "30 tool results" in Breakers(steps=29).trips(chat(PROGRESS), [])
    assert Breakers(steps=30).trips(chat(PROGRESS), []) == ""
    for given, trips in ((b"3", False), (b"4", True), (b"-1", True), (b"9" * 99, True)):
        assert bool(Breakers(depth=3).trips((), [(b"x-bartizan-depth", given)])) is trips
    assert Breakers(depth=3).trips((), []) == ""


def test_without_a_setting_nothing_trips():
    """Off is off."""
    assert not Breakers().any
    assert Breakers().trips(chat(LOOP * 20), []) == ""
