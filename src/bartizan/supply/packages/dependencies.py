"""Judges what a requirement or lock file asks for: unpinned, unhashed, from elsewhere, or with a name to look twice at.

A hash in a lock file says that the file is the one that somebody looked at; without it the index may give another one.
"""

import re
from collections.abc import Iterator
from urllib.parse import urlsplit

from bartizan.core.display import visible
from bartizan.core.findings import Finding, Severity
from bartizan.supply.base import Package, Scanned, judged, unreadable
from bartizan.supply.packages.names import NPM, lookalike, normal, popular
from bartizan.supply.packages.requirement_files import Asked, Wanted, reader_of

_COMMIT = re.compile(r"@[0-9a-f]{40}\b|#[0-9a-f]{40}\b")
_HASHED = re.compile(r"^[A-Za-z0-9][\w.-]*(?:\[[\w, -]*\])?==[^\n]*(?:\\\s*)?--hash=", re.MULTILINE)
_STRONG = ("sha256", "sha384", "sha512")
_SHOWN = 6


def scan_requirements(text: str, path: str) -> Scanned | None:
    """Return the result for a requirement or lock file, or None when `path` names no such file."""
    *folders, name = path.replace("\\", "/").replace("!", "/").split("/")
    if name.endswith((".txt", ".in")) and ("requirements" in folders[-1:] or _HASHED.search(text)):
        name = f"requirements-{name}"
    read = reader_of(name)
    if read is None:
        return None
    try:
        asked = read(text)
        found = findings(asked, path)
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        why = f"a requirement file that cannot be read: {type(error).__name__}: {visible(str(error)[:120])}"
        return judged(path, "requirements", [unreadable(why, path)])
    packages = [Package(one.ecosystem, one.name, one.version, one.digests) for one in asked.wanted]
    return judged(path, "lock" if asked.locked else "requirements", found, (), packages)


def findings(asked: Asked, path: str) -> list[Finding]:
    """Return what is wrong with what a file asks for."""
    found = [*_options(asked, path), *_pins(asked, path)]
    for one in asked.wanted:
        where = f"{path}:{one.line}" if one.line else path
        found += _name(one, where)
        found += _source(one, where)
    if asked.unread:
        found.append(unreadable(f"not understood: {_some(asked.unread)}", path))
    return list(dict.fromkeys(found))


def _pins(asked: Asked, path: str) -> Iterator[Finding]:
    if not asked.locked:
        return
    loose = [one.name for one in asked.wanted if not one.version and not one.source]
    if loose:
        why = f"{len(loose)} of {len(asked.wanted)} may be any version: {_some(loose)}"
        yield Finding("unpinned", Severity.MEDIUM, why, path)
    bare = [one.name for one in asked.wanted if not any(digest.startswith(_STRONG) for digest in one.digests)]
    bare = [name for name in bare if name not in loose]
    if bare:
        yield Finding("unhashed", Severity.MEDIUM, f"{len(bare)} without a strong hash: {_some(bare)}", path)
    strange = [one.name for one in asked.wanted if _is_strange(one)]
    if strange:
        why = f"{len(strange)} names that are not well known, and no hash says which file was meant: {_some(strange)}"
        yield Finding("unfamiliar-name", Severity.MEDIUM, f"{why}; check that they exist and are what you want", path)
    coded = [one.name for one in asked.wanted if one.installs_with_code]
    if coded:
        yield Finding("install-script", Severity.INFO, f"{len(coded)} run code when installed: {_some(coded)}", path)


def _is_strange(one: Wanted) -> bool:
    """Return whether a name could be invented: language models make up names that somebody then registers."""
    return not one.digests and normal(one.ecosystem, one.name) not in popular(one.ecosystem)


def _name(one: Wanted, where: str) -> Iterator[Finding]:
    like = lookalike(one.ecosystem, one.name)
    if like:
        severity = Severity.HIGH if like.sure else Severity.MEDIUM
        yield Finding("lookalike-name", severity, f"{visible(one.name)} resembles {like.name}: {like.how}", where)


def _options(asked: Asked, path: str) -> Iterator[Finding]:
    for word, value in asked.options:
        if word == "--extra-index-url":
            why = f"{visible(value)[:120]}: pip takes the highest version of two indexes, so a stranger's name can win"
            yield Finding("second-index", Severity.MEDIUM, why, path)
        elif word == "--trusted-host" or (word in ("-i", "--index-url", "-f", "--find-links") and _is_plain(value)):
            yield Finding("unverified-index", Severity.HIGH, f"{word} {visible(value)[:120]}: no certificate", path)


def _source(one: Wanted, where: str) -> Iterator[Finding]:
    place, name = one.source, visible(one.name)
    shown = visible(place)[:120]
    if not place:
        return
    if _is_plain(place):
        yield Finding("unverified-source", Severity.HIGH, f"{name} comes from {shown} without encryption", where)
    elif one.ecosystem == NPM and one.digests:
        yield from _resolved(one, where)
    elif "git" in place.split("://")[0] or ".git" in place:
        if not _COMMIT.search(place):
            why = f"{name} is whatever {shown} holds at the time: no commit is named"
            yield Finding("moving-source", Severity.MEDIUM, why, where)
    elif "://" in place and not one.digests:
        yield Finding("unhashed-source", Severity.MEDIUM, f"{name} comes from {shown} without a hash", where)


def _resolved(one: Wanted, where: str) -> Iterator[Finding]:
    """Compare an entry's name with the file that it is fetched from: lock files are changed to bring in another one."""
    at = urlsplit(one.source)
    if at.hostname in ("registry.npmjs.org", "registry.yarnpkg.com"):
        if not at.path.startswith(f"/{one.name}/-/"):
            why = f"{visible(one.name)} is fetched from {visible(at.path)[:120]}, which is another package"
            yield Finding("lock-mismatch", Severity.HIGH, why, where)
    elif at.scheme in ("http", "https"):
        why = f"{visible(one.name)} is fetched from {visible(at.hostname or '')}, which is not the npm registry"
        yield Finding("foreign-registry", Severity.MEDIUM, why, where)


def _is_plain(address: str) -> bool:
    return urlsplit(address.removeprefix("git+")).scheme in ("http", "git") and not re.match(
        r"(git\+)?https?://(localhost|127\.0\.0\.1)[:/]", address
    )


def _some(names: list[str]) -> str:
    shown = ", ".join(visible(name)[:80] for name in sorted(set(names))[:_SHOWN])
    more = len(set(names)) - _SHOWN
    return f"{shown} and {more} more" if more > 0 else shown
