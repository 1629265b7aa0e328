"""Published ways past pickle scanners, each rebuilt as an inert file of our own and stopped with the reason.

Named after their advisories, or after the gadget; the calls they hold are harmless words, and nothing is unpickled.
"""

import io
import struct
import zipfile

import pytest

from bartizan.lab.hostile_artefacts import SHAPES
from bartizan.supply.base import Budget, Verdict
from bartizan.supply.scan import scan_bytes

REDUCE = SHAPES[0][1]
GLOBALS = (
    ("CVE-2025-1716 pip.main", "pip", "main"),
    ("CVE-2025-10157 asyncio, a part of a denied module", "asyncio.unix_events", "_UnixSubprocessTransport._start"),
    ("GHSA-vvpj-8cmc-gx39 pkgutil.resolve_name", "pkgutil", "resolve_name"),
    ("gadget torch.jit execWrapper", "torch.jit.unsupported_tensor_ops", "execWrapper"),
    ("gadget torch profiler", "torch.utils.collect_env", "run"),
    ("gadget torch bottleneck", "torch.utils.bottleneck.__main__", "run_cprofile"),
    ("gadget torch guards", "torch.fx.experimental.symbolic_shapes", "ShapeEnv.evaluate_guards_expression"),
    ("gadget trace.Trace", "trace", "Trace.runctx"),
    ("gadget timeit", "timeit", "timeit"),
    ("gadget code.InteractiveInterpreter", "code", "InteractiveInterpreter.runcode"),
    ("gadget idlelib", "idlelib.pyshell", "ModifiedInterpreter.runcode"),
    ("gadget idlelib debugger", "idlelib.debugobj", "ObjectTreeItem.SetText"),
    ("gadget lib2to3", "lib2to3.pgen2.grammar", "Grammar.loads"),
    ("gadget numpy f2py", "numpy.f2py.crackfortran", "getlincoef"),
    ("gadget numpy runstring", "numpy.testing._private.utils", "runstring"),
    ("gadget multiprocessing", "multiprocessing.util", "spawnv_passfds"),
    ("gadget profile.run", "profile", "Profile.runctx"),
    ("gadget cProfile", "cProfile", "runctx"),
    ("gadget operator.methodcaller", "_operator", "methodcaller"),
    ("gadget doctest", "doctest", "debug_script"),
    ("gadget ensurepip", "ensurepip", "_run_pip"),
    ("gadget distutils", "distutils.file_util", "write_file"),
    ("gadget bdb", "bdb", "Bdb.runeval"),
    ("fickling #190 pty.spawn", "pty", "spawn"),
    ("gadget runpy", "runpy", "run_path"),
    ("gadget marshal and types", "types", "FunctionType"),
    ("gadget ctypes", "ctypes", "CDLL"),
    ("gadget importlib", "importlib", "import_module"),
)  # fmt: skip


def stopped(data, name="m.pkl"):
    """Return the result, which must be BLOCK or UNREADABLE."""
    result = scan_bytes(memoryview(data), name, Budget())
    assert result.verdict in (Verdict.BLOCK, Verdict.UNREADABLE), result
    return result


@pytest.mark.parametrize(("advisory", "module", "name"), GLOBALS, ids=lambda one: str(one)[:30])
@pytest.mark.parametrize("shape", SHAPES[:8], ids=lambda one: one[0])
def test_gadgets_of_denylist_bypasses(advisory, module, name, shape):
    """Default deny names the gadget, in every way to call it."""
    result = stopped(shape[1](module, name, "x"))
    assert f"{module}.{name}" in result.globals


def packed(members, flags=0):
    """Return a zip of members; `flags` is set in both headers of the first."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, data in members.items():
            archive.writestr(zipfile.ZipInfo(name), data)
    raw = bytearray(buffer.getvalue())
    for magic, at in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        raw[raw.find(magic) + at] |= flags
    return raw


EVIL = REDUCE("posix", "system", "true")


def test_cve_2025_1889_a_pickle_with_another_ending():
    """The scanner looked for .pkl only; torch.load is told the name by code."""
    stopped(packed({"a/data.pkl": b"\x80\x02N.", "a/config.p": EVIL}), "m.pt")


def test_cve_2025_1944_another_name_in_the_local_header():
    """zipfile refuses such an archive, torch loads it."""
    raw = packed({"a/data.pkl": EVIL})
    raw[30] ^= 1
    stopped(bytes(raw), "m.pt")


def test_cve_2025_1945_flag_bits():
    """An encrypted flag makes scanners give up and torch not care."""
    stopped(bytes(packed({"a/data.pkl": EVIL}, flags=1)), "m.pt")


def test_cve_2025_10156_a_wrong_checksum():
    """zipfile raises, torch does not check."""
    raw = packed({"a/data.pkl": EVIL})
    raw[raw.find(b"PK\x01\x02") + 16] ^= 0xFF
    raw[14] ^= 0xFF
    stopped(bytes(raw), "m.pt")


def test_cve_2025_10155_a_pickle_called_bin():
    """The ending chose the wrong scanner."""
    stopped(EVIL, "pytorch_model.bin")


def test_nullifai_7z_and_a_broken_stream():
    """7z instead of zip, and a payload before the stream breaks: what ran before the break has run."""
    stopped(b"7z\xbc\xaf\x27\x1c" + bytes(64), "m.pt")
    assert "posix.system" in stopped(EVIL[:-1] + b"\xff\xff").globals


def test_fickling_obj_and_pop_hide_a_call():
    """A call whose result is popped vanished from the decompiled tree; it ran all the same."""
    assert "posix.system" in stopped(b"(cposix\nsystem\nS'true'\no0N.").globals


def test_cpython_154848_an_opcode_across_a_frame():
    """The two unpicklers of CPython read it differently."""
    body = b"\x8c\x05posix\x8c\x06system\x93\x8c\x04true\x85R."
    stopped(b"\x80\x04\x95" + struct.pack("<Q", 3) + body)


def test_shadowpickle_an_allowed_name_with_other_arguments():
    """OrderedDict takes pairs, defaultdict no factory that acts (arXiv 2607.17503)."""
    stopped(b"\x80\x02ccollections\ndefaultdict\ncposix\nsystem\n\x85R.")
    stopped(b"\x80\x02ccollections\nOrderedDict\ncposix\nsystem\n\x85R.")


def test_hide_and_seek_exceptions_after_the_call():
    """Errors after the payload made scanners drop what they had seen (arXiv 2508.19774)."""
    for tail in (b"0000", b"\x94h\xff.", b"(", b"\x95\xff\xff\xff\xff\xff\xff\xff\xff.", b"\x80\x09."):
        assert "posix.system" in stopped(EVIL[:-1] + tail).globals


def test_memo_confusion():
    """A memo that is written twice holds the later value (picklescan #14, #22)."""
    text = b"X\x05\x00\x00\x00posixq\x01X\x06\x00\x00\x00systemq\x02"
    swapped = b"\x80\x04X\x04\x00\x00\x00mathq\x01" + text + b"0000h\x01h\x02\x93."
    result = scan_bytes(memoryview(swapped), "m.pkl", Budget())
    assert result.verdict in (Verdict.BLOCK, Verdict.UNREADABLE)
