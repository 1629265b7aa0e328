"""The pre-commit hook, the CI step, the GitHub Action and the systemd units, run as their users run them."""

import json
import os
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from bartizan.cli.main import main, parser

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


def test_the_step_asks_only_once_about_a_skill(tmp_path, monkeypatch, capsys):
    """What the lock approves passes, under the key that is named."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "SKILL.md").write_text("Write short tables.\n")
    (tmp_path / "bartizan.toml").write_text("[supply]\nreviewers_critical = 1\n")
    main(["admit", "propose", "SKILL.md", "--version", "1", "--who", "bob"])
    capsys.readouterr()
    main(["admit", "list", "--json"])
    main(["admit", "approve", json.loads(capsys.readouterr().out)["proposal"]["id"], "--who", "ada", "--why", "read"])
    step = ["bash", str(ROOT / "docs/recipes/scan_in_ci.sh"), "SKILL.md"]
    assert run(step, tmp_path, LOCK="bartizan.lock", KEY="bartizan-data/supply.key.pub") == 0
    assert run(step, tmp_path, LOCK="bartizan.lock", KEY="") == 1  # the step itself ends: no key, no scan


def action_step(folder, name, **inputs):
    """Run a step of action.yml with a workflow's inputs; return (exit code, what it set as outputs)."""
    action = yaml.safe_load((ROOT / "action.yml").read_text())
    step = next(one for one in action["runs"]["steps"] if one["name"] == name)
    defaults = {key: one["default"] for key, one in action["inputs"].items()}
    given = {f"inputs.{key.replace('_', '-')}": value for key, value in inputs.items()}
    known = {f"inputs.{key}": value for key, value in defaults.items()} | given
    assert set(given) <= set(known)
    env = {key: known[text.removeprefix("${{").removesuffix("}}").strip()] for key, text in step["env"].items()}
    binary = folder / "temp/bartizan/bin/bartizan"
    binary.parent.mkdir(parents=True, exist_ok=True)
    binary.write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} -m bartizan "$@"\n')
    binary.chmod(0o755)
    runner = {"RUNNER_TEMP": str(folder / "temp"), "GITHUB_ACTION_PATH": str(ROOT)}
    files = {name: str(folder / name) for name in ("GITHUB_OUTPUT", "GITHUB_STEP_SUMMARY")}
    for path in files.values():
        Path(path).touch()
    code = run(["bash", "-euo", "pipefail", "-c", step["run"]], folder, **env, **runner, **files)
    return code, (folder / "GITHUB_OUTPUT").read_text()


@pytest.mark.parametrize(("data", "code"), [(GOOD, 0), (EVIL, 1), (b"\x80\x02X\xff\xff", 2)])
def test_the_action_scans_what_the_workflow_names_and_names_its_log(tmp_path, data, code):
    """Also a name with spaces, a dash in front, and what would be a command in a shell."""
    for name in ("a model.pkl", "$(touch hacked).pkl", "-x.pkl"):
        (tmp_path / name).write_bytes(data)
    got, outputs = action_step(tmp_path, "Run", paths="a model.pkl\n$(touch hacked).pkl\n\n-x.pkl\n")
    assert (got, outputs) == (code, "sarif=bartizan.sarif\n")
    runs = json.loads((tmp_path / "bartizan.sarif").read_text())["runs"]
    assert bool(runs[0]["results"]) is bool(code)
    assert not (tmp_path / "hacked").exists()


def test_the_action_says_so_when_an_endpoint_cannot_be_tested(tmp_path):
    """Nobody listens: exit code 2, and no log that looks like a pass. So does a missing or unknown input."""
    code, outputs = action_step(tmp_path, "Run", what="assess", target="http://127.0.0.1:9")
    assert (code, outputs) == (2, "")
    assert action_step(tmp_path, "Run", what="assess")[0] == 2
    assert action_step(tmp_path, "Run", what="rm -rf /")[0] == 2


def test_no_input_of_the_action_becomes_text_of_a_script():
    """Inputs reach the scripts as variables only (script injection), and each script is there and parses."""
    for step in yaml.safe_load((ROOT / "action.yml").read_text())["runs"]["steps"]:
        assert "${{" not in step["run"]
        script = ROOT / step["run"].split("$GITHUB_ACTION_PATH/")[1].rstrip('"')
        assert run(["bash", "-n", str(script)], ROOT) == 0


UNITS = sorted((ROOT / "docs/recipes").glob("*.service"))


def verified(folder, name, text):
    """Return what systemd says about a unit whose program is there."""
    (folder / name).write_text(text.replace("/opt/bartizan/.venv/bin/bartizan", sys.executable))
    ran = subprocess.run(["systemd-analyze", "verify", str(folder / name)], capture_output=True, text=True, check=False)
    return ran.stderr


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd-analyze is not installed")
@pytest.mark.parametrize("unit", UNITS, ids=lambda path: path.name)
def test_systemd_takes_the_unit_without_a_complaint(tmp_path, unit):
    """And complains about a key that it does not know."""
    text = unit.read_text()
    assert verified(tmp_path, unit.name, text) == ""
    assert "Unknown key" in verified(tmp_path, unit.name, text.replace("UMask=", "UMaks="))


@pytest.mark.parametrize("unit", UNITS, ids=lambda path: path.name)
def test_the_unit_starts_a_command_that_there_is(unit):
    """The words after the program are ones that the command line takes."""
    line = next(line for line in unit.read_text().splitlines() if line.startswith("ExecStart="))
    program, *words = shlex.split(line.removeprefix("ExecStart="))
    assert program.endswith("/bartizan")
    assert parser().parse_args(words).config == Path("/etc/bartizan/bartizan.toml")
