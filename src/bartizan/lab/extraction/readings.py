"""How wide is a language model behind an API? A table of the same tokens after random prompts, grown until it tells.

The table needs more prompts and more tokens than the model is wide, and nobody knows how wide that is: it grows by a
quarter at a time. Answers are kept on disk as they come, with what they cost, so that a run that was stopped pays for
nothing twice and the one that ends it tells the whole price.
"""

import json
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from bartizan.core.errors import UpstreamFailed
from bartizan.lab.chat import Failed
from bartizan.lab.extraction.probabilities import IDS, NOTHING, SPENT, Cost, Opening, Said, TokenApi, Way, chosen_ids
from bartizan.lab.extraction.projection import Width, width

SMALLEST = 64
SPARE = 8
"""Tokens beyond the prompts: a half letter or two among them never comes back."""
USUAL = 0.8
"""A token of an answer belongs to the table when this share of prompts tell it."""
KEPT = 10_000
"""Tokens kept of an answer that tells the whole vocabulary: the widest model that can be read so."""
_BATCH = 64
"""Questions between two looks at the clock and the disk."""
Progress = Callable[[str, int, int], None]
Cell = tuple[int, int]
Note = Callable[[dict[Cell, dict[str, float]]], None]
"""Keeps answers, and what was spent since the last ones."""


@dataclass(frozen=True)
class Plan:
    """How to ask: up to which width, how many questions at a time, and where answers are kept."""

    widest: int = 8192
    jobs: int = 4
    seed: int = 0
    kept: Path | None = None
    smallest: int = SMALLEST


@dataclass(frozen=True)
class Reading:
    """What came of it. `width` is None where there was no way in, or the limits ended before there was a table."""

    opening: Opening
    width: Width | None
    size: int
    """Prompts of the table when it ended."""
    digits: int | None
    """Digits after the point that every log-probability kept to; None for more than five."""
    complete: bool
    """False where the limits ended it."""
    before: Cost = NOTHING
    """What runs of the same reading that were stopped had cost."""


