"""The pre-commit hook and the CI step, run as their users run them."""

import json
import os
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[2]
EVIL, GOOD = b"cposix\nsystem\n(S'true'\ntR.", b"\x80\x02N."


def run(words, folder, **more):
    """Run a command in `folder` and return its exit code."""
    python = f"{sys.executable} -m bartizan"
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "src"), "BARTIZAN": python, **more}
    return subprocess.run(words, cwd=folder, env=environment, capture_output=True, check=False).returncode


@pytest.mark.parametrize(("data", "code"), [(GOOD, 0), (EVIL, 1)])
def test_the_hook_stops_a_hostile_file(tmp_path, data, code):
    """Its entry is given the names of the files, as pre-commit does."""
    (hook,) = yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text())
    (tmp_path / "m.pkl").write_bytes(data)
    entry = shlex.split(hook["entry"].replace("bartizan", f"{sys.executable} -m bartizan", 1))
    assert run([*entry, "m.pkl"], tmp_path) == code


@pytest.mark.parametrize(
    ("data", "code"), [(GOOD, 0), (EVIL, 1), (b"\x80\x02csklearn.x\nOdd\n)\x81.", 1), (b"\x80\x02X\xff\xff", 2)]
)
def test_the_step_fails_and_leaves_a_log(tmp_path, data, code):
    """Blocked or to be reviewed 1, not checked 2."""
    (tmp_path / "m.pkl").write_bytes(data)
    assert run(["bash", str(ROOT / "docs/recipes/scan_in_ci.sh"), "m.pkl"], tmp_path) == code
    assert json.loads((tmp_path / "bartizan.sarif").read_text())["version"] == "2.1.0"
