"""`with only_approved(lock):` loaders of models refuse every file that the lock does not approve.

Not a wrapper around `torch.load`, which a name imported earlier would walk past, but the audit events of CPython: each
`open` and each global that any unpickler looks up, in every thread of the process. So torch, joblib, pickle,
cloudpickle and NumPy are covered, whoever calls them, and a pickle from elsewhere (a cache, a socket) may name only
what cannot act or what approved pickles name. Readers that open files outside of Python (ONNX Runtime, safetensors,
TorchScript) are wrapped when they are imported.

Not covered: other processes; files that somebody exchanges between the check and the reading, so give the process files
that it cannot write, or use `load`, which reads them once; libraries with readers of their own that are not listed.
"""

import hashlib
import importlib.abc
import importlib.machinery
import os
import stat
import sys
import sysconfig
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import wraps
from pathlib import Path
from types import ModuleType
from typing import Any

from bartizan.core.errors import Refused
from bartizan.supply import onnx_graphs
from bartizan.supply.admission.lock import Lock
from bartizan.supply.allowed import canonical, tier
from bartizan.supply.formats import format_of
from bartizan.supply.pickles import looks_like_pickle
from bartizan.supply.texts import MODEL_NAMES

_HEAD = 1 << 16
_PACKED = (b"PK\x03\x04", b"\x1f\x8b", b"BZh", b"\xfd7zXZ\x00", b"\x04\x22\x4d\x18", b"\x28\xb5\x2f\xfd", b"x\x9c")
_NATIVE: dict[str, tuple[str, ...]] = {
    "onnxruntime": ("InferenceSession.__init__",),
    "safetensors": ("safe_open",),
    "safetensors.numpy": ("safe_open",),
    "safetensors.torch": ("safe_open",),
    "torch.jit": ("load",),
    "torch.jit._serialization": ("load",),
    "h5py": ("File.__init__",),
}
"""What opens files without Python hearing of it: its first argument is the file."""
_INSTALLED = tuple({os.path.realpath(sysconfig.get_path(name)) + os.sep for name in ("stdlib", "purelib", "platlib")})
"""Packages have an admission of their own; their files are opened at every import."""

_guards: list["_Guard"] = []
_checking = threading.local()
_installed: list[str] = []


@contextmanager
def only_approved(lock: Lock) -> Iterator[None]:
    """Refuse model files and names in pickles that `lock` does not approve, in the whole process, until it ends.

    Raises Refused at the place that opens the file. Nested ones must all agree.
    """
    guard = _Guard(lock)
    _install()
    _guards.append(guard)
    try:
        yield
    finally:
        _guards.remove(guard)


class _Guard:
    def __init__(self, lock: Lock) -> None:
        self._digests = set(lock.file_digests())
        current = [artefact.current for artefact in lock.artefacts.values()]
        self._names = {name for revision in current for name in revision.globals}
        self._known: dict[tuple[int, ...], bool] = {}

    def opened(self, path: Any) -> None:
        """Refuse a file that is a model and not approved."""
        try:
            name = os.fsdecode(path)
            about = os.stat(name)
        except (TypeError, ValueError, OSError):
            return  # a descriptor, whose opening was seen, or a file that is not there
        if not stat.S_ISREG(about.st_mode) or os.path.realpath(name).startswith(_INSTALLED):
            return
        mark = (about.st_dev, about.st_ino, about.st_size, about.st_mtime_ns, about.st_ctime_ns)
        if mark not in self._known:
            self._known[mark] = self._passes(Path(name))
        if not self._known[mark]:
            raise Refused(f"{name}: not approved in the lock", hint="Propose it: `bartizan admit propose`.")

    def _passes(self, path: Path) -> bool:
        try:
            with path.open("rb") as file:
                return not _is_model(file.read(_HEAD), path.name) or self._approves(path)
        except OSError:
            return True  # whoever opens it will hear why

    def _approves(self, path: Path) -> bool:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest() in self._digests

    def native(self, path: Path) -> None:
        """Refuse a file that is opened outside of Python, and an ONNX model whose other files are not approved."""
        files = [path]
        data = path.read_bytes()
        if b"location" in data and onnx_graphs.is_onnx(memoryview(data)):
            files += [one for one in path.parent.iterdir() if one.is_file()]
        for file in files:
            if not self._approves(file):
                raise Refused(f"{file}: not approved in the lock", hint="Propose it: `bartizan admit propose`.")

    def named(self, module: Any, name: Any) -> None:
        """Refuse a global that may act and that no approved pickle names."""
        full = ".".join(canonical(str(module), str(name)))
        if tier(str(module), str(name)) != 0 and full not in self._names:
            raise Refused(f"a pickle names {full}, which no approved file does")


def _is_model(head: bytes, name: str) -> bool:
    data = memoryview(head)
    return (
        name.lower().endswith(MODEL_NAMES)
        or head.startswith(_PACKED)
        or format_of(data) is not None
        or looks_like_pickle(data)
    )


def _heard(event: str, arguments: tuple[Any, ...]) -> None:
    """Hear every audit event of the process."""
    if not _guards or getattr(_checking, "now", False):
        return
    if event == "open" and _reads(arguments):
        _ask(lambda guard: guard.opened(arguments[0]))
    elif event == "pickle.find_class":
        _ask(lambda guard: guard.named(*arguments))


def _reads(arguments: tuple[Any, ...]) -> bool:
    flags = arguments[2]
    return not isinstance(flags, int) or flags & os.O_ACCMODE != os.O_WRONLY


def _ask(question: Callable[[_Guard], None]) -> None:
    """Ask every guard; what they open themselves is not asked about."""
    _checking.now = True
    try:
        for guard in _guards:
            question(guard)
    finally:
        _checking.now = False


def _install() -> None:
    """Listen, once in the life of a process: an audit hook cannot be taken away."""
    if not _installed:
        sys.addaudithook(_heard)
        sys.meta_path.insert(0, _Finder())
        _installed.append("now")
    for name in _NATIVE:
        if name in sys.modules:
            _wrap(sys.modules[name])


class _Finder(importlib.abc.MetaPathFinder):
    """Wraps readers of `_NATIVE` right after their modules are imported."""

    def find_spec(
        self, name: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        """Return the module's own specification, with a loader that wraps."""
        if name not in _NATIVE:
            return None
        spec = importlib.machinery.PathFinder.find_spec(name, path, target)
        if spec is not None and spec.loader is not None:
            run = spec.loader.exec_module

            def exec_module(module: ModuleType) -> None:
                run(module)
                _wrap(module)

            spec.loader.exec_module = exec_module  # type: ignore[method-assign]
        return spec


def _wrap(module: ModuleType) -> None:
    for dotted in _NATIVE[module.__name__]:
        *above, name = dotted.split(".")
        owner: Any = module
        for one in above:
            owner = getattr(owner, one, None)
        reader = getattr(owner, name, None)
        if reader is not None and not hasattr(reader, "asks_the_lock"):
            setattr(owner, name, _asking(reader, position=len(above)))


def _asking(reader: Any, position: int) -> Any:
    """Return a reader that asks first. A method's first argument is its object."""

    @wraps(reader, updated=())
    def asking(*arguments: Any, **named: Any) -> Any:
        given = arguments[position] if len(arguments) > position else next(iter(named.values()), None)
        if _guards and isinstance(given, str | bytes | os.PathLike) and os.path.isfile(given):
            _ask(lambda guard: guard.native(Path(os.fsdecode(given))))
        return reader(*arguments, **named)

    asking.asks_the_lock = True  # type: ignore[attr-defined]
    return asking
