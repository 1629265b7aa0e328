"""Text that the operator marks as data: what stands between his delimiters is anybody's, whoever's message it is in.

Many applications put retrieved documents into the system prompt. Between delimiters that the settings name, such text
is read with the trust of the open web, so that the input screen sees it. Everything from the first opening to the last
closing delimiter counts: a document that writes a closing delimiter of its own gains nothing. An application can also
say it request by request, in a header that names places of the body. Both only ever take trust away, so every caller
may. The bytes that are forwarded stay as they came.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace

from bartizan.core.errors import BadRequest
from bartizan.core.messages import Message, Part, Prompt, Text, ToolResult, Trust

Delimiters = Sequence[tuple[str, str]]
HEADER = b"x-bartizan-untrusted"
_MOST_PLACES = 256


def marked(prompt: Prompt, delimiters: Delimiters) -> Prompt:
    """Return the prompt in which delimited text has the trust of the web."""
    if not delimiters:
        return prompt
    return replace(prompt, messages=tuple(_message(message, delimiters) for message in prompt.messages))


def declared(prompt: Prompt, headers: Sequence[tuple[bytes, bytes]]) -> Prompt:
    """Return the prompt in which the texts that the header names, as JSON pointers between commas, are the web's.

    Raises BadRequest for a place where there is no text: a slip must not leave a document with too much trust.
    """
    named = [value for name, value in headers if name == HEADER]
    if not named:
        return prompt
    places = [place.strip() for value in named for place in value.decode("latin-1").split(",")]
    if len(places) > _MOST_PLACES:
        raise BadRequest(f"{HEADER.decode()}: {len(places)} places: expected at most {_MOST_PLACES}")
    met: set[str] = set()

    def named_here(origin: str) -> bool:
        found = [place for place in places if place and (origin + "/").startswith(place + "/")]
        met.update(found)
        return bool(found)

    def lowered(text: Text) -> Text:
        return Text(text.content, min(text.trust, Trust.WEB), text.origin) if named_here(text.origin) else text

    messages = tuple(
        Message(
            message.role,
            tuple(_lowered(part, lowered) for part in message.parts),
            tuple(replace(one, trust=Trust.WEB) if named_here(one.origin) else one for one in message.pictures),
        )
        for message in prompt.messages
    )
    for place in places:
        if place not in met:
            raise BadRequest(
                f"{HEADER.decode()}: {place[:80]!r} names no text or picture: expected one like /messages/1/content"
            )
    return replace(prompt, messages=messages)


def _lowered(part: Part, lowered: Callable[[Text], Text]) -> Part:
    match part:
        case Text():
            return lowered(part)
        case ToolResult(call_id=call_id, text=text):
            return ToolResult(call_id, lowered(text))
        case _:
            return part


def _message(message: Message, delimiters: Delimiters) -> Message:
    parts: list[Part] = []
    for part in message.parts:
        match part:
            case Text():
                parts += _split(part, delimiters)
            case ToolResult(call_id=call_id, text=text):
                parts += [ToolResult(call_id, piece) for piece in _split(text, delimiters)]
            case _:
                parts.append(part)
    return replace(message, parts=tuple(parts))


def _split(text: Text, delimiters: Delimiters) -> list[Text]:
    content, inside = text.content, []
    for opening, closing in delimiters:
        start = content.find(opening)
        if start >= 0:
            end = content.rfind(closing, start + len(opening))
            inside.append((start, len(content) if end < 0 else end + len(closing)))
    if not inside:
        return [text]
    first, last = min(start for start, _ in inside), max(end for _, end in inside)
    pieces = [
        Text(content[:first], text.trust, text.origin),
        Text(content[first:last], min(text.trust, Trust.WEB), text.origin),
        Text(content[last:], text.trust, text.origin),
    ]
    return [piece for piece in pieces if piece.content]
