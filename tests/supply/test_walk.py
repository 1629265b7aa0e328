"""The walk: compared with CPython's own unpickler, whose globals are inert stubs here; and random hostile bytes."""

import collections
import datetime
import inspect
import io
import pickle
import pickletools
import sys

import joblib
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bartizan.supply.allowed import tier
from bartizan.supply.base import Budget, LimitReached, Verdict
from bartizan.supply.pickles import scan_pickle
from bartizan.supply.walk import Walk


def scan(data, **more):
    """Scan pickle bytes."""
    return scan_pickle(memoryview(data), "x.pkl", Budget(), **more)


class Stub:
    """Stands for any global: can be called and filled, and does nothing."""

    def __init__(self, *arguments, **keywords):
        """Take anything."""

    def __call__(self, *arguments, **keywords):
        """Give another stub."""
        return Stub()

    def __setstate__(self, state):
        """Take any state."""

    def __setitem__(self, key, value):
        """Take any item."""

    append = extend = add = update = __call__

    def __hash__(self):
        """Be usable as a key."""
        return 1


def cpython_globals(data, pure):
    """Return the globals that CPython's unpickler asks for, C or Python version, without resolving one."""
    asked = []
    base = pickle._Unpickler if pure else pickle.Unpickler

    class Recorder(base):
        def find_class(self, module, name):
            asked.append((module, name))
            return Stub

        def persistent_load(self, identity):
            return Stub()

    try:
        Recorder(io.BytesIO(data)).load()
    except Exception as error:  # noqa: BLE001 - whatever the unpickler dislikes, what it asked for until then counts
        return asked, type(error).__name__
    return asked, ""


# Bytes that begin like a pickle are walked as one and may be hostile, rightly.
_BYTES = st.binary().filter(lambda raw: not raw.startswith(b"\x80"))
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text() | _BYTES,
    lambda inner: st.lists(inner) | st.tuples(inner, inner) | st.dictionaries(st.text(), inner),
    max_leaves=20,
)
EXTRAS = st.sampled_from(
    [
        collections.OrderedDict(a=1),
        datetime.datetime(2020, 1, 1),
        np.arange(5.0),
        np.float64(2),
        {1, 2},
        1 + 2j,
        slice(1, 2),
    ]
)


@given(VALUES, EXTRAS, st.integers(0, 5))
def test_honest_values_of_every_protocol_are_clean_and_name_what_cpython_asks_for(value, extra, protocol):
    """The same set of globals, nothing more."""
    data = pickle.dumps([value, extra], protocol=protocol)
    result = scan(data)
    assert result.verdict is Verdict.CLEAN, result.findings
    asked, _ = cpython_globals(data, False)
    old = {"__builtin__": "builtins", "copy_reg": "copyreg"}
    assert {f"{old.get(module, module)}.{name}" for module, name in asked} == set(result.globals)


@settings(max_examples=400)
@given(
    st.lists(st.sampled_from([op.code.encode("latin-1") for op in pickletools.opcodes]), max_size=30),
    st.binary(max_size=60),
)
def test_whatever_cpython_would_ask_for_in_random_bytes_is_named_or_the_bytes_are_not_clean(codes, noise):
    """Random opcodes and noise: no global that either unpickler asks for escapes a clean verdict."""
    data = b"\x80\x04" + b"".join(code + noise[at * 2 : at * 2 + 2] for at, code in enumerate(codes)) + b"."
    result = scan(data)
    for pure in (False, True):
        asked, _ = cpython_globals(data, pure)
        if asked:
            assert result.verdict is not Verdict.CLEAN or set(result.globals) >= {f"{m}.{n}" for m, n in asked}


def stdlib_callables():
    """Return public callables of modules of the standard library that are loaded already."""
    found = []
    for module_name in sorted(sys.stdlib_module_names & set(sys.modules)):
        module = sys.modules[module_name]
        for name, value in sorted(vars(module).items()):
            if not name.startswith("_") and callable(value) and not inspect.ismodule(value):
                found.append((module_name, name))
    return found


CALLABLES = stdlib_callables()
FORMS = [
    lambda m, n: f"c{m}\n{n}\n(S'x'\ntR.".encode(),
    lambda m, n: f"(S'x'\ni{m}\n{n}\n.".encode(),
    lambda m, n: b"(c" + f"{m}\n{n}\n".encode() + b"S'x'\no.",
    lambda m, n: b"\x80\x02c" + f"{m}\n{n}\n".encode() + b")\x81.",
    lambda m, n: b"\x80\x04\x8c" + bytes([len(m)]) + m.encode() + b"\x8c" + bytes([len(n)]) + n.encode() + b"\x93)R.",
    lambda m, n: b"\x80\x02c" + f"{m}\n{n}\n".encode() + b"q\x070h\x07)R.",
]


