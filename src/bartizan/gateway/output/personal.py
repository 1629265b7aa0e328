"""Personal data that can be checked: payment cards (Luhn), IBANs (mod 97), US social security numbers (valid areas).

Shape plus checksum, so that order numbers and timestamps pass. What the user wrote in the same request is no secret to
the user, and passes. Does not find names, addresses or telephone numbers.
"""

import re
from collections.abc import Callable, Collection, Sequence

from bartizan.core.messages import Prompt, Trust
from bartizan.gateway.output.base import Active, Hit, Look, run_start

_CARD = re.compile(r"(?<![\d.])(?:\d[ -]?){12,18}\d(?![\d])")
_IBAN = re.compile(r"(?<![A-Za-z0-9])[A-Z]{2}\d{2}(?: ?[A-Z0-9]){11,30}(?![A-Za-z0-9])")
_SSN = re.compile(r"(?<![\d-])(?!000|666|9\d\d)\d{3}-(?!00)\d{2}-(?!0000)\d{4}(?![\d-])")
_EMAIL = re.compile(r"(?<![A-Za-z0-9._%+-])[A-Za-z0-9._%+-]{1,64}@[A-Za-z0-9-]{1,63}(?:\.[A-Za-z0-9-]{1,63}){1,8}")
_IN_PROGRESS = re.compile(
    r"(?<![\d.])\d(?:[ -]?\d){0,18}[ -]?\Z|(?<![A-Za-z0-9])[A-Z]{2}\d{0,2}(?: ?[A-Z0-9]){0,31} ?\Z"
)
_DIGIT = re.compile(r"\d")
_IBAN_SIZES = """AD=24 AE=23 AL=28 AT=20 AZ=28 BA=20 BE=16 BG=22 BH=22 BR=29 CH=21 CR=22 CY=28 CZ=24 DE=22 DK=18
    DO=28 EE=20 ES=24 FI=18 FO=18 FR=27 GB=22 GE=22 GI=23 GL=18 GR=27 GT=28 HR=21 HU=28 IE=22 IL=23
    IS=26 IT=27 JO=30 KW=30 KZ=20 LB=28 LI=21 LT=20 LU=20 LV=21 MC=27 MD=24 ME=22 MK=19 MR=27 MT=31
    MU=30 NL=18 NO=15 PK=24 PL=28 PS=29 PT=25 QA=29 RO=24 RS=22 SA=24 SE=24 SI=19 SK=24 SM=27 TN=24
    TR=26 UA=29 VA=22 VG=24 XK=20"""
_IBAN_LENGTHS = dict(pair.split("=") for pair in _IBAN_SIZES.split())
KINDS = ("card", "iban", "ssn", "email")


class PersonalData:
    """Finds personal data of the chosen kinds."""

    name = "personal-data"

    def __init__(
        self, kinds: Collection[str] = ("card", "iban", "ssn"), said: Callable[[], Collection[str]] = frozenset
    ) -> None:
        """Look for these kinds only. `said` gives what the user wrote, as `compact` writes it; asked only on a hit."""
        self._kinds = frozenset(kinds)
        self._said = said

    def sparing(self, values: Collection[str]) -> "PersonalData":
        """Return a control that lets `values` pass too."""
        return PersonalData(self._kinds, lambda: {*self._said(), *map(compact, values)})

    def overhear(self, text: str) -> bool:
        """Whoever wrote a text, what it holds must not leave."""
        return True

    def look(self, text: str, *, final: bool) -> Look:
        """Return personal data in `text`, and where some may have begun."""
        if not _DIGIT.search(text) and "email" not in self._kinds:
            return Look([], len(text) if final else run_start(text))  # all of it holds digits; a run may yet get some
        hits: list[Hit] = []
        if "card" in self._kinds:
            hits += [_hit(found, "card", "a payment card number") for found in _CARD.finditer(text) if _luhn(found[0])]
        if "iban" in self._kinds:
            hits += [hit for found in _IBAN.finditer(text) if (hit := _iban(found))]
        if "ssn" in self._kinds:
            hits += [_hit(found, "ssn", "a social security number") for found in _SSN.finditer(text)]
        if "email" in self._kinds and "@" in text:
            hits += [_hit(found, "email", "an e-mail address") for found in _EMAIL.finditer(text)]
        if hits:
            said = self._said()
            hits = [hit for hit in hits if compact(text[hit.start : hit.end]) not in said]
        if final:
            return Look(hits, len(text))
        hold = run_start(text)
        growing = _IN_PROGRESS.search(text, max(0, len(text) - 80))
        return Look(hits, min(hold, growing.start()) if growing else hold)


def sparing(active: Sequence[Active], values: Collection[str]) -> Sequence[Active]:
    """Return the controls, of which the one for personal data lets `values` pass."""
    if not values:
        return active
    return [
        Active(entry.control.sparing(values), entry.action) if isinstance(entry.control, PersonalData) else entry
        for entry in active
    ]


def compact(value: str) -> str:
    """Return a value without blanks and hyphens, in capitals: as equal ones are compared."""
    return value.replace(" ", "").replace("-", "").upper()


def said_by_user(prompt: Prompt, kinds: Collection[str]) -> frozenset[str]:
    """Return the personal data that the user's own texts in `prompt` hold; a tool's or a document's do not count."""
    control = PersonalData(kinds)
    texts = (text for message in prompt.messages for text in message.texts() if text.trust == Trust.USER)
    return frozenset(
        compact(text.content[hit.start : hit.end])
        for text in texts
        for hit in control.look(text.content, final=True).hits
    )


def _hit(found: re.Match[str], rule: str, what: str) -> Hit:
    return Hit(found.start(), found.end(), f"personal-{rule}", f"the answer holds {what}")


def _luhn(number: str) -> bool:
    digits = [int(char) for char in number if char.isdigit()]
    if len(set(digits)) == 1:
        return False
    doubled = [sum(divmod(2 * digit, 10)) for digit in digits[-2::-2]]
    return (sum(digits[::-2]) + sum(doubled)) % 10 == 0


def _iban(found: re.Match[str]) -> Hit | None:
    """Return the hit for the country's length of the match, if its check digits are right."""
    text = found[0]
    wanted = int(_IBAN_LENGTHS.get(text[:2], 0))
    taken, end = "", 0
    for end, char in enumerate(text, 1):  # noqa: B007 - `end` is used after the loop
        taken += "" if char == " " else char
        if len(taken) == wanted:
            break
    if not wanted or len(taken) != wanted:
        return None
    if int("".join(str(int(char, 36)) for char in taken[4:] + taken[:4])) % 97 != 1:
        return None
    return Hit(found.start(), found.start() + end, "personal-iban", "the answer holds an IBAN")
