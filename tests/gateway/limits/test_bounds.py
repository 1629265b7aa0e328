"""The most that a request can use."""

import json

import pytest

from bartizan.core.errors import BadRequest
from bartizan.gateway.limits.bounds import Size, UnboundedError, bound
from bartizan.gateway.wires.openai_chat import OpenAIChat

MODEL = Size(context_tokens=10_000, max_output_tokens=1000, image_tokens=500, tool_tokens=100)
HELLO = [{"role": "user", "content": "h\u00e9llo"}]


def bounded(*, ceiling=None, whole=False, generates=True, model=MODEL, **more):
    """The bound of a chat request."""
    body = json.dumps({"model": "m", "messages": HELLO, **more}, ensure_ascii=False).encode()
    asked = OpenAIChat().parse(body)
    return len(body), bound(asked, len(body), model, generates=generates, ceiling=ceiling, whole_context=whole)


def test_input_is_bounded_by_bytes_and_output_by_the_smallest_limit_times_the_choices():
    """The client's, the caller's, the model's; n multiplies."""
    size, found = bounded()
    assert size < found.input < size + 200
    assert (found.output, found.each) == (1000, 1000)
    assert bounded(max_tokens=50, n=3)[1].output == 150
    assert bounded(max_tokens=50, ceiling=20)[1].output == 20
    assert bounded(prediction={"type": "content", "content": "x" * 100})[1].extra > 100
    assert bounded(generates=False)[1].output == 0
    assert found.clamped(7).output == 7


def test_an_image_costs_what_the_book_says_and_not_its_bytes():
    """Its data is no text; an image of unknown price is refused."""
    part = {"type": "image_url", "image_url": {"url": "data:image/png;base64," + "A" * 50_000}}
    messages = [{"role": "user", "content": [part]}]
    assert bounded(messages=messages)[1].input < 1000
    with pytest.raises(UnboundedError, match="images"):
        bounded(messages=messages, model=Size(10_000, 1000, 0, 0))


@pytest.mark.parametrize(
    "more",
    [
        {"tools": [{"type": "web_search_preview"}]},
        {"web_search_options": {"x": 1}},
        {"modalities": ["text", "audio"]},
        {"messages": [{"role": "user", "content": [{"type": "file", "file": {"file_id": "f"}}]}]},
    ],
)
def test_what_has_no_bound_is_refused(more):
    """Server tools, sound, files: nobody can say what they cost."""
    with pytest.raises(UnboundedError):
        bounded(**more)


def test_what_is_only_pointed_to_may_reserve_the_whole_context():
    """When the operator says so."""
    messages = [{"role": "user", "content": [{"type": "file", "file": {"file_id": "f"}}]}]
    assert bounded(whole=True, messages=messages)[1].input == MODEL.context_tokens


@pytest.mark.parametrize("more", [{"n": 0}, {"n": 99_999}, {"n": True}, {"n": 1.5}])
def test_absurd_numbers_are_refused(more):
    """A bomb of choices, or none at all."""
    with pytest.raises(BadRequest):
        bounded(**more)
