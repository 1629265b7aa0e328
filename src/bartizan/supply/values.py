"""What is on the stack of a pickle that is walked on paper: descriptions of values, never the values."""

from dataclasses import dataclass, field

from bartizan.core.display import visible
from bartizan.supply.allowed import canonical


@dataclass(slots=True)
class Const:
    """A number, a text, bytes, None, True or False as written."""

    value: object

    def __str__(self) -> str:
        """Return it short."""
        shown = visible(repr(self.value))
        return shown if len(shown) <= 80 else shown[:77] + "…"


@dataclass(slots=True)
class Pile:
    """A list, tuple, dict, set or frozenset that the pickle builds. Items beyond a limit are counted only."""

    kind: str
    items: list["Value"] = field(default_factory=list)
    more: int = 0

    def add(self, items: list["Value"], kept: int) -> None:
        """Append items."""
        room = max(0, kept - len(self.items))
        self.items += items[:room]
        self.more += len(items) - len(items[:room])

    def get(self, key: str) -> "Value | None":
        """Return the value of a text key of a dict, as far as it is remembered."""
        pairs = zip(self.items[::2], self.items[1::2], strict=False)
        return next((value for name, value in pairs if isinstance(name, Const) and name.value == key), None)

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
    state: "Value | None" = None

    def __str__(self) -> str:
        """Return the call as it would be written."""
        shown = ", ".join(str(one) for one in self.arguments[:4])
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


Value = Const | Pile | Global | Made | Persistent | Other
