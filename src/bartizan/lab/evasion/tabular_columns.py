"""What the columns of a table are called and may be: read from a file of the operator's, inferred where it is silent.

The file is TOML or JSON:

    most_changed = 3                  # columns (a group counts as one) that may differ
    reach = 0.2                       # how far a number may move, as a share of its range
    immutable = ["sex", "age"]        # columns or groups that nobody can change
    derived = ["total"]               # columns that follow from the others, by
    derive = "mymodels:total"         # your own function from rows (n, d) to rows (n, d)

    [columns.hours]
    low = 0
    high = 99
    integer = true

    [groups]                          # exactly one column of each is 1, the others 0
    work = ["work=private", "work=state"]

Ranges, whole numbers and groups that it does not state are taken from the data: a guess, shown to be checked.
"""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, TypeVar

import msgspec
import numpy as np

from bartizan.core.errors import BadSettings
from bartizan.lab.evasion.tabular import Schema
from bartizan.lab.target import Array
from bartizan.lab.targets.torch_modules import named

T = TypeVar("T")


class _Column(msgspec.Struct, forbid_unknown_fields=True):
    low: float | None = None
    high: float | None = None
    integer: bool | None = None


class _File(msgspec.Struct, forbid_unknown_fields=True):
    most_changed: Annotated[int, msgspec.Meta(ge=1)] = 3
    reach: Annotated[float, msgspec.Meta(gt=0, le=1)] = 0.2
    immutable: list[str] = []
    derived: list[str] = []
    derive: str = ""
    columns: dict[str, _Column] = {}
    groups: dict[str, list[str]] | None = None


@dataclass(frozen=True)
class Columns:
    """A schema with the names of its columns, and of its one-hot groups, in the schema's order."""

    schema: Schema
    names: tuple[str, ...]
    groups: tuple[str, ...]
    derived: tuple[int, ...] = ()

    @property
    def parts(self) -> tuple[tuple[str, tuple[int, ...]], ...]:
        """Return (name, columns) of each column that stands alone and of each group, in the table's order."""
        grouped = {column for group in self.schema.one_hot for column in group}
        alone = [(self.names[i], (i,)) for i in range(len(self.names)) if i not in grouped]
        groups = zip(self.groups, self.schema.one_hot, strict=True)
        return tuple(sorted([*alone, *groups], key=lambda part: part[1][0]))

    def shown(self, row: Array, part: tuple[int, ...]) -> str:
        """Return what `row` (d,) holds in a part, as people write it: a number, or the member of a group."""
        if len(part) == 1:
            return f"{row[part[0]]:.6g}"
        members = [self.names[i] for i in part]
        start = len(_stem(members))
        return members[int(row[list(part)].argmax())][start:]

    def described(self) -> list[tuple[str, str, str]]:
        """Return (name, what it may be, whether it may change) for each part."""
        fixed, schema = set(self.schema.immutable), self.schema
        out = []
        for name, part in self.parts:
            i = part[0]
            kind = "whole number" if i in schema.integer else "number"
            what = f"{kind} {schema.low[i]:.6g}..{schema.high[i]:.6g}" if len(part) == 1 else f"one of {len(part)}"
            how = "follows from the others" if i in self.derived else "fixed" if i in fixed else "may change"
            out.append((name, what, how))
        return out

    def check(self, x: Array) -> None:
        """Refuse rows (n, d) that are none: outside a range, or with a group that does not hold exactly one 1."""
        for name, part in self.parts:
            values = x[:, list(part)]
            if len(part) > 1:
                bad = ~(np.isin(values, (0, 1)).all(axis=1) & (values.sum(axis=1) == 1))
                want = "exactly one 1, the others 0"
            else:
                low, high = self.schema.low[part[0]], self.schema.high[part[0]]
                whole = part[0] in self.schema.integer
                bad = ((values < low) | (values > high) | (whole & (values != np.trunc(values)))).any(axis=1)
                want = f"{'a whole number in ' if whole else ''}{low:.6g}..{high:.6g}"
            if bad.any():
                row = int(bad.argmax())
                got = ", ".join(f"{value:.6g}" for value in values[row])
                raise BadSettings(
                    f"row {row}, {name} = {got}: expected {want} ({int(bad.sum())} such rows)",
                    hint="Correct the row, or the schema.",
                )

    def as_toml(self) -> str:
        """Return the schema as the file that `read` takes."""
        text, schema, numbers = msgspec.json.encode, self.schema, []
        for name, part in self.parts:
            if len(part) == 1:
                i = part[0]
                whole = "true" if i in schema.integer else "false"
                low, high = float(schema.low[i]), float(schema.high[i])
                numbers += [
                    f"[columns.{text(name).decode()}]",
                    f"low = {low}",
                    f"high = {high}",
                    f"integer = {whole}",
                    "",
                ]
        fixed = [name for name, part in self.parts if part[0] in set(schema.immutable)]
        head = [
            f"most_changed = {schema.most_changed}",
            f"reach = {schema.reach}",
            f"immutable = {text(fixed).decode()}",
        ]
        groups = [
            f"{text(name).decode()} = {text([self.names[i] for i in part]).decode()}"
            for name, part in zip(self.groups, schema.one_hot, strict=True)
        ]
        return "\n".join([*head, "", *numbers, "[groups]", *groups, ""])


