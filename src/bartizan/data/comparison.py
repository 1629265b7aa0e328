"""What is different from the last admitted version: rows gone and new, classes changed, columns and classes drifted.

Rows are compared by their digests and keys, all of them; drift is measured on the uniform samples: Kolmogorov-Smirnov
for numbers and lengths of texts, total variation for classes and columns of few values. A drift is reported when it is
significant over all columns together (Bonferroni) and large enough to matter.
"""

import math
from collections.abc import Iterable, Mapping
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt

from bartizan.data.manifest import KEYS, LABELS, ROWS, SAMPLE, Manifest
from bartizan.data.records import DIGEST_BYTES
from bartizan.data.staging import NO_LABEL, read_sample

_SIGNIFICANT = 0.001
_LARGE = 0.1


class Drift(msgspec.Struct, frozen=True):
    """A column (of one class, if `label` is set) that is distributed otherwise than before; `size` is in 0..1."""

    column: str
    label: str
    size: float
    p: float
    before: str
    now: str


class Comparison(msgspec.Struct, frozen=True):
    """A version against the one before it."""

    before: int
    """Number of the version it is compared with."""
    rows_new: int
    rows_gone: int
    near_duplicates: int
    """New rows that differ from a row of the version before only in case, spacing, digits (pictures: in detail)."""
    repeated: int
    """Rows of this version that have the key of another one of it."""
    labels_changed: int
    """Rows that were there before with another class."""
    rows_compared: int
    """Rows whose key is in both versions."""
    new_columns: tuple[str, ...]
    lost_columns: tuple[str, ...]
    drifts: tuple[Drift, ...]


def compare(old: Manifest, new: Manifest) -> Comparison:
    """Return what is different in `new`."""
    old_rows, new_rows = _digests(old), _digests(new)
    old_keys, new_keys = _keys(old), _keys(new)
    fresh = ~np.isin(new_rows, old_rows)
    known = np.unique(old_keys[old_keys != 0])
    sizes = np.unique(new_keys[new_keys != 0], return_counts=True)[1]
    changed, compared = _relabelled(old, new, old_keys, new_keys)
    before, now = set(old.head.columns), set(new.head.columns)
    return Comparison(
        before=old.head.version,
        rows_new=int(fresh.sum()),
        rows_gone=int((~np.isin(old_rows, new_rows)).sum()),
        near_duplicates=int((np.isin(new_keys, known) & fresh).sum()),
        repeated=int(sizes.sum() - sizes.size),
        labels_changed=changed,
        rows_compared=compared,
        new_columns=tuple(sorted(now - before)),
        lost_columns=tuple(sorted(before - now)),
        drifts=tuple(_drifts(old, new)),
    )


def _digests(manifest: Manifest) -> npt.NDArray[np.uint64]:
    """Return the first half of each row's digest: enough to count by (integrity is the shards' business)."""
    raw = np.fromfile(manifest.folder / ROWS, "<u8")
    return raw[:: DIGEST_BYTES // 8]


def _keys(manifest: Manifest) -> npt.NDArray[np.uint64]:
    return np.fromfile(manifest.folder / KEYS, "<u8")


def _relabelled(
    old: Manifest, new: Manifest, old_keys: npt.NDArray[np.uint64], new_keys: npt.NDArray[np.uint64]
) -> tuple[int, int]:
    """Return how many rows with a key that is in both have a class that this key did not have, and of how many."""
    was, now = np.fromfile(old.folder / LABELS, "<u2"), np.fromfile(new.folder / LABELS, "<u2")
    number = {label: at for at, label in enumerate(new.head.labels)}
    table = np.full(NO_LABEL + 1, NO_LABEL, np.int64)
    for at, label in enumerate(old.head.labels):
        table[at] = number.get(label, NO_LABEL + 1 + at)
    both = np.isin(new_keys, old_keys) & (new_keys != 0) & (now != NO_LABEL)
    seen = np.unique(np.stack([old_keys.view(np.int64), table[was]], axis=1), axis=0) if old_keys.size else None
    if seen is None or not both.any():
        return 0, int(both.sum())
    pair = np.dtype([("key", np.int64), ("label", np.int64)])
    wanted = np.stack([new_keys[both].view(np.int64), now[both].astype(np.int64)], axis=1)
    there = np.isin(np.ascontiguousarray(wanted).view(pair).ravel(), np.ascontiguousarray(seen).view(pair).ravel())
    return int((~there).sum()), int(both.sum())


def _drifts(old: Manifest, new: Manifest) -> Iterable[Drift]:
    before, now = read_sample(old.folder / SAMPLE), read_sample(new.folder / SAMPLE)
    columns = [name for name in new.head.columns if name in old.head.columns]
    label = new.head.label if new.head.label == old.head.label else ""
    classes = [""] if not label else ["", *[one for one in new.head.labels if one in old.head.labels][:50]]
    found = []
    for one in classes:
        left, right = _of_class(before, label, one), _of_class(now, label, one)
        for column in columns:
            drift = _drift(column, one, [row.get(column) for row in left], [row.get(column) for row in right])
            if drift is not None:
                found.append(drift)
    limit = _SIGNIFICANT / max(1, len(classes) * len(columns))
    return [one for one in found if one.p < limit and one.size >= _LARGE]


def _of_class(sample: list[dict[str, Any]], label: str, wanted: str) -> list[Mapping[str, Any]]:
    rows = [row["values"] for row in sample]
    if not wanted:
        return rows
    names = label.split(",")
    return [row for row in rows if any(_text(row.get(name)) == wanted for name in names)]


def _text(value: Any) -> str:
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)


