"""Characters in a text that a person does not see and a model reads, and the text that they make.

Unicode tags, runs of zero-width and variation characters, and changes of direction: each has carried instructions past
reviewers (ASCII smuggling, "Rules File Backdoor", Trojan Source CVE-2021-42574). One emoji or one Persian word needs a
few of these; a run of them carries data.
"""

import re
import unicodedata
from collections.abc import Iterator

from bartizan.core.display import visible
from bartizan.core.findings import Finding, Severity

_TAGS = re.compile("[\U000e0001\U000e0020-\U000e007f]+")
_FLAG = re.compile("\U0001f3f4[\U000e0020-\U000e007f]{2,8}")
"""England, Scotland and Wales: the one proper use of tag characters."""
_ZERO_WIDTH = re.compile("[\u200b\u2060-\u2064\ufeff\u180e\u00ad\u034f\u115f\u1160\u3164\uffa0\u200c\u200d]{3,}")
_VARIATION = re.compile("[\ufe00-\ufe0f\U000e0100-\U000e01ef]{3,}")
_DIRECTION = re.compile("[\u202a-\u202e\u2066-\u2069]")
_UNSEEN = re.compile(
    "[\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff\u180e\u00ad\u034f\u115f\u1160\u3164\uffa0\ufe00-\ufe0f"
    "\U000e0000-\U000e01ef]"
)
_LOOKALIKES = str.maketrans("аеорсухіѕԁɡⅼοΑΒΕΗΙΚΜΝΟΡΤΧ", "aeopcyxisdgloABEHIKMNOPTX")


def plain(text: str) -> str:
    """Return the text as a model may well read it: compatibility forms and look-alikes folded, unseen letters gone."""
    if text.isascii():
        return text
    tags = "".join(chr(ord(ch) - 0xE0000) if 0xE0020 <= ord(ch) <= 0xE007E else ch for ch in text)
    return unicodedata.normalize("NFKC", _UNSEEN.sub("", tags)).translate(_LOOKALIKES)


def hidden_characters(text: str, where: str) -> Iterator[Finding]:
    """Yield what a reader of `text` would not see."""
    if text.isascii():
        return
    tags = _TAGS.findall(_FLAG.sub("", text))
    if tags:
        said = "".join(chr(ord(ch) - 0xE0000) for run in tags for ch in run if ord(ch) > 0xE001F)
        yield Finding("hidden-text", Severity.CRITICAL, f"invisible tag characters say {visible(said)[:160]!r}", where)
    for pattern, what in ((_ZERO_WIDTH, "zero-width characters"), (_VARIATION, "variation selectors")):
        run = max(pattern.findall(text.removeprefix("\ufeff")), key=len, default="")
        if run:
            severity = Severity.HIGH if len(run) >= 8 else Severity.MEDIUM
            yield Finding("hidden-text", severity, f"{len(run)} {what} in a row: they can carry a message", where)
    if _DIRECTION.search(text):
        why = "characters that change the direction of text: it reads otherwise than it is written"
        yield Finding("hidden-direction", Severity.HIGH, why, where)
