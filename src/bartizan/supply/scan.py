"""Scans files and folders: the format by content, the right reader, every byte accounted for, one verdict a file."""

import mmap
import re
from collections.abc import Iterator
from pathlib import Path

from bartizan.core.findings import Finding, Severity
from bartizan.supply import (
    containers,
    coreml_models,
    keras_configs,
    lz4,
    onnx_graphs,
    pmml_models,
    skops_files,
    tensorflow_checkpoints,
    tensorflow_graphs,
)
from bartizan.supply.base import Budget, LimitReached, Scanned, judged, unreadable
from bartizan.supply.formats import format_of
from bartizan.supply.packages.contents import Contents
from bartizan.supply.pickles import begins_with_opcode, looks_like_pickle, scan_pickle
from bartizan.supply.texts import scan_text
from bartizan.supply.torch_archives import TorchArchive

_CONTROL = re.compile(r"[\x00-\x08\x0b\x0e-\x1a\x1c-\x1f]")
_CLOSED = {b"7z\xbc\xaf\x27\x1c": "7z", b"Rar!\x1a\x07": "rar"}
_PACKED = {b"\x1f\x8b": "gzip", b"BZh": "bzip2", b"\xfd7zXZ\x00": "xz", lz4.MAGIC: "lz4", b"\x5d\x00\x00": "lzma"}
_OLD_JOBLIB = re.compile(rb"ZF0x[0-9a-f]{1,16} *L? *(?=x)")
"""Joblib before 0.10: this mark, the unpacked length, zlib data."""
_PICKLE_NAMES = (".pkl", ".pickle", ".joblib", ".pt", ".pth", ".bin", ".ckpt", ".dill", ".npy")
_LARGEST_TEXT = 64 << 20
_TABLES = (".csv", ".tsv", ".jsonl", ".txt", ".json", ".xml")
"""Texts that are long because they hold data, or a model as numbers."""
_NATIVE = (b"\x7fELF", b"MZ", b"\xcf\xfa\xed\xfe", b"\xce\xfa\xed\xfe", b"\xca\xfe\xba\xbe", b"!<arch>\n")
_ORDINARY_IN_PACKAGES = frozenset({"unknown-format", "empty"})
"""Findings about a model file that say nothing about a package's data: images, fonts, empty modules."""


def scan_path(path: Path, budget: Budget | None = None) -> Iterator[Scanned]:
    """Yield the result of each file at or below `path`. A folder without files yields nothing."""
    if path.is_symlink():
        yield judged(str(path), "link", [Finding("link", Severity.HIGH, "a link can point anywhere", str(path))])
    elif path.is_dir():
        for inner in sorted(path.iterdir()):
            yield from scan_path(inner, budget)
    else:
        yield _scan_file(path, budget or Budget())


def _scan_file(path: Path, budget: Budget) -> Scanned:
    try:
        if not path.is_file():
            return judged(str(path), "other", [unreadable("neither a file nor a folder", str(path))])
        if path.stat().st_size == 0:
            empty = Finding("empty", Severity.MEDIUM, "an empty file is no model", str(path))
            return judged(str(path), "empty", [empty])
        with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as mapped:
            data = memoryview(mapped)
            try:
                return scan_bytes(data, str(path), budget)
            except Exception as error:  # noqa: BLE001 - a file that breaks the scanner is not checked, so not passed
                return judged(str(path), "file", [unreadable(f"the scan failed: {type(error).__name__}", str(path))])
            finally:
                data.release()
    except OSError as error:
        return judged(str(path), "file", [unreadable(f"cannot be read: {error.strerror or error}", str(path))])


