"""Builds what stands between clients and one server from the settings: pins, checks, rules, decisions."""

from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from bartizan.core.clock import Clock
from bartizan.core.errors import BadSettings
from bartizan.core.sections import Settings
from bartizan.detect.judge import Judge
from bartizan.ledger.decisions import Decisions
from bartizan.mcp.calls import Calls
from bartizan.mcp.catalogue import Catalogue
from bartizan.mcp.contents import Contents
from bartizan.mcp.pins import Pins
from bartizan.mcp.server import Server
from bartizan.policy.cedar import Rules
from bartizan.policy.manifest import Manifest

T = TypeVar("T")


class Assembly:
    """The parts that all servers share; `server` puts one together."""

    def __init__(self, settings: Settings, clock: Clock) -> None:
        """Read the manifest and the rules, open the decisions. Raises BadSettings, BadEvidence."""
        policy, mcp = settings.policy, settings.mcp
        self._settings = mcp
        self._clock = clock
        self._judge = Judge()
        self.pins = Pins(Path(mcp.lock_file), clock)
        self.decisions = Decisions(Path(policy.decisions_file), clock) if policy.decisions_file else None
        self._calls = Calls(
            mcp,
            self.pins,
            _read(policy.manifest_file, "manifest_file", Manifest.parse) or Manifest(),
            _read(policy.rules_file, "rules_file", Rules),
            self.decisions,
        )

    def server(self, name: str) -> Server:
        """Return what stands in front of the server `name`."""
        mcp = self._settings
        catalogue = Catalogue(name, self.pins, self._judge, pin_first=mcp.first_use == "pin")
        contents = Contents(self._judge, mcp.results, mcp.inside_hosts)
        return Server(name, mcp, catalogue, self._calls, contents, self._clock)

    def close(self) -> None:
        """Close the decisions."""
        if self.decisions is not None:
            self.decisions.close()


def _read(path: str, key: str, parse: Callable[[str], T]) -> T | None:
    if not path:
        return None
    try:
        return parse(Path(path).read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise BadSettings(f"policy.{key} = {path!r}: {getattr(error, 'strerror', None) or error}") from error
