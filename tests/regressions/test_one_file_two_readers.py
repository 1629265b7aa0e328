"""Files that are one thing to the scanner and another to the loader. Each was passed, or sent to review only, once."""

import bz2
import gzip
import io
import json
import lzma
import tarfile
import zlib

import numpy as np
import pytest
from tests.supply.packing import archive

from bartizan.supply.base import Budget, Verdict
from bartizan.supply.scan import scan_bytes

EVIL = b"cposix\nsystem\n(S'true'\ntR."
GOOD = b"\x80\x02N."


def verdict(data, name="model.bin"):
    """Scan bytes."""
    return scan_bytes(memoryview(data), name, Budget()).verdict


@pytest.mark.parametrize("kind", ["zip", "tar"])
@pytest.mark.parametrize("name", ["weights", "a/data", "notes.txt", "x.json"])
def test_a_text_pickle_inside_of_an_archive(kind, name):
    """Protocol 0 is text, and small texts in archives were passed over."""
    assert verdict(archive(kind, {name: EVIL})) is Verdict.BLOCK


def test_a_tar_file_whose_first_name_is_a_pickle():
    """The name stands at the very beginning of the file, where a pickle reader begins to read."""
    info = tarfile.TarInfo(EVIL.decode())
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as packed:
        packed.addfile(info)
    data = buffer.getvalue()
    assert data.startswith(EVIL)
    assert verdict(data) is Verdict.BLOCK


def test_a_tflite_file_whose_offset_is_a_pickle():
    """U is an opcode and the beginning of an offset; what the text after it skips is the mark TFL3."""
    pickle = b"U\x10\x00\x00TFL3" + bytes(10) + b"0" + EVIL
    assert verdict(pickle + bytes(0x1055 - len(pickle)) + bytes(64)) is Verdict.BLOCK


def test_a_safetensors_file_that_is_a_pickle():
    """Its length begins with a protocol mark; the loader of pickles finds a text of three bytes, then a call."""
    head = b"\x80\x02X\x03\x00\x00\x00\x00{ 0" + EVIL
    assert verdict(head + b" " * (0x3580280 + 8 - len(head))) in (Verdict.BLOCK, Verdict.UNREADABLE)


@pytest.mark.parametrize(
    "compress", [gzip.compress, bz2.compress, lzma.compress, zlib.compress], ids=["gzip", "bzip2", "xz", "zlib"]
)
def test_a_second_stream_behind_the_first(compress):
    """Readers go on with the next stream; so a tar file or pickle can be cut in two."""
    whole = archive("tar", {"a": GOOD, "b": EVIL})
    assert verdict(compress(whole[:1024]) + compress(whole[1024:])) is Verdict.BLOCK
    assert verdict(compress(GOOD) + b"something else") is Verdict.UNREADABLE
    assert verdict(compress(GOOD) + bytes(512)) is Verdict.CLEAN


def npy(header, body):
    """Return a NumPy file with a header of one's own."""
    text = header.encode() + b"\n"
    return b"\x93NUMPY\x01\x00" + len(text).to_bytes(2, "little") + text + body


@pytest.mark.parametrize(
    "header",
    [
        r"{'descr': '|\x4f', 'fortran_order': False, 'shape': (1,)}",
        "{'descr': 'object', 'fortran_order': False, 'shape': (1,)}",
        "{'fortran_order': False, 'shape': (1,), 'descr': 'object_'}",
        "{'descr': [('a', '<i4'), ('b', [('c', '|' 'O')])], 'fortran_order': False, 'shape': (1,)}",
        "{'descr': ('|O', (2,)), 'fortran_order': False, 'shape': (1,)}",
        "{'descr': nonsense, 'fortran_order': False, 'shape': (1,)}",
    ],
)
def test_an_array_of_objects_by_any_spelling(header):
    """NumPy evaluates the header as a literal: O has many spellings, and what follows is a pickle."""
    assert verdict(npy(header, EVIL), "x.npy") is Verdict.BLOCK


def test_a_pickle_behind_an_array_of_numbers():
    """A file may hold several arrays, one after the other."""
    buffer = io.BytesIO()
    np.save(buffer, np.arange(3))
    np.save(buffer, np.array([1, None], dtype=object))
    assert verdict(buffer.getvalue(), "x.npy") is Verdict.CLEAN
    numbers = npy("{'descr': '<i4', 'fortran_order': False, 'shape': (1,)}", bytes(4))
    assert verdict(numbers) is Verdict.CLEAN
    assert verdict(numbers + EVIL) is Verdict.BLOCK
    assert verdict(numbers + npy("{'descr': '|O', 'fortran_order': False, 'shape': (1,)}", EVIL)) is Verdict.BLOCK
    assert verdict(numbers[:-1]) is Verdict.UNREADABLE


