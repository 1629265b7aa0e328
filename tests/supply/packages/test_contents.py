"""Whole packages: every hostile one is blocked, honest ones pass, and a wheel must be what it lists."""

import pytest

from bartizan.lab.hostile_packages import honest_packages, hostile_packages, npm, sdist, wheel
from bartizan.supply.base import Budget, Package, Verdict
from bartizan.supply.scan import scan_bytes


def scanned(data, name="x"):
    """Return the result for a package."""
    return scan_bytes(memoryview(data), name, Budget())


@pytest.mark.parametrize("sample", list(hostile_packages()), ids=lambda one: one.name)
def test_every_hostile_package_is_blocked(sample):
    """With a reason."""
    result = scanned(sample.data, sample.name)
    assert result.verdict is Verdict.BLOCK
    assert result.findings


@pytest.mark.parametrize("sample", list(honest_packages()), ids=lambda one: one.name)
def test_every_honest_package_is_clean(sample):
    """Without review."""
    assert scanned(sample.data, sample.name).verdict is Verdict.CLEAN


def test_it_says_which_package_it_is():
    """By its metadata, not by its file name."""
    assert scanned(wheel("mine", {})).packages == (Package("PyPI", "mine", "1.0"),)
    assert scanned(sdist("mine", {"setup.py": ""})).packages == (Package("PyPI", "mine", "1.0"),)
    assert scanned(npm("mine", {}, {})).packages == (Package("npm", "mine", "1.0.0"),)


def test_the_same_code_among_tests_is_for_review():
    """Nothing runs it on its own."""
    code = "import base64\nexec(base64.b64decode('cGFzcw=='))\n"
    assert scanned(wheel("mine", {"mine/x.py": code})).verdict is Verdict.BLOCK
    assert scanned(wheel("mine", {"mine/tests/x.py": code})).verdict is Verdict.REVIEW


def test_compiled_code_in_a_wheel_that_claims_to_be_pure():
    """It would be fine in one that says that it has some."""
    files = {"mine/x.so": "\x7fELF" + "\0" * 60}
    assert "native-code" in {one.rule for one in scanned(wheel("mine", files)).findings}


def test_bytecode_without_source():
    """Nobody can read it."""
    assert "bytecode" in {one.rule for one in scanned(wheel("mine", {"mine/x.pyc": "x"})).findings}
