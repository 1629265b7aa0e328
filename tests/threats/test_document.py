"""THREATS.md is written from the register and is fresh."""

from pathlib import Path

from bartizan.threats import THREATS
from bartizan.threats.document import markdown


def test_the_file_in_the_repository_is_fresh():
    """`bartizan threats --write` makes it so."""
    path = Path(__file__).parents[2] / "THREATS.md"
    assert path.read_text(encoding="utf-8") == markdown(THREATS)


def test_every_threat_and_its_state_stand_in_it():
    """No claim yet is said."""
    text = markdown(THREATS)
    assert all(f"## {threat.id} {threat.name}" in text for threat in THREATS)
    assert text.count("| no claim yet |") == sum(not threat.claims for threat in THREATS)