@pytest.mark.parametrize(
    "start", [b"B\x01\x00\x00\x00x", b"C\x01x", b"\x8e\x01" + bytes(7) + b"x", b"\x8f", b"\x8a\x00"]
)
def test_a_pickle_without_a_protocol_and_an_unusual_beginning(start):
    """Under a name that says nothing."""
    assert verdict(start + b"0" + EVIL, "weights") is Verdict.BLOCK


def test_a_text_pickle_with_a_long_beginning():
    """The call stands behind what a glance at the file sees."""
    assert verdict(b"V" + b"a" * 100_000 + b"\n0" + EVIL, "words.txt") is Verdict.BLOCK


@pytest.mark.parametrize("how", [b"(ctorch.nn\nLinear\nI1\no.", b"(I1\nitorch.nn\nLinear\n."], ids=["OBJ", "INST"])
def test_old_opcodes_call_classes_too(how):
    """INST and OBJ with arguments run the constructor, as REDUCE does."""
    assert verdict(how, "m.pkl") is Verdict.BLOCK


@pytest.mark.parametrize(
    "call",
    [
        b"ccopyreg\n_reconstructor\n(csklearn.svm\nSVC\ncpandas.io.excel\nExcelFile\nS'/etc/x'\ntR.",
        b"cnumpy.random._pickle\n__generator_ctor\n(S'/etc/x'\ncpandas.io.excel\nExcelFile\ntR.",
        b"ctorch._tensor\n_rebuild_from_type_v2\n(c_codecs\nencode\nctorch\nTensor\n(S'x'\nS'zlib'\ntNtR.",
        b"cbuiltins\nlist\n((ctorch.utils.data\nDataset\notR.",
    ],
    ids=["second-class", "generator", "rebuild", "iterates"],
)
def test_allowed_names_that_call_what_they_are_given(call):
    """Each is fine with what libraries write, and calls a constructor or a method with something else."""
    assert verdict(call, "m.pkl") is Verdict.BLOCK


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("tokenizer_config.json", json.dumps({"chat_template": "{{ ''.__class__.__mro__ }}"})),
        ("tokenizer_config.json", json.dumps({"chat_template": [{"name": "x", "template": "{% include 'a' %}"}]})),
        ("processor_config.json", '{"a": {"chat\\u005ftemplate": "{{ lipsum.__globals__ }}"}}'),
        ("architecture.json", json.dumps({"class_name": "Sequential", "config": [{"class_name": "Lambda"}]})),
        ("model.yaml", "keras_version: 2.4\nconfig:\n- class_name: Lambda\n"),
        ("config.yaml", "a: !!python/object/apply:os.system ['true']\n"),
        ("hparams.yaml", "model:\n  _target_: builtins.exec\n"),
        ("model_config.json", json.dumps({"a": [{"_target_": "os.system"}]})),
        ("MLmodel", "flavors:\n  python_function:\n    loader_module: os\n"),
        ("model.safetensors.index.json", json.dumps({"weight_map": {"w": "../../../etc/passwd"}})),
        ("modules.json", json.dumps([{"idx": 0, "name": "0", "path": "", "type": "os.path"}])),
    ],
)
def test_configurations_that_make_a_loader_call(name, text):
    """Alone and inside of an archive."""
    assert verdict(text.encode(), name) is Verdict.BLOCK
    assert verdict(archive("zip", {name: text.encode()}), "all.zip") is Verdict.BLOCK


def test_code_in_an_archive_that_is_no_package():
    """A model archive of TorchServe brings its handler along."""
    code = b"import base64\nexec(base64.b64decode('cGFzcw=='))\n"
    for kind in ("zip", "tar"):
        assert verdict(archive(kind, {"MAR-INF/MANIFEST.json": b"{}", "handler.py": code}), "x.mar") is Verdict.BLOCK
        assert verdict(archive(kind, {"handler.py": b"print(1)\n"}), "x.mar") is Verdict.CLEAN


def test_what_stands_behind_the_end_of_a_tar_file():
    """Some readers go on after the two empty blocks."""
    data = archive("tar", {"a": GOOD})
    assert verdict(data) is Verdict.CLEAN
    assert verdict(data + archive("tar", {"b": EVIL})) is Verdict.REVIEW
