"""A file of what was learnt is read back as it was, or refused: never a traceback, and never an unpickling."""

import json
from types import SimpleNamespace

import numpy as np
import pytest

from bartizan.core.errors import BadArtifact
from bartizan.gateway.predict.learnt import Form, read_back, written

FORM = Form("trace", "bartizan trace", 3, {"low": (("d", 2), "float32")})


def kept(path):
    """Write two rows."""
    FORM.write(path, {"size": 7}, SimpleNamespace(low=np.ones((2, 2), np.float32)))
    return path


def test_it_is_read_back_and_only_its_owner_reads_it(tmp_path):
    """Head and arrays; the sizes are checked."""
    path = kept(tmp_path / "a")
    head, arrays = FORM.read(path)
    assert head == {"form": 3, "size": 7}
    FORM.check(path, arrays, {"d": 2})
    with pytest.raises(BadArtifact, match=r"low of shape \(2, 2\): expected \(3, 2\) float32"):
        FORM.check(path, arrays, {"d": 3})
    assert path.stat().st_mode & 0o077 == 0


@pytest.mark.parametrize("how", ["none", "text", "arrays", "pickled", "version", "list"])
def test_what_is_no_such_file_is_refused(tmp_path, how):
    """With the command that makes one."""
    path = tmp_path / "a"
    if how == "text":
        path.write_text("hello")
    elif how in ("arrays", "pickled"):
        with path.open("wb") as file:
            np.savez(file, head=np.array([object()], dtype=object) if how == "pickled" else np.zeros(3, np.uint8))
    elif how != "none":
        with np.load(kept(path)) as file:
            parts = {name: file[name] for name in file.files}
        head = [3] if how == "list" else {"form": 2}
        with path.open("wb") as file:
            np.savez(file, **parts | {"head": np.frombuffer(json.dumps(head).encode(), np.uint8)})
    with pytest.raises(BadArtifact, match="trace") as refused:
        FORM.read(path)
    assert "bartizan trace" in f"{refused.value} {refused.value.hint()}"


def test_infinity_goes_through_json():
    """Lines that are switched off."""
    lines = SimpleNamespace(a=np.inf, b=0.5)
    assert read_back(json.loads(json.dumps(written(lines)))) == vars(lines)
