"""A corpus of model files that would run code when loaded, and of honest ones beside them. Inert: made of bytes here.

Hostile by structure, harmless if somebody did load one: the calls they hold are `true`, `pass` and the like. Each way
to hide a call is a `shape`, each callable a published gadget; with the containers they cover bypasses of scanners that
were made public. Nothing here is ever loaded by us.
"""

import bz2
import functools
import gzip
import io
import json
import lzma
import struct
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from bartizan.lab.published_bypasses import ADVISORIES

GADGETS: tuple[tuple[str, str, str], ...] = (
    ("posix", "system", "true"),
    ("os", "system", "true"),
    ("nt", "system", "rem"),
    ("subprocess", "Popen", "true"),
    ("subprocess", "check_output", "true"),
    ("builtins", "exec", "pass"),
    ("builtins", "eval", "1"),
    ("builtins", "compile", "1"),
    ("builtins", "__import__", "this"),
    ("builtins", "getattr", "x"),
    ("__builtin__", "apply", "x"),
    ("runpy", "run_path", "/dev/null"),
    ("runpy", "_run_code", "pass"),
    ("pty", "spawn", "true"),
    ("pydoc", "pipepager", "true"),
    ("pydoc", "locate", "this"),
    ("timeit", "timeit", "pass"),
    ("timeit", "main", "pass"),
    ("cProfile", "run", "pass"),
    ("profile", "Profile.run", "pass"),
    ("bdb", "Bdb.run", "pass"),
    ("pdb", "run", "pass"),
    ("trace", "Trace.run", "pass"),
    ("code", "InteractiveInterpreter.runcode", "pass"),
    ("codeop", "compile_command", "pass"),
    ("doctest", "debug_script", "pass"),
    ("pkgutil", "resolve_name", "this"),
    ("importlib", "import_module", "this"),
    ("imp", "load_source", "this"),
    ("functools", "partial", "x"),
    ("functools", "reduce", "x"),
    ("operator", "attrgetter", "x"),
    ("operator", "methodcaller", "x"),
    ("types", "FunctionType", "x"),
    ("types", "CodeType", "x"),
    ("marshal", "loads", "x"),
    ("ctypes", "CDLL", "libnone.so"),
    ("asyncio.unix_events", "_UnixSubprocessTransport._start", "true"),
    ("multiprocessing.util", "spawnv_passfds", "true"),
    ("ensurepip", "_run_pip", "x"),
    ("pip", "main", "x"),
    ("idlelib.pyshell", "ModifiedInterpreter.runcommand", "pass"),
    ("idlelib.run", "Executive.runcode", "pass"),
    ("lib2to3.pgen2.grammar", "Grammar.loadGrammar", "/dev/null"),
    ("lib2to3.pgen2.pgen", "ParserGenerator.make_label", "x"),
    ("logging.config", "_resolve", "x"),
    ("unittest.mock", "_importer", "this"),
    ("webbrowser", "open", "about:blank"),
    ("shutil", "rmtree", "/nowhere"),
    ("socket", "create_connection", "x"),
    ("http.client", "HTTPConnection", "x"),
    ("urllib.request", "urlopen", "about:blank"),
    ("smtplib", "SMTP", "x"),
    ("sqlite3", "connect", ":memory:"),
    ("pickle", "loads", "x"),
    ("_pickle", "loads", "x"),
    ("dill._dill", "_create_function", "x"),
    ("cloudpickle.cloudpickle", "_make_function", "x"),
    ("joblib", "load", "/dev/null"),
    ("numpy", "load", "/dev/null"),
    ("numpy", "fromfile", "/dev/null"),
    ("numpy.testing._private.utils", "runstring", "pass"),
    ("numpy.f2py.crackfortran", "getlincoef", "1"),
    ("torch", "load", "/dev/null"),
    ("torch.hub", "load", "x"),
    ("torch.storage", "_load_from_bytes", "x"),
    ("torch.jit.unsupported_tensor_ops", "execWrapper", "pass"),
    ("torch._inductor.codecache", "compile_file", "x"),
    ("torch.utils._config_module", "ConfigModule.load_config", "x"),
    ("torch.utils.data.datapipes.utils.decoder", "basichandlers", "x"),
    ("torch.serialization", "load", "/dev/null"),
    ("torch.package", "PackageImporter", "/dev/null"),
    ("transformers", "AutoModel.from_pretrained", "x"),
    ("sklearn.utils", "shuffle", "x"),
    ("pandas", "read_pickle", "/dev/null"),
    ("pandas", "eval", "1"),
    ("site", "main", "x"),
    ("venv", "create", "/nowhere"),
)


@dataclass(frozen=True, slots=True)
class Sample:
    """One file of the corpus."""

    name: str
    data: bytes
    hostile: bool


