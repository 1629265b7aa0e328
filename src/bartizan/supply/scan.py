"""Scans files and folders: the format by content, the right reader, every byte accounted for, one verdict a file."""

import mmap
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from bartizan.core.findings import Finding, Severity
from bartizan.supply import (
    containers,
    coreml_models,
    keras_configs,
    lz4,
    media,
    model_configs,
    onnx_graphs,
    skops_files,
    tensorflow_checkpoints,
    tensorflow_graphs,
)
from bartizan.supply.agents.skills import beside_skill, is_part, skill_folders
from bartizan.supply.base import Budget, LimitReached, Scanned, judged, unreadable
from bartizan.supply.folders import files_below, judged_otherwise
from bartizan.supply.formats import format_of
from bartizan.supply.packages.contents import CODE_NAMES, Contents
from bartizan.supply.pickles import also_pickle, begins_with_opcode, looks_like_pickle, scan_pickle
from bartizan.supply.texts import MODEL_NAMES, scan_text
from bartizan.supply.torch_archives import TorchArchive

_CONTROL = re.compile(r"[\x00-\x08\x0b\x0e-\x1a\x1c-\x1f]")
_ZIP = b"PK\x03\x04"
_CLOSED = {b"7z\xbc\xaf\x27\x1c": "7z", b"Rar!\x1a\x07": "rar", b"\x28\xb5\x2f\xfd": "zstd"}
_CLOSED_WHY = (
    "a {} archive: this scanner does not open it, though loaders may; unpack it and scan what is in it, "
    "or ask for a zip or tar"
)
_PACKED = {b"\x1f\x8b": "gzip", b"BZh": "bzip2", b"\xfd7zXZ\x00": "xz", lz4.MAGIC: "lz4", b"\x5d\x00\x00": "lzma"}
_OLD_JOBLIB = re.compile(rb"ZF0x[0-9a-f]{1,16} *L? *(?=x)")
"""Joblib before 0.10: this mark, the unpacked length, zlib data."""
_PICKLE_NAMES = (
    *(".pkl", ".pickle", ".p", ".joblib", ".pt", ".pth", ".bin", ".ckpt", ".dill", ".npy", ".sav", ".model"),
    *(".pdparams", ".pyt", ".torch", ".weights", ".dat"),
)
_DATA_NAMES = (".sav", ".dat", ".model", ".weights", ".p")
"""Of those, what is as often data of another kind: IDL and SPSS files, Fortran records, tables."""
_LARGEST_TEXT = 64 << 20
_TABLES = (".csv", ".tsv", ".jsonl", ".txt", ".json", ".xml")
"""Texts that are long because they hold data, or a model as numbers."""
_NATIVE = (b"\x7fELF", b"MZ", b"\xcf\xfa\xed\xfe", b"\xce\xfa\xed\xfe", b"\xca\xfe\xba\xbe", b"!<arch>\n")
_OF_PACKAGES = frozenset({"requirements", "lock", "shell", "python path file", "npm package"})
"""Kinds of texts that are judged where they are used, not inside of a package that ships them."""
_ORDINARY_IN_PACKAGES = frozenset({"unknown-format", "empty", "no-model"})
"""Findings about a model file that say nothing about a package's data: images, fonts, empty modules."""


def scan_path(path: Path, budget: Budget | None = None) -> Iterator[Scanned]:
    """Yield the result of each file at or below `path`. A folder without files yields nothing."""
    for file in files_below(path):
        yield scan_file(file, path, budget)


def scan_file(path: Path, root: Path, budget: Budget | None = None) -> Scanned:
    """Return the result for a file below `root`, or for a link or folder that is no file to be read."""
    try:
        otherwise = judged_otherwise(path, root)
        if otherwise is not None:
            return otherwise
        if not path.is_file():
            return judged(str(path), "other", [unreadable("neither a file nor a folder", str(path))])
        if path.stat().st_size == 0:
            return _empty(path)
        with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as mapped:
            data = memoryview(mapped)
            try:
                return scan_bytes(data, str(path), budget or Budget(), in_skill=beside_skill(path))
            except Exception as error:  # noqa: BLE001 - a file that breaks the scanner is not checked, so not passed
                return judged(str(path), "file", [unreadable(f"the scan failed: {type(error).__name__}", str(path))])
            finally:
                data.release()
    except OSError as error:
        return judged(str(path), "file", [unreadable(f"cannot be read: {error.strerror or error}", str(path))])


