"""Tasks, goals and ways."""

from bartizan.lab.agent.tasks import GOALS, TASKS, tries
from bartizan.lab.agent.world import TOOLS


def test_every_way_asks_for_calls_that_the_office_offers():
    """A misspelt tool would be harmless by accident."""
    names = {tool.name for tool in TOOLS}
    for task in TASKS:
        for goal in GOALS:
            made = list(tries(task, goal))
            assert len({one.way for one in made}) == len(made) >= 9
            for one in made:
                assert {tool for tool, _ in (*task.reads, *one.calls, *(one.instead or task.acts))} <= names
                assert one.calls or one.instead


def test_hidden_goals_do_not_stand_in_the_text():
    """Base64 and rot13 hide the attacker's address."""
    texts = {one.way: one.text for one in tries(TASKS[0], GOALS[0])}
    assert "harvest-mail" in texts["plain"]
    assert "harvest-mail" not in texts["base64"] + texts["rot13"] + texts["letters apart"]
