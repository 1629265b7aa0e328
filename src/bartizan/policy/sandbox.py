"""Runs code that a model wrote, as a tool: an interpreter of a part of Python, in a process of its own.

Promise: the code reaches no file, no network, no environment and no module of the host. It reaches the host functions
that it is given, and each call of one is decided like any tool call, with what earlier calls of the same code returned
counted as read. Values that the code made up or encoded stand nowhere, so they name nobody. Time, memory, calls and
output are bounded; whatever goes beyond is refused with a reason. The interpreter is pydantic-monty (`pip install
'bartizan[sandbox]'`); it is young: what it promises is its authors' word, and that it runs in a process of its own
contains a crash, not an escape into that process. Does not run commands or CPython code.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import TracebackType
from typing import TYPE_CHECKING, Any, Literal, Self

from bartizan.core.errors import BadRequest, BadSettings
from bartizan.core.messages import Message, Role, Text, ToolCall, ToolResult, ToolSpec, Trust
from bartizan.policy.advice import told
from bartizan.policy.context import Context
from bartizan.policy.decide import Decision, decide
from bartizan.policy.manifest import properties

if TYPE_CHECKING:
    pass

Reason = Literal[
    "ok", "syntax", "time-limit", "memory-limit", "call-limit", "output-limit", "not-available", "denied", "error"
]
_GRACE_S = 1.0


@dataclass(frozen=True, slots=True)
class Limits:
    """What one run may use."""

    seconds: float = 2.0
    """Running time of the code; waiting for host functions is not counted."""
    memory_bytes: int = 64 * 2**20
    calls: int = 50
    output_chars: int = 20_000
    """Of what it prints, and of its result as JSON."""
    code_chars: int = 50_000


@dataclass(frozen=True, slots=True)
class HostFunction:
    """A function that the code may call, described as a tool; `run` takes keyword arguments, returns a JSON value."""

    spec: ToolSpec
    run: Callable[..., Any]


@dataclass(frozen=True, slots=True)
class Ran:
    """What came of a run. `value` counts only when `reason` is ok; `context` holds what host functions returned."""

    reason: Reason
    why: str
    value: Any
    printed: str
    decisions: tuple[Decision, ...]
    context: Context


class Sandbox:
    """Runs code with some host functions. Use it in a `with`: it holds the interpreter's process."""

    def __init__(self, functions: Mapping[str, HostFunction] | None = None, limits: Limits = Limits()) -> None:
        """Offer `functions` by name. Raises BadSettings when the interpreter is not installed."""
        try:
            from pydantic_monty import Monty
        except ImportError as error:
            raise BadSettings(
                "the sandbox's interpreter, pydantic-monty, is not installed", hint="pip install 'bartizan[sandbox]'"
            ) from error
        self._functions, self._limits = dict(functions or {}), limits
        self._pool: Monty = Monty(request_timeout=limits.seconds + _GRACE_S, max_checkouts_per_worker=1)

    def __enter__(self) -> Self:
        """Start the interpreter."""
        self._pool.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End it."""
        self._pool.__exit__(kind, error, trace)

    def run(self, code: str, context: Context, inputs: Mapping[str, Any] | None = None) -> Ran:
        """Run `code` with `inputs` as names. What the conversation says is in `context`. Raises BadRequest.

        Whatever the code does becomes a `Ran`; inputs that are no JSON values are the caller's mistake.
        """
        limits, running = self._limits, _Running(self._functions, context, self._limits)
        if len(code) > limits.code_chars:
            return running.ended("error", f"{len(code)} characters of code: expected at most {limits.code_chars}")
        try:
            given = json.loads(json.dumps(dict(inputs or {})))
        except (TypeError, ValueError, RecursionError) as error:
            raise BadRequest(f"inputs: expected JSON values: {error}") from error
        return self._ran(code, given, running)

    def _ran(self, code: str, given: dict[str, Any], running: "_Running") -> Ran:
        import pydantic_monty as monty

        limits = self._limits
        bounds: monty.ResourceLimits = {
            "max_feed_duration_secs": limits.seconds,
            "max_memory": limits.memory_bytes,
            "max_suspensions": 4 * limits.calls + 100,  # names that are looked up count too
            "max_recursion_depth": 200,
        }
        policy: monty.OSPolicy = {"sleep": "zero"}
        try:
            with self._pool.checkout(limits=bounds, os_policy=policy) as session:
                names: dict[str, Any] = {name: running.bound(name) for name in self._functions}
                value = session.feed_run(code, inputs=given, external_lookup=names, print_callback=running.print)
        except monty.MontySyntaxError as error:
            return running.ended("syntax", str(error))
        except monty.MontyCrashedError as error:
            return running.ended("time-limit" if error.timed_out else "error", "the interpreter's process was ended")
        except monty.MontyRuntimeError as error:
            return running.ended(*running.reason_of(str(error)))
        except monty.MontyError as error:
            return running.ended("error", str(error))
        return running.finished(value)


@dataclass(slots=True)
class _Running:
    """One run: what it called, printed and read so far."""

    functions: Mapping[str, HostFunction]
    context: Context
    limits: Limits
    decisions: list[Decision] = field(default_factory=list)
    printed: str = ""
    over: Reason | None = None
    """The limit of ours that was reached."""

    def bound(self, name: str) -> Callable[..., Any]:
        """Return what the code calls under `name`."""
        return lambda *given, **named: self.call(name, given, named)

    def call(self, name: str, given: tuple[Any, ...], named: dict[str, Any]) -> Any:
        """Decide a call of a host function, make it if it may be, and count its result as read."""
        if len(self.decisions) >= self.limits.calls:
            self.over = "call-limit"
            raise RuntimeError(f"more than {self.limits.calls} calls of host functions")
        function = self.functions[name]
        order = list(properties(function.spec.schema))
        if len(given) > len(order) or set(order[: len(given)]) & set(named):
            raise TypeError(f"{name}() takes {', '.join(order) or 'no arguments'}")
        arguments = {**dict(zip(order, given, strict=False)), **named}
        try:
            text = json.dumps(arguments, allow_nan=False)
        except (TypeError, ValueError, RecursionError):
            raise TypeError(f"{name}(): expected JSON values as arguments") from None
        call = ToolCall(f"code_{len(self.decisions)}", name, text)
        offered = {**self.context.tools, name: function.spec}
        context = self.context.offering(offered)
        decision = decide(call, context)
        self.decisions.append(decision)
        if decision.verdict in ("ask", "block"):
            raise PermissionError(told(decision, offered))
        made = json.loads(decision.arguments) if decision.arguments is not None else arguments
        value = function.run(**made)
        said = json.dumps(value)
        result = ToolResult(call.id, Text(said, Trust.TOOL, f"code, call {len(self.decisions)}"))
        messages = (Message(Role.ASSISTANT, (call,)), Message(Role.TOOL, (result,)))
        self.context = context.followed_by(messages)
        return json.loads(said)

    def print(self, stream: str, text: str) -> None:
        """Take what the code prints, up to the limit."""
        room = self.limits.output_chars - len(self.printed)
        self.printed += text[:room]
        if len(text) > room:
            self.over = "output-limit"
            raise RuntimeError(f"{stream}: more than {self.limits.output_chars} characters")

    def reason_of(self, said: str) -> tuple[Reason, str]:
        """Return what an error of the interpreter means."""
        if self.over is not None:
            return self.over, said
        for start, reason in _MEANS:
            if said.startswith(start):
                return reason, said
        return "error", said

    def finished(self, value: Any) -> Ran:
        """Return the result of code that came to its end, if it is a JSON value within the limit."""
        try:
            text = json.dumps(value, allow_nan=False)
        except (TypeError, ValueError, RecursionError):
            return self.ended("error", f"the result is a {type(value).__name__}: expected a JSON value")
        if self.over is not None or len(text) > self.limits.output_chars:
            return self.ended(self.over or "output-limit", "more output than the limit")
        return Ran("ok", "", json.loads(text), self.printed, tuple(self.decisions), self.context)

    def ended(self, reason: Reason, why: str) -> Ran:
        """Return that the code did not come to its end."""
        return Ran(reason, why[:2000], None, self.printed, tuple(self.decisions), self.context)


_MEANS: tuple[tuple[str, Reason], ...] = (
    ("TimeoutError: feed time limit", "time-limit"),
    ("TimeoutError: time limit", "time-limit"),
    ("MemoryError", "memory-limit"),
    ("RecursionError", "memory-limit"),
    ("PermissionError: Denied by policy", "denied"),
    ("PermissionError", "not-available"),
    ("ModuleNotFoundError", "not-available"),
    ("ImportError", "not-available"),
    ("NameError", "not-available"),
    ("NotImplementedError", "not-available"),
    ("RuntimeError: 'os.", "not-available"),
)
"""How the interpreter's errors begin."""
