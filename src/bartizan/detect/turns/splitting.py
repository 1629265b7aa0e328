"""Puts together what was given in parts: `a = "…"` in one turn, `b = "…"` in another, and then "a + b".

Only what can be joined without guessing: parts that have a name or a number, and a request that joins them. Parts that
a text describes (the third word of the second line), or that are coded one by one, are not joined.
"""

import re
from collections.abc import Mapping, Sequence

MOST_PARTS, LONGEST = 24, 2_000
"""Parts that are remembered, and characters of a joined text."""
_NAMED = re.compile(
    r"(?:\b(?:let|set|store|save|remember|define|const|var|sei|soit|sea)\s+)?"
    r"(?<![\w.])\$?([A-Za-z]\w{0,15})\s*(?::=|=|:|\bis\b|\bbe\b|\bas\b|\bist\b)\s*(?:f|r)?"
    r"(?:\"([^\"\n]{1,400})\"|'([^'\n]{1,400})'|“([^”\n]{1,400})”|`([^`\n]{1,400})`)"
)
_AS = re.compile(
    r"(?:\"([^\"\n]{1,400})\"|“([^”\n]{1,400})”|`([^`\n]{1,400})`)\s*(?:as|=>|->|in|under|als|comme|como)\s+"
    r"\$?([A-Za-z]\w{0,15})\b"
)
_NUMBERED = re.compile(
    r"(?:^|[.;\n]\s*)\W{0,3}(?:part|piece|fragment|chunk|half|segment|teil|stück|partie|parte|trozo|часть)\s*"
    r"(?:no\.?\s*|nr\.?\s*|#)?(\d{1,2}|[a-z]|one|two|three|four|five|eins|zwei|drei)\s*(?:of \d+|/\s*\d+|von \d+)?\s*"
    r"(?::|=|is|ist|-)\s*([^\n]{1,400})",
    re.IGNORECASE,
)
_JOIN = re.compile(
    r"\b(?:combin\w*|concat\w*|join\w*|merg\w*|put (?:\w+ ){0,4}?together|assembl\w*|glue|append|add up|in order"
    r"|all (?:the )?(?:parts|pieces|fragments)|zusammen\w*|verbinde\w*|füge\w*|assemble[zr]?|combine[zr]?|junta\w*"
    r"|une\b|unisci|соедини\w*|объедини\w*)|(?:拼接|连接|合并)",
    re.IGNORECASE,
)
_SUM = re.compile(r"\$?\{?\b([A-Za-z]\w{0,15})\b\}?(?:\s*(?:\+|\.\.|&|\|\||~)\s*\$?\{?\b([A-Za-z]\w{0,15})\b\}?)+")
_HOLES = re.compile(r"[{<$\[]{1,2}([A-Za-z]\w{0,15})[}>$\]]{1,2}")
_NAME = re.compile(r"\b[A-Za-z]\w{0,15}\b")


def parts_in(text: str) -> dict[str, str]:
    """Return the parts that a text defines, by their names in lower case; numbered ones as `#1`."""
    found: dict[str, str] = {}
    for match in _NAMED.finditer(text):
        found[match[1].lower()] = next(value for value in match.groups()[1:] if value is not None)
    for match in _AS.finditer(text):
        found[match[4].lower()] = next(value for value in match.groups()[:3] if value is not None)
    for match in _NUMBERED.finditer(text):
        value = match[2].strip().strip("\"'`“”")
        if value:
            found[f"#{match[1].lower()}"] = value
    return found


def joined(text: str, known: Mapping[str, str]) -> list[str]:
    """Return what a request puts together of the parts that are known: as written, without and with spaces between.

    Empty when it joins nothing, or fewer than two parts.
    """
    order = _order(text, known)
    values = [known[name] for name in order]
    if len(values) < 2:
        return []
    whole, spaced = "".join(values)[:LONGEST], " ".join(values)[:LONGEST]
    return [spaced] if whole == spaced else [spaced, whole]


def kept(parts: Mapping[str, str], new: Mapping[str, str]) -> dict[str, str]:
    """Return the parts with new ones behind; the oldest are forgotten when they are too many."""
    both = {name: value for name, value in parts.items() if name not in new} | dict(new)
    return dict(list(both.items())[-MOST_PARTS:])


def _order(text: str, known: Mapping[str, str]) -> Sequence[str]:
    sums = [_NAME.findall(match[0]) for match in _SUM.finditer(text)]
    named = max(([name.lower() for name in names if name.lower() in known] for names in sums), key=len, default=[])
    holes = [match[1].lower() for match in _HOLES.finditer(text) if match[1].lower() in known]
    order = max((named, holes), key=len)
    if len(order) >= 2 or not _JOIN.search(text):
        return order
    plain = "".join(part if number % 2 == 0 else " " for number, part in enumerate(re.split(r"[\"“”`]", text)))
    order = [name.lower() for name in _NAME.findall(plain) if name.lower() in known and len(name) < 12]
    order = list(dict.fromkeys(order))
    return order if len(order) >= 2 else list(known)
