"""Traffic of keys as their owners make it, and as thieves do: seeded, in simulated time.

Owners change things now and then, one at a time mostly: a network, a client, a model, a burst, an odd night. How often
is assumed, not measured; the rates stand below. Thieves differ in how much they hide.
"""

import random
from collections.abc import Iterator
from dataclasses import dataclass

DAY_S = 86_400.0


@dataclass(frozen=True, slots=True)
class Shown:
    """One request as a gateway sees it."""

    at_s: float
    network: str
    client: str
    model: str
    size: int
    probe: bool = False
    dollars: float = 0.001


@dataclass(frozen=True)
class Owner:
    """A kind of owner: requests a day, the hours at work, and how many networks it calls from."""

    name: str
    per_day: float
    hours: tuple[int, int]
    networks: int
    weekends: bool


OWNERS = (
    Owner("office application", 150, (8, 18), 2, False),
    Owner("service around the clock", 300, (0, 24), 3, True),
    Owner("batch at night", 120, (1, 5), 1, True),
    Owner("developer", 60, (9, 22), 3, False),
)
CHANGES_A_YEAR = {"network": 4.0, "client": 2.0, "model": 5.0, "burst": 12.0, "odd night": 6.0, "move": 0.5}
"""`move` is another network and another client on the same day."""
CLIENTS = ("OpenAI/Python", "Anthropic/Python", "OpenAI/JS", "LangChain", "curl", "Go-http-client", "axios")


def owner_traffic(rng: random.Random, owner: Owner, days: int) -> Iterator[Shown]:
    """Yield an owner's requests, day after day from day 0."""
    networks = [_network(rng) for _ in range(owner.networks)]
    client, models = rng.choice(CLIENTS[:3]), ["small", "large"][: rng.randint(1, 2)]
    middle_size = rng.choice((800, 2000, 6000))
    dearness = rng.uniform(0.0005, 0.004)
    for day in range(days):
        changes = {name for name, rate in CHANGES_A_YEAR.items() if rng.random() < rate / 365}
        if changes & {"network", "move"}:
            networks[rng.randrange(len(networks))] = _network(rng)
        if changes & {"client", "move"}:
            client = rng.choice(CLIENTS)
        if "model" in changes:
            models = [*models[-2:], f"model-{day}"]
        if not owner.weekends and day % 7 > 4 and rng.random() < 0.9:
            continue
        times = [_time(rng, owner) for _ in range(_poisson(rng, owner.per_day))]
        if "burst" in changes:
            start = _time(rng, owner)
            times += [start + rng.random() / 24 for _ in range(int(owner.per_day))]
        if "odd night" in changes:
            times += [rng.random() for _ in range(max(int(owner.per_day / 10), 1))]
        for time in sorted(times):
            size = int(middle_size * rng.lognormvariate(0, 0.6))
            network, model = rng.choice(networks), rng.choice(models)
            yield Shown((day + min(time, 1.5)) * DAY_S, network, client, model, size, False, dearness)


@dataclass(frozen=True)
class Thief:
    """A kind of thief: requests a minute, and what it copies from the owner."""

    name: str
    per_minute: float
    same_network: bool = False
    same_client: bool = False
    same_model: bool = False
    probes: int = 0
    proxies: int = 1
    dollars: float = 0.02


THIEVES = (
    Thief("bulk resale", 60, probes=3, proxies=40),
    Thief("bulk, one address", 30, probes=1),
    Thief("low and slow", 0.5),
    Thief("low and slow, owner's client", 0.5, same_client=True),
    Thief("low and slow, owner's client and model", 0.5, same_client=True, same_model=True),
    Thief("same network, bulk", 30, same_network=True),
    Thief("same network, bulk, owner's client and model", 30, same_network=True, same_client=True, same_model=True),
    Thief("same network, slow, owner's client and model", 0.5, True, True, True),
)


def thief_traffic(rng: random.Random, thief: Thief, like: Shown, start_s: float) -> Iterator[Shown]:
    """Yield a thief's requests from `start_s` on; `like` is a request of the owner's that it may copy."""
    networks = [like.network] if thief.same_network else [_network(rng) for _ in range(thief.proxies)]
    client = like.client if thief.same_client else rng.choice(("python-requests", "aiohttp", "okhttp", "curl-x"))
    model = like.model if thief.same_model else "dearest"
    at_s, number = start_s, 0
    while True:
        probe = number < thief.probes
        size = like.size if thief.same_model else int(3000 * rng.lognormvariate(0, 1))
        yield Shown(at_s, rng.choice(networks), client, model, size, probe, 0.0 if probe else thief.dollars)
        at_s += rng.expovariate(thief.per_minute / 60)
        number += 1


def merged(first: Iterator[Shown], second: Iterator[Shown]) -> Iterator[tuple[Shown, bool]]:
    """Yield both in the order of time, with whether it is of the second."""
    one, two = next(first, None), next(second, None)
    while one is not None or two is not None:
        if two is None or (one is not None and one.at_s <= two.at_s):
            assert one is not None  # noqa: S101 - the loop's condition
            yield one, False
            one = next(first, None)
        else:
            yield two, True
            two = next(second, None)


def _network(rng: random.Random) -> str:
    return f"{rng.randint(1, 223)}.{rng.randint(0, 255)}.{rng.randint(0, 255)}"


def _time(rng: random.Random, owner: Owner) -> float:
    first, last = owner.hours
    return rng.uniform(first, last) / 24


def _poisson(rng: random.Random, mean: float) -> int:
    return max(round(rng.gauss(mean, mean**0.5)), 0)
