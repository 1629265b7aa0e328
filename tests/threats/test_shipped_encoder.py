"""The detector's encoder puts like texts together, one text gives one vector, and its texts are counted."""

import pytest

from bartizan.core.errors import BadSettings
from bartizan.threats.shipped_encoder import shipped_encoder


def test_like_texts_lie_together_and_a_text_gives_one_vector():
    """Alone and among others."""
    encoder = shipped_encoder(limit=4)
    texts = ["A man is eating food.", "A man eats bread.", "The invoice of March is due on Friday."]
    eats, bread, invoice = encoder(texts)
    assert eats @ bread > eats @ invoice
    assert encoder(["A man eats bread."])[0] == pytest.approx(bread, abs=1e-4)
    with pytest.raises(BadSettings, match="more than the 4 allowed"):
        encoder(["one more"])
