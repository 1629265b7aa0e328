"""What a reviewer should not check by hand: sizes, module sentences, mirrored tests, the README's tree."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
SOURCES = sorted(path for path in (ROOT / "src/bartizan").rglob("*.py"))
MODULES = [path for path in SOURCES if path.name not in ("__init__.py", "__main__.py")]
FILE_LINES = 400
FUNCTION_LINES = 60


def relative(path: Path) -> str:
    """Return the path as a test id."""
    return str(path.relative_to(ROOT))


@pytest.mark.parametrize("path", SOURCES, ids=relative)
def test_a_module_opens_with_a_sentence_and_stays_small(path):
    """Every module says what it promises; no file over 400 lines, no function over 60."""
    source = path.read_text(encoding="utf-8")
    tree = ast.parse(source)
    assert ast.get_docstring(tree), f"{path} has no module docstring"
    assert len(source.splitlines()) <= FILE_LINES
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            assert node.end_lineno is not None
            length = node.end_lineno - node.lineno + 1
            assert length <= FUNCTION_LINES, f"{path}:{node.lineno} {node.name} has {length} lines"


@pytest.mark.parametrize("path", SOURCES, ids=relative)
def test_public_things_have_a_docstring(path):
    """Public classes, functions and methods explain themselves."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    for node in ast.walk(tree):
        if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            nested = not any(
                node in parent.body for parent in ast.walk(tree) if isinstance(parent, ast.Module | ast.ClassDef)
            )
            if not node.name.startswith("_") and not nested:
                assert ast.get_docstring(node), f"{path}:{node.lineno} {node.name} has no docstring"


@pytest.mark.parametrize("path", MODULES, ids=relative)
def test_every_module_has_its_test(path):
    """src/bartizan/a/b.py is tested by tests/a/test_b.py. Sections are plain data, tested with the settings."""
    inside = path.relative_to(ROOT / "src/bartizan")
    if inside.parts[:2] == ("core", "sections"):
        return
    assert (ROOT / "tests" / inside.parent / f"test_{inside.name}").exists(), f"no test for {inside}"


def test_no_forbidden_name_is_used_for_a_module_or_class():
    """Names say what a thing is: no utils, no Manager."""
    forbidden = ("util", "helper", "manager", "misc", "common")
    for path in SOURCES:
        assert not any(word in path.stem.lower() for word in forbidden), path
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ClassDef):
                assert not any(word in node.name.lower() for word in forbidden), f"{path}: {node.name}"
