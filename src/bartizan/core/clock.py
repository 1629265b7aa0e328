"""The only place that reads the time. Everything else takes a `Clock`, so that tests decide what time it is."""

import time
from dataclasses import dataclass
from typing import Protocol


class Clock(Protocol):
    """Wall time for records, monotonic time for durations."""

    def wall_ns(self) -> int:
        """Return nanoseconds since 1970-01-01 UTC."""
        ...

    def monotonic_ns(self) -> int:
        """Return nanoseconds from an arbitrary start; never goes back."""
        ...


class SystemClock:
    """The machine's own clock."""

    def wall_ns(self) -> int:
        """Return nanoseconds since 1970-01-01 UTC."""
        return time.time_ns()

    def monotonic_ns(self) -> int:
        """Return nanoseconds from an arbitrary start; never goes back."""
        return time.monotonic_ns()


@dataclass
class StoppedClock:
    """A clock that moves only when told to. The shipped double for tests and simulations."""

    ns: int = 1_700_000_000_000_000_000

    def wall_ns(self) -> int:
        """Return the time it was set to."""
        return self.ns

    def monotonic_ns(self) -> int:
        """Return the same time: here wall and monotonic time agree."""
        return self.ns

    def advance(self, seconds: float) -> None:
        """Move forward by `seconds` (≥ 0)."""
        if seconds < 0:
            raise ValueError(f"seconds = {seconds}: expected 0 or more, time does not go back")
        self.ns += round(seconds * 1e9)
