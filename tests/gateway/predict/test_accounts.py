"""Who asks what is unlike honest questions stands out: alone, with cover traffic, and spread over many accounts."""

import numpy as np
from tests.gateway.predict.traffic import honest, rows_of, sketch, unlike

from bartizan.gateway.predict import accounts
from bartizan.gateway.predict.accounts import BLOCK, Accounts, window_signs
from bartizan.gateway.predict.sketch import WAVES


def mixed(count, share, seed):
    """Questions of which a share are a thief's, the others honest."""
    draw = np.random.default_rng(seed)
    some = honest()[1][draw.integers(0, 500, count)]
    mine = draw.random(count) < share
    some[mine] = unlike(int(mine.sum()), seed)
    return rows_of(some)


def test_a_thief_alone_is_noticed_within_64_questions_and_honest_callers_are_not():
    """Honest ones ask 512 questions each."""
    past = Accounts(sketch())
    assert "far" in past.take("eve", "", mixed(64, 1.0, 1)).scores[-1].past(sketch().limits)
    for number in range(4):
        found = past.take(f"user {number}", "", mixed(512, 0.0, number)).scores
        assert len(found) == 512 // BLOCK
        assert not any(one.past(sketch().limits) for one in found)


def test_accounts_that_ask_the_same_unusual_things_are_kin():
    """Ten accounts of 64 questions each; the honest ones beside them have other kin, or none."""
    past = Accounts(sketch())
    for turn in range(4):
        for number in range(10):
            thief = past.take(f"sybil {number}", "", mixed(16, 0.6, 100 * turn + number)).scores
            user = past.take(f"user {number}", "", mixed(16, 0.0, 500 + 100 * turn + number)).scores
    assert thief[-1].kin > 4 * max(user[-1].kin, 1)
    assert len(thief[-1].relatives) > 4
    assert all(name.startswith("sybil") for name in thief[-1].relatives[:9])


def test_a_network_and_newcomers_are_judged_as_one():
    """Each account asks 8 questions and is never seen again; one caller alone is no group."""
    past = Accounts(sketch())
    found = [near for number in range(12) for near in past.take(f"once {number}", "", mixed(8, 1.0, number)).near]
    assert len(found) == 6
    assert "far" in found[-1].past(sketch().limits)
    alone = Accounts(sketch())
    assert not any(alone.take("eve", "9.9.9.0/24", mixed(64, 1.0, number)).near for number in range(3))
    alone.take("bob", "9.9.9.0/24", mixed(64, 1.0, 9))
    taken = alone.take("bob", "9.9.9.0/24", mixed(64, 1.0, 10))
    assert (taken.group, len(taken.near)) == ("9.9.9.0/24", 4)
    assert all("far" in one.past(sketch().limits) for one in taken.near)


def test_what_is_remembered_is_bounded(monkeypatch):
    """The caller who was away longest is forgotten, and its place begins anew."""
    monkeypatch.setattr(accounts, "MOST", 3)
    past = Accounts(sketch())
    for name in "abcd":
        past.take(name, "", mixed(32, 0.0, 1))
    assert list(past._askers) == ["b", "c", "d"]
    assert sorted(one.slot for one in past._askers.values()) == [0, 1, 2]
    fresh = Accounts(sketch())
    fresh.take("d", "", mixed(32, 0.0, 1))
    np.testing.assert_allclose(past._halves[:, past._askers["d"].slot], fresh._halves[:, 0], atol=1e-4)


def test_sums_stay_what_their_blocks_add_up_to():
    """Old blocks leave the halves; naive addition over the latest blocks gives the same."""
    past = Accounts(sketch())
    past.take("a", "", mixed(BLOCK * 21, 0.0, 1))
    blocks = list(past._askers["a"].blocks)[-accounts.KIN_BLOCKS :]
    first = 21 - len(blocks)
    for half in (0, 1):
        naive = sum(block for number, block in enumerate(blocks, first) if number % 2 == half)
        np.testing.assert_allclose(past._halves[half, 0], naive[:WAVES], atol=1e-2)


def test_signs_of_a_window():
    """Squared length over the size, and doubt over its deviation."""
    sums = np.zeros((1, WAVES + 1))
    sums[0, 0], sums[0, 1], sums[0, WAVES] = 3.0, 4.0, 6.0
    np.testing.assert_allclose(window_signs(sums, np.array([4])), [[6.25, 3.0]])