def _empty(path: Path) -> Scanned:
    found = [Finding("empty", Severity.MEDIUM, "an empty file is no model", str(path))]
    return judged(str(path), "empty", found if path.name.lower().endswith(MODEL_NAMES) else [])


def scan_bytes(data: memoryview, path: str, budget: Budget, depth: int = 0, *, in_skill: bool = False) -> Scanned:
    """Return the result for `data`; `path` names it in findings and serves no other purpose than to spot disguises.

    `in_skill` says that it lies in the folder of a skill.
    """
    head = bytes(data[:8])
    try:
        if depth > budget.depth:
            return judged(path, "nested", [unreadable(f"containers more than {budget.depth} deep", path)])
        for magic, kind in _CLOSED.items():
            if head.startswith(magic):
                return judged(path, kind, [Finding("closed-container", Severity.HIGH, _CLOSED_WHY.format(kind), path)])
        for magic, kind in _PACKED.items():
            if head.startswith(magic):
                return _packed(data, kind, path, budget, depth)
        if head.startswith((_ZIP, b"PK\x05\x06")) or _has_zip_end(data):
            return _zip(data, path, budget, depth)
        found = _marked(data, path, budget, depth)
        return found if found is not None else _unmarked(data, path, budget, in_skill)
    except LimitReached as error:
        return judged(path, "unknown", [unreadable(f"stopped: {error}", path)])


def _marked(data: memoryview, path: str, budget: Budget, depth: int) -> Scanned | None:
    """Return the result for a format that its bytes give away. One that is a pickle as well is hostile."""
    known = format_of(data)
    old = _OLD_JOBLIB.match(data[:32])
    if known is not None:
        found = judged(path, known.name, known.read(data, path, budget))
    elif containers.is_tar(data):
        found = _tar(data, path, budget, depth)
    elif old:
        return _packed(data[old.end() :], "zlib", path, budget, depth)
    elif len(data) > 1 and data[0] == 0x78 and (data[0] * 256 + data[1]) % 31 == 0:
        return _packed(data, "zlib", path, budget, depth)
    else:
        graph = _graph(data, path, budget)
        if graph is None:
            return None
        found = graph
    also = also_pickle(data, path, budget)
    if also is None:
        return found
    why = f"two formats at once ({found.format} and pickle): what it is depends on who reads it"
    two = Finding("two-formats", Severity.HIGH, why, path)
    return judged(path, found.format, [two, *also.findings, *found.findings], also.globals, found.packages)


def _unmarked(data: memoryview, path: str, budget: Budget, in_skill: bool) -> Scanned:
    lower = path.lower()
    sure = looks_like_pickle(data)
    if sure or (lower.endswith(_PICKLE_NAMES) and begins_with_opcode(data)):
        pickled = scan_pickle(data, path, budget)
        if sure or not lower.endswith(_DATA_NAMES) or not _breaks_off_before_a_name(pickled):
            return pickled
    if _is_keras(lower, data):
        found = keras_configs.keras_config(bytes(data), path)
        found += model_configs.json_findings(str(data, "utf-8", "replace"), path)
        return judged(path, "keras", dict.fromkeys(found))
    if bytes(data[:8]).startswith(_NATIVE):
        why = "compiled code: this scanner does not read it"
        return judged(path, "native code", [Finding("native-code", Severity.MEDIUM, why, path)])
    text = _text(data, path, in_skill) if _is_text(data) else None
    if text is not None:
        return text
    if tensorflow_checkpoints.is_shard(path):
        return judged(path, "tensorflow variables", [])
    shown = media.kind_of(data, lower)
    if shown:
        why = f"a {shown}, which no loader of models reads: not looked into"
        return judged(path, shown, [Finding("no-model", Severity.INFO, why, path)])
    why = "a format that this scanner does not know: nothing can be said about it"
    return judged(path, "unknown", [Finding("unknown-format", Severity.MEDIUM, why, path)])


