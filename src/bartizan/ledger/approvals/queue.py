"""The queue of held calls: ask, answer once, use an approval once; endorse for later, revoke.

Answers are the caller's to record in the ledger, before they count here; this file holds the values that the ledger
must not. Thread-safe; several processes may use one database.
"""

import secrets
import threading
from collections.abc import Sequence
from pathlib import Path

import msgspec

from bartizan.core.clock import Clock
from bartizan.core.errors import BadRequest, Refused
from bartizan.core.sections.approvals import Approvals as Section
from bartizan.ledger.approvals.base import Endorsed, Held, Question, Rows
from bartizan.ledger.approvals.postgres import PostgresRows
from bartizan.ledger.approvals.sqlite import SqliteRows

KEPT_S = 30 * 86400
"""How long what was asked is kept after it could still be answered; then the values in it are gone."""
LONGEST_S = 365 * 86400
_POSTGRES = ("postgresql://", "postgres://")
_HELD = "SELECT question, state, who, why, answered_ns, used_ns FROM held"
_question = msgspec.json.Decoder(Question).decode
_endorsed = msgspec.json.Decoder(Endorsed).decode


class Queue:
    """Questions, answers and endorsements over the rows of one database."""

    def __init__(self, rows: Rows, clock: Clock) -> None:
        """Use `rows`."""
        self._rows, self._clock, self._lock = rows, clock, threading.Lock()

    @staticmethod
    def configured(section: Section, clock: Clock) -> "Queue":
        """Open the queue that the settings name. Raises BadSettings, BadEvidence."""
        if section.database.startswith(_POSTGRES):
            return Queue(PostgresRows(section.database), clock)
        return Queue(SqliteRows(Path(section.database)), clock)

    def ask(self, question: Question, most_waiting: int = 2**31) -> tuple[Held, bool]:
        """Return the question as it stands, and whether it is new: the same one is asked once while it is alive.

        Raises Refused when its caller has `most_waiting` open ones already.
        """
        now = self._clock.wall_ns()
        with self._lock, self._rows.writing():
            self._rows.run("DELETE FROM held WHERE until_ns < ?", (now - KEPT_S * 10**9,))
            query = f"{_HELD} WHERE key = ? ORDER BY at_ns DESC LIMIT 1"
            known = [held for row in self._rows.run(query, (question.key,)) if (held := _held(row)).alive(now)]
            if known:
                return known[0], False
            count = "SELECT count(*) FROM held WHERE state = 'waiting' AND principal = ? AND until_ns >= ?"
            if int(self._rows.run(count, (question.principal, now))[0][0]) >= most_waiting:
                raise Refused(f"{most_waiting} questions of this caller wait for a person already")
            one = (question.id, question.key, question.principal, question.at_ns, question.until_ns)
            self._rows.run(
                "INSERT INTO held VALUES (?, ?, ?, ?, ?, ?, 'waiting', '', '', 0, 0)",
                (*one, msgspec.json.encode(question)),
            )
        return Held(question), True

    def find(self, id_: str) -> Held:
        """Return one question. Raises BadRequest when there is none."""
        with self._lock:
            found = self._rows.run(f"{_HELD} WHERE id = ?", (id_,))
        if not found:
            raise BadRequest(f"no held call is called {id_!r}", hint="`bartizan approvals list` shows all.")
        return _held(found[0])

    def listed(self, *, everything: bool = False, most: int = 500) -> list[Held]:
        """Return the open questions, the oldest first; with `everything` then the others, the latest first."""
        now = self._clock.wall_ns()
        open_ = f"{_HELD} WHERE state = 'waiting' AND until_ns >= ? ORDER BY at_ns, id LIMIT ?"
        other = f"{_HELD} WHERE NOT (state = 'waiting' AND until_ns >= ?) ORDER BY at_ns DESC, id LIMIT ?"
        with self._lock:
            rows = self._rows.run(open_, (now, most))
            if everything:
                rows += self._rows.run(other, (now, most))
        return [_held(row) for row in rows]

    def answerable(self, id_: str) -> Held:
        """Return a question that still waits. Raises BadRequest when it does not."""
        held = self.find(id_)
        state = held.now(self._clock.wall_ns())
        if state != "waiting":
            by = f" by {held.who}" if held.who else ""
            raise BadRequest(f"{id_} waits no more: it is {state}{by}")
        return held

    def answer(self, id_: str, *, approve: bool, who: str, why: str) -> Held:
        """Answer a question, once. Raises BadRequest when it waits no more, or without who and why."""
        if not who.strip() or not why.strip():
            raise BadRequest(f"{id_}: expected who answers and a reason; both go into the record")
        self.answerable(id_)
        now = self._clock.wall_ns()
        state = "approved" if approve else "denied"
        update = (
            "UPDATE held SET state = ?, who = ?, why = ?, answered_ns = ? "
            "WHERE id = ? AND state = 'waiting' AND until_ns >= ? RETURNING id"
        )
        with self._lock, self._rows.writing():
            done = self._rows.run(update, (state, who, why, now, id_, now))
        if not done:
            self.answerable(id_)  # says what happened in between
        return self.find(id_)

    def use(self, id_: str) -> bool:
        """Use an approval: true once, and only while it holds."""
        now = self._clock.wall_ns()
        update = (
            "UPDATE held SET used_ns = ? WHERE id = ? AND state = 'approved' AND used_ns = 0 AND until_ns >= ? "
            "RETURNING id"
        )
        with self._lock, self._rows.writing():
            return bool(self._rows.run(update, (now, id_, now)))

    def check(self, endorsed: Endorsed) -> None:
        """Raise BadRequest when an endorsement does not say of what, for how long, by whom and why."""
        lasts = endorsed.until_ns - self._clock.wall_ns()
        if not 0 < lasts <= LONGEST_S * 10**9:
            raise BadRequest("an endorsement ends within a year: expected more than 0 and at most 8760 hours")
        if bool(endorsed.value) == bool(endorsed.document):
            raise BadRequest("an endorsement is of one value or of one document")
        if not endorsed.who.strip() or not endorsed.why.strip():
            raise BadRequest("an endorsement needs who gives it and a reason; both go into the record")

    def endorse(self, endorsed: Endorsed) -> None:
        """Keep a person's yes for later. Raises BadRequest as `check` does."""
        self.check(endorsed)
        with self._lock, self._rows.writing():
            one = (endorsed.id, endorsed.until_ns, msgspec.json.encode(endorsed))
            self._rows.run("INSERT INTO endorsed VALUES (?, ?, ?, 0)", one)

    def endorsements(self) -> list[Endorsed]:
        """Return those that count now, the latest first."""
        query = "SELECT body FROM endorsed WHERE revoked_ns = 0 AND until_ns >= ? ORDER BY until_ns, id"
        with self._lock:
            found = self._rows.run(query, (self._clock.wall_ns(),))
        return sorted((_endorsed(bytes(row[0])) for row in found), key=lambda one: -one.at_ns)

    def endorsement(self, id_: str) -> Endorsed:
        """Return one that counts. Raises BadRequest when there is none."""
        found = next((one for one in self.endorsements() if one.id == id_), None)
        if found is None:
            raise BadRequest(f"no endorsement that counts is called {id_!r}", hint="`bartizan approvals list --all`.")
        return found

    def revoke(self, id_: str) -> Endorsed:
        """Let an endorsement count no more. Raises BadRequest when none of this id counts."""
        found = self.endorsement(id_)
        with self._lock, self._rows.writing():
            self._rows.run("UPDATE endorsed SET revoked_ns = ? WHERE id = ?", (self._clock.wall_ns(), id_))
        return found

    def close(self) -> None:
        """Let go of the database."""
        with self._lock:
            self._rows.close()


def new_id() -> str:
    """Return a short id that nobody can guess."""
    return secrets.token_hex(6)


def _held(row: Sequence[object]) -> Held:
    question, *rest = row
    return Held(_question(bytes(question)), *rest)  # type: ignore[call-overload, arg-type]
