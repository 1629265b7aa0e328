"""Answers with choices."""

import json

from bartizan.gateway.sse import parse
from bartizan.gateway.wires.openai_answers import ChatReader, usage_of


def read(reader, document):
    return reader.event(parse(b"data: " + json.dumps(document).encode() + b"\n\n"))


def test_every_text_of_a_chunk_is_a_piece():
    """Content, refusal, reasoning, legacy text, nested details, unknown fields at any level."""
    delta = {"role": "assistant", "content": "a", "reasoning_content": "b", "reasoning_details": [{"text": "c"}]}
    found = read(ChatReader("m"), {"choices": [{"index": 1, "delta": delta, "odd": "d"}], "note": "e"})
    assert {piece.text for piece in found.pieces} == {"a", "b", "c", "d", "e"}
    assert [piece.kind for piece in found.pieces if piece.text == "a"] == ["text"]


def test_half_a_surrogate_pair_is_still_text():
    """Some servers cut emoji in two: the rest of the chunk must not go unread."""
    found = ChatReader("m").event(parse(b'data: {"choices":[{"index":0,"delta":{"content":"\\ud83dABC"}}]}\n\n'))
    assert found.pieces[0].text.endswith("ABC")


def test_a_cut_ends_every_choice_the_client_has_seen():
    """With the stream's own id and model."""
    reader = ChatReader("m")
    reader.passed(
        read(reader, {"id": "x", "model": "y", "choices": [{"index": 0, "delta": {}}, {"index": 1, "delta": {}}]})
    )
    chunks = [json.loads(part[6:]) for part in reader.cut("no").decode().split("\n\n") if part.startswith("data: {")]
    assert {(chunk["id"], chunk["model"]) for chunk in chunks} == {("x", "y")}
    ends = [c["choices"][0]["index"] for c in chunks if c["choices"][0]["finish_reason"] == "content_filter"]
    assert ends == [0, 1]


def test_usage_under_both_names():
    """Chat counts prompt and completion, Responses input and output."""
    assert usage_of({"prompt_tokens": 1, "completion_tokens": 2}) == usage_of({"input_tokens": 1, "output_tokens": 2})
    assert usage_of({"prompt_tokens": "1"}) is None
