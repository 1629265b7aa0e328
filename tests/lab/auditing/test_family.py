"""A family is kept as plain data: done once, read the second time, done anew when its file was cut short."""

import json

import numpy as np

from bartizan.core.measures import proportion
from bartizan.lab.auditing.family import Family, digest, kept

FOUND = Family("extraction", "leaks", "A copy agrees.", proportion(9, 10, seed=1), rows=(("a", "b"),))


def test_what_is_done_is_not_done_again_and_a_broken_file_is(tmp_path):
    """By counting the work."""
    done = []

    def work():
        done.append(1)
        return FOUND

    first = kept(tmp_path / "audit", "one-run audit", work)
    assert kept(tmp_path / "audit", "one-run audit", work).figure == first.figure == FOUND.figure
    assert len(done) == 1
    path = tmp_path / "audit" / "one-run-audit.json"
    path.write_text(path.read_text()[:20])
    kept(tmp_path / "audit", "one-run audit", work)
    assert len(done) == 2


def test_plain_values_are_json_and_come_back():
    """Also without a figure."""
    assert Family.of(json.loads(json.dumps(FOUND.plain()))).figure == FOUND.figure
    assert Family.of(Family("x", "none", "y").plain()) == Family("x", "none", "y")


def test_a_digest_tells_arrays_and_settings_apart():
    """One bit is enough."""
    assert digest(np.zeros(3), "a") == digest(np.zeros(3), "a")
    assert len({digest(np.zeros(3), "a"), digest(np.ones(3), "a"), digest(np.zeros(3), "b")}) == 3
