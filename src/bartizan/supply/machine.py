"""The pickle machine on paper: stack, marks, memo, frames, and the opcodes that most of a file consists of.

Values are descriptions (`supply/values.py`); numbers and texts stand for themselves. Each frequent opcode is one small
step from place to place, chosen by its byte, so that a file of millions of objects takes seconds; everything else goes
to `rare`, which `supply/walk.py` fills in with what calls and names mean.
"""

import struct
from collections.abc import Callable
from dataclasses import dataclass, field

from bartizan.supply.opcodes import LONG, Broken, Op, read_op
from bartizan.supply.values import Made, Other, Pile, Value

NO_FRAME = 1 << 62
KEPT = 64
"""Items of a list or tuple that are remembered; more are counted only."""
LARGEST_WEIGHT = 1_000_000_000
"""Values that an object may come to when each reference in it is written out."""
_HOLDERS = (Pile, Made)
_NUMBER = Other("number")
_TEXT = Other("text")


@dataclass
class Machine:
    """One stream: where it is, and what is on the stack and in the memo."""

    data: memoryview
    at: int
    stack: list[Value] = field(default_factory=list, init=False)
    marks: list[int] = field(default_factory=list, init=False)
    """How long the stack was at each mark that is still there."""
    memo: list[Value] = field(default_factory=list, init=False)
    far: dict[int, Value] = field(default_factory=dict, init=False)
    """Memo entries whose number was not the next one."""
    shared: bool = field(default=False, init=False)
    """Whether a container was fetched from the memo, so that objects may weigh more than their bytes."""
    frame_end: int = field(default=NO_FRAME, init=False)
    end: int = field(default=0, init=False)
    """Where the opcode that `rare` is asked about ends."""

    def rare(self, op: Op) -> None:
        """Do what one of the less frequent opcodes does."""
        raise NotImplementedError

    def fill_other(self, target: Value, what: str) -> None:
        """Hear that items would be put into something that is no container of this pickle."""
        raise NotImplementedError

    def bytes_seen(self, raw: memoryview) -> Value:
        """Return the description of a literal of bytes."""
        raise NotImplementedError

    def heavy(self, pile: Pile) -> None:
        """Hear that an object would come to more than LARGEST_WEIGHT values."""
        raise NotImplementedError

    def floor(self) -> int:
        """Return how far down the stack may be taken from."""
        return self.marks[-1] if self.marks else 0

    def top(self) -> Value:
        """Return the value on top."""
        if len(self.stack) <= (self.marks[-1] if self.marks else 0):
            raise Broken("takes from an empty stack")
        return self.stack[-1]

    def pop(self) -> Value:
        """Take the value, or the mark, on top."""
        if len(self.stack) > self.floor():
            return self.stack.pop()
        if not self.marks:
            raise Broken("takes from an empty stack")
        self.marks.pop()
        return Other("mark")

    def to_mark(self) -> list[Value]:
        """Take everything above the last mark, and the mark."""
        if not self.marks:
            raise Broken("no mark on the stack")
        at = self.marks.pop()
        items = self.stack[at:]
        del self.stack[at:]
        return items

    def put(self, number: int | None, value: Value) -> None:
        """Write into the memo."""
        if number is None or number < 0:
            raise Broken("writes to a memo that there cannot be")
        memo = self.memo
        if number == len(memo):
            memo.append(value)
            if self.far:
                self.far.pop(number, None)
        elif number < len(memo):
            memo[number] = value
        else:
            self.far[number] = value

    def get(self, number: int | None) -> Value:
        """Return what the memo holds under a number; None is one that is too long to be read."""
        if number is None:
            raise Broken("a memo that was never written")
        value = self.memo[number] if 0 <= number < len(self.memo) else self.far.get(number, self)
        if value is self:
            raise Broken(f"memo {number} was never written")
        if isinstance(value, _HOLDERS):
            self.shared = True
        return value  # type: ignore[return-value]  # `self` stands for "nothing there" and is gone by here

    def pile(self, kind: str, items: list[Value]) -> Pile:
        """Return a new container."""
        made = Pile(kind, items)
        if len(items) > KEPT:
            made.items, made.more = items[:KEPT], len(items) - KEPT
        if self.shared:
            self.weigh(made, items)
        return made

    def fill(self, items: list[Value], what: str) -> None:
        """Put items into the container on top."""
        target = self.top()
        if type(target) is not Pile:
            self.fill_other(target, what)
            return
        if target.items or len(items) > KEPT:
            target.add(items, KEPT)
        else:
            target.items = items
        if self.shared:
            self.weigh(target, items)

    def weigh(self, pile: Pile, items: list[Value]) -> None:
        """Add to a container's weight what its new items weigh."""
        pile.weight += sum(one.weight if isinstance(one, _HOLDERS) else 1 for one in items)
        if pile.weight > LARGEST_WEIGHT:
            self.heavy(pile)
            pile.weight = LARGEST_WEIGHT

    def check_frame(self, start: int, end: int) -> bool:
        """Return whether an opcode lies across the end of its frame; leave a frame that is over."""
        if end <= self.frame_end:
            return False
        across = start < self.frame_end
        self.frame_end = NO_FRAME
        return across


Step = Callable[[Machine, int], int]
"""Does one opcode, whose argument begins at the given place, and returns where the next one begins."""
_INT, _FLOAT = struct.Struct("<i"), struct.Struct(">d")
_SIZE = struct.Struct("<I")