def _text(value: str) -> bytes:
    raw = value.encode()
    return b"\x8c" + bytes([len(raw)]) + raw


def _global(module: str, name: str) -> bytes:
    return f"c{module}\n{name}\n".encode()


def _stack_global(module: str, name: str) -> bytes:
    return _text(module) + _text(name) + b"\x93"


def _framed(body: bytes) -> bytes:
    return b"\x80\x04\x95" + struct.pack("<Q", len(body)) + body


_FRAME_OF_3 = b"\x80\x04\x95" + struct.pack("<Q", 3)
SHAPES: tuple[tuple[str, Callable[[str, str, str], bytes]], ...] = (
    ("reduce", lambda m, n, a: b"\x80\x02" + _global(m, n) + b"X" + _long(a) + b"\x85R."),
    ("reduce-protocol-0", lambda m, n, a: _global(m, n) + f"(S'{a}'\ntR.".encode()),
    ("stack-global", lambda m, n, a: _framed(_stack_global(m, n) + _text(a) + b"\x85R.")),
    ("inst", lambda m, n, a: f"(S'{a}'\ni{m}\n{n}\n.".encode()),
    ("obj", lambda m, n, a: b"(" + _global(m, n) + f"S'{a}'\no.".encode()),
    ("newobj", lambda m, n, a: b"\x80\x02" + _global(m, n) + b"X" + _long(a) + b"\x85\x81."),
    ("newobj-ex", lambda m, n, a: _framed(_stack_global(m, n) + _text(a) + b"\x85}\x92.")),
    ("through-memo", lambda m, n, a: b"\x80\x02" + _global(m, n) + b"q\x050h\x05X" + _long(a) + b"\x85R."),
    ("never-called", lambda m, n, a: b"\x80\x02" + _global(m, n) + b"."),
    ("result-dropped", lambda m, n, a: b"\x80\x02" + _global(m, n) + b"X" + _long(a) + b"\x85R0N."),
    ("deep-in-a-list", lambda m, n, a: b"\x80\x02](K\x01" + _global(m, n) + b"X" + _long(a) + b"\x85RK\x02e."),
    ("breaks-after-call", lambda m, n, a: b"\x80\x02" + _global(m, n) + b"X" + _long(a) + b"\x85R\xff\xff"),
    ("no-stop", lambda m, n, a: b"\x80\x02" + _global(m, n) + b"X" + _long(a) + b"\x85R"),
    ("second-stream", lambda m, n, a: b"\x80\x02N.\x80\x02" + _global(m, n) + b"X" + _long(a) + b"\x85R."),
    ("pickle-in-bytes", lambda m, n, a: _in_bytes(b"\x80\x02" + _global(m, n) + b"X" + _long(a) + b"\x85R.")),
    (
        "frame-straddle",
        lambda m, n, a: b"\x80\x04\x95" + struct.pack("<Q", 3) + _stack_global(m, n) + _text(a) + b"\x85R.",
    ),
    ("default-factory", lambda m, n, a: b"\x80\x02ccollections\ndefaultdict\n" + _global(m, n) + b"\x85R."),
    ("state-of-a-class", lambda m, n, a: b"\x80\x02" + _global(m, n) + b"}X" + _long(a) + b"K\x01sb."),
)


def _long(text: str) -> bytes:
    raw = text.encode()
    return struct.pack("<I", len(raw)) + raw


def _in_bytes(inner: bytes) -> bytes:
    return b"\x80\x04C" + bytes([len(inner)]) + inner + b"."


_EVIL = b"\x80\x02" + _global("posix", "system") + b"X" + _long("true") + b"\x85R."
_STRUCTURES: tuple[tuple[str, bytes], ...] = (
    ("computed-name", b"\x80\x04N" + _text("system") + b"\x93" + _text("true") + b"\x85R."),
    ("extension-code", b"\x80\x02\x82\x01X" + _long("true") + b"\x85R."),
    ("calls-a-result", b"\x80\x02ccollections\nOrderedDict\n)RX" + _long("true") + b"\x85R."),
    ("odd-codec", b"\x80\x02c_codecs\nencode\nX" + _long("x") + b"X" + _long("rot13") + b"\x86R."),
    ("patches-an-allowed-class", b"\x80\x02ccollections\nOrderedDict\n}X" + _long("x") + b"K\x01sb."),
    ("constructor-of-a-library-class", b"\x80\x02csklearn.utils\nBunch\nX" + _long("x") + b"\x85R."),
    ("memory-bomb", b"\x80\x02c__builtin__\nbytearray\n\x8a\x05\x00\x00\x00\x00\x40\x85R."),
    ("seven-zip", b"7z\xbc\xaf\x27\x1c" + bytes(64)),
    ("truncated-gzip", gzip.compress(_EVIL, mtime=0)[:-9]),
)


