"""Which package names are well known, and which look like one of those without being it.

Judged offline against the most downloaded names of a day (`names/*.txt`). A name on no list is not
hostile: most packages are small. It is what a typing error, a squatter or an invention of a model looks like.
"""

import re
from collections import defaultdict
from dataclasses import dataclass
from functools import cache
from importlib import resources

PYPI = "PyPI"
NPM = "npm"
_NAMES = {PYPI: "pypi.txt", NPM: "npm.txt"}
_TARGETS = 3000
"""Only names that many people know are worth imitating: looking like a rarer one is chance."""
_SURE = 1000
_SHORTEST = 5
"""Shorter names are all alike."""
_DECORATION = ("python-", "py-", "python", "py", "node-", "js-", "-python", "-py", "-js", "-node", "js", ".js")
_TWINS = str.maketrans({"0": "o", "1": "l", "3": "e", "5": "s", "i": "l", "_": "-", ".": "-"})


@dataclass(frozen=True, slots=True)
class Lookalike:
    """The known name that a name resembles, and how."""

    name: str
    how: str
    sure: bool
    """Whether chance is unlikely: one letter away from one of the best known names, or written to look the same."""


def normal(ecosystem: str, name: str) -> str:
    """Return the name as its index compares it (PEP 503 for Python; npm only has lower case)."""
    return re.sub(r"[-_.]+", "-", name).lower() if ecosystem == PYPI else name.lower()


@cache
def popular(ecosystem: str) -> dict[str, int]:
    """Return the most downloaded names with their rank, 0 the most downloaded. Empty for other ecosystems."""
    file = _NAMES.get(ecosystem)
    if file is None:
        return {}
    text = resources.files(__package__).joinpath("names", file).read_text(encoding="utf-8")
    return {line: rank for rank, line in enumerate(text.splitlines()[1:])}


def lookalike(ecosystem: str, name: str) -> Lookalike | None:
    """Return what a name that is not popular itself resembles, or None."""
    plain = normal(ecosystem, name)
    ranks = popular(ecosystem)
    if plain in ranks or not ranks or plain.startswith("@"):
        return None
    if not plain.isascii():
        return Lookalike(plain.encode("ascii", "ignore").decode() or "?", "letters outside of ASCII", True)
    twin = _skeletons(ecosystem).get(_skeleton(plain))
    if twin:
        return Lookalike(twin, "written to look like it", True)
    near = [target for key in _with_one_less(plain) for target in _index(ecosystem).get(key, ())]
    near = [target for target in near if _one_edit(plain, target)]
    if near:
        best = min(near, key=lambda one: ranks[one])
        # One digit more or less is often the next edition of the same thing (httpcore2).
        edition = plain.rstrip("0123456789") == best.rstrip("0123456789")
        sure = ranks[best] < _SURE and min(len(plain), len(best)) >= 6 and not edition
        return Lookalike(best, "one letter away", sure)
    for mark in _DECORATION:
        bare = plain.removeprefix(mark) if mark[0] not in "-.j" else plain
        bare = bare.removesuffix(mark) if bare == plain else bare
        if bare != plain and len(bare) >= _SHORTEST and ranks.get(bare.strip("-"), _SURE) < _SURE:
            return Lookalike(bare.strip("-"), f"the same with {mark!r}", False)
    return None


def _skeleton(name: str) -> str:
    return name.translate(_TWINS).replace("rn", "m").replace("vv", "w").replace("-", "")


@cache
def _skeletons(ecosystem: str) -> dict[str, str]:
    found: dict[str, str] = {}
    for name, rank in popular(ecosystem).items():
        if rank < _TARGETS and len(name) >= _SHORTEST:
            found.setdefault(_skeleton(name), name)
    return found


@cache
def _index(ecosystem: str) -> dict[str, list[str]]:
    """Return the targets by each way to leave out one letter: two names one edit apart share one of these."""
    found: dict[str, list[str]] = defaultdict(list)
    for name, rank in popular(ecosystem).items():
        if rank < _TARGETS and len(name) >= _SHORTEST:
            for key in _with_one_less(name):
                found[key].append(name)
    return dict(found)


def _with_one_less(name: str) -> set[str]:
    return {name} | {name[:at] + name[at + 1 :] for at in range(len(name))}


def _one_edit(a: str, b: str) -> bool:
    """Return whether one letter added, left out, replaced, or two neighbours swapped make `a` into `b`."""
    if len(a) > len(b):
        a, b = b, a
    same = next((at for at in range(len(a)) if a[at] != b[at]), len(a))
    if len(a) == len(b):
        swapped = a[same + 1 : same + 2] == b[same : same + 1] and a[same : same + 1] == b[same + 1 : same + 2]
        return a[same + 1 :] == b[same + 1 :] or (swapped and a[same + 2 :] == b[same + 2 :])
    return len(b) - len(a) == 1 and a[same:] == b[same + 1 :]