def _breaks_off_before_a_name(found: Scanned) -> bool:
    """Return whether an unpickler would stop at these bytes before it has looked up or called anything."""
    rules = {finding.rule for finding in found.findings}
    return "unreadable" in rules and rules <= {"unreadable", "pickle-persistent-id"} and not found.globals


def _text(data: memoryview, path: str, in_skill: bool) -> Scanned | None:
    """Return the result for a text. One that is too long to hold is data by its name, or not checked."""
    if len(data) <= _LARGEST_TEXT:
        return scan_text(bytes(data), path, in_skill=in_skill)
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
    members = _Members(path, budget, depth, skill_folders(names))
    contents = Contents(path, wheel=any(name.endswith(".dist-info/RECORD") for name in names))
    for member in containers.zip_members(data, path, budget, found, torch.is_storage):
        if not member.raw:
            contents.see(member.name, member.data)
            found += torch.findings(member.name, member.data)
        members.take(member, torch)
        if member.name == skops_files.SCHEMA and skops_files.is_schema(member.data):
            where = f"{path}!{member.name}"
            members.parts.insert(0, judged(where, "skops", *skops_files.skops_findings(bytes(member.data), where)))
    return _whole(path, "zip", found, members.parts, contents)


@dataclass
class _Members:
    """Scans the members of one archive as they come out of it."""

    path: str
    budget: Budget
    depth: int
    skills: tuple[str, ...]
    """The folders in it that are skills."""
    parts: list[Scanned] = field(default_factory=list)

    def take(self, member: containers.Member, torch: TorchArchive | None = None) -> None:
        """Scan one member. Code is left to `Contents`, which knows whether the archive is a package."""
        where, name = f"{self.path}!{member.name}", member.name
        if member.raw and bytes(member.data[:4]) != _ZIP:
            hidden = also_pickle(member.data, where, self.budget)
            self.parts += [hidden] if hidden is not None else []
        elif torch is not None and torch.is_pickle(name):
            self.parts.append(scan_pickle(member.data, where, self.budget, torch=True, archive_types=torch.is_script))
        elif name.endswith((".pkl", ".pickle")) or looks_like_pickle(member.data):
            self.parts.append(scan_pickle(member.data, where, self.budget))
        elif len(member.data) and not (name.endswith(CODE_NAMES) and _is_text(member.data)):
            in_skill = is_part(name, self.skills)
            self.parts.append(scan_bytes(member.data, where, self.budget, self.depth + 1, in_skill=in_skill))


def _is_keras(name: str, data: memoryview) -> bool:
    if not name.endswith("config.json") or len(data) > _LARGEST_TEXT:
        return False
    return keras_configs.is_keras_config(bytes(data))


def _tar(data: memoryview, path: str, budget: Budget, depth: int) -> Scanned:
    found: list[Finding] = []
    contents = Contents(path)
    members = _Members(path, budget, depth, skill_folders(containers.tar_names(data, budget)))
    for member in containers.tar_members(data, path, budget, found):
        contents.see(member.name, member.data)
        members.take(member)
    return _whole(path, "tar", found, members.parts, contents)


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
    if contents is not None and contents.kind:
        # What a package's own texts ask for or say is no finding about the package; what agents and loaders read is.
        parts = [part for part in parts if part.format not in _OF_PACKAGES]
    findings = [*found, *(one for part in parts for one in part.findings)]
    names = [name for part in parts for name in part.globals]
    if contents is not None and contents.kind:
        ordinary = _ORDINARY_IN_PACKAGES if contents.pure else _ORDINARY_IN_PACKAGES | {"native-code"}
        findings = [one for one in findings if one.rule not in ordinary] + contents.findings()
        return judged(path, contents.kind, findings, names, [contents.package] if contents.package else [])
    findings += contents.findings() if contents is not None else []
    inside = [part.format for part in parts if part.format not in ("text", "unknown")]
    name = f"{kind} with {inside[0]}" if inside else kind
    return judged(path, name, findings, names)


def _is_text(data: memoryview) -> bool:
    try:
        text = str(data[: 1 << 20], "utf-8", "strict")
    except UnicodeDecodeError as error:
        return error.start >= (1 << 20) - 4
    return not _CONTROL.search(text)  # the field marks of protobuf are control characters
