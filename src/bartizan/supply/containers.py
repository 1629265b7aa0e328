"""Opens containers under a budget: zip by its local headers and its directory, gzip, bzip2, xz, lzma, zlib, lz4, tar.

A zip whose two listings disagree is hostile: readers that trust one of them see other bytes than readers of the other.
Formats that we cannot open (7z, rar, encrypted members) are blocked with that reason, never skipped.
"""

import bz2
import contextlib
import io
import lzma
import struct
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from bartizan.core.findings import Finding, Severity
from bartizan.supply import lz4, zip_layout
from bartizan.supply.base import Budget, unreadable

_LOCAL = struct.Struct("<4sHHHHHIIIHH")
_STEP = 1 << 20
_HARMLESS = 4 << 20
"""A member that is not larger than this is no bomb: zeros alone grow a thousand times."""
_UNREADABLE_MEMBER = (
    *(zipfile.BadZipFile, zlib.error, lzma.LZMAError, NotImplementedError, EOFError, OSError, RuntimeError),
    *(ValueError, struct.error),
)
"""What zipfile raises on damaged members; ValueError where the directory points before the file."""


_UNREADABLE_TAR = (tarfile.TarError, EOFError, ValueError, OSError)
_DECOMPRESSORS: dict[str, Callable[[], object]] = {
    "gzip": lambda: zlib.decompressobj(31),
    "zlib": lambda: zlib.decompressobj(15),
    "bzip2": bz2.BZ2Decompressor,
    "xz": lambda: lzma.LZMADecompressor(memlimit=1 << 28),
    "lzma": lambda: lzma.LZMADecompressor(lzma.FORMAT_ALONE, memlimit=1 << 28),
}


@dataclass(frozen=True, slots=True)
class Member:
    """One file inside a container."""

    name: str
    data: memoryview
    raw: bool = False
    """Whether it is numbers that readers take by position."""


class _Window(io.RawIOBase):
    """Reads from a memory map without copying it."""

    def __init__(self, data: memoryview) -> None:
        self._data, self._at = data, 0

    def readable(self) -> bool:
        """Say that it can be read."""
        return True

    def seekable(self) -> bool:
        """Say that it can be moved in."""
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Move to `offset` from the start, from here, or from the end."""
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: len(self._data)}[whence]
        if base + offset < 0:
            raise ValueError(f"seek to {base + offset}: expected 0 or more")
        self._at = base + offset
        return self._at

    def readinto(self, buffer: Any) -> int:
        """Fill `buffer` as far as the data goes."""
        piece = self._data[self._at : self._at + len(buffer)]
        buffer[: len(piece)] = piece
        self._at += len(piece)
        return len(piece)


def zip_members(
    data: memoryview,
    path: str,
    budget: Budget,
    found: list[Finding],
    passive: Callable[[str], bool] = lambda name: False,
) -> Iterator[Member]:
    """Yield the members of a zip file; what is wrong with it goes to `found`.

    Members for which `passive` says so are raw data that nobody interprets; stored ones are given as they lie there,
    without a copy and without their checksum.
    """
    try:
        archive = zipfile.ZipFile(io.BufferedReader(_Window(data)))
    except (zipfile.BadZipFile, NotImplementedError, ValueError, OSError) as error:
        found.append(unreadable(f"a zip file that cannot be opened: {error}", path))
        return
    names: set[str] = set()
    for info in archive.infolist():
        budget.spend("members")
        where = f"{path}!{info.filename}"
        if info.filename in names:
            found.append(
                Finding(
                    "zip-duplicate",
                    Severity.HIGH,
                    "the same name twice: readers differ on which one counts",
                    where,
                )
            )
        names.add(info.filename)
        found += _path_findings(info.filename, (info.external_attr >> 16) & 0o170000 == 0o120000, where)
        found += _local_findings(data, info, where)
        if info.flag_bits & 1 or info.flag_bits & 0x40:
            found.append(Finding("encrypted", Severity.HIGH, "an encrypted member cannot be read", where))
        elif not info.filename.endswith("/"):
            raw = passive(info.filename)
            if raw and info.compress_type == zipfile.ZIP_STORED:
                yield Member(info.filename, _stored(data, info), raw=True)
            else:
                yield from _zip_member(archive, info, budget, found, where, raw)
    found += zip_layout.findings(data, archive.infolist(), len(archive.comment), path)


def zip_names(data: memoryview) -> list[str]:
    """Return the names in a zip's directory; none when it cannot be opened."""
    try:
        return zipfile.ZipFile(io.BufferedReader(_Window(data))).namelist()
    except (zipfile.BadZipFile, NotImplementedError, ValueError, OSError):
        return []


def _zip_member(
    archive: zipfile.ZipFile, info: zipfile.ZipInfo, budget: Budget, found: list[Finding], where: str, raw: bool
) -> Iterator[Member]:
    if info.file_size > max(_HARMLESS, budget.ratio * info.compress_size):
        found.append(
            Finding("compression-bomb", Severity.HIGH, f"{info.compress_size} bytes grow to {info.file_size}", where)
        )
        return
    try:
        with archive.open(info) as stream:
            content = _limited(stream.read, budget)
    except _UNREADABLE_MEMBER as error:
        # A reader that does not check CRCs (torch) would load these bytes all the same.
        found.append(Finding("zip-damaged", Severity.HIGH, f"a member that standard readers refuse: {error}", where))
        return
    yield Member(info.filename, memoryview(content), raw)


def _stored(data: memoryview, info: zipfile.ZipInfo) -> memoryview:
    start = zip_layout.content_start(data, info)
    return data[start : start + info.file_size]