def scan_bytes(data: memoryview, path: str, budget: Budget, depth: int = 0) -> Scanned:
    """Return the result for `data`; `path` names it in findings and serves no other purpose than to spot disguises."""
    head = bytes(data[:8])
    try:
        if depth > budget.depth:
            return judged(path, "nested", [unreadable(f"containers more than {budget.depth} deep", path)])
        for magic, kind in _CLOSED.items():
            if head.startswith(magic):
                why = f"a {kind} archive cannot be looked into; torch.load and others would open it"
                return judged(path, kind, [Finding("closed-container", Severity.HIGH, why, path)])
        for magic, kind in _PACKED.items():
            if head.startswith(magic):
                return _packed(data, kind, path, budget, depth)
        if head.startswith((b"PK\x03\x04", b"PK\x05\x06")) or _has_zip_end(data):
            return _zip(data, path, budget, depth)
        return _plain(data, head, path, budget, depth)
    except LimitReached as error:
        return judged(path, "unknown", [unreadable(f"stopped: {error}", path)])


def _plain(data: memoryview, head: bytes, path: str, budget: Budget, depth: int) -> Scanned:
    known = format_of(data)
    if known is not None:
        return judged(path, known.name, known.read(data, path, budget))
    if containers.is_tar(data):
        return _tar(data, path, budget, depth)
    old = _OLD_JOBLIB.match(data[:32])
    if old:
        return _packed(data[old.end() :], "zlib", path, budget, depth)
    if len(head) > 1 and head[0] == 0x78 and (head[0] * 256 + head[1]) % 31 == 0:
        return _packed(data, "zlib", path, budget, depth)
    graph = _graph(data, path, budget)
    if graph is not None:
        return graph
    lower = path.lower()
    if looks_like_pickle(data) or (lower.endswith(_PICKLE_NAMES) and begins_with_opcode(data)):
        return scan_pickle(data, path, budget)
    if _is_keras(lower, data):
        return judged(path, "keras", keras_configs.keras_config(bytes(data), path))
    if head.startswith(_NATIVE):
        why = "compiled code: this scanner does not read it"
        return judged(path, "native code", [Finding("native-code", Severity.MEDIUM, why, path)])
    text = _text(data, path) if _is_text(data) else None
    if text is not None:
        return text
    if tensorflow_checkpoints.is_shard(path):
        return judged(path, "tensorflow variables", [])
    why = "a format that this scanner does not know: nothing can be said about it"
    return judged(path, "unknown", [Finding("unknown-format", Severity.MEDIUM, why, path)])


def _text(data: memoryview, path: str) -> Scanned | None:
    """Return the result for a text. One that is too long to hold is data by its name, or not checked."""
    if len(data) <= _LARGEST_TEXT:
        return scan_text(bytes(data), path)
    if path.lower().endswith(_TABLES):
        return judged(path, "text", [])
    return judged(path, "text", [unreadable(f"a text of more than {_LARGEST_TEXT >> 20} MB", path)])


def _graph(data: memoryview, path: str, budget: Budget) -> Scanned | None:
    """Return the result for a graph in protobuf, or None for anything else. One that two readers take is hostile."""
    kinds = {
        "coreml": (coreml_models.is_coreml, coreml_models.coreml),
        "onnx": (onnx_graphs.is_onnx, onnx_graphs.onnx),
        "saved-model": (tensorflow_graphs.is_saved_model, tensorflow_graphs.saved_model),
        "tensorflow-graph": (tensorflow_graphs.is_graph, tensorflow_graphs.graph_def),
    }
    matching = [kind for kind, (matches, _) in kinds.items() if matches(data)]
    found = [one for kind in matching for one in kinds[kind][1](data, path, budget)]
    if len(matching) > 1:
        why = f"two formats at once ({' and '.join(matching)}): what it is depends on who reads it"
        found.append(Finding("two-formats", Severity.HIGH, why, path))
    return judged(path, matching[0], found) if matching else None


def _has_zip_end(data: memoryview) -> bool:
    """Return whether a zip directory ends the data: zip readers find it there whatever stands in front."""
    return b"PK\x05\x06" in bytes(data[-66_000:])


