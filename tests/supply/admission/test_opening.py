"""The lock's key is made once, readable by its owner only; checkers need the public half alone."""

import stat

import pytest

from bartizan.core.clock import StoppedClock
from bartizan.core.errors import BadSettings
from bartizan.core.sections.supply import Supply
from bartizan.ledger.log import Ledger
from bartizan.supply.admission.opening import open_desk, public_key


def test_the_key_is_made_once(tmp_path):
    """The second desk signs with the same one."""
    policy = Supply(key_file=str(tmp_path / "keys" / "supply.key"), lock_file=str(tmp_path / "lock"))
    ledger = Ledger.open(tmp_path / "ledger", origin="test", clock=StoppedClock())
    first, second = (open_desk(policy, ledger, StoppedClock()) for _ in range(2))
    assert first.key.private_numbers() == second.key.private_numbers()
    assert stat.S_IMODE((tmp_path / "keys" / "supply.key").stat().st_mode) == 0o600
    assert public_key(policy) == first.key.public_key()
    assert public_key(Supply(), tmp_path / "keys" / "supply.key.pub") == first.key.public_key()
    ledger.close()


def test_without_a_key_nothing_can_be_checked(tmp_path):
    """And it says where it should be."""
    with pytest.raises(BadSettings, match=r"supply\.key\.pub"):
        public_key(Supply(key_file=str(tmp_path / "supply.key")))