def inferred(x: Array, names: Sequence[str]) -> Columns:
    """Return what rows (n, d) look like: ranges and whole numbers as seen, groups of 0/1 columns side by side.

    Columns that never vary are fixed. A guess: what nobody can change, or what follows from the rest, is not in rows.
    """
    return _columns(_File(), x, names)


def read(path: Path, x: Array, names: Sequence[str]) -> Columns:
    """Return the columns that the file describes. Raises BadSettings that names what is wrong in it."""
    try:
        raw = path.read_bytes()
        said = (msgspec.toml if path.suffix == ".toml" else msgspec.json).decode(raw, type=_File)
    except OSError as error:
        raise BadSettings(f"schema {path}: cannot be read: {error.strerror}") from error
    except msgspec.MsgspecError as error:
        raise BadSettings(f"schema {path}: {error}", hint="docs/lab.md shows one.") from error
    except UnicodeDecodeError as error:
        raise BadSettings(f"schema {path}: {error}: expected UTF-8") from error
    found = _columns(said, x, names)
    found.check(x)
    return found


def _columns(said: _File, x: Array, names: Sequence[str]) -> Columns:
    place = {name: i for i, name in enumerate(names)}
    if len(place) != len(names):
        twice = next(name for name in names if list(names).count(name) > 1)
        raise BadSettings(f"two columns are called {twice!r}: a schema needs each name once")
    if bool(said.derived) != bool(said.derive):
        raise BadSettings(
            "schema: derived and derive: expected both, the columns and the function that fills them, or none"
        )
    groups = _groups(x, names)
    if said.groups is not None:
        groups = {name: tuple(_one(one, place, f"groups.{name}") for one in some) for name, some in said.groups.items()}
    known = place | groups
    low, high = x.min(axis=0).astype(np.float32), x.max(axis=0).astype(np.float32)
    whole = (x == np.trunc(x)).all(axis=0)
    for name, column in said.columns.items():
        i = _one(name, place, "columns")
        low[i], high[i] = (
            value if given is None else given for given, value in ((column.low, low[i]), (column.high, high[i]))
        )
        whole[i] = whole[i] if column.integer is None else column.integer
    grouped = {i for group in groups.values() for i in group}
    derived = tuple(_one(name, place, "derived") for name in said.derived)
    constant = [i for i in np.flatnonzero(low == high) if i not in grouped]
    fixed: set[int] = {*map(int, constant), *derived}
    for name in said.immutable:
        part = _one(name, known, "immutable")
        fixed |= {part} if isinstance(part, int) else set(part)
    schema = Schema(
        low, high, tuple(int(i) for i in np.flatnonzero(whole) if i not in grouped), tuple(sorted(fixed)),
        tuple(groups.values()), said.most_changed, said.reach, named(said.derive, "derive") if said.derive else None,
    )  # fmt: skip
    if not schema.units:
        raise BadSettings("schema: every column is fixed: there is nothing to attack")
    return Columns(schema, tuple(names), tuple(groups), derived)


def _one(name: str, known: dict[str, T], where: str) -> T:
    if name in known:
        return known[name]
    near = difflib.get_close_matches(name, known, n=3) or list(known)[:5]
    raise BadSettings(f"schema: {where}: no column {name!r}; the data have {', '.join(near)} …")


def _groups(x: Array, names: Sequence[str]) -> dict[str, tuple[int, ...]]:
    """Return runs of 0/1 columns side by side of which exactly one is 1 in every row, by what their names share.

    Names go before values: a category that no row has is a column of zeros, and could belong to either neighbour.
    """
    binary = np.asarray(np.isin(x, (0, 1)).all(axis=0))
    found: dict[str, tuple[int, ...]] = {}
    start = 0
    while start < len(names):
        stem = _stem([names[start]])
        stop = start
        while stem and stop < len(names) and binary[stop] and _stem([names[stop]]) == stem:
            stop += 1
        if not _is_group(x, start, stop):
            stop = start
            while stop < len(names) and binary[stop] and not _is_group(x, start, stop):
                stop += 1
        if _is_group(x, start, stop):
            members = tuple(range(start, stop))
            name = _stem([names[i] for i in members]).rstrip("=_:. ") or f"{names[start]} to {names[stop - 1]}"
            found[name if name not in found else f"{name} ({start})"] = members
        start = stop if _is_group(x, start, stop) else start + 1
    return found


def _is_group(x: Array, start: int, stop: int) -> bool:
    return stop - start > 1 and bool((x[:, start:stop].sum(axis=1) == 1).all())


def _stem(names: Sequence[str]) -> str:
    """Return what all names begin with, up to the sign that parts a column's name from its value: = before : and _."""
    first, last = min(names), max(names)
    length = next((i for i, (one, two) in enumerate(zip(first, last, strict=False)) if one != two), len(first))
    shared = first[:length] if len(names) > 1 else first
    return shared[: 1 + (shared.find("=") if "=" in shared else max(shared.rfind(":"), shared.rfind("_")))]