def _local_findings(data: memoryview, info: zipfile.ZipInfo, where: str) -> list[Finding]:
    """Compare a member's local header with the directory."""
    at = info.header_offset
    if at < 0 or at + _LOCAL.size > len(data):
        return [Finding("zip-header", Severity.HIGH, "the directory points outside of the file", where)]
    magic, _, flags, method, _, _, crc, packed, size, name_bytes, _ = _LOCAL.unpack_from(data, at)
    raw = bytes(data[at + _LOCAL.size : at + _LOCAL.size + name_bytes])
    name = raw.decode("utf-8" if flags & 0x800 else "cp437", "replace")
    listed = (info.file_size, info.compress_size)
    wrong = []
    if magic != b"PK\x03\x04":
        wrong.append("no local header where the directory points")
    elif name.rstrip("\0") != info.orig_filename.rstrip("\0"):
        wrong.append(f"the local header says {name[:80]!r}")
    elif method != info.compress_type or flags != info.flag_bits:
        wrong.append("method or flags differ between local header and directory")
    elif not flags & 8 and (crc != info.CRC or ((size, packed) != listed and 0xFFFFFFFF not in (size, packed))):
        wrong.append("size or checksum differ between local header and directory")
    if "\0" in info.orig_filename:
        wrong.append("a NUL in the name")
    return [Finding("zip-header", Severity.HIGH, one, where) for one in wrong]


def is_tar(data: memoryview) -> bool:
    """Return whether a tar header stands at the beginning; the oldest form has no mark, only a sum of its bytes."""
    if len(data) < 512:
        return False
    if bytes(data[257:262]) == b"ustar":
        return True
    digits = bytes(data[148:156]).strip(b" \0")
    if not 1 <= len(digits) <= 7 or digits.strip(b"01234567"):
        return False
    return int(digits, 8) == sum(data[:148]) + sum(data[156:512]) + 8 * 32


def tar_names(data: memoryview, budget: Budget) -> list[str]:
    """Return the names in a tar file, as far as it can be read and may be."""
    names: list[str] = []
    with contextlib.suppress(*_UNREADABLE_TAR), _tar(data) as archive:
        for info in archive:
            budget.tick()
            names.append(info.name)
            if len(names) > budget.members:
                break
    return names


def tar_members(data: memoryview, path: str, budget: Budget, found: list[Finding]) -> Iterator[Member]:
    """Yield the files of a tar file. Links, devices and what stands behind its end are findings."""
    try:
        with _tar(data) as archive:
            for info in archive:
                budget.spend("members")
                where = f"{path}!{info.name}"
                found += _path_findings(info.name, info.issym() or info.islnk(), where)
                if info.isdev():
                    found.append(Finding("archive-device", Severity.HIGH, "a device or pipe", where))
                stream = archive.extractfile(info) if info.isreg() else None
                if stream is not None:
                    yield Member(info.name, memoryview(_limited(stream.read, budget)))
            found += _behind(data, archive.offset, path)
    except _UNREADABLE_TAR as error:
        found.append(unreadable(f"a tar file that breaks off: {error}", path))


def _tar(data: memoryview) -> tarfile.TarFile:
    return tarfile.open(fileobj=io.BufferedReader(_Window(data)), mode="r:")


def _behind(data: memoryview, at: int, path: str) -> list[Finding]:
    """Look for bytes behind the end of a tar file: some readers go on there, ours stopped."""
    for start in range(at, len(data), _STEP):
        piece = bytes(data[start : start + _STEP])
        if piece.strip(b"\0"):
            why = f"{len(data) - at} bytes behind the end of the archive are not all zero"
            return [Finding("trailing-data", Severity.MEDIUM, why, path)]
    return []


def unpacked(data: memoryview, kind: str, budget: Budget) -> bytes:
    """Return what a compressed stream and those that follow it hold, as its readers do.

    Raises ValueError when damaged or when something else than zeros follows, LimitReached when too large.
    """
    if kind == "lz4":
        return lz4.unpacked(data, budget)
    parts: list[bytes] = []
    at = 0
    while at < len(data) and (at == 0 or data[at] or bytes(data[at:]).strip(b"\0")):
        try:
            at = _stream(data, at, kind, budget, parts)
        except (zlib.error, OSError, lzma.LZMAError, EOFError) as error:
            behind = f"{len(data) - at} bytes follow the last stream: " if at else ""
            raise ValueError(f"{behind}{error}") from error
    return b"".join(parts)


def _stream(data: memoryview, start: int, kind: str, budget: Budget, parts: list[bytes]) -> int:
    """Unpack one stream into `parts`; return where it ends."""
    machine: Any = _DECOMPRESSORS[kind]()
    size, at, step = 0, start, 4096  # small at first: a file may consist of a million tiny streams
    while at < len(data):
        piece = machine.decompress(data[at : at + step])
        at = min(at + step, len(data))
        size += len(piece)
        budget.spend("output_bytes", len(piece))
        if size > budget.ratio * max(at - start, _STEP):
            raise ValueError(f"grows more than {budget.ratio} times")
        parts.append(piece)
        if machine.eof:
            return at - len(machine.unused_data)
        step = min(4 * step, _STEP)
    raise ValueError("breaks off")


def _limited(read: Callable[[int], bytes], budget: Budget) -> bytes:
    parts = []
    while piece := read(_STEP):
        budget.spend("output_bytes", len(piece))
        parts.append(piece)
    return b"".join(parts)


def _path_findings(name: str, link: bool, where: str) -> list[Finding]:
    parts = name.replace("\\", "/").split("/")
    if ".." in parts or name.startswith(("/", "\\")) or (len(name) > 1 and name[1] == ":"):
        return [Finding("archive-traversal", Severity.HIGH, "would be written outside of its folder", where)]
    if link:
        return [Finding("archive-link", Severity.HIGH, "a link inside an archive can point anywhere", where)]
    return []
