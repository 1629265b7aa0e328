"""Rows drawn into one class are found; confusion that goes both ways, and honest rows, are not."""

import numpy as np

from bartizan.data.checks.content import (
    ALARMS,
    PAIR_ALARMS,
    TOGETHER,
    WITH_SHARED,
    Known,
    Votes,
    clearness,
    strengths,
    vote,
    wrong_content,
)


def blobs(seed, rows=1200, classes=6):
    """Rows around the corner of their class in 12 dimensions."""
    rng = np.random.default_rng(seed)
    centres = np.random.default_rng(9).normal(0, 2.5, (classes, 12))
    labels = rng.integers(0, classes, rows)
    return centres[labels] + rng.normal(0, 1, (rows, 12)), labels, rng


def test_votes_follow_the_content():
    """No row needs its own label to be read."""
    values, labels, rng = blobs(1)
    scores = vote(values, labels, 6, np.arange(1200), rng)
    assert (scores.argmax(axis=1) == labels).mean() > 0.95


def test_rows_drawn_into_a_class_are_flagged_and_honest_sets_raise_no_alarm():
    """From all classes, and from a single one."""
    for sources in (range(1, 6), (3,)):
        values, labels, rng = blobs(2)
        moved = rng.permutation(np.flatnonzero(np.isin(labels, list(sources))))[:36]
        given = labels.copy()
        given[moved] = 0
        found = wrong_content(values, given, np.random.default_rng(0), 0.01)
        assert found.flagged[moved].mean() > 0.9
        assert np.delete(found.flagged, moved).mean() < 0.01
        assert all("class 0 draws" in alarm for alarm in found.alarms)
        assert set(found.reasons) == set(np.flatnonzero(found.flagged))
    for seed in range(5):
        values, labels, rng = blobs(seed)
        assert wrong_content(values, labels, rng, 0.01).alarms == ()


def test_rows_of_a_known_target_are_flagged_without_an_alarm():
    """Five rows are too few to stand out; those of other classes stay."""
    values, labels, rng = blobs(2)
    moved = rng.permutation(np.flatnonzero(labels == 3))[:5]
    labels[moved] = 0
    for targets, expected in (((), []), ((0,), sorted(moved)), ((1,), [])):
        found = wrong_content(values, labels, np.random.default_rng(0), 0.01, Known(targets))
        assert sorted(np.flatnonzero(found.flagged)) == expected
        assert found.alarms == ()


def test_two_classes_that_people_confuse_are_no_target():
    """Much confusion, the same both ways."""
    rng = np.random.default_rng(4)
    labels = np.repeat(np.arange(4), 300)
    margin, other = rng.uniform(-1, -0.1, 1200), (labels + 1) % 4
    confused = np.concatenate([np.arange(0, 60), np.arange(300, 360)])
    margin[confused], other[confused] = rng.uniform(0, 1, 120), 1 - labels[confused]
    found = strengths(Votes(margin, other), labels, 4)
    assert found.targets.max() < min(ALARMS)
    assert found.pairs.max() < min(PAIR_ALARMS)


def test_a_target_that_both_readings_see_faintly_raises_an_alarm_and_one_that_chance_moved_does_not():
    """Each alone stays below its bound."""
    labels = np.repeat(np.arange(6), 300)
    quiet = Votes(np.full(1800, -1.0), (labels + 1) % 6)

    def faint(count):
        margin, other = quiet.margin.copy(), quiet.other.copy()
        for source in range(1, 6):
            margin[source : source + count] = 0.5
            other[source * count : (source + 1) * count] = source
        margin[: 6 * count] = 0.5
        return Votes(margin, other)

    for count in range(1, 12):
        seen = strengths(faint(count), labels, 6).targets.max()
        one, none = strengths(faint(count), labels, 6), strengths(quiet, labels, 6)
        both, alone = clearness((one, one), np.zeros(6)), clearness((one, none), np.zeros(6))
        assert (alone[0, -1] >= 1) == (seen >= ALARMS[0])
        if TOGETHER / (1 / ALARMS[0] + 1 / ALARMS[1]) <= seen < min(ALARMS):
            assert both[0, -1] >= 1
            break
    else:
        raise AssertionError("no strength between the bounds was tried")


def test_rows_that_only_one_description_sees_in_another_class_raise_no_alarm():
    """Chance put them there; those that every description sees there were planted."""
    values, labels, rng = blobs(2)
    moved = rng.permutation(np.flatnonzero(labels != 0))[:36]
    misread = values.copy()
    misread[np.flatnonzero(labels == 0)[:36]] = values[moved]
    given = labels.copy()
    given[moved] = 0
    for first, told, again, expected in (
        (misread, labels, values, False),
        (values, given, values, True),
        (values, labels, misread, False),
    ):
        asked = []

        def afresh(again=again, asked=asked):
            asked.append(again)
            return again

        found = wrong_content(first, told, np.random.default_rng(0), 0.01, Known(again=afresh))
        assert bool(found.alarms) == expected
        assert found.flagged[moved].mean() > 0.9 if expected else not found.flagged.any()
        assert len(asked) == (0 if first is values and told is labels else 2)
    assert wrong_content(misread, labels, np.random.default_rng(0), 0.01).alarms


class Marked:
    """What suspects share, as a table says: how clearly, and the log odds of each row."""

    what = "is marked"

    def __init__(self, clear, odds):
        self.clear, self.odds = clear, odds

    def strengths(self, votes, weight):
        """Class 0 only."""
        return np.array([self.clear, *np.zeros(len(weight) - 1)])

    def evidence(self, votes, weight, target):
        """As it was given, and the opposite."""
        return self.odds, -self.odds


def test_what_suspects_share_raises_an_alarm_and_finds_those_that_content_does_not():
    """Rows of class 0 that look like it, but share what is shared; not when it is too faint to count."""
    values, labels, _ = blobs(5)
    labels[np.flatnonzero(labels == 3)[:3]] = 2
    odds = np.random.default_rng(1).normal(-2, 1, 1200)
    marked = np.flatnonzero(labels == 0)[:20]
    odds[marked] = 500.0
    for clear, alarmed in ((1.1, True), (0.5, False)):
        known = Known(shared=Marked(clear, odds))
        found = wrong_content(values, labels, np.random.default_rng(0), 0.01, known)
        assert bool(found.alarms) == alarmed
        assert found.flagged[marked].all() == alarmed
        assert np.delete(found.flagged, marked).sum() <= 2 * alarmed
        assert all(found.reasons[at].startswith("is marked as rows of class 0") for at in marked if alarmed)


def test_what_is_shared_and_content_raise_an_alarm_together():
    """Each alone stays below its bound."""
    labels = np.repeat(np.arange(6), 300)
    quiet = Votes(np.full(1800, -1.0), (labels + 1) % 6)
    margin, other = quiet.margin.copy(), quiet.other.copy()
    for source in range(1, 6):
        other[source * 2 : (source + 1) * 2] = source
    margin[2:12] = 0.5
    faint = Votes(margin, other)
    content = strengths(faint, labels, 6).targets[0] / ALARMS[0]
    assert 0.4 < content < 1
    for missing, expected in ((0.05, []), (-0.05, [(0, -1)])):
        agreed = np.array([WITH_SHARED - content - missing, 0, 0, 0, 0, 0])
        assert agreed[0] < 1
        clear = clearness((strengths(faint, labels, 6), strengths(quiet, labels, 6)), agreed)
        assert [what for what, times in clear.items() if times >= 1] == expected
