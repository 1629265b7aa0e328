"""Pictures are found in every dialect, with the trust of who sent them."""

import json

import pytest

from bartizan.core.messages import Picture, Trust
from bartizan.gateway.wires.anthropic_messages import AnthropicMessages
from bartizan.gateway.wires.openai_chat import OpenAIChat
from bartizan.gateway.wires.openai_responses import OpenAIResponses
from bartizan.gateway.wires.pictures import pictures_in

URL = "data:image/png;base64,iVBOR"
PLAIN = {"type": "base64", "media_type": "image/png", "data": "iVBOR"}


def found(wire, **document):
    """Return the pictures of a request."""
    prompt = wire.parse(json.dumps({"model": "m", "max_tokens": 1, **document}).encode()).prompt
    return [one for message in prompt.messages for one in message.pictures]


def test_chat_completions():
    """In a user's turn and in a tool's result; the text beside is still text."""
    part = {"type": "image_url", "image_url": {"url": URL, "detail": "low"}}
    messages = [
        {"role": "user", "content": [{"type": "text", "text": "what is this?"}, part]},
        {"role": "tool", "tool_call_id": "c", "content": [part]},
        {"role": "user", "content": f"a picture as text: {URL}"},
    ]
    assert found(OpenAIChat(), messages=messages) == [
        Picture(URL, Trust.USER, "/messages/0/content/1/image_url/url"),
        Picture(URL, Trust.TOOL, "/messages/1/content/0/image_url/url"),
    ]


def test_responses():
    """In a message, in what a tool gave back, in a screenshot, in what a model drew before."""
    shot = {"type": "computer_screenshot", "image_url": URL}
    given = [
        {"role": "user", "content": [{"type": "input_image", "image_url": URL}]},
        {"type": "function_call_output", "call_id": "c", "output": [{"type": "input_image", "image_url": URL}]},
        {"type": "computer_call_output", "call_id": "d", "output": shot},
        {"type": "image_generation_call", "id": "e", "result": "iVBOR"},
        {"role": "user", "content": [{"type": "input_file", "filename": "a.png", "file_data": URL}]},
    ]
    assert [(one.source, one.trust) for one in found(OpenAIResponses(), input=given)] == [
        (URL, Trust.USER),
        (URL, Trust.TOOL),
        (URL, Trust.TOOL),
        ("iVBOR", Trust.TOOL),
        (URL, Trust.USER),
    ]


def test_anthropic_messages():
    """In a turn, in a tool's result, in a document; a PDF is no picture."""
    picture = {"type": "image", "source": PLAIN}
    content = [
        picture,
        {"type": "tool_result", "tool_use_id": "t", "content": [picture]},
        {"type": "document", "source": {"type": "content", "content": [picture]}},
        {"type": "document", "source": {"type": "base64", "media_type": "application/pdf", "data": "JVBER"}},
    ]
    assert found(AnthropicMessages(), messages=[{"role": "user", "content": content}]) == [
        Picture("iVBOR", Trust.USER, "/messages/0/content/0/source/data"),
        Picture("iVBOR", Trust.TOOL, "/messages/0/content/1/content/0/source/data"),
        Picture("iVBOR", Trust.WEB, "/messages/0/content/2/source/content/0/source/data"),
    ]


@pytest.mark.parametrize(
    "part",
    [
        {"type": "image_url", "image_url": {"url": "https://example.org/a.png"}},
        {"type": "image_url", "image_url": "https://example.org/a.png"},
        {"type": "input_image", "file_id": "file-1"},
        {"type": "image", "source": {"type": "url", "url": "https://example.org/a.png"}},
        {"type": "image", "source": {"type": "file", "file_id": "file-1"}},
    ],
)
def test_what_lies_elsewhere_is_named_not_sent(part):
    """By address or by id: nothing of it is here."""
    (one,) = pictures_in([part], Trust.USER, "/c")
    assert one.source == ""
    assert one.elsewhere in ("https://example.org/a.png", "file-1")


def test_spelling_does_not_hide_a_picture():
    """Case and blanks before a data URL, and one without a type of its own."""
    odd = [{"type": "input_image", "image_url": " DATA:image/PNG;base64,iVBOR"}, {"image_url": {"url": URL}}]
    assert [bool(one.source) for one in pictures_in(odd, Trust.USER, "/c")] == [True, True]
    assert pictures_in("text", Trust.USER, "/c") == ()
    assert pictures_in([{"type": "text", "text": "https://example.org/a.png"}], Trust.USER, "/c") == ()
