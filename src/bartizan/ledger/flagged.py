"""Flagged texts that wait for a person's label, in one private SQLite file apart from the log: they can be removed.

Nobody's name stands beside a text. An unlabelled text goes after `keep_days`, or when more than `most` are there; what
a person throws away is overwritten (`secure_delete`). The same text is kept once and counted.
"""

import hashlib
import sqlite3
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from bartizan.core.clock import Clock
from bartizan.core.errors import BadRequest, UpstreamFailed
from bartizan.core.sections.flagged import Flagged

LABELS = ("attack", "innocent")
_SCHEMA = """
CREATE TABLE IF NOT EXISTS flagged (
    id TEXT PRIMARY KEY, first_ns INTEGER NOT NULL, last_ns INTEGER NOT NULL, seen INTEGER NOT NULL,
    text TEXT NOT NULL, trust TEXT NOT NULL, rules TEXT NOT NULL, score REAL, verdict TEXT NOT NULL,
    label TEXT NOT NULL DEFAULT '', who TEXT NOT NULL DEFAULT '', labelled_ns INTEGER NOT NULL DEFAULT 0
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS flagged_open ON flagged (label, last_ns);
"""
_COLUMNS = "id, first_ns, last_ns, seen, text, trust, rules, score, verdict, label, who, labelled_ns"


@dataclass(frozen=True, slots=True)
class Seen:
    """One flagged text as the gateway saw it, with credentials already taken out."""

    text: str
    trust: str
    """Who could have chosen it, in words."""
    rules: str
    """The rules that flagged it, separated by spaces."""
    score: float | None
    verdict: str


@dataclass(frozen=True, slots=True)
class Kept:
    """One flagged text as it is kept. Times in nanoseconds since 1970; an empty `label` waits for one."""

    id: str
    first_ns: int
    last_ns: int
    seen: int
    text: str
    trust: str
    rules: str
    score: float | None
    verdict: str
    label: str
    who: str
    labelled_ns: int


class FlaggedTexts:
    """The file. Several processes may use it: the gateway adds, people label."""

    def __init__(self, section: Flagged, clock: Clock) -> None:
        """Open the file that `section` names, or make it. Raises UpstreamFailed when that cannot be done."""
        self._section, self._clock, self._lock = section, clock, threading.Lock()
        path = Path(section.file)
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.touch(mode=0o600, exist_ok=True)
            self._db = sqlite3.connect(path, isolation_level=None, check_same_thread=False, timeout=5)
            self._db.execute("PRAGMA secure_delete = ON")
            self._db.executescript(_SCHEMA)
        except (OSError, sqlite3.Error) as error:
            raise UpstreamFailed(f"flagged.file = {path}: cannot be opened: {error}") from error

    def add(self, found: Sequence[Seen]) -> None:
        """Keep texts, the same one once, and remove what is too old or too many. Raises UpstreamFailed."""
        now = self._clock.wall_ns()
        rows = [(_id(one.text), now, now, one.text, one.trust, one.rules, one.score, one.verdict) for one in found]
        with self._writing():
            self._db.executemany(
                "INSERT INTO flagged (id, first_ns, last_ns, seen, text, trust, rules, score, verdict) "
                "VALUES (?, ?, ?, 1, ?, ?, ?, ?, ?) "
                "ON CONFLICT (id) DO UPDATE SET seen = seen + 1, last_ns = excluded.last_ns",
                rows,
            )
            self._sweep(now)

    def waiting(self, most: int = 200) -> list[Kept]:
        """Return what waits for a label, the one seen most often first. Raises UpstreamFailed."""
        return self._rows("WHERE label = '' ORDER BY seen DESC, last_ns DESC LIMIT ?", most)

    def labelled(self, most: int = 1_000_000) -> list[Kept]:
        """Return what has a label, the latest first. Raises UpstreamFailed."""
        return self._rows("WHERE label != '' ORDER BY labelled_ns DESC, id LIMIT ?", most)

    def get(self, named: str) -> Kept:
        """Return one text. Raises BadRequest when it is not there any more."""
        found = self._rows("WHERE id = ? LIMIT 1", named)
        if not found:
            raise BadRequest(f"flagged text {named[:40]!r} is not there any more")
        return found[0]

    def label(self, named: str, label: str, who: str) -> None:
        """Say what a text is; again if the first label was wrong. Raises BadRequest."""
        if label not in LABELS:
            raise BadRequest(f"label = {label!r}: expected one of {', '.join(LABELS)}")
        self.get(named)
        with self._writing():
            self._db.execute(
                "UPDATE flagged SET label = ?, who = ?, labelled_ns = ? WHERE id = ?",
                (label, who, self._clock.wall_ns(), named),
            )

    def remove(self, named: str) -> None:
        """Throw a text away. Raises BadRequest when it is not there any more."""
        self.get(named)
        with self._writing():
            self._db.execute("DELETE FROM flagged WHERE id = ?", (named,))

    def close(self) -> None:
        """Close the file."""
        self._db.close()

    def _sweep(self, now: int) -> None:
        oldest = now - int(self._section.keep_days * 86400e9)
        self._db.execute("DELETE FROM flagged WHERE label = '' AND last_ns < ?", (oldest,))
        self._db.execute(
            "DELETE FROM flagged WHERE id IN (SELECT id FROM flagged WHERE label = '' ORDER BY last_ns, id LIMIT "
            "max(0, (SELECT count(*) FROM flagged WHERE label = '') - ?))",
            (self._section.most,),
        )

    def _rows(self, rest: str, *values: object) -> list[Kept]:
        try:
            with self._lock:
                # The rest is one of the four texts above, never a caller's.
                found = self._db.execute(f"SELECT {_COLUMNS} FROM flagged {rest}", values).fetchall()  # noqa: S608
        except sqlite3.Error as error:
            raise UpstreamFailed(f"flagged.file = {self._section.file}: cannot be read: {error}") from error
        return [Kept(*row) for row in found]

    @contextmanager
    def _writing(self) -> Iterator[None]:
        try:
            with self._lock:
                self._db.execute("BEGIN IMMEDIATE")
                try:
                    yield
                    self._db.execute("COMMIT")
                except BaseException:
                    self._db.execute("ROLLBACK")
                    raise
        except sqlite3.Error as error:
            raise UpstreamFailed(f"flagged.file = {self._section.file}: cannot be written: {error}") from error


def _id(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:32]
