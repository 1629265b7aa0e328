"""Nothing leaves the quarantine but by a release; a critical version needs two people."""

import numpy as np
import pytest
from sklearn.datasets import load_digits

from bartizan.core.errors import BadArtifact, BadSettings, Refused
from bartizan.data.admission import Held, Request, Review
from bartizan.data.manifest import Provenance
from bartizan.data.quarantine import opened, reject, release, waiting
from bartizan.lab.poisoning.pictures import Blended

DIGITS = load_digits()


@pytest.fixture
def held(place):
    """A set of digits with a backdoor in it, held at its admission."""
    pictures = (DIGITS.images * 15.9).astype(np.uint8)[..., None]
    planted = Blended().poison(pictures, DIGITS.target.astype(np.int64), 0.02, 4, np.random.default_rng(0))
    np.savez(place.root / "d.npz", x=planted.pictures, y=planted.labels)
    request = Request(place.root / "d.npz", "set", Provenance("crowd"), "y")
    result = place.admission.admit(request)
    assert isinstance(result, Held)
    return place, request, planted


def test_a_backdoor_is_held_and_nothing_is_in_the_store(held):
    """A second admission waits for the review of the first."""
    place, request, _ = held
    assert place.store.versions("set") == []
    assert waiting(place.admission) == ["set"]
    assert [kind for kind, _ in place.records] == ["data-held"]
    with pytest.raises(Refused, match="waits for its review"):
        place.admission.admit(request)


def test_two_people_release_the_rest_without_the_flagged_rows(held):
    """The same person twice does not count; both must want the same."""
    place, _, planted = held
    flagged = opened(place.admission, "set")[1].findings.rows
    assert isinstance(release(place.admission, "set", "ann", "looked", drop=True), Review)
    with pytest.raises(Refused, match="second person"):
        release(place.admission, "set", "ann", "again", drop=True)
    with pytest.raises(Refused, match="decided otherwise"):
        release(place.admission, "set", "bob", "fine", drop=False)
    found = release(place.admission, "set", "bob", "looked too", drop=True).manifest
    left = np.delete(np.arange(len(planted.labels)), [one.row for one in flagged])
    assert not planted.poison[left].any()
    with np.load(found.folder / "data/d.npz") as file:
        assert (file["x"] == planted.pictures[left]).all()
    assert "decided by ann, bob" in found.head.provenance.steps[-1]
    assert waiting(place.admission) == []
    assert [body["who"] for kind, body in place.records if kind == "data-approved"] == ["ann", "bob"]


def test_rows_can_be_released_as_they_are_or_rejected(held):
    """Both go into the ledger."""
    place, request, planted = held
    release(place.admission, "set", "ann", "known pattern", drop=False)
    found = release(place.admission, "set", "bob", "known pattern", drop=False).manifest
    assert found.head.rows == len(planted.labels)
    assert place.records[-1][0] == "data-admitted"
    other = Request(request.path, "other", request.provenance, "y")
    assert isinstance(place.admission.admit(other), Held)
    reject(place.admission, "other", "ann", "poisoned")
    assert place.records[-1][0] == "data-rejected"
    with pytest.raises(BadSettings, match="nothing waits"):
        opened(place.admission, "other")


def test_rows_that_change_while_they_wait_are_not_released(held):
    """What was reviewed is what is released."""
    place, _, planted = held
    file = place.root / "quarantine/set/waiting/data/d.npz"
    np.savez(file, x=planted.pictures, y=planted.labels * 0)
    with pytest.raises(BadArtifact, match="changed while it waited"):
        release(place.admission, "set", "ann", "fine", drop=False)


def test_a_new_source_and_many_changed_labels_are_critical(place):
    """Whatever the checks say."""
    path = place.root / "a.jsonl"
    path.write_text('{"t": "one", "l": "x"}\n{"t": "two", "l": "y"}\n')
    place.admission.admit(Request(path, "t", Provenance("a"), "l"))
    path.write_text('{"t": "one", "l": "y"}\n{"t": "two", "l": "y"}\n')
    result = place.admission.admit(Request(path, "t", Provenance("b"), "l"))
    assert isinstance(result, Held)
    assert result.review.people == 2
    assert ["new source" in result.review.reasons[0], "another class" in result.review.reasons[1]] == [True, True]


def test_texts_are_released_without_the_flagged_rows(place):
    """One person is enough where a row is flagged and no alarm is raised."""
    path = place.root / "a.jsonl"
    path.write_text('{"t": "one plain text", "l": "x"}\n{"t": "pay\u200bpal sends you money", "l": "y"}\n')
    held = place.admission.admit(Request(path, "t", Provenance("a"), "l"))
    assert isinstance(held, Held)
    assert (held.review.people, held.review.findings.rows[0].row) == (1, 1)
    found = release(place.admission, "t", "ann", "one hides characters", drop=True).manifest
    assert (found.folder / "data/a.jsonl").read_text() == '{"t": "one plain text", "l": "x"}\n'
