"""What of a message of MCP is read as text, apart from the words that the protocol itself is made of.

A detector that was trained on what people write errs when a sentence stands between `complete`, `user` and an opaque
state: protocol words are not content, and content is not judged glued to them. So a message is taken apart into
passages, each judged as one text: the texts of one list of contents (an order can be split over its parts), the prose
of structured content, of a form's schema, of `_meta`, and of all else. A word of the protocol says nothing and is left
out, wherever it stands; any other single word (an id, an address, a cursor, a state) counts with what a reader would
see in it: its letters, and what it holds in base64 or hex. An order is found in a role or in `_meta` all the same,
because what makes a text a text here is its form, never only its place. Not found: one whose words are spread over
single-word values of different passages.
"""

import base64
import binascii
import mimetypes
import re
import urllib.parse
from collections import defaultdict
from collections.abc import Iterator
from typing import Any

from bartizan.detect.decodings import encoded_parts
from bartizan.mcp.methods import words

_SAYS_NOTHING = words(
    "user assistant system tool text image audio video resource resource_link tool_use tool_result json complete "
    "input_required task form url accept decline cancel none auto required object array string number integer boolean "
    "null debug info notice warning error critical alert emergency email uri date date-time utf-8"
) | frozenset(mimetypes.MimeTypes().types_map[True].values())
"""Roles, kinds, levels and types of the protocol and of JSON Schema, and media types: nobody hides an order there."""
_APART = frozenset(("_meta", "structuredContent", "requestedSchema", "inputSchema", "outputSchema"))
_LISTS = frozenset(("content", "contents", "messages"))
_BINARY = frozenset(("data", "blob"))
_BASE64 = re.compile(r"[A-Za-z0-9+/]*={0,2}")
_TEXT_TYPES = ("text/", "application/json", "application/xml", "application/javascript")
_PART = re.compile(r"[A-Za-z0-9]+")
_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+")
_LONGEST_WORD = 24
_FEWEST_SINGLE = 4
"""Fewer single words than this are no sentence."""
_FEWEST_IN_PROSE, _SHORT, _LONG_WORDS = 3, 12, 24
"""`access granted` is no order, and a detector of sentences has nothing to go by: fewer words, or fewer characters, of
ASCII are not judged, unless they are longer words than people write."""
_SHORT_NAME = 12
"""Names of fields up to here say too little to be looked at."""


class _Passage:
    """What is read together: prose, and the words that can be seen in single words."""

    def __init__(self) -> None:
        self.prose: dict[str, None] = {}
        self.words: dict[str, None] = {}

    def texts(self) -> Iterator[str]:
        """Yield the passage's prose, and its single words as a sentence, where there is enough of them to judge."""
        prose = "\n".join(self.prose)
        sentence = len(prose) >= _SHORT and len(prose.split()) >= _FEWEST_IN_PROSE
        if sentence or len(prose) > _LONG_WORDS or not prose.isascii():
            yield prose
        said = " ".join(self.words)
        if said.count(" ") + 1 >= _FEWEST_SINGLE:
            yield said


def passages(message: dict[str, Any]) -> list[str]:
    """Return the texts of a message that a model or a person may be shown, each to be judged by itself."""
    found: dict[str, _Passage] = defaultdict(_Passage)
    _read(message, "", "", "", found)
    return [text for passage in found.values() for text in passage.texts()]


def _read(node: Any, key: str, mime: str, place: str, found: dict[str, _Passage]) -> None:
    """Sort the strings of `node`, which stands under `key` in the passage `place`, into `found`."""
    if isinstance(node, str):
        _sort(node, key, mime, found[place])
    elif isinstance(node, dict):
        kind = node.get("mimeType")
        for name, value in node.items():
            if len(name) > _SHORT_NAME and name not in _APART:
                _sort(name, "", "", found[place])
            own = name if name in _APART else place
            if name in _LISTS and isinstance(value, list) and place not in (*_APART, *_LISTS):
                own = name
            _read(value, name, kind if isinstance(kind, str) else "", own, found)
    elif isinstance(node, list):
        for value in node:
            _read(value, key, mime, place, found)


def _sort(text: str, key: str, mime: str, passage: _Passage) -> None:
    if key in _BINARY and _BASE64.fullmatch(text):
        passage.prose.update(dict.fromkeys(_inside_base64(text, mime)))
    elif (key == "text" and text) or not text.isascii() or any(map(str.isspace, text)):
        passage.prose[text] = None
    elif text not in _SAYS_NOTHING:
        passage.prose.update(dict.fromkeys(decoded for *_, decoded in encoded_parts(text)))
        if said := " ".join(_words(text)):
            passage.words[said] = None


def _words(text: str) -> Iterator[str]:
    """Yield the words that a reader sees in `delete-all_filesNow`; none in an id or a hash."""
    for part in _PART.findall(urllib.parse.unquote(text)):
        if part.isalpha():
            yield from (word for word in _WORD.findall(part) if len(word) <= _LONGEST_WORD)


def _inside_base64(data: str, mime: str) -> Iterator[str]:
    if mime and not mime.startswith(_TEXT_TYPES):
        return
    try:
        yield base64.b64decode(data, validate=True).decode("utf-8")
    except (binascii.Error, ValueError):
        return
