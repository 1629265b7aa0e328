"""Money as integers: nano-dollars. No fraction, no float, no rounding in anybody's favour but the budget's."""

import re

from bartizan.core.errors import BadSettings

NANO = 1_000_000_000
_DOLLARS = re.compile(r"(\d{1,7})(?:\.(\d{1,9}))?")


def nano_dollars(text: str, what: str = "amount") -> int:
    """Return the nano-dollars that `text` (such as 12.50) writes, exactly. Raises BadSettings."""
    found = _DOLLARS.fullmatch(text)
    if found is None:
        raise BadSettings(f"{what} = {text!r}: expected dollars such as 12.50, with at most 7 and 9 digits")
    whole, fraction = found.groups()
    return int(whole) * NANO + int((fraction or "").ljust(9, "0"))


def dollars(nano: int) -> str:
    """Return nano-dollars as people read them: at least cents, never rounded."""
    sign, nano = ("-" if nano < 0 else ""), abs(nano)
    fraction = f"{nano % NANO:09d}".rstrip("0").ljust(2, "0")
    return f"{sign}${nano // NANO}.{fraction}"


def cost(tokens: int, per_million: int) -> int:
    """Return what `tokens` cost at `per_million` nano-dollars a million, rounded up."""
    return -(-tokens * per_million // 1_000_000)
