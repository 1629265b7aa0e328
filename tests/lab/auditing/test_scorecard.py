"""Five families in order; a second run reads what is kept and says the same."""

from tests.lab.auditing.samples import subject

from bartizan.lab.auditing.scorecard import families


def test_five_families_and_a_second_run_that_asks_next_to_nothing(tmp_path):
    """64 questions tell whether it is the same model."""
    told = []
    first = families(subject(), None, tmp_path, lambda what, done, total: told.append(what))
    assert [one.name for one in first] == [
        "membership", "one-run audit", "extraction", "inversion", "attribute inference",
    ]  # fmt: skip
    assert "extraction" in told
    again = subject()
    assert [one.says for one in families(again, None, tmp_path, lambda *_: None)] == [one.says for one in first]
    assert again.target.queries == 64
