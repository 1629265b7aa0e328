"""Pickles that call functions of the standard library, drawn at random: what an attacker picks who knows the lists.

The names are read from the library's source as text; nothing is imported for it and nothing is called. The arguments
are harmless words.
"""

import builtins
import random
import re
import sysconfig
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from bartizan.lab.hostile_artefacts import SHAPES, Sample

_PUBLIC = re.compile(r"^(?:def|class) ([A-Za-z]\w*)", re.MULTILINE)
_CALLING = 8
"""The first shapes each call the global in another way: REDUCE, STACK_GLOBAL, INST, OBJ, NEWOBJ, NEWOBJ_EX, memo."""
_HARMLESS = frozenset(
    name
    for line in (
        "bool bytearray bytes complex dict float frozenset int list object range set slice str tuple Counter",
        "OrderedDict defaultdict deque date datetime time timedelta timezone Decimal Fraction UUID PurePath",
        "PurePosixPath PureWindowsPath",
    )
    for name in line.split()
)
"""Value types that hold data and nothing else: naming them is no attack."""


@cache
def callables() -> tuple[tuple[str, str], ...]:
    """Return (module, name) of public functions and classes, the built-in ones included."""
    root = Path(sysconfig.get_path("stdlib"))
    found = {("builtins", name) for name, value in vars(builtins).items() if callable(value) and name[0] != "_"}
    for file in sorted(root.glob("*.py")) + sorted(root.glob("[a-z]*/__init__.py")):
        module = file.parent.name if file.name == "__init__.py" else file.stem
        if file.parent.name not in ("site-packages", "test", "idlelib"):
            source = file.read_text(encoding="utf-8", errors="replace")
            found |= {(module, name) for name in _PUBLIC.findall(source)}
    return tuple(sorted(one for one in found if one[1] not in _HARMLESS))


def stdlib_calls(count: int, seed: int) -> Iterator[Sample]:
    """Yield `count` pickles, each with a random callable in a random shape."""
    draw = random.Random(seed)
    for number in range(count):
        module, name = draw.choice(callables())
        shape, make = draw.choice(SHAPES[:_CALLING])
        yield Sample(f"call-{number:04d}-{shape}-{module}.{name}.pkl", make(module, name, "x"), True)
