"""Orders versions as the two indexes do: PEP 440 for PyPI, semantic versions for npm."""

import re
from functools import total_ordering

from packaging.version import InvalidVersion, Version

from bartizan.supply.packages.names import NPM, PYPI

_SEMVER = re.compile(r"[v=]*(\d+)\.(\d+)\.(\d+)(?:-([0-9A-Za-z.-]+))?(?:\+[0-9A-Za-z.-]+)?")


@total_ordering
class Semver:
    """A semantic version (semver.org, section 11). Raises ValueError for anything else."""

    def __init__(self, text: str) -> None:
        """Read `text`."""
        match = _SEMVER.fullmatch(text.strip())
        if not match:
            raise ValueError(f"{text[:40]!r} is no semantic version")
        parts = match[4].split(".") if match[4] else []
        # A version without a pre-release part comes after all that have one; numbers come before words.
        self.key = (
            *(int(match[at]) for at in (1, 2, 3)),
            not parts,
            [(0, int(one), "") if one.isdigit() else (1, 0, one) for one in parts],
        )

    def __eq__(self, other: object) -> bool:
        """Compare by precedence."""
        return isinstance(other, Semver) and self.key == other.key

    def __lt__(self, other: "Semver") -> bool:
        """Compare by precedence."""
        return self.key < other.key

    def __hash__(self) -> int:
        """Hash by precedence."""
        return hash(repr(self.key))


def ordered(ecosystem: str, text: str) -> Version | Semver:
    """Return a version that can be compared. Raises ValueError when `text` is none of this ecosystem."""
    if ecosystem == NPM:
        return Semver(text)
    if ecosystem != PYPI:
        raise ValueError(f"{ecosystem}: expected {PYPI} or {NPM}")
    try:
        return Version(text)
    except InvalidVersion as error:
        raise ValueError(str(error)) from error