@settings(max_examples=300)
@given(st.sampled_from(CALLABLES), st.sampled_from(FORMS))
def test_no_callable_of_the_standard_library_is_clean(which, form):
    """REDUCE, INST, OBJ, NEWOBJ, STACK_GLOBAL and memo tricks; only value types are exempt."""
    module, name = which
    result = scan(form(module, name))
    if tier(module, name) is None:
        assert result.verdict is Verdict.BLOCK
        assert f"{module}.{name}" in result.globals


@given(st.binary(max_size=300))
def test_random_bytes_never_crash_it(data):
    """Any verdict, no exception."""
    scan(data)
    scan(b"\x80\x04" + data)


def test_the_call_that_would_run_is_named():
    """With its argument."""
    result = scan(b"cposix\nsystem\n(S'rm -rf /tmp/x'\ntR.")
    assert any("would call posix.system('rm -rf /tmp/x')" in one.why for one in result.findings)


def test_a_joblib_array_between_the_opcodes_is_skipped_and_what_follows_is_read(tmp_path):
    """Honest arrays are clean; a call behind the array is still found."""
    path = tmp_path / "a.joblib"
    joblib.dump({"a": np.arange(100.0), "o": np.array([{}, None], dtype=object)}, path)
    data = path.read_bytes()
    assert scan(data).verdict is Verdict.CLEAN
    evil = data[:-1] + b"cposix\nsystem\n(S'true'\ntR0."
    assert scan(evil).verdict is Verdict.BLOCK


def test_limits_end_in_unreadable_not_in_clean():
    """A budget of time and opcodes."""
    long = b"\x80\x02" + b"N0" * 10_000 + b"N."
    result = scan_pickle(memoryview(long), "x", Budget(opcodes=4096))
    assert result.verdict is Verdict.UNREADABLE
    with pytest.raises(LimitReached):
        Walk(memoryview(long), 0, Budget(seconds=-1), "x").run()


def test_a_state_may_not_change_what_an_object_is():
    """`__class__`, `__reduce__` and their like are no attributes of data."""
    known = b"\x80\x02csklearn.linear_model._logistic\nLogisticRegression\n)\x81}X"
    for name, hostile in ((b"coef_", False), (b"__class__", True), (b"__reduce__", True)):
        data = known + len(name).to_bytes(4, "little") + name + b"K\x01sb."
        walk = Walk(memoryview(data), 0, Budget(), "x")
        assert walk.run()
        assert any(one.rule == "pickle-patches" for one in walk.findings) is hostile


def test_arrays_in_files_beside_an_old_joblib_file():
    """By a plain name only."""
    for name, hostile in (("m.pkl_01.npy", False), ("../../etc/passwd", True), ("/etc/passwd", True), ("a\\b", True)):
        raw = name.encode()
        data = b"\x80\x02cjoblib.numpy_pickle\nNDArrayWrapper\n)\x81}U\x08filenameU" + bytes([len(raw)]) + raw + b"sb."
        assert (scan(data).verdict is Verdict.BLOCK) is hostile, name


def test_old_torch_files_name_a_class_by_a_persistent_id():
    """It is that class, and judged as such; ids of other kinds are no class."""
    for name, verdict in ((b"torch.nn.modules.linear\nLinear", Verdict.CLEAN), (b"posix\nsystem", Verdict.BLOCK)):
        data = b"\x80\x02(X\x06\x00\x00\x00modulec" + name + b"\nX\x01\x00\x00\x00fX\x01\x00\x00\x00stQ)\x81}b."
        assert scan(data, torch=True).verdict is verdict
    other = b"\x80\x02(X\x05\x00\x00\x00otherctorch.nn.modules.linear\nLinear\nNNtQ)\x81."
    assert scan(other, torch=True).verdict is Verdict.BLOCK


@pytest.mark.parametrize("number", [b"9" * 5000, b"-1"])
def test_memo_numbers_that_no_reader_takes(number):
    """Found in a package's JavaScript: a text that begins like GET with thousands of digits ended the scan."""
    for code in (b"g", b"Np"):
        walk = Walk(memoryview(code + number + b"\n."), 0, Budget(), "x")
        assert not walk.run()
