"""Runs a pickle on paper: every opcode on a stack of descriptions, never of objects. What would be called is named.

The memo is exact. What a value is not known to be is `Other`, and calling that is hostile. Whatever CPython's two
unpicklers disagree about (an opcode across a frame's end) is hostile too. Not decided here: whether allowed classes
are wise to load; that is for review.
"""

import gc
import struct
from collections.abc import Iterator
from dataclasses import dataclass, field

from bartizan.core.findings import Finding, Severity
from bartizan.supply import calls
from bartizan.supply.allowed import is_known, tier
from bartizan.supply.base import Budget, LimitReached, unreadable
from bartizan.supply.machine import LARGEST_WEIGHT, NO_FRAME, STEPS, Machine
from bartizan.supply.opcodes import LONG, Broken, Op
from bartizan.supply.values import Global, Made, Other, Persistent, Pile, Value, shortened

_NAMES = frozenset({"BINBYTES", "SHORT_BINBYTES", "BINBYTES8", "BYTEARRAY8"})
_PLAIN = frozenset({"INT", "LONG", "LONG1", "LONG4", "STRING", "UNICODE", "BINUNICODE8", "FLOAT"})
_OLD_TEXT = frozenset({"BINSTRING", "SHORT_BINSTRING"})
_OLD_FIRST, _STOP = b"c(]}", ord(".")
"""How a pickle of the first two protocols begins and ends."""
_BATCH = 4096
"""Opcodes between two looks at the budget."""
_HELD = 12_000_000
"""Values on the stack and in the memo: about two gigabytes of descriptions."""


_CUT: dict[type[Exception], str] = {UnicodeDecodeError: "text that is no UTF-8"}


class _Stopped(Exception):
    """The stream is read to its end."""


