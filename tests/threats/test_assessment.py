"""Exit codes: 0 only when something was claimed and everything claimed held."""

import pytest

from bartizan.threats.assessment import Assessment, Subject
from bartizan.threats.base import Row, State, Threat

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