@dataclass
class Table:
    """Answers by prompt and chunk of tokens: of each the log-probabilities by token."""

    way: Way
    seed: int
    cells: dict[Cell, dict[str, float]] = field(default_factory=dict)
    before: Cost = NOTHING
    """What the answers cost that were there at the beginning."""
    columns: frozenset[str] = frozenset()
    """The tokens that are kept of an answer that tells all; empty: every one."""

    def chunks(self, size: int) -> int:
        """Return how many questions a prompt takes for `size` tokens and the spare ones."""
        if not self.way.biased:
            return 1
        return -(-(size + SPARE) // self._fresh())

    def ids(self, chunk: int) -> list[int]:
        """Return the tokens that are biased in this chunk: the first one is in all, so that chunks can be joined."""
        if not self.way.biased:
            return []
        every = chosen_ids(IDS[1] - IDS[0], self.seed)
        fresh = self._fresh()
        own = every[1 + chunk * fresh : 1 + (chunk + 1) * fresh]
        return own if self.way.tokens == 1 else [every[0], *own]

    def take(self, got: Said) -> dict[str, float]:
        """Return what is kept of an answer."""
        if self.way.tokens == 1:
            return {} if got.own is None else {got.text: got.own}
        if self.way.biased:
            likeliest = sorted(got.shown.items(), key=lambda one: -one[1])
            return dict(likeliest[: self.way.tokens])
        if not self.columns:
            names = sorted(got.shown)
            chosen = np.random.default_rng(self.seed).permutation(len(names))[:KEPT]
            self.columns = frozenset(names[index] for index in chosen)
        return {token: value for token, value in got.shown.items() if token in self.columns}

    def matrix(self) -> np.ndarray:
        """Return (prompts, tokens) of the prompts that tell every usual token; (0, 0) where none does."""
        rows = sorted({row for row, _ in self.cells})
        chunks = sorted({chunk for _, chunk in self.cells})
        usual = {chunk: self._usual(chunk, rows) for chunk in chunks}
        usual = {chunk: tokens for chunk, tokens in usual.items() if tokens}
        shared = frozenset.intersection(*usual.values()) if len(usual) > 1 and self.way.tokens > 1 else frozenset()
        if not usual or (len(usual) > 1 and self.way.tokens > 1 and not shared):
            return np.zeros((0, 0))
        join = min(shared, default="")
        lines = []
        for row in rows:
            told = {chunk: self.cells.get((row, chunk), {}) for chunk in usual}
            if all(usual[chunk] <= told[chunk].keys() for chunk in usual):
                lines.append([value for chunk in usual for value in _line(told[chunk], usual[chunk], join)])
        return np.array(lines) if lines else np.zeros((0, 0))

    def _usual(self, chunk: int, rows: list[int]) -> frozenset[str]:
        told = [self.cells.get((row, chunk), {}) for row in rows]
        counts: dict[str, int] = {}
        for one in told:
            for token in one:
                counts[token] = counts.get(token, 0) + 1
        enough = USUAL * len(rows)
        return frozenset(token for token, count in counts.items() if count >= enough)

    def _fresh(self) -> int:
        """Return the new tokens of a chunk: one place is the joining token's where a prompt takes several."""
        return 1 if self.way.tokens == 1 else self.way.tokens - 1


def read_width(api: TokenApi, opening: Opening, plan: Plan, told: Progress = lambda what, done, total: None) -> Reading:
    """Grow the table through `opening` until the width shows, the plan's end is reached or the limits are spent."""
    if opening.way is None:
        return Reading(opening, None, 0, None, complete=True)
    table = Table(opening.way, plan.seed)
    with _remembered(table, plan.kept, api) as note:
        found, size, complete = _read(api, table, plan, note, told)
    return Reading(opening, found, size, digits_of(table.matrix()), complete, table.before)


def _read(api: TokenApi, table: Table, plan: Plan, note: Note, told: Progress) -> tuple[Width | None, int, bool]:
    """Return the width, the prompts of the last table, and whether it was not the limits that ended it."""
    found, size = None, plan.smallest
    while True:
        whole = _grown(api, table, size, plan, note, told)
        matrix = table.matrix()
        found = width(matrix) if min(matrix.shape) >= 3 else found
        # The table before was smaller by a quarter: a width of less than half of this one would have shown then.
        if found is not None and found.dimension >= size / 2:
            return found, size, True
        if not whole or size >= plan.widest * 1.25 or min(matrix.shape) < 3:
            found = None if found is None else Width(0, found.fall, found.prompts, found.tokens, found.values)
            return found, size, whole
        size = max(size + plan.smallest, size * 5 // 4)


def digits_of(matrix: np.ndarray) -> int | None:
    """Return how many digits after the point the numbers keep to, 0 to 5; None for more or no numbers."""
    for digits in range(6):
        scaled = matrix * 10.0**digits
        if matrix.size and np.abs(scaled - scaled.round()).max() < 1e-6 * 10.0**digits:
            return digits
    return None


def prompt_of(row: int, seed: int) -> str:
    """Return the prompt of a row: four letters, some two tokens, that no other row has."""
    number = (row * 7919 + seed) % 26**4  # 7919 and 26 have no factor in common: no number comes twice
    return "".join(chr(ord("a") + number // 26**place % 26) for place in range(4))


def _line(told: dict[str, float], tokens: frozenset[str], join: str) -> list[float]:
    base = told[join] if join else 0.0
    return [told[token] - base for token in sorted(tokens) if token != join]


def _grown(api: TokenApi, table: Table, size: int, plan: Plan, note: Note, told: Progress) -> bool:
    """Ask what is missing of `size` prompts and tokens; False where the limits ended it."""
    every = [(row, chunk) for row in range(size) for chunk in range(table.chunks(size))]
    missing = [cell for cell in every if cell not in table.cells]

    def asked(cell: Cell) -> Said | Failed | None:
        if not api.left():
            return None
        row, chunk = cell
        return api.ask(prompt_of(row, plan.seed), table.way.top, table.ids(chunk), table.way.words)

    for start in range(0, len(missing), _BATCH):
        batch = missing[start : start + _BATCH]
        told(f"table of {size} prompts", len(every) - len(missing) + start, len(every))
        with ThreadPoolExecutor(plan.jobs) as pool:
            answers = list(pool.map(asked, batch))
        whole = True
        new: dict[Cell, dict[str, float]] = {}
        for cell, got in zip(batch, answers, strict=True):
            if got is None or (isinstance(got, Failed) and got.status == SPENT):
                whole = False
            elif isinstance(got, Failed) and (got.status in (0, 401, 429) or got.status >= 500):
                note(new)
                raise UpstreamFailed(f"{api.base}: {got.why}", hint="Answers are kept: the same command goes on.")
            else:
                new[cell] = table.cells[cell] = table.take(got) if isinstance(got, Said) else {}
        note(new)
        if not whole:
            return False
    told(f"table of {size} prompts", len(every), len(every))
    return True


@contextmanager
def _remembered(table: Table, kept: Path | None, api: TokenApi) -> Iterator[Note]:
    """Read the answers that are kept and yield what keeps others; a line that was cut short is asked again."""
    if kept is None:
        yield lambda new: None
        return
    kept.parent.mkdir(parents=True, exist_ok=True)
    for line in kept.read_text(encoding="utf-8").splitlines() if kept.exists() else ():
        try:
            _recall(table, json.loads(line))
        except (ValueError, TypeError):
            continue
    with kept.open("a", encoding="utf-8") as file:
        written = Cost()

        def note(new: dict[Cell, dict[str, float]]) -> None:
            nonlocal written
            now = api.cost
            lines: list[object] = [[*cell, values] for cell, values in new.items()]
            file.write("".join(json.dumps(line) + "\n" for line in [*lines, asdict(now.less(written))]))
            file.flush()
            written = now

        try:
            yield note
        finally:
            note({})


def _recall(table: Table, line: Any) -> None:
    """Take in one line: what was spent, or a cell. Raises ValueError or TypeError for one that is neither."""
    if isinstance(line, dict):
        table.before = table.before.plus(Cost(**line))
        return
    row, chunk, values = line
    table.cells[row, chunk] = values
    if not table.way.biased:
        table.columns = table.columns or frozenset(values)
