"""An owner changes one thing at a time; a thief several. What counts is told."""

import random
from dataclasses import replace

import pytest

from bartizan.gateway.theft import Profile, Sight
from bartizan.lab.key_traffic import OWNERS, THIEVES, merged, owner_traffic, thief_traffic

DAY = 86_400
USUAL = Sight(0, "10.0.0", "OpenAI/Python", "small", 1000)


def learnt():
    """A profile after ten ordinary days, and the time then."""
    profile = Profile()
    for day in range(10):
        for number in range(30):
            profile.see(replace(USUAL, at_s=day * DAY + 36_000 + number * 300))
    return profile, 9 * DAY + 36_000 + 30 * 300


def test_the_usual_stays_known():
    """Nothing is suspicious of a key that does what it did."""
    profile, now = learnt()
    assert profile.see(replace(USUAL, at_s=now)).level == "known"


@pytest.mark.parametrize("change", [{"network": "99.9.9"}, {"client": "curl"}, {"model": "large"}, {"size": 10**6}])
def test_one_change_is_never_enough_to_stop_a_key(change):
    """However often it is seen."""
    profile, now = learnt()
    for number in range(500):
        said = profile.see(replace(USUAL, at_s=now + number * 60, **change))
        assert said.level in ("known", "alert")


def test_several_changes_at_once_are_and_the_reasons_are_told():
    """Network, client, model, in the middle of the owner's own traffic."""
    profile, now = learnt()
    thief = replace(USUAL, network="99.9.9", client="curl", model="large")
    said = [profile.see(replace(thief, at_s=now + number)) for number in range(5)]
    assert said[-1].level == "quarantine"
    assert [one.rises for one in said].count(True) <= 3
    assert {"new network", "new client", "new model"} <= {name for name, _ in said[-1].why}
    assert "quarantine" in str(said[-1])


def test_a_change_that_stays_becomes_usual():
    """The second day that a network is seen, it is the key's own."""
    profile, now = learnt()
    for day in range(1, 4):
        said = profile.see(replace(USUAL, at_s=now + day * DAY, network="99.9.9"))
    assert said.level == "known"


def test_a_new_key_is_learnt_before_it_is_judged():
    """Also when it does everything at once."""
    profile = Profile()
    for number in range(50):
        assert profile.see(Sight(number, f"{number}.0.0", f"c{number}", f"m{number}", 2**number, True)).level == "known"


def test_a_flood_does_not_become_usual():
    """A thief cannot teach a key to be busy within a minute or two."""
    profile, now = learnt()
    before = profile.usual_per_minute
    for number in range(2000):
        profile.see(replace(USUAL, at_s=now + number / 20))
    assert profile.usual_per_minute <= 2 * before


@pytest.mark.parametrize("thief", THIEVES[:3], ids=lambda thief: thief.name)
def test_thieves_who_do_not_hide_are_stopped_within_twenty_requests(thief):
    """On traffic from a seed of its own."""
    rng = random.Random(7)
    own = list(owner_traffic(rng, OWNERS[1], 30))
    start = 25.4 * DAY
    like = [shown for shown in own if shown.at_s < start][-1]
    profile, stolen = Profile(), 0
    for shown, is_thief in merged(iter(own), thief_traffic(rng, thief, like, start)):
        said = profile.see(Sight(shown.at_s, shown.network, shown.client, shown.model, shown.size, shown.probe))
        stolen += is_thief
        if said.level == "quarantine" or stolen > 50:
            break
    assert 0 < stolen <= 20


def stepped_down():
    """A profile that paid a dollar on each of ten days and is stepped down now: the network and the client are new."""
    profile, now = learnt()
    for day in range(10):
        profile.paid(day * DAY + 40_000, 1_000_000_000)
    thief = replace(USUAL, network="99.9.9", client="curl", at_s=now)
    while profile.see(thief).level != "step-down":
        pass
    return profile, now


def test_a_stepped_down_key_keeps_a_fraction_of_its_pace():
    """A minute later as much again. A key that is known never waits."""
    profile, now = stepped_down()
    waits = [profile.wait_s(now) for _ in range(3)]
    assert waits[0] == 0
    assert 0 < waits[-1] <= 61
    assert profile.wait_s(now + 61) == 0
    usual, at_s = learnt()
    assert {usual.wait_s(at_s) for _ in range(1000)} == {0}


def test_a_stepped_down_key_keeps_a_fraction_of_its_months_money():
    """Of thirty dollars a month twelve cents; when suspicion is gone it has all again."""
    profile, now = stepped_down()
    assert profile.usual_month == 30 * 10**9
    profile.paid(now, 119_000_000)
    assert profile.wait_s(now) == 0
    profile.paid(now + 61, 2_000_000)
    assert profile.wait_s(now + 61) > 3600
    later = now + 3 * DAY
    assert profile.see(replace(USUAL, at_s=later)).level == "known"
    assert profile.wait_s(later) == 0


def test_without_prices_only_the_pace_is_stepped_down():
    """No usual month, no share of it."""
    profile, now = learnt()
    thief = replace(USUAL, network="99.9.9", client="curl", at_s=now)
    while profile.see(thief).level != "step-down":
        pass
    assert profile.usual_month == 0
    assert [profile.wait_s(now + 61 * minute) for minute in range(100)] == [0] * 100
