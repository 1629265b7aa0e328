"""The lock of what MCP servers offer: each tool by the hash of all that it says of itself, as a person approved it.

What differs from what was approved is quarantined until it is approved again (CVE-2025-54136: an approval bound to a
name and not to the content is no approval). How a server is started, or its address, is pinned in the same way, under
`#launch`, and what it tells the model in general under `#instructions`. The file is read again whenever it changed, so
that an approval takes effect at the next listing. Several proxies may share it.
"""

import difflib
import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import msgspec

from bartizan.core.clock import Clock
from bartizan.core.display import visible
from bartizan.core.errors import BadArtifact
from bartizan.core.files import held, write_private
from bartizan.core.findings import Finding, Severity

LAUNCH = "#launch"
INSTRUCTIONS = "#instructions"
FIRST_USE = "first use"
MOST_ITEMS = 2000


class Doubt(msgspec.Struct, frozen=True):
    """Something that a check saw in an item that waits."""

    rule: str
    severity: str
    why: str


class Item(msgspec.Struct, frozen=True):
    """One thing that a server offers, as it was at one time. `by` approved it, or is empty."""

    sha256: str
    content: dict[str, Any]
    when_ns: int
    by: str = ""


class Pin(msgspec.Struct, frozen=True):
    """What was approved under a name, and what was last seen there if that is something else."""

    approved: Item | None = None
    waiting: Item | None = None
    doubts: tuple[Doubt, ...] = ()

    @property
    def doubted(self) -> bool:
        """Whether a check found something about what waits that a person should look at."""
        return any(Severity[one.severity.upper()] >= Severity.MEDIUM for one in self.doubts)


class Lock(msgspec.Struct):
    """The whole file: servers, and under each the names of what it offers."""

    servers: dict[str, dict[str, Pin]] = {}


@dataclass(frozen=True, slots=True)
class Offered:
    """One thing that a server offers now, and what the checks say of it."""

    name: str
    content: Mapping[str, Any]
    findings: tuple[Finding, ...] = ()


State = Literal["approved", "pinned", "new", "changed"]


@dataclass(frozen=True, slots=True)
class Standing:
    """Whether a thing may be used. `fresh` says that this was not known before; `why` is for people."""

    name: str
    state: State
    sha256: str
    why: str
    fresh: bool

    @property
    def usable(self) -> bool:
        """Whether it may be shown and called."""
        return self.state in ("approved", "pinned")


def digest(content: Mapping[str, Any]) -> str:
    """Return the SHA-256 of a JSON object's canonical form: sorted keys, no spaces, UTF-8."""
    text = json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


