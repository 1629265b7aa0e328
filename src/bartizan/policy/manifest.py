"""What a tool does, what its arguments mean and what its results are made of: written by the operator, else inferred.

A manifest is the operator's word. `fields` of a result are believed only as far as the operator vouches for them: who
can write a field decides what it is, and a field that is not described is content that anybody could have written.
"""

import json
import re
from collections.abc import Mapping
from enum import StrEnum
from functools import lru_cache
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from bartizan.core.errors import BadSettings
from bartizan.core.messages import ToolSpec

_LONGEST_KEPT = 100
"""Names of tools, arguments and fields are shorter, and the same ones come again and again."""


class Effect(StrEnum):
    """What a call does to the world, from nothing to what cannot be undone."""

    READ = "read"
    FETCH = "fetch"
    WRITE = "write"
    SHARE = "share"
    """Gives somebody access: an invitation, a permission, a membership."""
    SEND = "send"
    EXECUTE = "execute"
    DELETE = "delete"
    PAY = "pay"


OUTWARD = frozenset((Effect.SHARE, Effect.SEND, Effect.PAY, Effect.FETCH))
"""Effects that carry something to somebody else."""
IRREVERSIBLE = frozenset((Effect.DELETE, Effect.PAY, Effect.EXECUTE))


class Role(StrEnum):
    """What an argument is for."""

    TARGET = "target"
    """Who or what is reached or changed."""
    AMOUNT = "amount"
    SECRET = "secret"  # noqa: S105 - the name of a role
    """A credential that the call sets or uses."""
    WHEN = "when"
    CONTENT = "content"
    """What is said or stored."""
    LABEL = "label"
    """The name of a thing that is made: words of the request, or names that a system wrote."""
    SELECTOR = "selector"
    """What a reading call looks for."""


class Kind(StrEnum):
    """Who can have written a field of a result, and what it is good for."""

    ID = "id"
    """Assigned by the system: names the record itself."""
    NAME = "name"
    """What people call the record by. Anybody may have written it: it selects, it is never a target."""
    META = "meta"
    """Written by the system or the owner: sender, members, size, dates, amounts."""
    INTERNAL = "internal"
    """Written by the organisation's own people: its links may be read, and what it names may be asked about."""
    CONTENT = "content"
    """Anybody may have written it."""
    SECRET = "secret"  # noqa: S105 - the name of a kind
    """Must not leave, unless the request names the field."""


class Result(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a tool's structured result is made of: a mapping or a list of mappings (`fields`), or a list (`items`)."""

    fields: dict[str, Kind] = {}
    called: dict[str, list[str]] = {}
    """Further words that people use for a field; for `items` under the empty name."""
    items: Kind | None = None
    by_name: bool = False
    """Fields that are not described are taken by their names."""
    keys: Kind | None = None
    """What the keys of a mapping from names to answers are."""


class Tool(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One tool. `result_trusted` says that only the operator or the user can have written what it returns."""

    effect: Effect
    arguments: dict[str, Role] = {}
    result_trusted: bool = False
    result: Result | None = None
    objects: tuple[str, ...] = ()
    """Words for what the tool acts on; the request must use one of them or name the target itself."""
    objects_only: bool = False
    """The request must use one of `objects`, also when it names the target."""
    acts: tuple[str, ...] = ()
    """Verbs, or phrases that begin with one (`*`: up to five words), that ask for it; none: all for its effect."""
    named_by: tuple[str, ...] | None = None
    """The arguments whose value, if the request names it, says that this tool is meant; otherwise every target."""
    targets: tuple[str, ...] = ()
    """Targets that the operator permits always."""
    most: Annotated[float, Meta(gt=0)] | None = None
    """The largest amount of one call."""


class Manifest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The tools that the operator has described."""

    tools: dict[str, Tool] = {}

    @staticmethod
    def parse(raw: bytes | str) -> "Manifest":
        """Return the manifest in JSON text. Raises BadSettings."""
        try:
            return msgspec.json.decode(raw, type=Manifest)
        except msgspec.DecodeError as error:
            raise BadSettings(
                f"manifest: {error}",
                hint='Expected {"tools": {"NAME": {"effect": "send", "arguments": {"to": "target"}}}}.',
            ) from error

    def tool(self, spec: ToolSpec, annotations: Mapping[str, Any] | None = None) -> Tool:
        """Return what is known about a tool: what the operator wrote, completed by what can be inferred."""
        from bartizan.policy.inference import infer
        from bartizan.policy.verbs import objects_of

        inferred = infer(spec, annotations)
        written = self.tools.get(spec.name)
        if written is None:
            return inferred
        return msgspec.structs.replace(
            written,
            arguments={**inferred.arguments, **written.arguments},
            objects=written.objects or objects_of(words_of(spec.name)),
        )


def properties(schema: str) -> dict[str, Mapping[str, Any]]:
    """Return the arguments that a JSON Schema text names, each with its own schema; none when it cannot be read."""
    try:
        found = json.loads(schema or "{}").get("properties", {})
    except (ValueError, AttributeError, RecursionError):
        return {}
    if not isinstance(found, dict):
        return {}
    return {str(name): part if isinstance(part, dict) else {} for name, part in found.items()}


def words_of(name: str) -> tuple[str, ...]:
    """Return the words of an identifier: `sendMoney_to` is send, money, to."""
    return _words_of(name) if len(name) <= _LONGEST_KEPT else _split(name)


def _split(name: str) -> tuple[str, ...]:
    spaced = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", " ", name)
    return tuple(word.lower() for word in re.split(r"[^A-Za-z0-9]+", spaced) if word)


_words_of = lru_cache(maxsize=4096)(_split)


def singular(word: str) -> str:
    """Return an English noun without its plural ending."""
    if word.endswith("ies") and len(word) > 4:
        return word[:-3] + "y"
    return word[:-1] if word.endswith("s") and not word.endswith("ss") and len(word) > 3 else word