@dataclass
class Walk(Machine):
    """One stream. After `run` it says what was found, what the stream is, and where it ended."""

    budget: Budget
    where: str
    torch: bool = False
    """Whether persistent ids are how this container refers to its tensors."""
    archive_types: bool = False
    """Whether names below `__torch__` are types whose code lies in the same archive (TorchScript)."""
    findings: list[Finding] = field(default_factory=list)
    globals: list[str] = field(default_factory=list)
    nested: list[memoryview] = field(default_factory=list)
    calls: int = 0
    """How many calls it would make."""
    result: Value = None

    def run(self) -> bool:
        """Walk to STOP. Return False when the stream breaks off; what came before it would still have run."""
        # Millions of descriptions live until the end: the collector would go through all of them again and again.
        collecting = gc.isenabled()
        gc.disable()
        try:
            return self._run()
        finally:
            if collecting:
                gc.enable()

    def _run(self) -> bool:
        data, steps = self.data, STEPS
        start = at = self.at
        try:
            while True:
                for _ in range(_BATCH):
                    start = at
                    at = steps[data[start]](self, start + 1)
                    if at > self.frame_end:
                        self._leave_frame(start, at)
                self.budget.spend("opcodes", _BATCH)
                if len(self.stack) + len(self.memo) + len(self.far) > _HELD:
                    raise LimitReached(f"more than {_HELD:,} values held at once")
        except _Stopped:
            self.at = self.end
            return True
        except (Broken, IndexError, struct.error, UnicodeDecodeError) as error:
            self.at = start
            why = str(error) if isinstance(error, Broken) else _CUT.get(type(error), "cut off inside an argument")
            self.findings.append(unreadable(f"the pickle breaks off at byte {start}: {why}", self.where))
            return False

    def _leave_frame(self, start: int, end: int) -> None:
        frame_end = self.frame_end
        if self.check_frame(start, end):
            why = f"opcode 0x{self.data[start]:02x} crosses the end of its frame at {frame_end}"
            self._hostile("pickle-frame-straddle", why)

    def heavy(self, pile: Pile) -> None:
        """Note that an object would come to more than LARGEST_WEIGHT values."""
        why = f"{pile} refers to the same objects so often that it comes to more than {LARGEST_WEIGHT:,} values"
        self._hostile("pickle-expansion", why)

    def bytes_seen(self, raw: memoryview) -> Value:
        """Return the description of a literal of bytes; what looks like a pickle is kept to be walked too."""
        if len(raw) >= 4 and ((raw[0] == 0x80 and 2 <= raw[1] <= 5) or (raw[0] in _OLD_FIRST and raw[-1] == _STOP)):
            self.nested.append(raw)
        return bytes(raw) if len(raw) <= LONG else Other("bytes")

    def rare(self, op: Op) -> None:
        """Do what one of the less frequent opcodes does."""
        if op.name in _NAMES:
            self.stack.append(self.bytes_seen(op.arg))
        elif op.name in _OLD_TEXT:
            self.stack.append(_old_text(op.arg, self))
        elif op.name in _PLAIN:
            long = isinstance(op.arg, memoryview) or (isinstance(op.arg, str) and len(op.arg) > LONG)
            self.stack.append(Other("text") if long else op.arg)
        elif op.name == "STOP":
            self.result = self.pop()
            raise _Stopped
        elif not (self._memo_step(op) or self._call_step(op)):
            self._rare_step(op)

    def _memo_step(self, op: Op) -> bool:
        match op.name:
            case "PUT":
                self.put(op.arg, self.top())
            case "GET":
                self.stack.append(self.get(op.arg))
            case "POP":
                self.pop()
            case "POP_MARK":
                self.to_mark()
            case "DUP":
                self.shared = True
                self.stack.append(self.top())
            case _:
                return False
        return True

    def fill_other(self, target: Value, what: str) -> None:
        """Judge items that are put into what is no container of this pickle."""
        if not (isinstance(target, Made) and calls.is_fillable(target)):
            why = f"{what} writes into {shortened(target)}, which is no container of this pickle"
            self._hostile("pickle-writes-into", why)

    def _call_step(self, op: Op) -> bool:
        match op.name:
            case "GLOBAL":
                self.stack.append(self._global(*op.arg))
            case "STACK_GLOBAL":
                name, module = self.pop(), self.pop()
                self.stack.append(self._global_of(module, name))
            case "INST":
                arguments = self.to_mark()
                self._call(self._global(*op.arg), arguments, op.name)
            case "OBJ":
                items = self.to_mark()
                if not items:
                    raise Broken("OBJ without a class")
                self._call(items[0], items[1:], op.name)
            case "REDUCE" | "NEWOBJ":
                arguments_, target = self.pop(), self.pop()
                self._call(target, _items(arguments_), op.name)
            case "NEWOBJ_EX":
                keywords, arguments_, target = self.pop(), self.pop(), self.pop()
                self._call(target, [*_items(arguments_), keywords], op.name)
            case "BUILD":
                self._build(self.pop())
            case _:
                return False
        return True

    def _rare_step(self, op: Op) -> None:
        match op.name:
            case "PROTO":
                if op.arg > 5:
                    raise Broken(f"protocol {op.arg}")
            case "FRAME":
                self._enter_frame(op)
            case "PERSID" | "BINPERSID":
                identity = self.pop() if op.name == "BINPERSID" else op.arg
                if not self.torch:
                    self._review("pickle-persistent-id", "refers to something outside of itself by a persistent id")
                self.stack.append(_module_class(identity) or Persistent(identity))
            case "EXT1" | "EXT2" | "EXT4":
                self._hostile("pickle-extension", f"{op.name} {op.arg}: a global by number, from an unknown list")
                self.stack.append(Other("extension"))
            case "NEXT_BUFFER":
                self._review("pickle-out-of-band", "refers to a buffer outside of itself")
                self.stack.append(Other("buffer"))
            case "READONLY_BUFFER":
                self.top()
            case _:
                raise Broken(f"opcode {op.name} is not understood")

    def _global_of(self, module: Value, name: Value) -> Value:
        if isinstance(module, str) and isinstance(name, str):
            return self._global(module, name)
        self._hostile(
            "pickle-computed-global", f"STACK_GLOBAL takes its name from {shortened(module)} and {shortened(name)}"
        )
        return Other("computed global")

    def _global(self, module: str, name: str) -> Global:
        found = Global(module, name)
        if found.full not in self.globals:
            self.globals.append(found.full)
            allowed = tier(module, name)
            if self._is_of_archive(found):
                pass
            elif allowed is None:
                self._hostile("pickle-global", f"names {found.full}, which is not on the list of allowed names")
            elif allowed == 1 and not is_known(module, name):
                self._review("pickle-class", f"holds an instance of {found.full}")
        return found

    def _is_of_archive(self, found: Global) -> bool:
        """Return whether a name means a type whose code lies in the same archive, and is judged there."""
        return self.archive_types and (found.module == "__torch__" or found.module.startswith("__torch__."))

    def _call(self, target: Value, arguments: list[Value], op: str) -> None:
        self.calls += 1
        if not isinstance(target, Global):
            self._hostile(
                "pickle-calls-value", f"{op} calls {shortened(target)}, which is not a global but made by this pickle"
            )
            self.stack.append(Other("result"))
            return
        made = Made(target, arguments)
        if self.shared:
            made.weight += sum(one.weight for one in arguments if isinstance(one, Pile | Made))
        for why in () if self._is_of_archive(target) else calls.objections(made, op):
            self._hostile("pickle-call", f"{op} would call {made}: {why}")
        if made.of.full == "torch.storage._load_from_bytes":
            self._hostile("pickle-loads-pickle", "unpickles bytes of its own without asking again")
        self.stack.append(made)

    def _build(self, state: Value) -> None:
        target = self.top()
        if isinstance(target, Made):
            target.state = state
            self._check_state(target, state)
            self._check_side_file(target, state)
            self._skip_array(target, state)
        elif isinstance(target, Global):
            self._hostile("pickle-patches", f"BUILD would set attributes of {target.full} itself")
        elif not isinstance(target, Pile):
            self._hostile("pickle-patches", f"BUILD would set attributes of {shortened(target)}")

    def _check_state(self, target: Made, state: Value) -> None:
        """A state is written into an object's attributes: names with two underscores change what the object is.

        A pair holds two such states, of which the second is set attribute by attribute.
        """
        for one in state.items[:2] if isinstance(state, Pile) and state.kind == "tuple" else [state]:
            keys = one.items[::2] if isinstance(one, Pile) and one.kind == "dict" else []
            for key in keys:
                if isinstance(key, str) and key.startswith("__"):
                    self._hostile("pickle-patches", f"BUILD would set {key[:60]!r} of {target.of}")

    def _check_side_file(self, target: Made, state: Value) -> None:
        """Old joblib files keep arrays in files beside them: in the same folder, by a plain name."""
        if target.of.full in ("joblib.numpy_pickle.NDArrayWrapper", "joblib.numpy_pickle.ZNDArrayWrapper"):
            name = state.get("filename") if isinstance(state, Pile) else None
            if not isinstance(name, str) or "/" in name or "\\" in name or name.startswith(".."):
                self._hostile("pickle-side-file", f"reads an array from {shortened(name)}, outside of its folder")

    def _skip_array(self, target: Made, state: Value) -> None:
        """Joblib writes an array's raw bytes between the opcodes, right after the wrapper's BUILD."""
        if target.of.full != "joblib.numpy_pickle.NumpyArrayWrapper":
            return
        size = calls.joblib_array_bytes(state, self.data, self.end)
        if size is None:
            raise Broken("a joblib array whose size cannot be told")
        if size < 0:
            inner = Walk(self.data, self.end, self.budget, self.where, findings=self.findings, globals=self.globals)
            if not inner.run():
                raise Broken("an array of objects that breaks off")
            self.nested += inner.nested
            self.end = inner.at
        elif self.end + size > len(self.data):
            raise Broken(f"a joblib array of {size} bytes where {len(self.data) - self.end} are left")
        else:
            self.end += size
        if self.end > self.frame_end:
            self.frame_end = NO_FRAME  # the frame was over before the array, or joblib would not have written it here

    def _enter_frame(self, op: Op) -> None:
        if self.frame_end != NO_FRAME and op.end < self.frame_end:
            self._hostile("pickle-frame-straddle", f"a frame begins at {op.start} inside another one")
        self._leave_frame(op.start, op.end)
        self.frame_end = op.end + op.arg
        if self.frame_end > len(self.data):
            raise Broken(f"a frame of {op.arg} bytes where {len(self.data) - op.end} are left")

    def _hostile(self, rule: str, why: str) -> None:
        self.findings.append(Finding(rule, Severity.HIGH, why, self.where))

    def _review(self, rule: str, why: str) -> None:
        self.findings.append(Finding(rule, Severity.MEDIUM, why, self.where))


def _module_class(identity: Value) -> Global | None:
    """Return the class that torch's old files name by a persistent id: ("module", class, source file, source)."""
    items = identity.items if isinstance(identity, Pile) else []
    named = len(items) == 4 and items[0] == "module"
    return items[1] if named and isinstance(items[1], Global) else None


def _old_text(raw: memoryview, machine: Machine) -> Value:
    """Return what Python 3 reads for a text of Python 2: ASCII is text, the rest bytes or an error."""
    seen = machine.bytes_seen(raw)
    return seen.decode("ascii") if isinstance(seen, bytes) and seen.isascii() else seen


def _items(arguments: Value) -> list[Value]:
    return arguments.items if isinstance(arguments, Pile) else [arguments]


def streams(
    data: memoryview, budget: Budget, where: str, *, torch: bool = False, archive_types: bool = False
) -> Iterator[Walk]:
    """Yield the walk of each pickle stream that `data` begins with, one after the other."""
    at = 0
    while at < len(data):
        walk = Walk(data, at, budget, where, torch, archive_types)
        finished = walk.run()
        yield walk
        if not finished:
            return
        at = walk.at
