"""Inside of `only_approved`, readers refuse what the lock does not approve, however they were imported."""

import gzip
import pickle
import subprocess
import sys
import threading

import joblib
import numpy as np
import pytest
from joblib import load as joblib_load
from tests.supply.test_loading import approved, safetensors, stored

from bartizan.core.errors import Refused
from bartizan.supply import load, only_approved
from bartizan.supply.admission.lock import Lock, Revision


class Mine:
    """A class that no approved pickle names."""


def naming(lock, *names):
    """Return the lock with pickles that name these globals."""
    artefact = lock.artefacts["m"]
    fields = {name: getattr(artefact.current, name) for name in artefact.current.__struct_fields__}
    return Lock().with_revision("m", "m", Revision(**fields | {"globals": names}))


@pytest.fixture
def files(tmp_path):
    """Two joblib files and two NumPy files."""
    joblib.dump({"w": np.ones(2)}, tmp_path / "good")
    joblib.dump({"w": np.zeros(2)}, tmp_path / "bad")
    np.save(tmp_path / "good.npy", np.ones(2))
    np.save(tmp_path / "bad.npy", np.zeros(2))
    (tmp_path / "bad.gz").write_bytes(gzip.compress(pickle.dumps(1)))
    (tmp_path / "notes.txt").write_text("hello")
    return tmp_path


def test_readers_refuse_what_is_not_approved(files):
    """Also one that was imported by name before; texts are no models."""
    lock = approved((files / "good").read_bytes(), (files / "good.npy").read_bytes())
    lock = naming(lock, "joblib.numpy_pickle.NumpyArrayWrapper", "numpy.ndarray", "numpy.dtype")
    with only_approved(lock):
        assert joblib_load(files / "good")["w"].tolist() == [1, 1]
        assert load(files / "good", lock)["w"].tolist() == [1, 1]
        assert np.load(files / "good.npy").tolist() == [1, 1]
        assert (files / "notes.txt").read_text() == "hello"
        for read in (
            lambda: joblib_load(files / "bad"),
            lambda: np.load(files / "bad.npy"),
            lambda: np.load(str(files / "bad.npy").encode()),
            lambda: (files / "bad").open("rb"),
            lambda: gzip.GzipFile(files / "bad.gz"),
        ):
            with pytest.raises(Refused, match="not approved"):
                read()
    assert joblib_load(files / "bad")["w"].tolist() == [0, 0]


def test_pickles_from_elsewhere_name_only_what_approved_ones_name():
    """From a cache or a socket, by either unpickler."""
    data = pickle.dumps(Mine())
    with only_approved(Lock()):
        assert pickle.loads(pickle.dumps({"a": [1, "x"]})) == {"a": [1, "x"]}
        for read in (pickle.loads, pickle._loads):
            with pytest.raises(Refused, match=f"{Mine.__module__}.Mine"):
                read(data)
    with only_approved(naming(approved(b""), f"{Mine.__module__}.Mine")):
        assert isinstance(pickle.loads(data), Mine)


def test_every_thread_and_every_guard_is_asked(files):
    """Loaders read in threads; a lock inside of another one cannot widen it."""
    met = []

    def read():
        try:
            np.load(files / "good.npy")
        except Refused as error:
            met.append(error)

    wide = approved((files / "good.npy").read_bytes())
    with only_approved(Lock()), only_approved(wide):
        thread = threading.Thread(target=read)
        thread.start()
        thread.join()
    assert len(met) == 1


def test_a_file_that_changes_is_checked_again(files):
    """By size and times."""
    with only_approved(approved((files / "good.npy").read_bytes())):
        np.load(files / "good.npy")
        np.save(files / "good.npy", np.full(2, 7))
        with pytest.raises(Refused):
            np.load(files / "good.npy")


@pytest.mark.filterwarnings("ignore:`torch.jit:DeprecationWarning")
def test_torch_and_the_readers_outside_of_python(tmp_path):
    """torch.load by its open, safetensors and TorchScript by a wrapper, though they open files by themselves."""
    torch = pytest.importorskip("torch")
    from safetensors.numpy import load_file

    data = stored(torch.save, {"w": torch.ones(2)})
    for name, content in (("a.pt", data), ("b.pt", stored(torch.save, {"w": torch.zeros(2)}))):
        (tmp_path / name).write_bytes(content)
    (tmp_path / "a").write_bytes(safetensors())
    (tmp_path / "b").write_bytes(safetensors()[:-1] + b"\1")
    torch.jit.script(torch.nn.Linear(1, 1)).save(tmp_path / "s.pt")
    with only_approved(approved(data, safetensors())):
        assert torch.load(tmp_path / "a.pt")["w"].tolist() == [1, 1]
        assert load_file(tmp_path / "a")["w"].tolist() == [1, 2]
        for read in (
            lambda: torch.load(tmp_path / "b.pt"),
            lambda: torch.load(tmp_path / "b.pt", mmap=True),
            lambda: load_file(tmp_path / "b"),
            lambda: torch.jit.load(tmp_path / "s.pt"),
            lambda: torch.jit.load(str(tmp_path / "s.pt")),
        ):
            with pytest.raises(Refused, match="not approved"):
                read()
    assert torch.jit.load(tmp_path / "s.pt") is not None


def test_other_files_of_an_onnx_model(tmp_path):
    """What it reads beside itself must be approved too."""
    pytest.importorskip("onnxruntime")
    onnx = pytest.importorskip("onnx")
    from onnxruntime import InferenceSession

    helper = onnx.helper
    value, out = (helper.make_tensor_value_info(name, 1, [2]) for name in "xy")
    weights = onnx.numpy_helper.from_array(np.ones(2, dtype="f4"), "w")
    graph = helper.make_graph([helper.make_node("Add", ["x", "w"], ["y"])], "g", [value], [out], [weights])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.save(model, tmp_path / "m.onnx", save_as_external_data=True, location="m.data", size_threshold=0)
    whole = [(tmp_path / name).read_bytes() for name in ("m.onnx", "m.data")]
    with only_approved(approved(*whole)):
        assert InferenceSession(tmp_path / "m.onnx").run(None, {"x": np.ones(2, dtype="f4")})[0].tolist() == [2, 2]
    with only_approved(approved(whole[0])), pytest.raises(Refused, match=r"m\.data"):
        InferenceSession(path_or_bytes=str(tmp_path / "m.onnx"))


def test_a_reader_that_is_imported_later(tmp_path):
    """In a process of its own: ONNX Runtime comes after the guard, by the import hook."""
    pytest.importorskip("onnxruntime")
    (tmp_path / "m.onnx").write_bytes(b"\x08\x08")
    program = (
        "import sys\n"
        "from bartizan.core.errors import Refused\n"
        "from bartizan.supply.admission.lock import Lock\n"
        "from bartizan.supply.loading_guard import only_approved\n"
        "with only_approved(Lock()):\n"
        "    from onnxruntime import InferenceSession\n"
        "    try:\n"
        "        InferenceSession(sys.argv[1])\n"
        "    except Refused as error:\n"
        "        print(error)\n"
    )
    command = [sys.executable, "-c", program, str(tmp_path / "m.onnx")]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert "not approved" in done.stdout