def hostile() -> Iterator[Sample]:
    """Yield every gadget in the plain shape, every shape with one gadget, and every structure and container."""
    for module, name, argument in GADGETS:
        yield Sample(f"gadget-{module}.{name}.pkl", SHAPES[0][1](module, name, argument), True)
        yield Sample(f"gadget4-{module}.{name}.pt", SHAPES[2][1](module, name, argument), True)
    known = {(module, name) for module, name, _ in GADGETS}
    for module, name in dict.fromkeys((module, name) for _, module, name in ADVISORIES):
        if (module, name) not in known:
            yield Sample(f"advisory-{module}.{name}.pkl", SHAPES[0][1](module, name, "x"), True)
    for shape, make in SHAPES:
        for module, name, argument in GADGETS[:3] + GADGETS[26:28]:
            yield Sample(f"shape-{shape}-{module}.{name}.pkl", make(module, name, argument), True)
    for name, data in _STRUCTURES:
        yield Sample(f"structure-{name}.pkl", data, True)
    yield from _hostile_containers()


def _hostile_containers() -> Iterator[Sample]:
    torch = {"archive/data.pkl": _EVIL, "archive/version": b"3\n"}
    yield Sample("torch-zip.pt", _zip(torch), True)
    yield Sample("zip-second-pickle.pt", _zip({"archive/data.pkl": b"\x80\x02N.", "archive/other.bin": _EVIL}), True)
    yield Sample("zip-nested.pt", _zip({"inner.zip": _zip(torch)}), True)
    yield Sample("pickle-before-zip.pt", _EVIL + _zip({"archive/data.pkl": b"\x80\x02N."}), True)
    yield Sample("zip-duplicate.pt", _zip({"a/data.pkl": b"\x80\x02N."}, again=("a/data.pkl", _EVIL)), True)
    for offset, what in ((14, "checksum"), (30, "name"), (8, "method"), (6, "flag")):
        broken = bytearray(_zip(torch))
        broken[offset] ^= 1
        yield Sample(f"zip-local-{what}.pt", bytes(broken), True)
    directory = bytearray(_zip(torch))
    directory[directory.find(b"PK\x01\x02") + 16] ^= 1
    yield Sample("zip-directory-checksum.pt", bytes(directory), True)
    encrypted = bytearray(_zip(torch))
    for magic, at in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        encrypted[encrypted.find(magic) + at] |= 1
    yield Sample("zip-encrypted.pt", bytes(encrypted), True)
    yield Sample("zip-traversal.pt", _zip({"../../evil.py": b"x = 1\n"}), True)
    # No time of packing in the header: the same corpus has the same bytes on every day.
    packers = (
        ("gzip", functools.partial(gzip.compress, mtime=0)),
        ("bzip2", bz2.compress),
        ("xz", lzma.compress),
        ("zlib", zlib.compress),
    )
    for name, pack in packers:
        yield Sample(f"packed-{name}.joblib", pack(_EVIL), True)
    yield Sample("tar.tar", _tar("model.pkl", _EVIL), True)
    yield Sample("tar-link.tar", _tar("model.pkl", b"", link="/etc/passwd"), True)
    yield Sample("numpy-objects.npy", _numpy_objects(_EVIL), True)
    yield Sample("numpy-in-zip.npz", _zip({"a.npy": _numpy_objects(_EVIL)}), True)
    yield Sample("pickle-called-text.txt", _EVIL, True)
    two = {"a": ("F32", [2], [0, 8]), "b": ("F32", [2], [4, 12])}
    yield Sample("safetensors-overlap.safetensors", _safetensors(two, 12), True)
    yield Sample("safetensors-hole.safetensors", _safetensors({"a": ("F32", [1], [4, 8])}, 8), True)
    yield Sample("safetensors-trailing.safetensors", _safetensors({"a": ("F32", [1], [0, 4])}, 64), True)
    for number, template in enumerate(_TEMPLATES):
        yield Sample(f"gguf-template-{number}.gguf", _gguf(template), True)


_TEMPLATES = (
    "{{ ''.__class__.__mro__[1].__subclasses__() }}",
    "{% for x in ().__class__.__base__.__subclasses__() %}{{ x }}{% endfor %}",
    "{{ cycler.__init__.__globals__.os }}",
    "{{ messages|attr('__class__') }}",
    "{{ self._TemplateReference__context }}",
    "{{ lipsum['__globals__'] }}",
    "{% include '/etc/passwd' %}",
)
HONEST_TEMPLATE = (
    "{% for message in messages %}{{ '<|im_start|>' + message['role'] + '\\n' }}"
    "{{ message.content | trim + '<|im_end|>' }}"
    "{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif %}"
)


