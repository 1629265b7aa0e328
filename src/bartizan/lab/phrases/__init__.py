"""Wordings of attacks and of innocent texts as grammars, and the writer that draws sentences from them.

A file holds sections `[name]` with one or more lines; a line is text with choices `{a|b|}` (nested), other sections
`<name>`, and `\\n`. A line without braces at its top level may list choices with `|`. Sections whose name begins with
`+` are attacks, with `-` innocent; the part behind a dot is the language. Everything here is inert text.
"""

import random
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources

_DEEPEST = 12
_HEADER = re.compile(r"\[([+-]?[a-z_0-9]+(?:\.[a-z]{2})?)\]")


@dataclass(frozen=True)
class Wordings:
    """Sections by name; each is the lines from which one is drawn."""

    sections: Mapping[str, tuple[str, ...]]

    def names(self, kind: str) -> tuple[str, ...]:
        """Return the sections whose name begins with `kind` (`+` attacks, `-` innocent), in the files' order."""
        return tuple(name for name in self.sections if name.startswith(kind))

    def write(self, name: str, draw: random.Random) -> str:
        """Return one text of the section `name`. Raises KeyError for a section that does not exist."""
        return self._expanded(draw.choice(self.sections[name]), draw, 0)

    def _expanded(self, pattern: str, draw: random.Random, depth: int) -> str:
        if depth > _DEEPEST:
            raise ValueError(f"{pattern[:60]!r}: sections refer to each other without end")
        chosen = draw.choice(_split(pattern))
        out = []
        for kind, part in _parts(chosen):
            if kind == "text":
                out.append(part)
            elif kind == "choice":
                out.append(self._expanded(part, draw, depth + 1))
            else:
                out.append(self._expanded(draw.choice(self.sections[part]), draw, depth + 1))
        return "".join(out)

    def has(self, name: str) -> bool:
        """Return whether a section of that name exists."""
        return name in self.sections


def _split(pattern: str) -> list[str]:
    """Return the choices of a pattern: what `|` separates outside of braces."""
    choices, depth, start, at = [], 0, 0, 0
    while at < len(pattern):
        ch = pattern[at]
        if ch == "\\":
            at += 1
        elif ch == "{":
            depth += 1
        elif ch == "}":
            depth -= 1
        elif ch == "|" and depth == 0:
            choices.append(pattern[start:at])
            start = at + 1
        at += 1
    return [*choices, pattern[start:]]


def _parts(pattern: str) -> Iterator[tuple[str, str]]:
    """Yield (kind, part) of one choice: text, a nested choice, or a section."""
    at, text = 0, []
    while at < len(pattern):
        ch = pattern[at]
        if ch == "\\" and at + 1 < len(pattern):
            text.append({"n": "\n", "|": "|"}.get(pattern[at + 1], pattern[at : at + 2]))
            at += 2
            continue
        end = _closing(pattern, at) if ch == "{" else pattern.find(">", at) if ch == "<" else -1
        name = pattern[at + 1 : end] if end > 0 else ""
        if ch == "{" and end > 0:
            yield "text", "".join(text)
            yield "choice", name
        elif ch == "<" and end > 0 and name in _names():
            yield "text", "".join(text)
            yield "section", name
        else:
            text.append(ch)
            at += 1
            continue
        text, at = [], end + 1
    yield "text", "".join(text)


def _closing(pattern: str, at: int) -> int:
    depth = 0
    for index in range(at, len(pattern)):
        if pattern[index] == "{":
            depth += 1
        elif pattern[index] == "}":
            depth -= 1
            if depth == 0:
                return index
    return -1


@cache
def _names() -> frozenset[str]:
    return frozenset(_sections())


@cache
def _sections() -> dict[str, tuple[str, ...]]:
    found: dict[str, list[str]] = {}
    for file in sorted(resources.files(__name__).iterdir(), key=lambda one: one.name):
        if not file.name.endswith(".txt"):
            continue
        name = ""
        for line in file.read_text(encoding="utf-8").splitlines():
            header = _HEADER.fullmatch(line)
            if header:
                name = header[1]
                if name in found:
                    raise ValueError(f"{file.name}: section [{name}] exists already")
                found[name] = []
            elif name and line:
                found[name].append(line)
    return {name: tuple(lines) for name, lines in found.items()}


@cache
def wordings() -> Wordings:
    """Return all sections of all files of this folder."""
    return Wordings(_sections())