def _zip(data: memoryview, path: str, budget: Budget, depth: int) -> Scanned:
    found: list[Finding] = []
    names = set(containers.zip_names(data))
    torch = TorchArchive(names)
    parts: list[Scanned] = []
    contents = Contents(path, wheel=any(name.endswith(".dist-info/RECORD") for name in names))
    for member in containers.zip_members(data, path, budget, found, torch.is_storage):
        contents.see(member.name, member.data)
        found += torch.findings(member.name, member.data)
        parts += _member(member, path, budget, depth, torch)
        if member.name == skops_files.SCHEMA and skops_files.is_schema(member.data):
            where = f"{path}!{member.name}"
            parts.insert(0, judged(where, "skops", *skops_files.skops_findings(bytes(member.data), where)))
    return _whole(path, "zip", found, parts, contents)


def _member(member: containers.Member, path: str, budget: Budget, depth: int, torch: TorchArchive) -> Iterator[Scanned]:
    where = f"{path}!{member.name}"
    if torch.is_pickle(member.name):
        yield scan_pickle(member.data, where, budget, torch=True, archive_types=torch.is_script)
    elif member.name.endswith((".pkl", ".pickle")) or looks_like_pickle(member.data):
        yield scan_pickle(member.data, where, budget)
    elif not _is_quiet(member):
        yield scan_bytes(member.data, where, budget, depth + 1)


def _is_quiet(member: containers.Member) -> bool:
    """Return whether a member is a small text, as torch files and wheels hold them."""
    if len(member.data) >= 1 << 20 or not _is_text(member.data):
        return False
    return not _is_keras(member.name.lower(), member.data) and not pmml_models.is_pmml(bytes(member.data))


def _is_keras(name: str, data: memoryview) -> bool:
    if not name.endswith("config.json") or len(data) > _LARGEST_TEXT:
        return False
    return keras_configs.is_keras_config(bytes(data))


def _tar(data: memoryview, path: str, budget: Budget, depth: int) -> Scanned:
    found: list[Finding] = []
    parts: list[Scanned] = []
    contents = Contents(path)
    for member in containers.tar_members(data, path, budget, found):
        contents.see(member.name, member.data)
        if len(member.data) and not _is_quiet(member):
            parts.append(scan_bytes(member.data, f"{path}!{member.name}", budget, depth + 1))
    return _whole(path, "tar", found, parts, contents)


def _packed(data: memoryview, kind: str, path: str, budget: Budget, depth: int) -> Scanned:
    try:
        inner = containers.unpacked(data, kind, budget)
    except ValueError as error:
        return judged(path, kind, [unreadable(f"a damaged {kind} stream: {error}", path)])
    inner_part = scan_bytes(memoryview(inner), f"{path}!", budget, depth + 1)
    whole = _whole(path, kind, [], [inner_part])
    return judged(path, whole.format, whole.findings, whole.globals, inner_part.packages)


def _whole(
    path: str, kind: str, found: list[Finding], parts: list[Scanned], contents: Contents | None = None
) -> Scanned:
    findings = [*found, *(one for part in parts for one in part.findings)]
    names = [name for part in parts for name in part.globals]
    if contents is not None and contents.kind:
        ordinary = _ORDINARY_IN_PACKAGES if contents.pure else _ORDINARY_IN_PACKAGES | {"native-code"}
        findings = [one for one in findings if one.rule not in ordinary] + contents.findings()
        return judged(path, contents.kind, findings, names, [contents.package] if contents.package else [])
    inside = [part.format for part in parts if part.format not in ("text", "unknown")]
    name = f"{kind} with {inside[0]}" if inside else kind
    return judged(path, name, findings, names)


def _is_text(data: memoryview) -> bool:
    try:
        text = str(data[: 1 << 20], "utf-8", "strict")
    except UnicodeDecodeError as error:
        return error.start >= (1 << 20) - 4
    return not _CONTROL.search(text)  # the field marks of protobuf are control characters
