"""Results of other tools: counted by threat, errors are no verdicts, and files that are something else are refused."""

import json

import pytest

from bartizan.core.errors import BadSettings
from bartizan.threats.outside import read


def garak(folder, *entries):
    """Write a garak report."""
    path = folder / "g.report.jsonl"
    head = [{"entry_type": "start_run setup"}, {"entry_type": "init", "garak_version": "0.17.1"}]
    path.write_text("\n".join(json.dumps(one) for one in [*head, *entries]))
    return str(path)


def promptfoo(folder, *results):
    """Write promptfoo results."""
    path = folder / "p.json"
    path.write_text(
        json.dumps({"results": {"version": 3, "results": results}, "metadata": {"promptfooVersion": "0.121"}})
    )
    return str(path)


def test_garak_counts_safe_answers_as_passed(tmp_path):
    """So the attacker's share is the rest; both ways in which versions write the total."""
    old = {"entry_type": "eval", "probe": "promptinject.HijackHateHumans", "detector": "x", "passed": 30, "total": 40}
    new = {"entry_type": "eval", "probe": "dan.Dan_11_0", "passed": 1, "fails": 4, "nones": 3, "total_evaluated": 5}
    first, second = read([garak(tmp_path, old, new, {"entry_type": "attempt", "status": 2})])
    assert (first.tool, first.threat, first.success.value, first.success.n) == ("garak 0.17.1", "T01", 0.25, 40)
    assert (second.threat, second.success.value, second.attacks) == ("T02", 0.8, "dan.Dan_11_0")


def test_a_probe_that_has_no_place_is_shown_without_one(tmp_path):
    """Not dropped."""
    (one,) = read([garak(tmp_path, {"entry_type": "eval", "probe": "newthing.X", "passed": 1, "total": 2})])
    assert one.threat == ""


def test_promptfoo_errors_are_no_verdicts(tmp_path):
    """A target or grader that failed says nothing about the attack (its reports count such rows apart, too)."""
    plugin = {"metadata": {"pluginId": "harmful:privacy"}}
    results = [
        {"success": True, "failureReason": 0, **plugin},
        {"success": False, "failureReason": 1, "testCase": plugin},
        {"success": False, "failureReason": 2, **plugin},
        {"success": False, "failureReason": 1, "error": "grader said nothing", **plugin},
        {"success": False, "failureReason": 1, "metadata": {"pluginId": "rag-poisoning"}},
        {"success": False, "metadata": {}},
    ]
    harmful, rag = read([promptfoo(tmp_path, *results)])
    assert (harmful.threat, harmful.success.value, harmful.success.n) == ("T02", 0.5, 2)
    assert (rag.tool, rag.threat, rag.success.n) == ("promptfoo 0.121", "T10", 1)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "not json",
        "[]",
        '{"results": []}',
        '{"results": {"results": [{"metadata": {"pluginId": "x"}}]}}',
        '{"entry_type": "eval", "probe": "dan.X", "passed": 9, "total": 2}',
        '{"entry_type": "eval"}',
        '{"entry_type": "init"}\n',
        "[" * 100_000,
    ],
)
def test_what_is_no_result_file_is_refused(tmp_path, text):
    """With the file's name and what was expected."""
    path = tmp_path / "f"
    path.write_text(text)
    with pytest.raises(BadSettings, match=str(path)):
        read([str(path)])


def test_a_missing_file_is_refused(tmp_path):
    """Evidence that is asked for and not there is no evidence."""
    with pytest.raises(BadSettings, match="cannot be read"):
        read([str(tmp_path / "none")])