def benign() -> Iterator[Sample]:
    """Yield honest files of the same formats: nothing in them may be blocked."""
    draw = np.random.default_rng(1)
    for number in range(12):
        array = draw.normal(size=(number + 1, 3)).astype(("f4", "f8", "i8")[number % 3])
        yield Sample(f"array-{number}.pkl", array.dumps(), False)
        buffer = io.BytesIO()
        np.save(buffer, array)
        yield Sample(f"array-{number}.npy", buffer.getvalue(), False)
        yield Sample(f"array-{number}.npz", _zip({"a.npy": buffer.getvalue()}), False)
        raw = array.astype("f4").tobytes()
        about = {"w": ("F32", list(array.shape), [0, len(raw)])}
        yield Sample(f"weights-{number}.safetensors", _safetensors(about, len(raw)), False)
        yield Sample(f"state-{number}.pt", _zip(_torch_state(array.astype("f4"))), False)
        yield Sample(f"packed-{number}.joblib", zlib.compress(array.dumps()), False)
    yield Sample("objects.npy", _numpy_objects(b"\x80\x02](NK\x01e."), False)
    yield Sample("plain-0.pkl", b"(dp0\nS'a'\np1\n(lp2\nI1\naF2.5\nas.", False)
    yield Sample("plain-4.pkl", _framed(b"}\x94" + _text("a") + b"]\x94(K\x01K\x02es."), False)
    yield Sample("ordered.pkl", b"\x80\x02ccollections\nOrderedDict\n)RX" + _long("a") + b"K\x01s.", False)
    yield Sample(
        "old-bytes.pkl", b"\x80\x02c_codecs\nencode\nX" + _long("x") + b"X" + _long("latin1") + b"\x86R.", False
    )
    yield Sample("chat.gguf", _gguf(HONEST_TEMPLATE), False)
    yield Sample("weights.tar", _tar("w.safetensors", _safetensors({"a": ("F32", [1], [0, 4])}, 4)), False)


def _torch_state(array: "np.ndarray[tuple[int, ...], np.dtype[np.float32]]") -> dict[str, bytes]:
    rows, columns = array.shape
    storage = b"(X" + _long("storage") + b"ctorch\nFloatStorage\nX" + _long("0") + b"X" + _long("cpu")
    identity = storage + b"J" + struct.pack("<i", array.size) + b"tQ"
    shape = b"K" + bytes([rows]) + b"K" + bytes([columns]) + b"\x86"
    stride = b"K" + bytes([columns]) + b"K\x01\x86"
    tensor = (
        b"ctorch._utils\n_rebuild_tensor_v2\n("
        + identity
        + b"K\x00"
        + shape
        + stride
        + b"\x89ccollections\nOrderedDict\n)RtR"
    )
    pickle = b"\x80\x02ccollections\nOrderedDict\n)R(X" + _long("w") + tensor + b"u."
    return {"archive/data.pkl": pickle, "archive/version": b"3\n", "archive/data/0": array.tobytes()}


def _zip(members: dict[str, bytes], again: tuple[str, bytes] | None = None) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, data in members.items():
            archive.writestr(zipfile.ZipInfo(name), data)
    if again is not None:
        # Another name of the same length, then renamed in both headers: writing the same name twice would warn.
        name, data = again
        other = name[:-1] + "_"
        with zipfile.ZipFile(buffer, "a") as archive:
            archive.writestr(zipfile.ZipInfo(other), data)
        return buffer.getvalue().replace(other.encode(), name.encode())
    return buffer.getvalue()


def _tar(name: str, data: bytes, link: str = "") -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.USTAR_FORMAT) as archive:
        info = tarfile.TarInfo(name)
        info.size = len(data)
        if link:
            info.type, info.linkname = tarfile.SYMTYPE, link
        archive.addfile(info, io.BytesIO(data))
    return buffer.getvalue()


def _numpy_objects(pickle: bytes) -> bytes:
    header = b"{'descr': '|O', 'fortran_order': False, 'shape': (1,), }"
    header += b" " * (63 - (len(header) + 10) % 64) + b"\n"
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header + pickle


def _safetensors(tensors: dict[str, tuple[str, list[int], list[int]]], size: int) -> bytes:
    about = {
        name: {"dtype": kind, "shape": shape, "data_offsets": span} for name, (kind, shape, span) in tensors.items()
    }
    header = json.dumps(about).encode()
    return struct.pack("<Q", len(header)) + header + bytes(size)


def _gguf(template: str) -> bytes:
    def text(value: str) -> bytes:
        raw = value.encode()
        return struct.pack("<Q", len(raw)) + raw

    pair = text("tokenizer.chat_template") + struct.pack("<I", 8) + text(template)
    return b"GGUF" + struct.pack("<IQQ", 3, 0, 1) + pair
