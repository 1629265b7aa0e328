"""What all conversations with one server share: its pins, what is asked of its calls, how its results are screened."""

from dataclasses import dataclass, field

from bartizan.core.clock import Clock
from bartizan.core.sections.mcp import Mcp
from bartizan.mcp.calls import Calls
from bartizan.mcp.catalogue import Catalogue
from bartizan.mcp.contents import Contents
from bartizan.mcp.methods import ASKS_BACK
from bartizan.mcp.names import inner


@dataclass(frozen=True)
class Server:
    """One server behind the proxy. Sessions only read it; `read_by` remembers callers without a session."""

    name: str
    settings: Mcp
    catalogue: Catalogue
    calls: Calls
    contents: Contents
    clock: Clock
    read_by: set[str] = field(default_factory=set)

    @property
    def denied(self) -> frozenset[str]:
        """What the server may not ask of a client: of sampling, elicitation and roots."""
        return frozenset(name for name in ASKS_BACK.values() if getattr(self.settings, name) == "deny")

    def own_name(self, shown: str) -> str:
        """Return the server's own name of a tool that clients see as `shown`, or nothing when it is none of its."""
        return inner(self.name, shown, namespaced=self.settings.namespaced) or ""
