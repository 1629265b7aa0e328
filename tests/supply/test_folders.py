"""What lies below a path: links by where they lead, git's store, folders that are deep or closed."""

import os

import pytest

from bartizan.supply.base import Verdict
from bartizan.supply.folders import files_below
from bartizan.supply.scan import scan_path

EVIL = b"cposix\nsystem\n(S'true'\ntR."


def verdicts(folder):
    """Scan a folder; verdicts by name."""
    return {os.path.relpath(one.path, folder): one.verdict for one in scan_path(folder)}


def test_a_link_that_stays_inside_is_followed_and_one_that_leads_out_is_blocked(tmp_path):
    """What is behind it is judged under both names."""
    (tmp_path / "in" / "deep").mkdir(parents=True)
    (tmp_path / "in" / "deep" / "evil.pkl").write_bytes(EVIL)
    (tmp_path / "fine.txt").write_text("hello")
    (tmp_path / "in" / "again").symlink_to("deep/evil.pkl")
    (tmp_path / "in" / "folder").symlink_to("deep")
    (tmp_path / "in" / "out").symlink_to("../fine.txt")
    (tmp_path / "in" / "nothing").symlink_to("none")
    assert verdicts(tmp_path / "in") == {
        "again": Verdict.BLOCK,
        "deep/evil.pkl": Verdict.BLOCK,
        "folder": Verdict.CLEAN,
        "nothing": Verdict.UNREADABLE,
        "out": Verdict.BLOCK,
    }
    (named,) = scan_path(tmp_path / "in" / "out")
    assert named.verdict is Verdict.CLEAN  # whoever names a link means what it leads to


def test_the_cache_of_hugging_face(tmp_path):
    """Its snapshots are links to blobs beside them; any other folder of that name gives nothing free."""
    model = tmp_path / "models--a--b"
    (model / "blobs").mkdir(parents=True)
    (model / "snapshots" / "0f" / "onnx").mkdir(parents=True)
    (model / "blobs" / "1234").write_text("{}")
    (tmp_path / "secret").write_text("x")
    (model / "snapshots" / "0f" / "onnx" / "config.json").symlink_to("../../../blobs/1234")
    (model / "snapshots" / "0f" / "x.json").symlink_to("../../../secret")
    found = verdicts(model / "snapshots" / "0f")
    assert found == {"onnx/config.json": Verdict.CLEAN, "x.json": Verdict.BLOCK}


@pytest.mark.parametrize(
    ("config", "verdict"),
    [
        ("[core]\n\tbare = false\n", Verdict.CLEAN),
        ('[filter "lfs"]\n\tclean = git-lfs clean -- %f\n\tprocess = git-lfs filter-process\n', Verdict.CLEAN),
        ("[core]\n\tfsmonitor = true\n", Verdict.CLEAN),
        ("[core]\n\tfsmonitor = ./run.sh\n", Verdict.REVIEW),
        ("[core]\n\tsshCommand = sh -c true\n", Verdict.REVIEW),
    ],
)
def test_the_store_of_git_is_one_row(tmp_path, config, verdict):
    """Its thousands of objects are no part of a model; what its settings would start is told."""
    (tmp_path / ".git" / "objects").mkdir(parents=True)
    (tmp_path / ".git" / "objects" / "ab").write_bytes(b"x\x9c000")
    (tmp_path / ".git" / "config").write_text(config)
    assert verdicts(tmp_path) == {".git": verdict}


def test_deep_folders_do_not_end_the_scan(tmp_path):
    """Deeper than Python's stack; taken away again, for pytest's own cleaning is not as deep."""
    here, depth = os.getcwd(), 1100
    os.chdir(tmp_path)
    try:
        for _ in range(depth):
            os.mkdir("d")
            os.chdir("d")
        assert list(files_below(tmp_path)) == []
    finally:
        for _ in range(depth):
            os.chdir("..")
            os.rmdir("d")
        os.chdir(here)


def test_a_readme_with_a_picture_asks_for_nobody(tmp_path):
    """What lies in most repositories of models, and nothing of it acts."""
    for name, data in {
        "README.md": b"# A model\n",
        "LICENSE": b"MIT\n",
        ".gitattributes": b"*.bin filter=lfs\n",
        "Makefile": b"all:\n\ttrue\n",
        "__init__.py": b"",
        "plot.png": b"\x89PNG\r\n\x1a\n\x00",
        "voice.wav": b"RIFF\x00\x00\x00\x00WAVE",
        "vocab.txt": b"[PAD]\n",
        "config.json": b'{"model_type": "bert"}',
    }.items():
        (tmp_path / name).write_bytes(data)
    assert set(verdicts(tmp_path).values()) == {Verdict.CLEAN}


def test_what_is_called_a_model_and_is_none(tmp_path):
    """Text, nothing, a pointer of Git LFS, a picture."""
    (tmp_path / "a.pt").write_text("<html>Not found")
    (tmp_path / "b.pkl").write_bytes(b"")
    (tmp_path / "c.safetensors").write_text("version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 1\n")
    (tmp_path / "d.h5").write_bytes(b"\x89PNG\r\n\x1a\n\x00")
    assert verdicts(tmp_path) == {
        "a.pt": Verdict.REVIEW,
        "b.pkl": Verdict.REVIEW,
        "c.safetensors": Verdict.UNREADABLE,
        "d.h5": Verdict.REVIEW,
    }
