"""Each kind of requirement and lock file, as its tool writes it."""

import json

import pytest

from bartizan.supply.packages.requirement_files import reader_of

UV = """
version = 1
[[package]]
name = "app"
version = "0.1"
source = { editable = "." }
[[package]]
name = "numpy"
version = "2.4.0"
source = { registry = "https://pypi.org/simple" }
wheels = [{ url = "https://files.invalid/numpy.whl", hash = "sha256:aa" }]
[[package]]
name = "mine"
version = "1.0"
source = { git = "https://git.invalid/mine?rev=main" }
"""
POETRY = '[[package]]\nname = "numpy"\nversion = "2.4.0"\nfiles = [{file = "numpy.whl", hash = "sha256:aa"}]\n'
PYLOCK = '[[packages]]\nname = "numpy"\nversion = "2.4.0"\nwheels = [{name = "n.whl", hashes = {sha256 = "aa"}}]\n'
PIPFILE = json.dumps({"default": {"numpy": {"version": "==2.4.0", "hashes": ["sha256:aa"]}}, "develop": {}})
YARN = (
    'react@^19.0.0:\n  version "19.1.0"\n  resolved '
    '"https://registry.yarnpkg.com/react/-/react-19.1.0.tgz#x"\n  integrity sha512-a\n'
)
OLD_NPM = json.dumps({"dependencies": {"a": {"version": "1.0.0", "dependencies": {"b": {"version": "2.0.0"}}}}})


def read(name, text):
    """Return what a file of this name asks for."""
    return reader_of(name)(text)


def test_pip_requirements_with_everything():
    """Continuation lines, hashes, markers, extras, options, includes, addresses, comments."""
    asked = read(
        "requirements.txt",
        "# comment\n-r base.txt\n--extra-index-url https://x.invalid\nnumpy[full]==2.4.0 ; python_version > '3' \\\n"
        "    --hash=sha256:aa \\\n    --hash=sha256:bb\nhttpx>=0.28\n-e git+https://git.invalid/a.git@main#egg=mine\n"
        "https://files.invalid/tool-1.0-py3-none-any.whl\n???\n",
    )
    assert [(one.name, one.version, one.digests) for one in asked.wanted[:2]] == [
        ("numpy", "2.4.0", ("sha256:aa", "sha256:bb")),
        ("httpx", "", ()),
    ]
    assert [(one.name, bool(one.source)) for one in asked.wanted[2:]] == [("mine", True), ("tool", True)]
    assert asked.includes == ["base.txt"]
    assert asked.options == [("--extra-index-url", "https://x.invalid")]
    assert asked.unread == ["line 10: ???"]


@pytest.mark.parametrize(
    ("name", "text", "wanted"),
    [
        ("poetry.lock", POETRY, [("numpy", "2.4.0", ("sha256:aa",), "")]),
        ("pylock.toml", PYLOCK, [("numpy", "2.4.0", ("sha256:aa",), "")]),
        ("pylock.dev.toml", PYLOCK, [("numpy", "2.4.0", ("sha256:aa",), "")]),
        ("Pipfile.lock", PIPFILE, [("numpy", "2.4.0", ("sha256:aa",), "")]),
        (
            "uv.lock",
            UV,
            [("numpy", "2.4.0", ("sha256:aa",), ""), ("mine", "1.0", (), "https://git.invalid/mine?rev=main")],
        ),
        ("package-lock.json", OLD_NPM, [("a", "1.0.0", (), ""), ("b", "2.0.0", (), "")]),
        (
            "yarn.lock",
            YARN,
            [("react", "19.1.0", ("sha512-a",), "https://registry.yarnpkg.com/react/-/react-19.1.0.tgz")],
        ),
    ],
)
def test_lock_files(name, text, wanted):
    """Name, version, digests, source."""
    asked = read(name, text)
    assert asked.locked
    assert [(one.name, one.version, one.digests, one.source) for one in asked.wanted] == wanted


def test_declarations_are_no_locks():
    """Ranges are right in them."""
    pyproject = read(
        "pyproject.toml",
        '[project]\ndependencies = ["a>=1", "b @ https://x.invalid/b.whl"]\n'
        '[project.optional-dependencies]\nx = ["c"]\n[build-system]\nrequires = ["setuptools"]\n'
        '[tool.poetry.dependencies]\npython = "^3"\nd = {git = "https://g.invalid"}\n',
    )
    assert not pyproject.locked
    assert [one.name for one in pyproject.wanted] == ["a", "b", "c", "setuptools", "d"]
    package = read("package.json", json.dumps({"dependencies": {"react": "^19", "mine": "git+ssh://git.invalid/x"}}))
    assert [(one.name, one.source) for one in package.wanted] == [("react", ""), ("mine", "git+ssh://git.invalid/x")]


def test_other_names_are_not_read():
    """A model card is no requirement file."""
    assert reader_of("README.md") is None
    assert reader_of("my_requirements_notes.doc") is None
