"""Legacy Completions and Embeddings."""

import json

import pytest

from bartizan.core.errors import BadRequest
from bartizan.gateway.sse import parse
from bartizan.gateway.wires.openai_completions import OpenAICompletions, OpenAIEmbeddings


def test_prompts_are_read_and_token_numbers_are_not_taken():
    """What cannot be read cannot be screened."""
    wire = OpenAICompletions()
    prompt = wire.parse(b'{"model":"m","prompt":["a","b"],"suffix":"c","max_tokens":4}').prompt
    assert [text.content for text in prompt.messages[0].texts()] == ["a", "b", "c"]
    assert prompt.max_output_tokens == 4
    with pytest.raises(BadRequest, match="token numbers"):
        wire.parse(b'{"model":"m","prompt":[1,2]}')


def test_a_refusal_has_the_dialects_form():
    """Streamed and not."""
    wire = OpenAICompletions()
    whole = json.loads(wire.refuse(wire.parse(b'{"model":"m","prompt":"a"}'), "no").body)
    assert (whole["choices"][0]["text"], whole["choices"][0]["finish_reason"]) == ("no", "content_filter")
    stream = wire.refuse(wire.parse(b'{"model":"m","prompt":"a","stream":true}'), "no").body
    assert json.loads(stream.split(b"\n\n")[0][6:])["choices"][0]["text"] == "no"


def test_embeddings_take_texts_and_tokens():
    """Texts are read; the answer holds no text."""
    wire = OpenAIEmbeddings()
    assert wire.parse(b'{"model":"m","input":"a"}').prompt.messages[0].texts()[0].content == "a"
    assert wire.parse(b'{"model":"m","input":[[1,2]]}').prompt.messages[0].texts() == ()
    with pytest.raises(BadRequest, match="input: expected"):
        wire.parse(b'{"model":"m"}')
    reader = wire.reader(wire.parse(b'{"model":"m","input":"a"}'))
    assert reader.event(parse(b"data: x\n\n")).pieces == []
    assert reader.whole(b'{"usage":{"prompt_tokens":2}}').usage.input_tokens == 2
    assert wire.refuse(wire.parse(b'{"model":"m","input":"a"}'), "no").status == 400
