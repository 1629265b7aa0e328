"""The operator's files: limits set while running, and the price book. A change is taken up; a bad one is not."""

import os
from collections.abc import Sequence
from pathlib import Path

import msgspec

from bartizan.core.clock import Clock
from bartizan.core.errors import BadSettings
from bartizan.core.sections.limits import LimitRule, Limits
from bartizan.core.settings import secret
from bartizan.gateway.limits.prices import Price, PriceBook, load
from bartizan.gateway.limits.rules import Rules, merged
from bartizan.ledger.stores.base import Store
from bartizan.ledger.stores.opening import open_store

_decode = msgspec.json.Decoder(tuple[LimitRule, ...]).decode
_MOST_CACHED = 1024
_UNREAD = object()


class Files:
    """Rules and prices in force."""

    def __init__(self, settings: Limits, clock: Clock) -> None:
        """Read both. Raises BadSettings, also when limits count money or tokens and there is no price book."""
        self._settings = settings
        self._clock = clock
        self._prices: dict[str, Price | None] = {}
        self._book: PriceBook | None = None
        self._stamps: tuple[object, object] = (_UNREAD, _UNREAD)
        self.rules = Rules(())
        self.refresh()
        if not self.has_prices and any(rule.unit in ("money", "input", "output") for rule in self.rules.rules):
            raise BadSettings(
                f"{settings.prices_file}: there is no price book, and limits count money or tokens",
                hint="`bartizan prices sign FILE` makes one of your own prices.",
            )

    @property
    def has_prices(self) -> bool:
        """Whether there is a price book."""
        return self._book is not None

    def price(self, model: str) -> Price | None:
        """Return the price of a model, or None when the book does not know it."""
        if model not in self._prices:
            if len(self._prices) >= _MOST_CACHED:
                self._prices.clear()
            self._prices[model] = self._book.price(model) if self._book else None
        return self._prices[model]

    def refresh(self) -> None:
        """Read again what has changed. Raises BadSettings; then what was known stays in force."""
        settings = self._settings
        now = (_stamp(Path(settings.rules_file)), _stamp(Path(settings.prices_file)))
        before, self._stamps = self._stamps, now
        if now[0] != before[0]:
            self.rules = Rules(merged(settings.rules, rules_in(Path(settings.rules_file))))
        if now[1] is not None and now[1] != before[1]:
            self._book = load(
                Path(settings.prices_file),
                self._clock.wall_ns(),
                public_key=settings.prices_key,
                max_age_days=settings.prices_max_age_days,
            )
            self._prices = {}


def counting(settings: Limits, clock: Clock) -> Store:
    """Return the store that counts. Raises UpstreamFailed, BadSettings."""
    where = secret(settings.store_env, "", "limits.store_env") if settings.store_env else settings.store
    return open_store(where, clock, full=settings.durability == "power")


def rules_in(path: Path) -> tuple[LimitRule, ...]:
    """Return the rules in a file; none when it does not exist. Raises BadSettings."""
    try:
        return _decode(path.read_bytes())
    except FileNotFoundError:
        return ()
    except (OSError, ValueError) as error:
        raise BadSettings(f"{path}: cannot be read as limits: {error}") from error


def write_rules(path: Path, rules: Sequence[LimitRule]) -> None:
    """Write the file of rules, all of it or nothing."""
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name(path.name + ".new")
    beside.write_bytes(msgspec.json.format(msgspec.json.encode(tuple(rules))))
    os.replace(beside, path)


def _stamp(path: Path) -> tuple[int, int] | None:
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_mtime_ns, status.st_ino
