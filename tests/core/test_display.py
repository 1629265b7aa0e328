"""Display: what cannot be seen is written out, and nothing else changes."""

import unicodedata

from hypothesis import given
from hypothesis import strategies as st

from bartizan.core.display import visible


def test_what_cannot_be_seen_is_written_out():
    """Zero-width, tags, escapes; newlines stay."""
    assert visible("a\u200bb\n\U000e0041\x1b[31m") == "a⟨U+200B⟩b\n⟨U+E0041⟩⟨U+001B⟩[31m"
    assert visible("Grüße, 你好 😀") == "Grüße, 你好 😀"


@given(st.text())
def test_no_control_character_is_left(text):
    """Whatever comes in."""
    assert not [ch for ch in visible(text) if ch not in "\n\t" and unicodedata.category(ch) in ("Cc", "Cf", "Cs")]
