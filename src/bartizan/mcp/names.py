"""Names of tools that could be taken for one another, within a server and across servers.

A model picks a tool by its name. Two names that a reader cannot tell apart let one server take the other's calls. Names
that MCP itself does not allow (other than 1 to 128 of A-Z a-z 0-9 _ - . /) are found too: letters of other alphabets
that look like these are the usual trick.
"""

import re
import unicodedata
from collections.abc import Iterable, Iterator
from functools import lru_cache

from bartizan.core.display import visible
from bartizan.core.findings import Finding, Severity

SEPARATOR = "__"
_VALID = re.compile(r"[A-Za-z0-9_./-]{1,128}")
_SHAPES = str.maketrans({"0": "o", "1": "l", "i": "l", "5": "s", "|": "l", "!": "l", "$": "s", "@": "a"})
_PAIRS = (("rn", "m"), ("vv", "w"), ("cl", "d"))
_LOOKS = (
    "аa вb сc ԁd еe ԍg һh іl ӏl јj кk мm оo рp ԛq гr ѕs тt хx уy",  # Cyrillic
    "αa βb εe ηn ιl κk νv οo ρp τt υu χx ωw օo սu ոn հh",  # Greek, Armenian
)
_ALPHABETS = str.maketrans({pair[0]: pair[1] for line in _LOOKS for pair in line.split()})
"""Letters of other alphabets to the Latin ones that they look like (Unicode UTS 39, the common ones)."""


@lru_cache(maxsize=4096)
def shape(name: str) -> str:
    """Return what a name looks like at a glance: equal for names that a reader cannot tell apart."""
    text = unicodedata.normalize("NFKD", name).casefold().translate(_ALPHABETS)
    text = "".join(ch for ch in text if unicodedata.category(ch)[0] in "LN" or ch in "|!$@").translate(_SHAPES)
    for pair, one in _PAIRS:
        text = text.replace(pair, one)
    return text


def name_findings(name: str, others: Iterable[tuple[str, str]], server: str) -> Iterator[Finding]:
    """Yield what is wrong with the name of a tool of `server`, given (server, name) of every other tool."""
    where = f"{server}/{visible(name)[:60]}"
    if not _VALID.fullmatch(name):
        yield Finding("odd-tool-name", Severity.HIGH, f"{visible(name)[:80]!r} is no name that MCP allows", where)
    if SEPARATOR in name:
        prefix = name.partition(SEPARATOR)[0]
        if any(other == prefix for other, _ in others if other != server):
            why = f"{visible(name)[:80]!r} takes the form of a tool of the server {prefix}"
            yield Finding("shadowed-tool", Severity.HIGH, why, where)
    mine = shape(name)
    for other_server, other in others:
        if other == name and other_server != server:
            why = f"the server {other_server} has a tool {visible(name)[:80]!r} too: a call may go to either"
            yield Finding("shadowed-tool", Severity.MEDIUM, why, where)
        elif other != name and shape(other) == mine:
            why = f"{visible(name)[:80]!r} looks like {visible(other)[:80]!r} of {other_server}"
            yield Finding("lookalike-tool", Severity.HIGH, why, where)


def exposed(server: str, name: str, *, namespaced: bool) -> str:
    """Return the name under which clients see a tool."""
    return f"{server}{SEPARATOR}{name}" if namespaced else name


def inner(server: str, name: str, *, namespaced: bool) -> str | None:
    """Return the server's own name of a tool, or None when it is not one of this server."""
    if not namespaced:
        return name
    prefix = f"{server}{SEPARATOR}"
    return name.removeprefix(prefix) if name.startswith(prefix) else None
