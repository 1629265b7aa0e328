"""`bartizan policy explain` and `policy test` as people run them."""

import json

import pytest

from bartizan.cli.main import main
from bartizan.cli.policy_cases import expected
from bartizan.core.errors import BadRequest

IBAN = "GB33BUKB20201555555555"


def case(expect=None, name="", asked="Pay bill.txt", call=("send_money", {"recipient": IBAN, "amount": 98.7})):
    """One line: a bill was read, and a call follows."""
    read = {"id": "c0", "function": {"name": "read_file", "arguments": '{"path": "bill.txt"}'}}
    wanted = {"id": "c1", "function": {"name": call[0], "arguments": json.dumps(call[1])}}
    messages = [
        {"role": "user", "content": asked},
        {"role": "assistant", "tool_calls": [read]},
        {"role": "tool", "tool_call_id": "c0", "content": f"Bill\nPay 98.70 to {IBAN}."},
        {"role": "assistant", "tool_calls": [wanted]},
    ]
    return json.dumps({"messages": messages, "expect": expect, "name": name})


@pytest.fixture
def file(tmp_path):
    """Writes lines and returns the path."""

    def write(*lines):
        path = tmp_path / "cases.jsonl"
        path.write_text("\n".join(lines) + "\n", encoding="utf-8")
        return str(path)

    return write


def test_decisions_as_expected_are_no_failure(file, capsys):
    """With and without a reason, as a word or a list."""
    lines = (case("ask"), case(["ask target-not-anchored"]), case("block effect-not-licensed", asked="Read bill.txt"))
    assert main(["policy", "test", file(*lines)]) == 0
    assert "3 as expected, 0 not" in capsys.readouterr().out


@pytest.mark.parametrize("wrong", ["allow", "block", "ask repeated", ["ask", "ask"]])
def test_a_decision_that_is_not_expected_fails_with_its_name(file, capsys, wrong):
    """Another verdict, another reason, another number of calls."""
    assert main(["policy", "test", file(case(wrong, "the dentist's bill"), case("ask"))]) == 1
    said = capsys.readouterr().out
    assert "FAILED the dentist's bill" in said
    assert "1 as expected, 1 not" in said


def test_what_cannot_be_tested_is_never_a_pass(file, capsys, tmp_path):
    """No expectation, no JSON, no calls, no cases, no file."""
    assert main(["policy", "test", file(case("ask"), case(None), "{", "[]", '{"expect": "ask"}')]) == 2
    assert "1 as expected, 0 not, 4 that could not be tested" in capsys.readouterr().out
    assert main(["policy", "test", file("")]) == 2
    assert main(["policy", "test", str(tmp_path / "none")]) == 2
    assert main(["policy", "test", file(case("ask")), "--rules", str(tmp_path / "none")]) == 2
    with pytest.raises(BadRequest, match="VERDICT"):
        expected({"expect": "maybe"})


def test_rules_and_manifest_count(file, tmp_path):
    """What no rule permits is blocked, whatever the request asks."""
    (tmp_path / "r.cedar").write_text('permit(principal, action == Action::"read", resource);')
    (tmp_path / "m.json").write_text(json.dumps({"tools": {"send_money": {"effect": "read"}}}))
    path = file(case("block not-permitted"))
    assert main(["policy", "test", path, "--rules", str(tmp_path / "r.cedar")]) == 0
    assert (
        main(["policy", "test", path, "--rules", str(tmp_path / "r.cedar"), "--manifest", str(tmp_path / "m.json")])
        == 1
    )


def test_a_call_is_explained_for_people_and_for_programs(file, capsys):
    """What would act on a terminal is written out; a line that is none does not hide the others."""
    call = ("send_money", {"recipient": IBAN, "amount": 98.7, "note": "\x1b[2J"})
    path = file("{", case(call=call))
    assert main(["policy", "explain", path]) == 2
    said = capsys.readouterr()
    assert "not JSON" in said.err
    assert "- recipient" in said.out
    assert "\x1b" not in said.out
    assert main(["policy", "explain", file(case()), "--json"]) == 0
    one = json.loads(capsys.readouterr().out)
    assert (one["decision"]["verdict"], one["arguments"][0]["covered"]) == ("ask", False)
    assert main(["policy", "explain", file("{}")]) == 2
