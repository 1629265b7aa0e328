"""Server-sent events, sans-I/O: bytes in, events out, each with the exact bytes it came in.

Follows the WHATWG event stream grammar: lines end in LF, CR LF or CR, a blank line ends an event, `data` lines join
with LF, one space after the colon is dropped. Joining the `raw` of all events and `rest()` gives back what was fed.
"""

import re
from typing import NamedTuple

from bartizan.core.errors import UpstreamFailed

LARGEST_EVENT = 8388608

_BLANK = re.compile(rb"\r\n\r\n|\n\n|\r\r|\n\r\n|\r\n\n|\r\n\r(?!\n)|\n\r(?!\n)|\r\n\r\Z|\r\r\n")
_LINE_END = re.compile(rb"\r\n|\n|\r")


class Event(NamedTuple):
    """One event: its bytes as they came, its type (empty when not given) and its data, its id, when to ask again."""

    raw: bytes
    name: str
    data: bytes
    id: bytes = b""
    retry_ms: int | None = None


class EventSplitter:
    """Cuts a byte stream into events, wherever the stream's own pieces are cut."""

    def __init__(self) -> None:
        """Start with nothing."""
        self._held = bytearray()
        self._searched = 0

    def feed(self, data: bytes) -> list[Event]:
        """Take more bytes and return the events that are now complete. Raises UpstreamFailed on an endless one."""
        if not self._held and _is_plain(data):  # one event in one piece, as nearly every server sends them
            return [Event(data, "", data[6:-2])]
        self._held += data
        events = []
        while True:
            # A CR at the very end may be half of a CR LF: wait for the next byte before deciding.
            end = len(self._held) - (1 if self._held.endswith(b"\r") else 0)
            found = _BLANK.search(self._held, max(0, self._searched - 3), end)
            if found is None:
                self._searched = end
                break
            raw = bytes(self._held[: found.end()])
            del self._held[: found.end()]
            self._searched = 0
            events.append(parse(raw))
        if len(self._held) > LARGEST_EVENT:
            raise UpstreamFailed(f"an event of more than {LARGEST_EVENT} bytes")
        return events

    def rest(self) -> bytes:
        """Return what was fed and belongs to no complete event."""
        return bytes(self._held)


def parse(raw: bytes) -> Event:
    """Return the event in the bytes `raw`."""
    if _is_plain(raw):
        return Event(raw, "", raw[6:-2])
    name, data, id_, retry = "", [], b"", None
    for line in _LINE_END.split(raw.removeprefix(b"\xef\xbb\xbf")):
        field, _, value = line.partition(b":")
        value = value.removeprefix(b" ")
        if field == b"data":
            data.append(value)
        elif field == b"event":
            name = value.decode("utf-8", "replace")
        elif field == b"id" and b"\x00" not in value:
            id_ = value
        elif field == b"retry" and value.isdigit() and len(value) < 10:
            retry = int(value)
    return Event(raw, name, b"\n".join(data), id_, retry)


def _is_plain(raw: bytes) -> bool:
    """Return whether these bytes are one event with one line, of data."""
    return raw.startswith(b"data: ") and raw.endswith(b"\n\n") and raw.count(b"\n") == 2 and b"\r" not in raw


def written(name: str, data: bytes) -> bytes:
    """Return an event of ours with this type (left out when empty) and one line of data."""
    head = b"event: " + name.encode() + b"\n" if name else b""
    return head + b"data: " + data + b"\n\n"
