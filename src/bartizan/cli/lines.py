"""Progress where no terminal shows a bar: a line on standard error now and then, calm enough for a log."""

import sys
import time
from collections.abc import Callable

EVERY_S = 15.0


class Lines:
    """Prints how far work has come every `EVERY_S` seconds, and at once what `telling` says is worth a line."""

    def __init__(
        self,
        telling: Callable[[str, str], bool] = lambda _what, _before: False,
        *,
        first_s: float = EVERY_S,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        """Print the first line after `first_s` seconds; `telling` hears the name of the work and of that before."""
        self._telling, self._now = telling, now
        self._what, self._last_s = "", now() - EVERY_S + first_s

    def told(self, what: str, done: int, total: int) -> None:
        """Hear that `done` of `total` are done of `what`; a total of 0 is not known."""
        now_s = self._now()
        if self._telling(what, self._what) or now_s - self._last_s >= EVERY_S:
            self._last_s = now_s
            print(f"{what} {done}/{total}" if total else f"{what} {done}", file=sys.stderr, flush=True)
        self._what = what
