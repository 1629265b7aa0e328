"""The price book: what each model costs and how much it can take. Dated and signed; an unknown price is no price.

The operator writes it; nothing is fetched. A book whose signature does not hold, or that is older than allowed, is
refused. Where a model has several prices (long inputs, service tiers), what is reserved is the dearest that can apply,
and what is settled is the one the provider named, or the dearest when it named none.
"""

import base64
import datetime
import os
from fnmatch import fnmatchcase
from pathlib import Path

import msgspec
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from msgspec import Struct

from bartizan.core.errors import BadSettings
from bartizan.core.messages import Usage
from bartizan.gateway.limits.money import cost, nano_dollars

_SIGNED = b"bartizan price book v1\n"
_DAY_NS = 86_400_000_000_000


class Tier(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """Prices in dollars per million tokens. Reasoning counts as output. Empty means the same as `input`."""

    input: str
    output: str
    cached: str = ""
    cache_write: str = ""
    from_input_tokens: int = 0
    service: str = ""
    """The service tier that pays this; empty for the standard one."""


class Model(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """One model, or a pattern with `*` of models that cost the same."""

    model: str
    context_tokens: int
    max_output_tokens: int
    tiers: tuple[Tier, ...]
    image_tokens: int = 0
    """Most tokens one image can cost; 0 means that images are refused."""
    tool_tokens: int = 1024
    """Most tokens the provider itself adds when tools are offered."""
    request: str = "0"
    """Dollars per request, on top."""

    def rates(self) -> tuple["Rate", ...]:
        """Return the tiers in nano-dollars per million. Raises BadSettings."""
        name = f"{self.model}: price"
        return tuple(
            Rate(
                nano_dollars(tier.input, name),
                nano_dollars(tier.cached or tier.input, name),
                nano_dollars(tier.cache_write or tier.input, name),
                nano_dollars(tier.output, name),
                tier.from_input_tokens,
                tier.service,
            )
            for tier in self.tiers
        )


class Rate(Struct, frozen=True):
    """A tier in nano-dollars per million tokens."""

    input: int
    cached: int
    cache_write: int
    output: int
    from_input_tokens: int = 0
    service: str = ""


class Price:
    """What one model costs, ready to count with."""

    def __init__(self, model: Model) -> None:
        """Turn dollars into integers. Raises BadSettings."""
        self.model = model
        self._rates = model.rates()
        self._request = nano_dollars(model.request, f"{model.model}: request")
        if not any(rate.from_input_tokens == 0 for rate in self._rates):
            raise BadSettings(f"{model.model}: tiers: expected one that begins at 0 input tokens")

    def most(self, input_tokens: int, output_tokens: int) -> int:
        """Return the most that so many tokens can cost, whatever tier and cache."""
        return (
            self._request
            + cost(input_tokens, self.dearest_input(input_tokens))
            + self._output(input_tokens, output_tokens)
        )

    def _output(self, input_tokens: int, output_tokens: int) -> int:
        return cost(output_tokens, self.dearest_output(input_tokens))

    def affords(self, input_tokens: int, nano: int) -> int:
        """Return how many output tokens `nano` pays for once the input is paid; negative when not even that."""
        left = nano - self._request - cost(input_tokens, self.dearest_input(input_tokens))
        dearest = self.dearest_output(input_tokens)
        return left * 1_000_000 // dearest if dearest else self.model.max_output_tokens

    def dearest_input(self, input_tokens: int) -> int:
        """Return the dearest input price that an input of at most so many tokens can meet."""
        return max(max(rate.input, rate.cached, rate.cache_write) for rate in self._reachable(input_tokens))

    def dearest_output(self, input_tokens: int) -> int:
        """Return the dearest output price that an input of at most so many tokens can meet."""
        return max(rate.output for rate in self._reachable(input_tokens))

    def _reachable(self, input_tokens: int) -> list[Rate]:
        return [rate for rate in self._rates if rate.from_input_tokens <= input_tokens]

    def charged(self, usage: Usage) -> int:
        """Return what this usage costs: the provider's tier when it named one we know, else the dearest."""
        reachable = self._reachable(usage.input_tokens)
        named = [rate for rate in reachable if rate.service == _service(usage.tier)]
        return max(self._charged(usage, rate) for rate in _highest(named or reachable))

    def _charged(self, usage: Usage, rate: Rate) -> int:
        cached = min(usage.cached_tokens, usage.input_tokens)
        written = min(usage.written_tokens, usage.input_tokens - cached)
        fresh = usage.input_tokens - cached - written
        parts = fresh * rate.input + cached * rate.cached + written * rate.cache_write
        return self._request + -(-parts // 1_000_000) + cost(usage.output_tokens, rate.output)


def _service(tier: str) -> str:
    return "" if tier in ("default", "standard", "auto") else tier or "?"


def _highest(rates: list[Rate]) -> list[Rate]:
    """Return, for each service, the tier with the highest beginning: the one that applies."""
    applies: dict[str, Rate] = {}
    for rate in sorted(rates, key=lambda rate: rate.from_input_tokens):
        applies[rate.service] = rate
    return list(applies.values())


class Book(Struct, frozen=True, forbid_unknown_fields=True):
    """The file: when the prices were looked up, and the models; the first that matches counts."""

    as_of: datetime.date
    models: tuple[Model, ...]


class PriceBook:
    """A book that was checked."""

    def __init__(self, book: Book) -> None:
        """Prepare the prices. Raises BadSettings."""
        self.book = book
        self._prices = [(model.model, Price(model)) for model in book.models]

    def price(self, model: str) -> Price | None:
        """Return the price of a model, or None when the book does not know it."""
        return next((price for pattern, price in self._prices if fnmatchcase(model, pattern)), None)


def key_file(path: Path) -> Path:
    """Return where the private key of the book at `path` lies."""
    return path.with_name(path.name + ".key")


def write(path: Path, book: Book) -> str:
    """Write and sign the book; make a key the first time. Return the public key to put into the settings."""
    PriceBook(book)
    path.parent.mkdir(parents=True, exist_ok=True)
    secret = key_file(path)
    if not secret.exists():
        with os.fdopen(os.open(secret, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(Ed25519PrivateKey.generate().private_bytes_raw().hex().encode())
    key = Ed25519PrivateKey.from_private_bytes(bytes.fromhex(secret.read_text("ascii")))
    data = msgspec.json.format(msgspec.json.encode(book))
    signature = base64.b64encode(key.sign(_SIGNED + data)).decode()
    public = base64.b64encode(key.public_key().public_bytes_raw()).decode()
    for name, content in ((".sig", signature), (".pub", public)):
        path.with_name(path.name + name).write_text(content + "\n", "ascii")
    beside = path.with_name(path.name + ".new")
    beside.write_bytes(data)
    beside.replace(path)
    return public


def load(path: Path, now_ns: int, *, public_key: str = "", max_age_days: float = 400) -> PriceBook:
    """Return the book at `path`. Raises BadSettings when it is missing, altered, unreadable or too old.

    `public_key` is the only signer that is believed; empty believes the key that lies beside the book.
    """
    try:
        data = path.read_bytes()
        signature = base64.b64decode(path.with_name(path.name + ".sig").read_text("ascii"))
        public = public_key or path.with_name(path.name + ".pub").read_text("ascii")
        key = Ed25519PublicKey.from_public_bytes(base64.b64decode(public.strip()))
        key.verify(signature, _SIGNED + data)
        book = msgspec.json.decode(data, type=Book)
    except InvalidSignature as error:
        raise BadSettings(
            f"{path}: the signature does not hold: the prices were altered, or signed by another key",
            hint="Sign it again with `bartizan prices sign`, or set limits.prices_key to the key of who signed it.",
        ) from error
    except (OSError, ValueError) as error:
        raise BadSettings(
            f"{path}: cannot be read as a signed price book: {error}",
            hint="`bartizan prices sign FILE` makes one.",
        ) from error
    age = now_ns // _DAY_NS - (book.as_of - datetime.date(1970, 1, 1)).days
    if age > max_age_days:
        raise BadSettings(f"{path}: prices of {book.as_of} are {age} days old: expected at most {max_age_days:g}")
    return PriceBook(book)
