"""What is wrong with a requirement file is said once, with the names."""

import json

import pytest

from bartizan.supply.base import Verdict
from bartizan.supply.packages.dependencies import scan_requirements

HASH = " --hash=sha256:" + "0" * 64


def rules(text, path="requirements.txt"):
    """Return the rules that a file breaks."""
    return {one.rule for one in scan_requirements(text, path).findings}


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("numpy\n", "unpinned"),
        ("numpy==2.*\n", "unpinned"),
        ("numpy==2.4.0\n", "unhashed"),
        ("numpy==2.4.0 --hash=md5:aa\n", "unhashed"),
        ("a-name-nobody-ever-heard==1.0\n", "unfamiliar-name"),
        (f"reqeusts==1.0{HASH}\n", "lookalike-name"),
        ("--extra-index-url https://x.invalid\n", "second-index"),
        ("--index-url http://x.invalid\n", "unverified-index"),
        ("--trusted-host x.invalid\n", "unverified-index"),
        ("a @ http://x.invalid/a.whl\n", "unverified-source"),
        ("-e git+https://x.invalid/a.git@main#egg=a\n", "moving-source"),
        ("a @ https://x.invalid/a.whl\n", "unhashed-source"),
        ("=== ???\n", "unreadable"),
    ],
)
def test_each_rule(text, rule):
    """One line each."""
    assert rule in rules(text)


def test_a_locked_file_is_clean():
    """Also with a name that nobody knows: its hash says which file is meant."""
    result = scan_requirements(f"numpy==2.4.0{HASH}\nour-own-thing==1.0{HASH}\n", "requirements.txt")
    assert result.verdict is Verdict.CLEAN
    assert [(one.name, one.version) for one in result.packages] == [("numpy", "2.4.0"), ("our-own-thing", "1.0")]


def test_a_requirement_file_by_its_folder_or_its_hashes():
    """requirements/base.txt, and any text that pip-compile wrote."""
    assert rules("numpy\n", "requirements/base.txt") == {"unpinned"}
    assert "lookalike-name" in rules("reqeusts==1.0 \\\n    --hash=sha256:00\n", "base.txt")
    assert scan_requirements("numpy\n", "notes.txt") is None


def test_a_commit_is_pinned():
    """Forty digits name one content."""
    assert "moving-source" not in rules(f"a @ git+https://x.invalid/a.git@{'0' * 40}\n")


def lock(name, place, **more):
    """Return a package-lock.json with one package."""
    about = {"version": "1.0.0", "resolved": place, "integrity": "sha512-a", **more}
    return json.dumps({"lockfileVersion": 3, "packages": {"": {}, f"node_modules/{name}": about}})


def test_npm_locks_say_where_each_file_comes_from():
    """Another package's file, another registry, no encryption; what runs when installed is told."""
    good = "https://registry.npmjs.org/react/-/react-1.0.0.tgz"
    assert rules(lock("react", good), "package-lock.json") == set()
    assert "lock-mismatch" in rules(lock("react", good.replace("react", "evil")), "package-lock.json")
    assert "foreign-registry" in rules(lock("react", "https://x.invalid/react.tgz"), "package-lock.json")
    assert "unverified-source" in rules(lock("react", "http://x.invalid/react.tgz"), "package-lock.json")
    assert "install-script" in rules(lock("react", good, hasInstallScript=True), "package-lock.json")


@pytest.mark.parametrize("name", ["poetry.lock", "package-lock.json", "Pipfile.lock", "pyproject.toml"])
@pytest.mark.parametrize("text", ["{", "[[package]]\nname = 1", '{"packages": 3}', '[{"a": 1}]'])
def test_a_broken_file_is_unreadable_or_empty_never_a_crash(name, text):
    """No exception whatever it holds."""
    assert scan_requirements(text, name).verdict in (Verdict.CLEAN, Verdict.REVIEW, Verdict.UNREADABLE)
    assert scan_requirements("{", name).verdict is Verdict.UNREADABLE


def test_an_address_that_is_none_is_unreadable():
    """Found by fuzzing: half an IPv6 address."""
    assert scan_requirements("--index-url http://pypI[\n", "requirements.txt").verdict is Verdict.UNREADABLE
