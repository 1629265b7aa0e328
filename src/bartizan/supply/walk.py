"""Runs a pickle on paper: every opcode on a stack of descriptions, never of objects. What would be called is named.

The memo is exact. What a value is not known to be is `Other`, and calling that is hostile. Whatever CPython's two
unpicklers disagree about (an opcode across a frame's end) is hostile too. Not decided here: whether allowed classes
are wise to load; that is for review.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from bartizan.core.findings import Finding, Severity
from bartizan.supply import calls
from bartizan.supply.allowed import is_known, tier
from bartizan.supply.base import Budget, unreadable
from bartizan.supply.opcodes import Broken, Op, read_op
from bartizan.supply.values import Const, Global, Made, Other, Persistent, Pile, Value

_CONSTANTS = {"NONE": None, "NEWTRUE": True, "NEWFALSE": False}
_LITERALS = frozenset(
    name
    for line in (
        "INT BININT BININT1 BININT2 LONG LONG1 LONG4 STRING BINSTRING SHORT_BINSTRING BINBYTES SHORT_BINBYTES",
        "BINBYTES8 BYTEARRAY8 UNICODE SHORT_BINUNICODE BINUNICODE BINUNICODE8 FLOAT BINFLOAT",
    )
    for name in line.split()
)
_EMPTY = {"EMPTY_LIST": "list", "EMPTY_TUPLE": "tuple", "EMPTY_DICT": "dict", "EMPTY_SET": "set"}
_FROM_MARK = {"LIST": "list", "TUPLE": "tuple", "DICT": "dict", "FROZENSET": "frozenset"}
_TUPLES = {"TUPLE1": 1, "TUPLE2": 2, "TUPLE3": 3}
_KEPT = 64
"""Items of a list or tuple that are remembered; more are counted only."""


@dataclass
class Walk:
    """One stream. After `run` it says what was found, what the stream is, and where it ended."""

    data: memoryview
    at: int
    budget: Budget
    where: str
    torch: bool = False
    """Whether persistent ids are how this container refers to its tensors."""
    findings: list[Finding] = field(default_factory=list)
    globals: list[str] = field(default_factory=list)
    nested: list[bytes] = field(default_factory=list)
    calls: int = 0
    """How many calls it would make."""
    result: Value = field(default_factory=lambda: Other("nothing"))
    _stack: list[Value] = field(default_factory=list)
    _marks: list[int] = field(default_factory=list)
    """How long the stack was at each mark that is still there."""
    _memo: dict[int, Value] = field(default_factory=dict)
    _frame_end: int = 0

    def run(self) -> bool:
        """Walk to STOP. Return False when the stream breaks off; what came before it would still have run."""
        count = 0
        try:
            while True:
                op = read_op(self.data, self.at)
                name, arg, _, end = op
                if self._frame_end or name == "FRAME":
                    self._check_frame(op)
                self.at = end
                count += 1
                if count % 4096 == 0:
                    self.budget.spend("opcodes", 4096)
                if name in _LITERALS:  # most opcodes of most files
                    self._stack.append(Const(arg) if type(arg) is int else self._literal(arg))
                elif name == "STOP":
                    self.result = self._pop()
                    return True
                else:
                    self._step(op)
        except Broken as error:
            self.findings.append(unreadable(f"the pickle breaks off at byte {self.at}: {error}", self.where))
            return False

    def _check_frame(self, op: Op) -> None:
        if op.start < self._frame_end < op.end:
            self._hostile("pickle-frame-straddle", f"{op.name} crosses the end of its frame at {self._frame_end}")
        if op.name == "FRAME":
            self._frame_end = op.end + op.arg
            if self._frame_end > len(self.data):
                raise Broken(f"a frame of {op.arg} bytes where {len(self.data) - op.end} are left")

    def _step(self, op: Op) -> None:
        name = op.name
        if name in _CONSTANTS:
            self._stack.append(Const(_CONSTANTS[name]))
        elif name in _EMPTY:
            self._stack.append(Pile(_EMPTY[name]))
        elif name in _TUPLES:
            size = _TUPLES[name]
            if len(self._stack) - self._floor() < size:
                raise Broken("takes from an empty stack")
            self._stack[-size:] = [Pile("tuple", self._stack[-size:])]
        elif name == "MARK":
            self._marks.append(len(self._stack))
        elif name in _FROM_MARK:
            self._stack.append(Pile(_FROM_MARK[name], self._to_mark()))
        elif not (self._memo_step(op) or self._fill_step(op) or self._call_step(op)):
            self._rare_step(op)

    def _literal(self, arg: Any) -> Value:
        if isinstance(arg, memoryview):
            if len(arg) >= 4 and arg[0] == 0x80 and 2 <= arg[1] <= 5:
                self.nested.append(bytes(arg))
            return Const(bytes(arg)) if len(arg) <= 4096 else Other("bytes")
        if isinstance(arg, str) and len(arg) > 4096:
            return Other("text")
        return Const(arg)

    def _memo_step(self, op: Op) -> bool:
        match op.name:
            case "MEMOIZE":
                self._memo[len(self._memo)] = self._top()
            case "PUT" | "BINPUT" | "LONG_BINPUT":
                self._memo[op.arg] = self._top()
            case "GET" | "BINGET" | "LONG_BINGET":
                if op.arg not in self._memo:
                    raise Broken(f"memo {op.arg} was never written")
                self._stack.append(self._memo[op.arg])
            case "POP":
                self._pop()
            case "POP_MARK":
                self._to_mark()
            case "DUP":
                self._stack.append(self._top())
            case _:
                return False
        return True

    def _fill_step(self, op: Op) -> bool:
        match op.name:
            case "APPEND":
                items = [self._pop()]
            case "APPENDS" | "ADDITEMS" | "SETITEMS":
                items = self._to_mark()
            case "SETITEM":
                items = [self._pop(), self._pop()][::-1]
            case _:
                return False
        target = self._top()
        if isinstance(target, Pile):
            target.add(items, _KEPT)
        elif not (isinstance(target, Made) and calls.is_fillable(target)):
            self._hostile("pickle-writes-into", f"{op.name} writes into {target}, which is no container of this pickle")
        return True

    def _call_step(self, op: Op) -> bool:
        match op.name:
            case "GLOBAL":
                self._stack.append(self._global(*op.arg))
            case "STACK_GLOBAL":
                name, module = self._pop(), self._pop()
                self._stack.append(self._global_of(module, name))
            case "INST":
                arguments = self._to_mark()
                self._call(self._global(*op.arg), arguments, op.name)
            case "OBJ":
                items = self._to_mark()
                if not items:
                    raise Broken("OBJ without a class")
                self._call(items[0], items[1:], op.name)
            case "REDUCE" | "NEWOBJ":
                arguments_, target = self._pop(), self._pop()
                self._call(target, _items(arguments_), op.name)
            case "NEWOBJ_EX":
                keywords, arguments_, target = self._pop(), self._pop(), self._pop()
                self._call(target, [*_items(arguments_), keywords], op.name)
            case "BUILD":
                self._build(self._pop())
            case _:
                return False
        return True

    def _rare_step(self, op: Op) -> None:
        match op.name:
            case "PROTO":
                if op.arg > 5:
                    raise Broken(f"protocol {op.arg}")
            case "FRAME":
                pass
            case "PERSID" | "BINPERSID":
                identity = self._pop() if op.name == "BINPERSID" else Const(op.arg)
                if not self.torch:
                    self._review("pickle-persistent-id", "refers to something outside of itself by a persistent id")
                self._stack.append(Persistent(identity))
            case "EXT1" | "EXT2" | "EXT4":
                self._hostile("pickle-extension", f"{op.name} {op.arg}: a global by number, from an unknown list")
                self._stack.append(Other("extension"))
            case "NEXT_BUFFER":
                self._review("pickle-out-of-band", "refers to a buffer outside of itself")
                self._stack.append(Other("buffer"))
            case "READONLY_BUFFER":
                self._top()
            case _:
                raise Broken(f"opcode {op.name} is not understood")

    def _global_of(self, module: Value, name: Value) -> Value:
        texts = [one.value for one in (module, name) if isinstance(one, Const) and isinstance(one.value, str)]
        if len(texts) == 2:
            return self._global(str(texts[0]), str(texts[1]))
        self._hostile("pickle-computed-global", f"STACK_GLOBAL takes its name from {module} and {name}")
        return Other("computed global")

    def _global(self, module: str, name: str) -> Global:
        found = Global(module, name)
        if found.full not in self.globals:
            self.globals.append(found.full)
            allowed = tier(module, name)
            if allowed is None:
                self._hostile("pickle-global", f"names {found.full}, which is not on the list of allowed names")
            elif allowed == 1 and not is_known(module, name):
                self._review("pickle-class", f"holds an instance of {found.full}")
        return found

    def _call(self, target: Value, arguments: list[Value], op: str) -> None:
        self.calls += 1
        if not isinstance(target, Global):
            self._hostile("pickle-calls-value", f"{op} calls {target}, which is not a global but made by this pickle")
            self._stack.append(Other("result"))
            return
        made = Made(target, arguments)
        for why in calls.objections(made, op):
            self._hostile("pickle-call", f"{op} would call {made}: {why}")
        if made.of.full == "torch.storage._load_from_bytes":
            self._hostile("pickle-loads-pickle", "unpickles bytes of its own without asking again")
        self._stack.append(made)

    def _build(self, state: Value) -> None:
        target = self._top()
        if isinstance(target, Made):
            target.state = state
            self._check_state(target, state)
            self._skip_array(target, state)
        elif isinstance(target, Global):
            self._hostile("pickle-patches", f"BUILD would set attributes of {target.full} itself")
        elif not isinstance(target, Pile):
            self._hostile("pickle-patches", f"BUILD would set attributes of {target}")

    def _check_state(self, target: Made, state: Value) -> None:
        """A state is written into an object's attributes: names with two underscores change what the object is."""
        keys = state.items[::2] if isinstance(state, Pile) and state.kind == "dict" else []
        for key in keys:
            if isinstance(key, Const) and isinstance(key.value, str) and key.value.startswith("__"):
                self._hostile("pickle-patches", f"BUILD would set {key.value[:60]!r} of {target.of}")

    def _skip_array(self, target: Made, state: Value) -> None:
        """Joblib writes an array's raw bytes between the opcodes, right after the wrapper's BUILD."""
        if target.of.full != "joblib.numpy_pickle.NumpyArrayWrapper":
            return
        size = calls.joblib_array_bytes(state, self.data, self.at)
        if size is None:
            raise Broken("a joblib array whose size cannot be told")
        if size < 0:
            inner = Walk(self.data, self.at, self.budget, self.where, findings=self.findings, globals=self.globals)
            if not inner.run():
                raise Broken("an array of objects that breaks off")
            self.nested += inner.nested
            self.at = inner.at
            return
        if self.at + size > len(self.data):
            raise Broken(f"a joblib array of {size} bytes where {len(self.data) - self.at} are left")
        self.at += size

    def _floor(self) -> int:
        return self._marks[-1] if self._marks else 0

    def _top(self) -> Value:
        if len(self._stack) <= self._floor():
            raise Broken("takes from an empty stack")
        return self._stack[-1]

    def _pop(self) -> Value:
        if len(self._stack) > self._floor():
            return self._stack.pop()
        if not self._marks:
            raise Broken("takes from an empty stack")
        self._marks.pop()
        return Other("mark")

    def _to_mark(self) -> list[Value]:
        if not self._marks:
            raise Broken("no mark on the stack")
        at = self._marks.pop()
        items = self._stack[at:]
        del self._stack[at:]
        return items

    def _hostile(self, rule: str, why: str) -> None:
        self.findings.append(Finding(rule, Severity.HIGH, why, self.where))

    def _review(self, rule: str, why: str) -> None:
        self.findings.append(Finding(rule, Severity.MEDIUM, why, self.where))


def _items(arguments: Value) -> list[Value]:
    return arguments.items if isinstance(arguments, Pile) else [arguments]


def streams(data: memoryview, budget: Budget, where: str, *, torch: bool = False) -> Iterator[Walk]:
    """Yield the walk of each pickle stream that `data` begins with, one after the other."""
    at = 0
    while at < len(data):
        walk = Walk(data, at, budget, where, torch)
        finished = walk.run()
        yield walk
        if not finished:
            return
        at = walk.at