def _drift(column: str, label: str, before: list[Any], now: list[Any]) -> Drift | None:
    left, right = [v for v in before if v is not None], [v for v in now if v is not None]
    if min(len(left), len(right)) < 20:
        return None
    if all(isinstance(v, int | float) for v in (*left, *right)) and len(set(left) | set(right)) > 20:
        return _numbers(column, label, np.array(left, float), np.array(right, float))
    texts = [_text(v) for v in left], [_text(v) for v in right]
    if len(set(texts[0]) | set(texts[1])) <= 50:
        return _categories(column, label, *texts)
    if all(isinstance(v, str) for v in (*left, *right)):
        return _numbers(
            f"length of {column}", label, np.array([len(v) for v in left]), np.array([len(v) for v in right])
        )
    return None


def _numbers(column: str, label: str, left: npt.NDArray[Any], right: npt.NDArray[Any]) -> Drift:
    size = ks_distance(left, right)
    p = ks_p(size, len(left), len(right))
    return Drift(column, label, size, p, f"median {np.median(left):.4g}", f"median {np.median(right):.4g}")


def ks_distance(left: npt.NDArray[Any], right: npt.NDArray[Any]) -> float:
    """Return the greatest distance between two empirical distribution functions."""
    every = np.sort(np.concatenate([left, right]))
    shares = [np.searchsorted(np.sort(side), every, side="right") / len(side) for side in (left, right)]
    return float(np.abs(shares[0] - shares[1]).max())


def ks_p(distance: float, n: int, m: int) -> float:
    """Return the asymptotic two-sided p-value of the two-sample Kolmogorov-Smirnov test (Smirnov 1948)."""
    root = math.sqrt(n * m / (n + m))
    scaled = (root + 0.12 + 0.11 / root) * distance
    if scaled < 0.2:
        return 1.0
    terms = (2.0 * (-1.0) ** (k - 1) * math.exp(-2 * k * k * scaled * scaled) for k in range(1, 101))
    return min(1.0, max(0.0, sum(terms)))


def _categories(column: str, label: str, left: list[str], right: list[str]) -> Drift:
    """Total variation distance, with the chi-square statistic turned into a p-value (Wilson and Hilferty 1931)."""
    names = sorted(set(left) | set(right))
    a = np.array([left.count(name) for name in names], float)
    b = np.array([right.count(name) for name in names], float)
    expected = np.outer([a.sum(), b.sum()], a + b) / (a.sum() + b.sum())
    chi = float((((np.stack([a, b]) - expected) ** 2) / expected).sum())
    freedom = len(names) - 1
    shares = a / a.sum(), b / b.sum()
    size = float(np.abs(shares[0] - shares[1]).sum() / 2)
    most = int(np.abs(shares[0] - shares[1]).argmax())
    before, now = f"{names[most]}: {shares[0][most]:.1%}", f"{names[most]}: {shares[1][most]:.1%}"
    if freedom == 0:
        return Drift(column, label, 0.0, 1.0, before, now)
    z = ((chi / freedom) ** (1 / 3) - (1 - 2 / (9 * freedom))) / math.sqrt(2 / (9 * freedom))
    return Drift(column, label, size, 0.5 * math.erfc(z / math.sqrt(2)), before, now)
