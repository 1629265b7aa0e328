"""Scans pickle data: every stream in it, pickles hidden in its bytes, and whatever follows the last STOP."""

from bartizan.core.findings import Finding, Severity
from bartizan.supply.base import Budget, LimitReached, Scanned, judged, unreadable
from bartizan.supply.opcodes import Broken, read_op
from bartizan.supply.walk import Walk, streams

TORCH_MAGIC = 0x1950A86A20F9469CFC6C
"""First object of a torch file in the form used before version 1.6: five pickles, then raw storages."""
_TORCH_STREAMS = 5
_FIRST = b"(cilp]})NIJKMLGFSTUVXBCP\x82\x83\x84\x88\x89\x8a\x8b\x8c\x8d\x8e\x8f\x95\x96\x97"
"""Opcodes that do something on an empty stack."""
_GLANCE = 1 << 16


def scan_pickle(
    data: memoryview, path: str, budget: Budget, *, torch: bool = False, archive_types: bool = False
) -> Scanned:
    """Return the verdict on pickle data.

    `torch` allows persistent ids, as torch's zip files have them; `archive_types` names below `__torch__`.
    """
    walks: list[Walk] = []
    findings: list[Finding] = []
    legacy = False
    try:
        for walk in streams(data, budget, path, torch=torch, archive_types=archive_types):
            if walks and not legacy and not walk.globals and _is_noise(walk):
                findings += _trailing(data, walks[-1], path)
                break
            walk.torch = torch or legacy
            walks.append(walk)
            legacy = legacy or _is_magic(walks[0])
            if legacy and len(walks) == _TORCH_STREAMS:
                break
        for walk in walks:
            findings += [one for one in walk.findings if not (legacy and one.rule == "pickle-persistent-id")]
            for inner in walk.nested:
                findings += _nested(inner, path, budget, 0)
    except LimitReached as error:
        findings += [one for walk in walks for one in walk.findings]
        findings.append(unreadable(f"stopped: {error}", path))
    names = [name for walk in walks for name in walk.globals]
    return judged(path, "torch legacy" if legacy else "pickle", dict.fromkeys(findings), names)


def looks_like_pickle(data: memoryview) -> bool:
    """Return whether `data` begins like a pickle: a protocol header, a first stream that reads to its STOP or calls.

    Many texts begin like an old pickle (`class X` names a global `lass X…`): one that breaks off counts only when it
    names something that can be imported, and calls it.
    """
    if len(data) >= 2 and data[0] == 0x80 and data[1] <= 5:
        return True
    if not len(data) or data[0] not in _FIRST:
        return False
    try:
        return _reads(data[:_GLANCE]) or (len(data) > _GLANCE and _reads(data))
    except LimitReached:
        return True


def _reads(data: memoryview) -> bool:
    walk = Walk(data, 0, Budget(seconds=5), "")
    return walk.run() or (walk.calls > 0 and any(map(_is_importable, walk.globals)))


def also_pickle(data: memoryview, path: str, budget: Budget) -> Scanned | None:
    """Return the result when data of another format is a pickle too, which names something; None when it is not.

    Other formats can begin with anything (the first name in a tar file, an offset), so a file can be both.
    """
    if not looks_like_pickle(data):
        return None
    result = scan_pickle(data, path, budget)
    return result if any(_is_importable(name) for name in result.globals) else None


def begins_with_opcode(data: memoryview) -> bool:
    """Return whether a pickle reader would do anything at all with `data` before it gives up."""
    try:
        read_op(data, 0)
    except Broken:
        return False
    return True


def _is_importable(name: str) -> bool:
    return all(part.isidentifier() for part in name.split("."))


def _is_magic(walk: Walk) -> bool:
    return walk.result == TORCH_MAGIC


def _is_noise(walk: Walk) -> bool:
    """Return whether a further stream breaks off without having named anything: then it is trailing data."""
    return any(one.rule == "unreadable" for one in walk.findings)


def _trailing(data: memoryview, last: Walk, path: str) -> list[Finding]:
    left = len(data) - last.at
    why = f"{left} bytes follow the end of the pickle and are no pickle"
    return [Finding("trailing-data", Severity.MEDIUM, why, path)]


def _nested(data: memoryview, path: str, budget: Budget, depth: int) -> list[Finding]:
    """Look into bytes that begin like a pickle. What is no pickle after all says nothing."""
    if depth >= budget.depth:
        return [unreadable(f"pickles inside pickles, more than {budget.depth} deep", path)]
    walk = Walk(data, 0, budget, f"{path} (pickle inside)")
    finished = walk.run()
    if not finished and (data[0] != 0x80 or not walk.globals):
        return []
    if data[0] != 0x80 and not all(map(_is_importable, walk.globals)):
        return []  # a text that begins and ends like an old pickle
    found = list(walk.findings)
    for inner in walk.nested:
        found += _nested(inner, path, budget, depth + 1)
    return found
