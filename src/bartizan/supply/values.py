"""What is on the stack of a pickle that is walked on paper: descriptions of values, never the values.

Numbers, texts and bytes stand for themselves.
"""

from dataclasses import dataclass, field

from bartizan.core.display import visible
from bartizan.supply.allowed import canonical


@dataclass(slots=True)
class Pile:
    """A list, tuple, dict, set or frozenset that the pickle builds. Items beyond a limit are counted only."""

    kind: str
    items: list["Value"] = field(default_factory=list)
    more: int = 0
    weight: int = 1
    """How many values it comes to when each reference is written out; counted once something is referred to twice."""

    def add(self, items: list["Value"], kept: int) -> None:
        """Append items."""
        room = max(0, kept - len(self.items))
        self.items = self.items + items[:room] if room else self.items
        self.more += max(0, len(items) - room)

    def get(self, key: str) -> "Value":
        """Return the value of a text key of a dict, as far as it is remembered; None where there is none."""
        pairs = zip(self.items[::2], self.items[1::2], strict=False)
        return next((value for name, value in pairs if type(name) is str and name == key), None)

    def __str__(self) -> str:
        """Return its kind and size."""
        return f"a {self.kind} of {len(self.items) + self.more} items"


@dataclass(slots=True)
class Global:
    """A class or function by name."""

    module: str
    name: str

    @property
    def full(self) -> str:
        """Return module.name under its present name."""
        return ".".join(canonical(self.module, self.name))

    def __str__(self) -> str:
        """Return module.name."""
        return visible(self.full)


@dataclass(slots=True)
class Made:
    """What calling a global gives."""

    of: Global
    arguments: list["Value"]
    state: "Value" = None
    weight: int = 1

    def __str__(self) -> str:
        """Return the call as it would be written."""
        shown = ", ".join(shortened(one) for one in self.arguments[:4])
        return f"{self.of}({shown[:200]})"


@dataclass(slots=True)
class Persistent:
    """Something outside the pickle, by an id."""

    identity: "Value"

    def __str__(self) -> str:
        """Return what it is."""
        return "a persistent id"


@dataclass(slots=True)
class Other:
    """A value that is not followed."""

    what: str

    def __str__(self) -> str:
        """Return what it is."""
        return f"a value ({self.what})"


Value = Pile | Global | Made | Persistent | Other | int | float | str | bytes | None
"""A description, or a literal as written."""


def shortened(value: Value) -> str:
    """Return a value as text for a finding: short, hidden characters written out."""
    if isinstance(value, Pile | Global | Made | Persistent | Other):
        return str(value)
    shown = visible(repr(value))
    return shown if len(shown) <= 80 else shown[:77] + "…"
