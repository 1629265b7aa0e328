"""One text with its answers, for training or measuring, and the files of labelled rows that hold them."""

import gzip
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import msgspec

from bartizan.core.errors import BadArtifact

PERMISSIVE = frozenset(
    (
        "MIT",
        "Apache-2.0",
        "CC0",
        "CC-BY-3.0",
        "CC-BY-4.0",
        "CC-BY-SA-4.0",
        "ODC-BY",
        "MIT (HackAPrompt)",
        "BSD-3-Clause",
        "BSD-2-Clause",
    )
)
"""Licences under which rows may train weights that ship."""
UNASKED = -1


@dataclass(frozen=True, slots=True)
class Example:
    """One text for training or measuring."""

    text: str
    attack: int
    """1 an attack on the assistant's instructions or limits, 0 none, UNASKED when the text does not say."""
    planted: int
    """1 when the document holds an order that does not belong in it, 0 when not, UNASKED for texts of users."""
    source: str
    licence: str = "own"


def labelled(path: Path) -> Iterator[Example]:
    """Yield the rows of a file of JSON lines, gzipped or not: {"text", "label", "source", "licence"}.

    Raises BadArtifact that names the file and the line.
    """
    try:
        with path.open("rb") as raw:
            zipped = raw.read(len(_GZIP)) == _GZIP
            raw.seek(0)
            with gzip.open(raw) if zipped else raw as lines:
                for number, line in enumerate(lines, 1):
                    yield _example(line, f"{path.name}, line {number}")
    except (OSError, EOFError, zlib.error) as error:
        why = getattr(error, "strerror", None) or str(error)
        raise BadArtifact(f"{path}: cannot be read: {why}", hint=_ROWS) from error


def _example(line: bytes, where: str) -> Example:
    try:
        row = _decoder.decode(line)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise BadArtifact(f"{where}: {error}", hint=_ROWS) from error
    return Example(row.text, row.label, UNASKED, row.source, row.licence)


class _Row(msgspec.Struct):
    text: str
    label: int
    source: str
    licence: str


_GZIP = b"\x1f\x8b"
_ROWS = 'Expected lines such as {"text": "…", "label": 1, "source": "…", "licence": "MIT"}, gzipped or not.'
_decoder = msgspec.json.Decoder(_Row)
