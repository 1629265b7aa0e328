"""One text with its answers, for training or measuring, and the files of labelled rows that hold them."""

import gzip
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

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
    """Yield the rows of a gzipped file of JSON lines: {"text", "label", "source", "licence"}."""
    with gzip.open(path, "rt", encoding="utf-8") as file:
        for line in file:
            row = json.loads(line)
            yield Example(row["text"], row["label"], UNASKED, row["source"], row["licence"])
