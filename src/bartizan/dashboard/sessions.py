"""Who is signed in, and how often a wrong password may be tried. In memory: a restart signs everybody out."""

import secrets
from dataclasses import dataclass

from bartizan.core.clock import Clock
from bartizan.dashboard.people import Person

FREE_TRIES = 5
_LONGEST_S = 900.0
_MOST = 10_000


@dataclass(slots=True)
class Session:
    """One sign-in. `token` is the cookie, `csrf` is in every form."""

    token: str
    csrf: str
    name: str
    person: Person | None
    """Who that is, when no account says so: somebody an identity provider vouched for."""
    began_ns: int
    seen_ns: int


class Sessions:
    """The open sessions. A token is made at sign-in and never before, so none can be planted (session fixation)."""

    def __init__(self, clock: Clock, *, idle_s: float, longest_s: float) -> None:
        """End a session after `idle_s` without a request and after `longest_s` in any case."""
        self._clock, self._idle_s, self._longest_s = clock, idle_s, longest_s
        self._open: dict[str, Session] = {}

    def begin(self, who: Person) -> Session:
        """Sign `who` in."""
        now = self._clock.monotonic_ns()
        self._open = {token: one for token, one in self._open.items() if not self._over(one)}
        while len(self._open) >= _MOST:
            self.end(next(iter(self._open)))
        session = Session(
            secrets.token_urlsafe(32), secrets.token_urlsafe(32), who.name, None if who.password else who, now, now
        )
        self._open[session.token] = session
        return session

    def find(self, token: str) -> Session | None:
        """Return the open session of `token` and note that it was used."""
        session = self._open.get(token)
        if session is None:
            return None
        if self._over(session):
            self.end(token)
            return None
        session.seen_ns = self._clock.monotonic_ns()
        return session

    def end(self, token: str) -> None:
        """Sign out."""
        self._open.pop(token, None)

    def _over(self, session: Session) -> bool:
        now = self._clock.monotonic_ns()
        return now - session.seen_ns > self._idle_s * 1e9 or now - session.began_ns > self._longest_s * 1e9


class Throttle:
    """Makes guessing slow: after five failures the wait doubles with each, up to a quarter of an hour.

    Counted for each name and for each address; the right password within the wait is refused as well.
    """

    def __init__(self, clock: Clock) -> None:
        """Start with nobody waiting."""
        self._clock = clock
        self._failures: dict[str, tuple[int, int]] = {}

    def wait_s(self, *keys: str) -> float:
        """Return how long whoever comes under one of `keys` must still wait; 0 when not at all."""
        return max(0.0, *(self._wait_of(key) for key in keys))

    def failed(self, *keys: str) -> None:
        """Note a wrong password."""
        if len(self._failures) > _MOST:
            self._failures = {key: one for key, one in self._failures.items() if self._wait_of(key) > 0}
        for key in keys:
            count, _ = self._failures.get(key, (0, 0))
            self._failures[key] = (count + 1, self._clock.monotonic_ns())

    def passed(self, *keys: str) -> None:
        """Forget the failures of whoever signed in."""
        for key in keys:
            self._failures.pop(key, None)

    def _wait_of(self, key: str) -> float:
        count, last_ns = self._failures.get(key, (0, 0))
        if count < FREE_TRIES:
            return 0.0
        wait = min(2.0 ** min(count - FREE_TRIES, 20), _LONGEST_S)
        return max(0.0, wait - (self._clock.monotonic_ns() - last_ns) / 1e9)