def _general(machine: Machine, at: int) -> int:
    op = read_op(machine.data, at - 1)
    machine.end = op.end
    machine.rare(op)
    return machine.end


def _constant(value: Value) -> Step:
    def step(machine: Machine, at: int) -> int:
        machine.stack.append(value)
        return at

    return step


def _binint1(machine: Machine, at: int) -> int:
    machine.stack.append(machine.data[at])
    return at + 1


def _binint2(machine: Machine, at: int) -> int:
    machine.stack.append(machine.data[at] | machine.data[at + 1] << 8)
    return at + 2


def _binint(machine: Machine, at: int) -> int:
    machine.stack.append(_INT.unpack_from(machine.data, at)[0])
    return at + 4


def _binfloat(machine: Machine, at: int) -> int:
    if at + 8 > len(machine.data):
        raise Broken("cut off inside an argument")
    machine.stack.append(_NUMBER)  # no rule depends on a fraction
    return at + 8


def _text(machine: Machine, at: int, size: int) -> int:
    end = at + size
    if end > len(machine.data):
        raise Broken(f"an argument of {size} bytes where {len(machine.data) - at} are left")
    # A long text is stepped over, not read: half a gigabyte of it costs nothing. Were it no UTF-8, a reader would stop
    # here, and looking at what follows can only find more.
    machine.stack.append(str(machine.data[at:end], "utf-8", "surrogatepass") if size <= LONG else _TEXT)
    return end


def _short_binunicode(machine: Machine, at: int) -> int:
    data = machine.data
    end = at + 1 + data[at]
    if end > len(data):
        raise Broken(f"an argument of {data[at]} bytes where {len(data) - at - 1} are left")
    machine.stack.append(str(data[at + 1 : end], "utf-8", "surrogatepass"))
    return end


def _binunicode(machine: Machine, at: int) -> int:
    return _text(machine, at + 4, _SIZE.unpack_from(machine.data, at)[0])


def _memoize(machine: Machine, at: int) -> int:
    stack = machine.stack
    if machine.far or len(stack) <= (machine.marks[-1] if machine.marks else 0):
        machine.put(len(machine.memo) + len(machine.far), machine.top())
    else:
        machine.memo.append(stack[-1])
    return at


def _binput(machine: Machine, at: int) -> int:
    machine.put(machine.data[at], machine.top())
    return at + 1


def _long_binput(machine: Machine, at: int) -> int:
    machine.put(_SIZE.unpack_from(machine.data, at)[0], machine.top())
    return at + 4


def _binget(machine: Machine, at: int) -> int:
    number = machine.data[at]
    value = machine.memo[number] if number < len(machine.memo) else machine.get(number)
    if type(value) is not str:
        value = machine.get(number)
    machine.stack.append(value)
    return at + 1


def _long_binget(machine: Machine, at: int) -> int:
    machine.stack.append(machine.get(_SIZE.unpack_from(machine.data, at)[0]))
    return at + 4


def _empty(kind: str) -> Step:
    def step(machine: Machine, at: int) -> int:
        machine.stack.append(Pile(kind, []))
        return at

    return step


def _tuple_of(size: int) -> Step:
    def step(machine: Machine, at: int) -> int:
        stack = machine.stack
        if len(stack) - machine.floor() < size:
            raise Broken("takes from an empty stack")
        stack[-size:] = [machine.pile("tuple", stack[-size:])]
        return at

    return step


def _mark(machine: Machine, at: int) -> int:
    machine.marks.append(len(machine.stack))
    return at


def _from_mark(kind: str) -> Step:
    def step(machine: Machine, at: int) -> int:
        machine.stack.append(machine.pile(kind, machine.to_mark()))
        return at

    return step


def _append(machine: Machine, at: int) -> int:
    machine.fill([machine.pop()], "APPEND")
    return at


def _setitem(machine: Machine, at: int) -> int:
    value, key = machine.pop(), machine.pop()
    machine.fill([key, value], "SETITEM")
    return at


def _fill_from_mark(what: str) -> Step:
    def step(machine: Machine, at: int) -> int:
        machine.fill(machine.to_mark(), what)
        return at

    return step


_FREQUENT: dict[bytes, Step] = {
    b"N": _constant(None),
    b"\x88": _constant(True),
    b"\x89": _constant(False),
    b"K": _binint1,
    b"M": _binint2,
    b"J": _binint,
    b"G": _binfloat,
    b"X": _binunicode,
    b"\x8c": _short_binunicode,
    b"\x94": _memoize,
    b"q": _binput,
    b"r": _long_binput,
    b"h": _binget,
    b"j": _long_binget,
    b"]": _empty("list"),
    b")": _empty("tuple"),
    b"}": _empty("dict"),
    b"\x8f": _empty("set"),
    b"(": _mark,
    b"l": _from_mark("list"),
    b"t": _from_mark("tuple"),
    b"d": _from_mark("dict"),
    b"\x91": _from_mark("frozenset"),
    b"a": _append,
    b"s": _setitem,
    b"e": _fill_from_mark("APPENDS"),
    b"u": _fill_from_mark("SETITEMS"),
    b"\x90": _fill_from_mark("ADDITEMS"),
    b"\x85": _tuple_of(1),
    b"\x86": _tuple_of(2),
    b"\x87": _tuple_of(3),
}
STEPS: list[Step] = [_FREQUENT.get(bytes([code]), _general) for code in range(256)]
