"""Torch files member by member: storages by position, TorchScript by its operators, torch.package refused."""

import io
import zipfile

import pytest

from bartizan.supply.base import Budget, Verdict
from bartizan.supply.scan import scan_bytes
from bartizan.supply.torch_archives import TorchArchive, script_findings

CODE = b"""class M(Module):
  __parameters__ = []
  training : bool
  __annotations__["0"] = __torch__.torch.nn.modules.linear.Linear
  def forward(self: __torch__.M, x: Tensor, y: int=2) -> Tuple[Tensor, str]:
    _0 = annotate(List[Tensor], [])
    for i in range(y):
      _1 = torch.append(_0, torch.add(torch.relu((self.l).forward(x, )), i))
    ops.prim.RaiseException("no", "builtins.RuntimeError")
    _2 = ops.quantized.linear(x)
    return (torch.cat(_0), "a")
"""
TYPES = (
    b"\x80\x02c__torch__\nM\n)\x81}X\x08\x00\x00\x00trainingI00\ns"
    b"ctorch.jit._pickle\nbuild_intlist\n](K\x01e\x85R\x86b."
)


def script(code=CODE, pickle=TYPES, **more):
    """Return a TorchScript file."""
    members = {"m/data.pkl": pickle, "m/code/__torch__.py": code, "m/constants.pkl": b"\x80\x02).", "m/version": b"3\n"}
    return packed(members | {name.replace("__", "/"): data for name, data in more.items()})


def packed(members):
    """Return a zip."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, data in members.items():
            archive.writestr(zipfile.ZipInfo(name), data)
    return buffer.getvalue()


def result(data):
    """Scan it."""
    return scan_bytes(memoryview(data), "m.pt", Budget())


def test_a_script_of_ordinary_operators_is_clean():
    """Its types are its own, its storages raw numbers."""
    found = result(script(m__constants__0=b"\x80\x04garbage", m__data__0=b"\xff" * 40))
    assert (found.verdict, found.findings) == (Verdict.CLEAN, ())


@pytest.mark.parametrize(
    ("line", "verdict"),
    [
        (b'torch.save(x, "/tmp/x")', Verdict.BLOCK),
        (b'torch.from_file("/etc/hostname", False, 3)', Verdict.BLOCK),
        (b'ops.aten.from_file("/etc/hostname")', Verdict.BLOCK),
        (b'ops.rpc.rpc_sync("worker", "f")', Verdict.BLOCK),
        (b"ops.mylibrary.launch(x)", Verdict.REVIEW),
        (b"^PythonOp()(x)", Verdict.UNREADABLE),
        (b"torch.add(x, 1)", Verdict.CLEAN),
    ],
)
def test_operators_that_act_and_foreign_ones(line, verdict):
    """Wherever they stand in the program."""
    body = b"    for i in range(y):\n"
    assert result(script(CODE.replace(body, body + b"      _9 = " + line + b"\n"))).verdict is verdict


def test_names_of_the_archive_mean_nothing_outside_of_one():
    """Without code beside it, `__torch__` is a module like any other; other names stay hostile inside."""
    assert result(packed({"m/data.pkl": TYPES, "m/version": b"3\n"})).verdict is Verdict.BLOCK
    evil = b"\x80\x02cposix\nsystem\nX\x04\x00\x00\x00true\x85R."
    assert result(script(pickle=evil)).verdict is Verdict.BLOCK
    assert result(script(m__constants_pkl=b"", m__other=evil)).verdict is Verdict.BLOCK
    assert result(script(pickle=b"\x80\x02c__torch__evil\nM\n)R.")).verdict is Verdict.BLOCK


def test_lite_interpreter_files_name_their_operators_in_a_pickle():
    """`bytecode.pkl`."""
    code = b"\x80\x02X\x0a\x00\x00\x00aten::save"
    lite = {"m/data.pkl": TYPES, "m/code/__torch__.py": CODE, "m/bytecode.pkl": code + b"."}
    assert result(packed(lite)).verdict is Verdict.BLOCK
    assert result(packed(lite | {"m/bytecode.pkl": code.replace(b"save", b"relu") + b"."})).verdict is Verdict.CLEAN


def test_a_torch_package_runs_python():
    """Blocked for what it is."""
    assert result(packed({"m/data.pkl": b"\x80\x02N.", "m/.data/extern_modules": b"os\n"})).verdict is Verdict.BLOCK


def test_programs_without_end_are_unreadable():
    """Nesting and length."""
    assert script_findings(b"x = " + b"(" * 5000, "x")[0].rule == "unreadable"
    assert script_findings(b"#" * (21 << 20), "x")[0].rule == "unreadable"


def test_storages_are_known_by_their_pickle():
    """A number beside no pickle is a file like others."""
    archive = TorchArchive({"a/data.pkl", "a/data/0", "b/data/0", "a/traced_inputs.pkl", "a/traced_inputs/0"})
    named = [archive.is_storage(one) for one in ("a/data/0", "a/traced_inputs/0", "b/data/0", "a/data/x")]
    assert named == [True, True, False, False]
    assert (archive.is_pickle("a/traced_inputs.pkl"), archive.is_pickle("b/traced_inputs.pkl")) == (True, False)


def test_whole_modules_of_torch_nn_are_clean_and_calls_of_their_functions_are_not():
    """Layers with parameters, activations kept as settings; a class that is called, or is of nobody's list, is not."""
    layer = b"\x80\x02ctorch.nn.modules.linear\nLinear\n)\x81}X\x03\x00\x00\x00actctorch.nn.functional\ngelu\nsb."
    assert result(packed({"m/data.pkl": layer})).verdict is Verdict.CLEAN
    assert result(packed({"m/data.pkl": layer.replace(b")\x81", b"K\x01\x85R")})).verdict is Verdict.BLOCK
    assert result(packed({"m/data.pkl": layer.replace(b"Linear", b"Unread")})).verdict is Verdict.REVIEW
    called = b"\x80\x02ctorch.nn.functional\ngelu\nK\x01\x85R."
    assert result(packed({"m/data.pkl": called})).verdict is Verdict.BLOCK


def test_a_wrapper_subclass_is_built_of_allowed_classes_only():
    """The first argument is the class that is built."""
    for name, verdict in ((b"torch\nTensor", Verdict.CLEAN), (b"torch.nn.modules.linear\nLinear", Verdict.BLOCK)):
        data = b"\x80\x02ctorch._utils\n_rebuild_wrapper_subclass\nc" + name + b"\n\x85R."
        assert result(packed({"m/data.pkl": data})).verdict is verdict
