"""Pictures and the like: by mark and name together."""

from bartizan.supply.media import kind_of


def test_mark_and_name_agree():
    """One without the other is no picture."""
    png = memoryview(b"\x89PNG\r\n\x1a\n\x00\x00\x00\x0d")
    assert kind_of(png, "a.png") == "picture"
    assert kind_of(png, "a.bin") == ""
    assert kind_of(memoryview(b"GIF89a"), "a.png") == ""
    assert kind_of(memoryview(b"\x00\x00\x00\x20ftypisom"), "a.mp4") == "film"
    assert kind_of(memoryview(b"%PDF-1.7"), "paper.pdf") == "document"
