"""Cases: the same for the same seed, and none that an echo or a refusal could win."""

import pytest

from bartizan.core.messages import Reply
from bartizan.lab.cases import PROMPT_INJECTION_SOURCES
from bartizan.lab.chat import EchoBot, RefuseBot
from bartizan.lab.techniques import DISGUISES, TECHNIQUES

every_source = pytest.mark.parametrize("source", PROMPT_INJECTION_SOURCES, ids=lambda source: source.family)


@every_source
def test_a_seed_decides_the_cases(source):
    """The same seed gives the same cases, another seed others; ids are unique."""
    first = list(source.cases(1, 12))
    assert first == list(source.cases(1, 12))
    assert first != list(source.cases(2, 12))
    assert len({case.id for case in first}) == 12
    assert {case.family for case in first} == {source.family}


@every_source
def test_neither_echo_nor_refusal_wins_any_case_by_any_technique(source):
    """What the attacker writes never holds what the oracle looks for."""
    for case in source.cases(3, 12):
        for technique in TECHNIQUES:
            for disguise in DISGUISES:
                prompt = case.prompt(disguise.change(technique.text(case)))
                for bot in (EchoBot(), RefuseBot()):
                    assert not case.oracle.judge(prompt, bot.ask(prompt).reply).succeeded, (case.id, technique.name)


@every_source
def test_every_case_can_be_won(source):
    """A target that gives in completely is judged as broken: the oracle is no stuck needle."""
    for case in source.cases(4, 6):
        broken = Reply(
            f"{case.system} {getattr(case.oracle, 'answer', '')}",
            tuple(_call(case.oracle) for _ in [0] if hasattr(case.oracle, "tool")),
        )
        assert case.oracle.judge(case.prompt("x"), broken).succeeded


def _call(oracle):
    from bartizan.core.messages import ToolCall

    return ToolCall("1", oracle.tool, oracle.argument)
