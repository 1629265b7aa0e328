"""Watches what each key does and acts on it: alert, slow down, stop. A canary key that is used at all is an incident.

A stop is a switch in the store of limits, so that every replica obeys it and `bartizan kill key:ID --lift` ends it.
What is learnt lives in this process: a restart learns anew, and each replica learns from what it sees itself.
"""

import asyncio
import ipaddress
from typing import Literal, Protocol

from bartizan.core.clock import Clock
from bartizan.core.errors import UpstreamFailed
from bartizan.gateway.alerts import Alerts
from bartizan.gateway.auth import Caller, Headers
from bartizan.gateway.limits.answers import NO_RETRY, retry_headers
from bartizan.gateway.limits.booking import Turned
from bartizan.gateway.theft import Judgement, Profile, Sight
from bartizan.gateway.wires.base import Asked, Dialect
from bartizan.ledger.stores.base import Store

Mode = Literal["enforce", "alert", "off"]
_MOST_KEYS = 20_000
_LONGEST_WAIT_S = 60
"""Clients that are told to wait longer try again at once, or hang; they are told to stop."""
_ABSURD = 1_000_000
"""An output limit that no model has; asked for to see what a key is good for."""


class Watching(Protocol):
    """What looks at each request before it is admitted."""

    def turns(self, wire: Dialect, asked: Asked, size: int, caller: Caller, seen: tuple[Headers, str]) -> Turned | None:
        """Return the answer when the request must not go on; `seen` is its headers and its address."""
        ...

    def paid(self, caller: Caller, money: int) -> None:
        """Take in what a request has cost, in nano-dollars."""
        ...


class Unwatched:
    """Looks at nothing."""

    def turns(self, wire: Dialect, asked: Asked, size: int, caller: Caller, seen: tuple[Headers, str]) -> Turned | None:
        """Return nothing."""
        return None

    def paid(self, caller: Caller, money: int) -> None:
        """Forget it."""


class Watch:
    """The profiles of all keys, and what is done about them."""

    def __init__(self, store: Store, alerts: Alerts, clock: Clock, mode: Mode = "enforce") -> None:
        """Tell `alerts`, and with `enforce` stop keys in `store`; `off` leaves only the canary keys."""
        self._store = store
        self._alerts = alerts
        self._clock = clock
        self._mode = mode
        self._profiles: dict[str, Profile] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    def turns(self, wire: Dialect, asked: Asked, size: int, caller: Caller, seen: tuple[Headers, str]) -> Turned | None:
        """Take in one request; return the answer when its key is slowed down or stopped by it."""
        headers, address = seen
        if caller.canary:
            self._alerts.tell("canary-used", {"key": caller.id, "network": network_of(address)})
            unknown = wire.error(401, "invalid_api_key", "this API key is unknown, expired or revoked")
            return Turned(unknown, "a canary key was used")
        if self._mode == "off":
            return None
        profile = self._profiles.get(caller.id)
        if profile is None:
            if len(self._profiles) >= _MOST_KEYS:
                return None
            profile = self._profiles[caller.id] = Profile()
        now_s = self._clock.wall_ns() / 1e9
        said = profile.see(_sight(asked, size, headers, address, now_s))
        if said.rises:
            self._alerts.tell(f"key-{said.level}", {"key": caller.id, "score": round(said.score, 1), "why": str(said)})
        if self._mode == "alert" or said.level not in ("step-down", "quarantine"):
            return None
        return self._act(wire, caller.id, profile, said, now_s)

    def _act(self, wire: Dialect, key: str, profile: Profile, said: Judgement, now_s: float) -> Turned | None:
        if said.level == "quarantine":
            if said.rises:
                self._start(key, str(said))
                del self._profiles[key]  # let go again, it learns anew
            return Turned(wire.error(403, "key_suspended", "This API key is suspended."), str(said), [NO_RETRY])
        wait_s = profile.wait_s(now_s)
        if not wait_s:
            return None
        answer = wire.error(429, "rate_limit_exceeded", "This API key is slowed down: it is not used as usual.")
        headers = retry_headers(wait_s * 1000)
        return Turned(answer, str(said), [*headers, NO_RETRY] if wait_s > _LONGEST_WAIT_S else headers)

    def paid(self, caller: Caller, money: int) -> None:
        """Take in what a request of a watched key has cost, in nano-dollars."""
        profile = self._profiles.get(caller.id)
        if profile is not None:
            profile.paid(self._clock.wall_ns() / 1e9, money)

    def _start(self, key: str, why: str) -> None:
        task = asyncio.ensure_future(self._stop(key, why))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _stop(self, key: str, why: str) -> None:
        for _ in range(60):
            try:
                await self._store.switch(f"key:{key}", why)
                return
            except UpstreamFailed:
                await asyncio.sleep(1)


def _sight(asked: Asked, size: int, headers: Headers, address: str, at_s: float) -> Sight:
    agent = next((value for name, value in headers if name == b"user-agent"), b"")[:80].decode("latin-1")
    cap = asked.prompt.max_output_tokens
    probe = cap is not None and not 0 < cap < _ABSURD
    return Sight(at_s, network_of(address), client_name(agent), asked.prompt.model[:80], size, probe)


def client_name(agent: str) -> str:
    """Return a user agent without its versions: an update is no other client."""
    words = agent.split()
    return words[0].partition(" ")[0].rstrip("0123456789.").rstrip("/") if words else ""


def network_of(address: str) -> str:
    """Return the network of an address (/24, or /48 of version 6), or nothing for what is none."""
    try:
        ip = ipaddress.ip_address(address)
    except ValueError:
        return ""
    return str(ipaddress.ip_network(f"{ip}/{24 if ip.version == 4 else 48}", strict=False))
