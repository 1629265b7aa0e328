"""Text that the operator marks as data: what stands between his delimiters is anybody's, whoever's message it is in.

Many applications put retrieved documents into the system prompt. Between delimiters that the settings name, such text
is read with the trust of the open web, so that the input screen sees it. Everything from the first opening to the last
closing delimiter counts: a document that writes a closing delimiter of its own gains nothing. The bytes that are
forwarded stay as they came.
"""

from collections.abc import Sequence
from dataclasses import replace

from bartizan.core.messages import Message, Part, Prompt, Text, ToolResult, Trust

Delimiters = Sequence[tuple[str, str]]


def marked(prompt: Prompt, delimiters: Delimiters) -> Prompt:
    """Return the prompt in which delimited text has the trust of the web."""
    if not delimiters:
        return prompt
    return replace(prompt, messages=tuple(_message(message, delimiters) for message in prompt.messages))


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
    return Message(message.role, tuple(parts))


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
