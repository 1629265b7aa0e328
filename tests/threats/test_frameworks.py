"""Frameworks: every threat is mapped, editions are kept apart, moved ids are found under both numbers."""

from bartizan.threats import THREATS
from bartizan.threats.frameworks import ATLAS, MAPPING, OWASP_LLM, threats_of


def test_every_threat_has_entries():
    """Ten rows, each with an edition."""
    assert set(MAPPING) == {threat.id for threat in THREATS}
    assert all(entry.edition and entry.id for entries in MAPPING.values() for entry in entries)


def test_the_same_number_means_different_things_in_different_editions():
    """LLM03 was supply chain in 2025; in 2026 supply chain is LLM04."""
    assert threats_of(OWASP_LLM, "2025", "LLM03") == ("T09",)
    assert threats_of(OWASP_LLM, "2026", "LLM03") == ()
    assert threats_of(OWASP_LLM, "2026", "LLM04") == ("T09",)


def test_a_moved_atlas_id_is_found_under_both_numbers():
    """AML.T0019 became AML.T0115.000."""
    assert threats_of(ATLAS, "2026.07", "AML.T0115.000") == threats_of(ATLAS, "2026.04", "AML.T0019") == ("T04",)


def test_entries_print_with_their_edition():
    """Never a bare id."""
    assert str(MAPPING["T01"][0]) == "OWASP LLM Top 10 2025 LLM01"
