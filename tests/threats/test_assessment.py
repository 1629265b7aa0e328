"""Exit codes: 0 only when something was claimed and everything claimed held."""

from dataclasses import replace

import pytest

from bartizan.core.measures import proportion
from bartizan.threats.assessment import Assessment, Subject
from bartizan.threats.base import Evidence, Row, State, Threat

BARE = Threat("T00", "t", "n", (), (), "", ())


@pytest.mark.parametrize(
    ("states", "code"),
    [
        ([State.HOLDS, State.NO_CLAIM], 0),
        ([State.HOLDS, State.FAILED], 1),
        ([State.FAILED, State.UNTESTED], 1),
        ([State.HOLDS, State.UNTESTED], 2),
        ([State.NO_CLAIM], 2),
        ([], 2),
    ],
)
def test_the_exit_code_never_calls_an_untested_run_good(states, code):
    """Nothing tested is 2, a broken claim is 1."""
    rows = tuple(Row(BARE, state, "") for state in states)
    run = Assessment(Subject("u", "m", True, ""), rows, "0", 1, "2026-01-01T00:00:00Z", 1.0, 1, 1)
    assert run.exit_code() == code


def test_it_says_which_rows_measured_something_of_the_users_own():
    """A classifier that settings name is the user's own, also where no chat endpoint was named."""
    share = proportion(1, 2, seed=1)
    rows = [
        Row(replace(BARE, id=name), State.HOLDS, "", Evidence(share, share, on_reference=reference))
        for name, reference in (("T01", True), ("T03", False))
    ]
    run = Assessment(Subject("u", "m", True, ""), tuple(rows), "0", 1, "2026-01-01T00:00:00Z", 1.0, 1, 1)
    assert run.about().startswith("Measured on what you named: T03. Each other row")
    reference = replace(run, rows=tuple(rows[:1]))
    assert reference.about().startswith("Nothing of yours was measured")
    named = replace(reference, subject=Subject("http://127.0.0.1:9", "m", False, ""))
    assert named.about().startswith("Nothing was measured on http://127.0.0.1:9: these rows ask it nothing")
    assert "--target URL" not in named.about()
