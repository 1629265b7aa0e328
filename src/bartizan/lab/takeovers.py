"""One request behind another: dropped for it, or as an innocent second wish. Only the words between them tell."""

import random
from collections.abc import Iterator, Sequence

from bartizan.lab.phrases import wordings

_GLUE = (" ", ". ", "\n", "\n\n")


def takeovers(requests: Sequence[str], count: int, seed: int) -> Iterator[tuple[str, str]]:
    """Yield `count` pairs (attack, innocent) with the same requests, which users made; none without requests."""
    draw = random.Random(seed)
    book = wordings()
    for _ in range(count if requests else 0):
        first, second = draw.choice(requests), draw.choice(requests)
        glue = draw.choice(_GLUE)
        before = draw.choice((f"{first}{glue}", f"{first}{glue}", ""))
        dropped = book.write("override" if draw.random() < 0.7 else "classic", draw)
        end = book.write("end" if draw.random() < 0.7 else "then", draw)
        yield f"{before}{dropped}{end or ' '}{second}", f"{before}{book.write('onward', draw)}{second}"
