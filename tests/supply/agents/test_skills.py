"""Skills and rules files by their names; their verdict says what was not judged."""

import pytest

from bartizan.lab.hostile_agents import honest_agents, hostile_agents, hostile_by_intent
from bartizan.supply.agents.skills import is_skill, scan_skill
from bartizan.supply.base import Budget, Verdict
from bartizan.supply.scan import scan_bytes


@pytest.mark.parametrize(
    "path",
    [
        "a/SKILL.md",
        "AGENTS.md",
        ".cursorrules",
        ".cursor/rules/x.mdc",
        "skills/x/reference.md",
        "a.whl!b/.claude/commands/x.md",
    ],
)
def test_what_an_agent_takes_for_instructions(path):
    """By name or folder."""
    assert is_skill(path)


@pytest.mark.parametrize("path", ["README.md", "docs/guide.md", "model.bin", "skills.py"])
def test_what_is_only_text(path):
    """A readme is not loaded as instructions."""
    assert not is_skill(path)


@pytest.mark.parametrize("sample", [*hostile_agents(), *honest_agents()], ids=lambda one: one.name)
def test_the_corpus_through_the_whole_scan(sample):
    """Hostile ones blocked, honest ones clean."""
    verdict = scan_bytes(memoryview(sample.data), sample.name, Budget()).verdict
    assert verdict is (Verdict.BLOCK if sample.hostile else Verdict.CLEAN)


def test_plain_words_are_not_judged_and_it_says_so():
    """The samples that are hostile by intent have no structure to find: a person has to read them."""
    for sample in hostile_by_intent():
        result = scan_skill(sample.data.decode(), sample.name)
        assert result.verdict is Verdict.CLEAN
        assert [one.rule for one in result.findings] == ["intent-not-judged"]


def test_any_command_without_asking():
    """Told, not judged."""
    for line, said in (("Bash", True), ("*", True), ("Bash(git:*)", False), ("Read, Grep", False)):
        result = scan_skill(f"---\nname: x\nallowed-tools: {line}\n---\n", "SKILL.md")
        assert ("over-broad" in {one.rule for one in result.findings}) is said
