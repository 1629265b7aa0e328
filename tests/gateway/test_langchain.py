"""LangChain's OpenAI and Anthropic clients, direct and through the gateway: the same messages, the same exceptions."""

import asyncio
import re
from functools import cache

import anthropic
import httpx
import openai
import pytest
from langchain_anthropic import ChatAnthropic
from langchain_openai import ChatOpenAI, OpenAIEmbeddings
from tests.doubles.canned_upstream import canned_upstream, document, event_stream
from tests.gateway.test_sdks import (
    CHAT,
    CHAT_STREAM,
    EMBEDDING,
    MESSAGE,
    MESSAGE_STREAM,
    RESPONSE,
    RESPONSE_STREAM,
    TOOL_STREAM,
    chunk,
)

from bartizan.gateway.upstream import HttpUpstream

CALL = {"id": "call_1", "type": "function", "function": {"name": "weather", "arguments": '{"city": "Paris"}'}}
CALLING = {"index": 0, "message": {"role": "assistant", "content": None, "tool_calls": [CALL]}}
TOOLS = document(
    {"id": "c1", "object": "chat.completion", "created": 5, "model": "m"}
    | {"choices": [{**CALLING, "finish_reason": "tool_calls"}]}
    | {"usage": {"prompt_tokens": 3, "completion_tokens": 2, "total_tokens": 5}}
)
USE = {"type": "tool_use", "id": "t", "name": "weather", "input": {"city": "Paris"}}
USING = document({**MESSAGE, "content": [{"type": "text", "text": "Let me look."}, USE], "stop_reason": "tool_use"})


def weather(city: str) -> str:
    """Say what the weather is like in a city."""
    return city


OPEN = []


@cache
def gpt(url, **more):
    OPEN.append(httpx.Client())
    return ChatOpenAI(model="m", base_url=url + "/v1", api_key="k", max_retries=0, http_client=OPEN[-1], **more)


@cache
def claude(url):
    model = ChatAnthropic(model="m", base_url=url, api_key="k", max_retries=0, max_tokens=9)
    OPEN.append(model._client)
    return model


def plain(message):
    """What a message holds, without the number of this run."""
    return re.sub(r"lc_run-[-0-9a-f]+", "RUN", repr(message.model_dump()))


def streamed(model, text="hi"):
    return [plain(piece) for piece in model.stream(text)]


def chat(url):
    return plain(gpt(url).invoke("hi"))


def chat_stream(url):
    return streamed(gpt(url, stream_usage=True))


def chat_tools(url):
    return plain(gpt(url).bind_tools([weather]).invoke("hi"))


def chat_tools_stream(url):
    return streamed(gpt(url).bind_tools([weather]))


def responses(url):
    return plain(gpt(url, use_responses_api=True).invoke("hi"))


def responses_stream(url):
    return streamed(gpt(url, use_responses_api=True))


def embeddings(url):
    OPEN.append(httpx.Client())
    more = {"http_client": OPEN[-1], "check_embedding_ctx_length": False}
    return OpenAIEmbeddings(model="m", base_url=url + "/v1", api_key="k", **more).embed_documents(["x"])


def messages(url):
    return plain(claude(url).invoke("hi"))


def messages_stream(url):
    return streamed(claude(url).bind_tools([weather]))


def messages_tools(url):
    return plain(claude(url).bind_tools([weather]).invoke("hi"))


CASES = [
    (chat, ("/v1/chat/completions", False), CHAT),
    (chat_stream, ("/v1/chat/completions", True), CHAT_STREAM),
    (chat_tools, ("/v1/chat/completions", False), TOOLS),
    (chat_tools_stream, ("/v1/chat/completions", True), TOOL_STREAM),
    (responses, ("/v1/responses", False), document(RESPONSE)),
    (responses_stream, ("/v1/responses", True), RESPONSE_STREAM),
    (embeddings, ("/v1/embeddings", False), EMBEDDING),
    (messages, ("/v1/messages", False), document(MESSAGE)),
    (messages_stream, ("/v1/messages", True), MESSAGE_STREAM),
    (messages_tools, ("/v1/messages", False), USING),
]


@pytest.fixture(autouse=True)
def closed_clients():
    """No connection outlives its test."""
    yield
    while OPEN:
        OPEN.pop().close()
    gpt.cache_clear()
    claude.cache_clear()


async def outcome(ask, url):
    """What a client sees: a message, or an exception with everything in it."""
    try:
        return await asyncio.to_thread(ask, url)
    except (openai.APIStatusError, anthropic.APIStatusError) as error:
        return type(error).__name__, error.status_code, error.body, error.message
    except (openai.APIError, anthropic.APIError) as error:
        return type(error).__name__, str(error)


async def both(world, ask, answers):
    """What `ask` sees directly and through us."""
    async with canned_upstream(answers) as direct:
        world.upstream = HttpUpstream("u", direct)
        async with world.server() as through:
            seen = await outcome(ask, direct), await outcome(ask, through)
        await world.upstream.close()
    return seen


@pytest.mark.parametrize(("ask", "where", "answer"), CASES, ids=[ask.__name__ for ask, _, _ in CASES])
async def test_langchain_cannot_tell_the_difference(world, ask, where, answer):
    """Messages, chunks, tool calls, usage, vectors."""
    direct, through = await both(world, ask, {where: answer})
    assert through == direct
    assert "Error" not in str(direct)[:40]
    assert len(world.records) >= 1


async def test_errors_become_the_same_exceptions(world):
    """Type, status, body and message."""
    details = {"type": "t", "message": "said so", "code": "c", "param": None}
    paths = ("/v1/chat/completions", "/v1/responses", "/v1/messages")
    answers = {}
    async with canned_upstream(answers) as direct:
        world.upstream = HttpUpstream("u", direct)
        async with world.server() as through:
            for status in (400, 401, 404, 429, 500, 529):
                failing = document({"type": "error", "error": details, "request_id": "r"}, status)
                answers |= {(path, stream): failing for path in paths for stream in (False, True)}
                for ask in (chat, chat_stream, responses, messages, messages_stream):
                    seen = await outcome(ask, through)
                    assert seen == await outcome(ask, direct)
                    assert seen[1] == status
        await world.upstream.close()


async def test_an_error_in_the_middle_of_a_stream_is_the_same(world):
    """An error event after text."""
    failing = event_stream(chunk({"content": "x"}), {"error": {"message": "overloaded", "type": "server_error"}})
    direct, through = await both(world, chat_stream, {("/v1/chat/completions", True): failing})
    assert through == direct
    assert through[0] == "APIError"


async def test_a_refusal_is_a_message_that_says_why_it_ended(world):
    """No exception: the finish reason of each dialect."""

    def ask(url):
        pieces = [piece.response_metadata for piece in gpt(url).stream("this is forbidden")]
        return gpt(url).invoke("this is forbidden"), claude(url).invoke("this is forbidden"), pieces

    async with world.server() as url:
        said, said_by_claude, pieces = await asyncio.to_thread(ask, url)
    assert said.response_metadata["finish_reason"] == "content_filter"
    assert said_by_claude.response_metadata["stop_reason"] == "refusal"
    assert any(piece.get("finish_reason") == "content_filter" for piece in pieces)
