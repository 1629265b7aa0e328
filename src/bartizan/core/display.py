"""Shows hostile text to people: what cannot be seen, or would act on a terminal or a page, is written out."""

import unicodedata

_HIDDEN = ("Cf", "Cc", "Co", "Cn", "Cs", "Zl", "Zp", "Mn", "Me")


def visible(text: str) -> str:
    """Return `text` with every character that a reader cannot see as ⟨U+….⟩; newlines and tabs stay."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(
        f"⟨U+{ord(ch):04X}⟩" if ch not in "\n\t" and unicodedata.category(ch) in _HIDDEN else ch for ch in text
    )
