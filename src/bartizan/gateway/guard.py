"""The output controls over one answer, guarded: one that crashes or is late closes the answer."""

from collections.abc import Callable, Sequence
from functools import cached_property

from bartizan.core.clock import Clock
from bartizan.core.errors import UpstreamFailed
from bartizan.core.findings import Finding, Severity
from bartizan.core.messages import Usage
from bartizan.gateway.hearing import Hearing
from bartizan.gateway.output.base import Active
from bartizan.gateway.rulings import Asking, Decide
from bartizan.gateway.stream import Holdback
from bartizan.gateway.whole import screen_whole
from bartizan.gateway.wires.base import REFUSAL, Reader


class OutputGuard:
    """Screens one answer. `blocked` says why it was stopped; `ended` that nothing more is to come.

    `waiting` says that a person is being asked about a call: `resume` a stream, or screen `whole` again, for an answer.
    """

    def __init__(
        self,
        reader: Reader,
        active: Sequence[Active],
        decide: Decide | None,
        clock: Clock,
        *,
        timeout_s: float = 2.0,
        fail_open: bool = False,
    ) -> None:
        """Screen with `active`; with `fail_open` a failing control ends the screening, not the answer."""
        self._reader = reader
        self._active = active
        self._decide = decide
        self._clock = clock
        self._timeout_s = timeout_s
        self._fail_open = fail_open
        self._broken = False
        self._announced: set[str] = set()
        self.asking: Asking | None = None
        """Asks people about calls and notes those that leave, where `decide` can."""
        self.heard: Hearing | None = None
        """Hears what leaves, if anybody wants to know."""
        self.told: Callable[[Hearing], None] | None = None
        """Takes what was heard once the answer has left."""
        self.findings: list[Finding] = []
        self.blocked = ""
        self.redacted = 0
        self.usage: Usage | None = None
        self.finish = ""
        self.ended = False
        self.waiting = False

    @cached_property
    def _stream(self) -> Holdback:
        """What holds a stream back; a whole answer needs none."""
        stream = Holdback(self._reader, self._active, self._decide)
        stream.findings, stream.heard = self.findings, self.heard
        return stream

    def whole(self, body: bytes) -> bytes:
        """Return a complete answer as it may be handed on; look at `blocked` first."""
        began = self._clock.monotonic_ns()
        if self.asking is not None:
            self.asking.again()
        try:
            outcome = screen_whole(self._reader, self._active, body, self._decide, self.heard)
            self._check_time(began)
        except Exception as error:  # noqa: BLE001 - a control may fail in any way; none may open the gate
            return self._failed(error, body, b"")
        self.findings, self.blocked, self.redacted = outcome.findings, outcome.blocked, outcome.redacted
        self.usage, self.finish, self.waiting = outcome.usage, outcome.finish, outcome.waiting and not outcome.blocked
        return outcome.body

    def feed(self, data: bytes) -> bytes:
        """Return the bytes of a stream that may go on now."""
        return self._step(self._stream.feed, data)

    def end(self) -> bytes:
        """Return what is left of a stream."""
        out = self._step(lambda _: self._stream.end(), b"")
        self.ended = True
        return out

    def resume(self) -> bytes:
        """Return the bytes of a stream that may go on now that there may be an answer to what was asked."""
        return self._step(lambda _: self._stream.resume(), b"")

    async def answered(self) -> None:
        """Return once there is an answer to what was asked, or no time left to wait for one."""
        if self.asking is not None:
            await self.asking.answered()

    async def announced(self) -> None:
        """Note the calls that leave with the bytes that may go on now. Raises BadEvidence when that cannot be kept."""
        if self.asking is None or self.blocked:
            return
        new = {key: call for key, call in self._reader.rulings.passed.items() if key not in self._announced}
        self._announced.update(new)
        await self.asking.leave(list(new.values()))

    def remembered(self) -> None:
        """Hand over what was heard of the answer."""
        if self.heard is not None and self.told is not None:
            self.told(self.heard)

    @property
    def denied(self) -> int:
        """Return how many calls a text stands in place of."""
        return len(self._reader.rulings.denied)

    def discard(self, data: bytes) -> None:
        """Take bytes of a stream that go to nobody: only the bill in them is of interest."""
        self._stream.discard(data)
        self.usage = self._stream.usage

    def _step(self, work: Callable[[bytes], bytes], data: bytes) -> bytes:
        if self._broken:
            return data
        began = self._clock.monotonic_ns()
        try:
            out = work(data)
            self._check_time(began)
        except UpstreamFailed:
            raise
        except Exception as error:  # noqa: BLE001 - a control may fail in any way; none may open the gate
            return self._failed(error, self._stream.flush(), self._reader.cut(REFUSAL))
        stream = self._stream
        self.blocked, self.redacted = stream.blocked, stream.redacted
        self.usage, self.finish = stream.usage, stream.finish
        self.waiting = stream.waiting
        self.ended = bool(stream.blocked) or (stream.last and not stream.waiting)
        return out

    def _check_time(self, began_ns: int) -> None:
        if self._clock.monotonic_ns() - began_ns > self._timeout_s * 1e9:
            raise TimeoutError

    def _failed(self, error: Exception, passed: bytes, closed: bytes) -> bytes:
        late = isinstance(error, TimeoutError)
        what = f"took more than {self._timeout_s:g} s" if late else f"crashed with {type(error).__name__}"
        rule = "control-timeout" if late else "control-failed"
        self.findings.append(Finding(rule, Severity.HIGH, f"an output control {what}", "output"))
        self._broken, self.waiting = True, False
        if self._fail_open:
            return passed
        self.blocked, self.ended = self.findings[-1].why, True
        return closed
