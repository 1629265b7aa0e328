"""The agent that does what the attacker wants."""

from bartizan.lab.agent.hijacked import Ruled, attacked, best, honest, unguarded
from bartizan.lab.agent.tasks import GOALS, TASKS, tries


def test_without_a_control_every_goal_is_reached():
    """The attack is real, at the first try."""
    for goal in GOALS:
        outcome = best(TASKS[0], goal, unguarded)
        assert outcome.harm
        assert outcome.way == "plain"


def test_a_control_that_refuses_stops_all_and_the_attacker_tries_every_way():
    """The last way is reported."""
    seen = []

    def refuse(messages, call):
        seen.append(call.tool)
        return Ruled(False, call.arguments, "no")

    outcome = best(TASKS[2], GOALS[1], refuse)
    assert not outcome.harm
    assert outcome.way == list(tries(TASKS[2], GOALS[1]))[-1].way
    assert len(seen) > 20
    assert ("result", "Denied by policy: no") in outcome.turns
    assert honest(TASKS[2], refuse).stopped


def test_the_arguments_that_a_control_gives_are_those_that_run():
    """A rewrite counts as rewritten."""
    task = TASKS[2]

    def rewrite(messages, call):
        return Ruled(True, call.arguments.replace("collect@harvest-mail.example", "nina@studio.example"), "cut")

    one = next(tries(task, GOALS[0]))
    assert "XK-7741" not in attacked(task, one, rewrite).harm
