"""Lists what lies below a path, and decides about links: one that stays inside of what is scanned is followed.

A link that leads elsewhere can make a loader read any file of the machine. The cache of Hugging Face is the exception
that everybody has on the disk: its `snapshots` link to files in `blobs` beside them.
"""

import re
from collections.abc import Iterator
from pathlib import Path

from bartizan.core.findings import Finding, Severity
from bartizan.supply.base import Scanned, judged, unreadable

_STORE = ".git"
_RUNS = re.compile(
    r"^\s*(fsmonitor|sshcommand|hookspath|pager|editor|askpass|textconv|gitproxy|program|command|external|clean|smudge|"
    r"process)\s*=(?!\s*(?:true|false)\s*$)(?!\s*git-lfs (?:clean|smudge|filter-process))",
    re.MULTILINE | re.IGNORECASE,
)
"""Settings of git that name a program."""


def files_below(root: Path) -> Iterator[Path]:
    """Yield files, links, git's own stores and folders that cannot be listed, in order. `root` itself is followed."""
    waiting = [root]
    while waiting:
        path = waiting.pop()
        if not path.is_dir() or (path != root and (path.is_symlink() or path.name == _STORE)):
            yield path
            continue
        try:
            waiting += sorted(path.iterdir(), reverse=True)
        except OSError:
            yield path


def judged_otherwise(path: Path, root: Path) -> Scanned | None:
    """Return the result for what is no file to be read: stray links, folders; None for a file, also behind a link."""
    if path != root and path.is_symlink():
        return _link(path, root)
    if not path.is_dir():
        return None
    if path.name == _STORE:
        return _git_store(path)
    return judged(str(path), "folder", [unreadable("a folder that cannot be listed", str(path))])


def _link(path: Path, root: Path) -> Scanned | None:
    where = str(path)
    try:
        target, top = path.resolve(strict=True), root.resolve(strict=True)
    except (OSError, RuntimeError):
        return judged(where, "link", [unreadable("a link to nothing", where)])
    inside = top in target.parents or _is_cached(path, target)
    if not inside:
        why = f"a link out of what is scanned, to {target}: who loads it reads that file"
        return judged(where, "link", [Finding("link", Severity.HIGH, why, where)])
    if target.is_dir():
        return judged(where, "link", [Finding("link", Severity.INFO, f"leads to {target}, scanned there", where)])
    return None


def _is_cached(path: Path, target: Path) -> bool:
    """Return whether this is snapshots/REVISION/…/name with a link to a file in `blobs` beside `snapshots`."""
    above = next((one for one in path.absolute().parents if one.name == "snapshots"), None)
    return above is not None and target.parent == above.parent.resolve() / "blobs"


def _git_store(path: Path) -> Scanned:
    """Git's store of versions is no part of a model, and is not looked into; what it would start is told."""
    where = str(path)
    found = [
        Finding("git-store", Severity.INFO, "git's own store of versions: not looked into, nothing loads it", where)
    ]
    try:
        config = path / "config"
        text = config.read_text("utf-8", "replace") if config.is_file() else ""
        hooks = sorted(one.name for one in (path / "hooks").glob("*") if not one.name.endswith(".sample"))
    except OSError as error:
        return judged(where, "git store", [unreadable(f"cannot be read: {error.strerror or error}", where)])
    for match in _RUNS.finditer(text):
        why = f"git would start what its setting {match[1]!r} names"
        found.append(Finding("git-setting", Severity.MEDIUM, why, f"{where}/config"))
    if hooks:
        why = f"git starts {', '.join(hooks[:5])}: hooks come with an archive, never with a clone"
        found.append(Finding("git-hooks", Severity.LOW, why, f"{where}/hooks"))
    return judged(where, "git store", found)