class Pins:
    """The lock file. Every change is made under its lock, from what then stands in it."""

    def __init__(self, path: Path, clock: Clock) -> None:
        """Use the lock at `path`; it need not exist yet."""
        self._path = path
        self._clock = clock
        self._seen: tuple[int, int, int] | None = None
        self._lock = Lock()

    def read(self) -> Lock:
        """Return the lock as it stands. Raises BadArtifact when it cannot be read: then nothing is approved."""
        try:
            stat = self._path.stat()
        except FileNotFoundError:
            self._seen, self._lock = None, Lock()
            return self._lock
        stamp = (stat.st_mtime_ns, stat.st_size, stat.st_ino)
        if stamp != self._seen:
            try:
                self._lock = msgspec.json.decode(self._path.read_bytes(), type=Lock)
            except (OSError, msgspec.DecodeError) as error:
                why = f"{self._path}: the lock of MCP servers cannot be read: {error}"
                raise BadArtifact(why, hint="Put the last good copy back, or remove it and approve anew.") from error
            self._seen = stamp
        return self._lock

    def pins(self, server: str) -> dict[str, Pin]:
        """Return what is known of a server."""
        return self.read().servers.get(server, {})

    def approved(self, server: str, name: str) -> dict[str, Any] | None:
        """Return the approved content under a name, or None when none is, or when another waits in its place."""
        pin = self.pins(server).get(name)
        return pin.approved.content if pin and pin.approved and pin.waiting is None else None

    def observe(self, server: str, offered: Sequence[Offered], *, pin_clean: bool) -> list[Standing]:
        """Return how each thing stands, and note what is new. `pin_clean` approves what is new and free of doubt."""
        known = self.pins(server)
        standings = [self._standing(known.get(one.name), one, pin_clean=pin_clean) for one in offered]
        if any(standing.fresh for standing in standings):
            self._change(server, lambda pins: self._note(pins, offered, pin_clean=pin_clean))
        return standings

    def approve(self, server: str, names: Sequence[str], by: str) -> list[Standing]:
        """Approve what waits under these names; all that no check doubts when none is named.

        `NAME@HASH` approves only what has a hash that begins so: what was looked at, and not what took its place since.
        Raises BadArtifact when nothing of that kind waits.
        """
        done: list[Standing] = []

        def change(pins: dict[str, Pin]) -> None:
            for named in names or sorted(name for name, pin in pins.items() if pin.waiting and not pin.doubted):
                name, _, begins = named.partition("@")
                pin = pins.get(name)
                if pin is None or pin.waiting is None:
                    raise BadArtifact(f"{server}: nothing called {visible(name)!r} waits for approval")
                if not pin.waiting.sha256.startswith(begins):
                    raise BadArtifact(f"{server}: what waits under {visible(name)!r} is {pin.waiting.sha256[:12]} now")
                item = msgspec.structs.replace(pin.waiting, by=by, when_ns=self._clock.wall_ns())
                pins[name] = Pin(item)
                done.append(Standing(name, "approved", item.sha256, f"approved by {by}", True))

        self._change(server, change)
        return done

    def forget(self, server: str) -> bool:
        """Remove all that is known of a server; return whether there was anything."""
        if not self.pins(server):
            return False
        self._change(server, dict.clear)
        return True

    def _standing(self, pin: Pin | None, one: Offered, *, pin_clean: bool) -> Standing:
        sha256 = digest(one.content)
        if pin is not None and pin.approved is not None and pin.approved.sha256 == sha256:
            why = f"approved by {pin.approved.by}" if pin.approved.by != FIRST_USE else "pinned at first use"
            return Standing(one.name, "approved", sha256, why, pin.waiting is not None)
        fresh = pin is None or pin.waiting is None or pin.waiting.sha256 != sha256
        if pin is not None and pin.approved is not None:
            return Standing(one.name, "changed", sha256, "differs from what was approved", fresh)
        doubts = [finding for finding in one.findings if finding.severity >= Severity.MEDIUM]
        if pin_clean and not doubts and pin is None:
            return Standing(one.name, "pinned", sha256, "pinned at first use", True)
        why = "; ".join(f"{doubt.rule}: {doubt.why}" for doubt in doubts[:3]) or "was not approved yet"
        return Standing(one.name, "new", sha256, why, fresh)

    def _note(self, pins: dict[str, Pin], offered: Sequence[Offered], *, pin_clean: bool) -> None:
        for one in offered:
            pin = pins.get(one.name)
            standing = self._standing(pin, one, pin_clean=pin_clean)
            if standing.state == "approved":
                pins[one.name] = Pin(pin.approved if pin else None)
                continue
            if pin is None and len(pins) >= MOST_ITEMS:
                continue  # it stays unusable, which is what a server with so many tools deserves
            by = FIRST_USE if standing.state == "pinned" else ""
            item = Item(standing.sha256, dict(one.content), self._clock.wall_ns(), by)
            doubts = tuple(
                Doubt(found.rule, found.severity.name.lower(), found.why)
                for found in one.findings
                if found.severity >= Severity.LOW
            )
            pins[one.name] = Pin(item) if by else Pin(pin.approved if pin else None, item, doubts)

    def _change(self, server: str, change: Callable[[dict[str, Pin]], None]) -> None:
        with held(self._path):
            self._seen = None
            lock = self.read()
            pins = lock.servers.setdefault(server, {})
            change(pins)
            if not pins:
                del lock.servers[server]
            write_private(self._path, msgspec.json.format(msgspec.json.encode(lock), indent=1))
            self._seen = None


def difference(pin: Pin) -> list[str]:
    """Return, as lines of a unified diff, what a person has to approve: the waiting content against the approved."""
    before = _lines(pin.approved.content) if pin.approved else []
    after = _lines(pin.waiting.content) if pin.waiting else before
    return list(difflib.unified_diff(before, after, "approved", "offered now", lineterm="", n=2))


def _lines(content: Mapping[str, Any]) -> list[str]:
    """Return JSON as lines in which long texts keep their own line ends and nothing is invisible."""
    lines: list[str] = []
    for line in json.dumps(content, indent=2, sort_keys=True, ensure_ascii=False).splitlines():
        parts = line.replace("\\n", "\n").split("\n")
        lines += [visible(part) for part in parts]
    return lines
