"""Accounts: hashed, private, read again when changed, and never without an admin."""

import stat

import pytest

from bartizan.core.clock import StoppedClock
from bartizan.core.errors import BadSettings
from bartizan.dashboard.people import People, Role

PASSWORD = "correct horse battery"


@pytest.fixture
def people(tmp_path):
    """An empty list."""
    return People(tmp_path / "people.json", StoppedClock())


def test_only_the_right_password_opens_an_account(people):
    """Not another, not an empty one, not that of somebody else."""
    people.add("ann", Role.ADMIN, PASSWORD)
    people.add("bob", Role.VIEWER, "another long password")
    assert people.check("ann", PASSWORD).rank() is Role.ADMIN
    for name, password in (("ann", ""), ("ann", PASSWORD.upper()), ("ann", "another long password"), ("eve", PASSWORD)):
        assert people.check(name, password) is None


def test_the_file_holds_a_slow_hash_and_is_private(people, tmp_path):
    """Argon2id with its own salt each time; nobody else may read it."""
    people.add("ann", Role.ADMIN, PASSWORD)
    people.add("bob", Role.VIEWER, PASSWORD)
    path = tmp_path / "people.json"
    assert PASSWORD not in path.read_text()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    first, second = (one.password for one in people.everybody())
    assert first.startswith("$argon2id$v=19$m=19456,t=2,p=1$")
    assert first != second


def test_a_change_by_another_process_is_seen(people, tmp_path):
    """A person who is removed on the command line is out of the dashboard."""
    people.add("ann", Role.ADMIN, PASSWORD)
    people.add("bob", Role.VIEWER, PASSWORD)
    People(tmp_path / "people.json", StoppedClock()).remove("bob")
    assert people.find("bob") is None


def test_the_last_admin_stays(people):
    """Or nobody could ever let anybody in again."""
    people.add("ann", Role.ADMIN, PASSWORD)
    with pytest.raises(BadSettings, match="last admin"):
        people.remove("ann")
    with pytest.raises(BadSettings, match="last admin"):
        people.promote("ann", Role.OPERATOR)
    people.add("bob", Role.ADMIN, PASSWORD)
    people.promote("ann", Role.OPERATOR)
    assert people.find("ann").rank() is Role.OPERATOR


@pytest.mark.parametrize(
    ("name", "password", "said"),
    [
        ("", PASSWORD, "name ''"),
        ("a b", PASSWORD, "letters"),
        ("ann", PASSWORD, "already"),
        ("eve", "short", "12 or more"),
    ],
)
def test_odd_names_taken_names_and_short_passwords_are_refused(people, name, password, said):
    """And nothing is written."""
    people.add("ann", Role.ADMIN, PASSWORD)
    with pytest.raises(BadSettings, match=said):
        people.add(name, Role.VIEWER, password)
    assert len(people.everybody()) == 1


def test_somebody_who_is_not_there_cannot_be_changed(people):
    """The hint says where to look."""
    with pytest.raises(BadSettings, match="nobody is called") as caught:
        people.promote("eve", Role.ADMIN)
    assert "people list" in caught.value.hint()


@pytest.mark.parametrize("text", ["{", "[1]", '[{"name":"a","role":"god","password":"","created_ns":0}]'])
def test_a_broken_file_lets_nobody_in_and_says_so(people, tmp_path, text):
    """It is not taken for an empty one: that would print a first-run address."""
    (tmp_path / "people.json").write_text(text)
    with pytest.raises(BadSettings, match="list of people"):
        people.everybody()
