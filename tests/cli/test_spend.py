"""`bartizan spend` over a store that a gateway counted in."""

import asyncio
import json
from pathlib import Path

import pytest

from bartizan.cli.main import main
from bartizan.cli.spend import nearing
from bartizan.core.clock import SystemClock
from bartizan.gateway.limits.money import NANO
from bartizan.ledger.stores.base import Amounts, Hold, Limit
from bartizan.ledger.stores.opening import open_store

DAY = Limit("money/budget/86400000/key:a", "budget", "money", 5 * NANO, 86_400_000)
SLOTS = Limit("slots/slots/0/key:a", "slots", "slots", 8)
OLD = Limit("money/budget/1/key:a", "budget", "money", 5, 1)


async def spend():
    store = open_store("bartizan-data/limits.sqlite", SystemClock())
    for number, used in ((1, 2 * NANO), (2, None)):
        hold = Hold(f"h{number}", (DAY, SLOTS, OLD), Amounts(money=NANO if number == 2 else 0))
        await store.admit(Hold(hold.id, (DAY, SLOTS), hold.amounts), 60_000)
        if used is not None:
            await store.settle(hold, Amounts(used))
    await store.close()


@pytest.fixture(autouse=True)
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("bartizan.toml").write_text(
        '[[limits.rules]]\nscope = "key:*"\nallow = "$5 per day"\n'
        '[[limits.rules]]\nscope = "key:*"\nallow = "8 at once"\n'
    )


def test_spent_held_left_and_the_time_to_the_cap(capsys):
    """Two of five dollars spent, one held; at this pace the cap is near. Accounts without a rule are left out."""
    asyncio.run(spend())
    assert main(["spend", "--json"]) == 0
    rows = {row["unit"]: row for row in json.loads(capsys.readouterr().out)}
    money = rows["money"]
    assert (money["scope"], money["spent"], money["held"], money["left"]) == ("key:a", 2 * NANO, NANO, 2 * NANO)
    assert 0 < money["cap_reached_in_s"] < 86400
    assert (rows["slots"]["held"], rows["slots"]["cap_reached_in_s"]) == (1, None)
    assert main(["spend", "key:a"]) == 0
    out = capsys.readouterr().out
    assert "$2.00" in out
    assert "60%" in out
    assert main(["spend", "key:b"]) == 0
    assert "nothing is counted" in capsys.readouterr().out


def test_a_store_in_another_process_cannot_be_seen(capsys):
    """And that is said."""
    Path("bartizan.toml").write_text('[limits]\nstore = "memory"\n')
    assert main(["spend"]) == 2
    assert "only the gateway itself" in capsys.readouterr().err


def row(spent, held=0, unit="money", scope="key:a"):
    return {
        "scope": scope, "allows": "$5 per day", "unit": unit, "cap": 100,
        "spent": spent, "held": held, "cap_reached_in_s": None,
    }  # fmt: skip


def test_a_budget_is_told_once_for_each_share_that_it_passes():
    """What is held counts; slots do not; falling below arms it again."""
    told, now = nearing([row(79), row(99, unit="slots")], (0.8, 1.0), {})
    assert (told, now) == ([], {})
    told, now = nearing([row(70, held=10), row(5, scope="key:b")], (0.8, 1.0), now)
    assert [(one["scope"], one["share"], one["why"]) for one in told] == [
        ("key:a", 0.8, "80% of $5 per day is spent or held")
    ]
    told, now = nearing([row(90)], (0.8, 1.0), now)
    assert told == []
    told, now = nearing([row(100)], (0.8, 1.0), now)
    assert [one["share"] for one in told] == [1.0]
    _, now = nearing([row(10)], (0.8, 1.0), now)
    assert now == {}
    assert nearing([row(85)], (0.8, 1.0), now)[0]
